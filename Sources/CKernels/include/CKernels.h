#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>

#include "AddLayerNorm.h"
#include "Attention.h"
#include "FewRowsProduct.h"
#include "GELU.h"
#include "Level.h"

#endif
