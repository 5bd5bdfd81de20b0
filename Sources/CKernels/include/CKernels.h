#ifndef CKERNELS_H
#define CKERNELS_H

#include "Adam.h"
#include "Adaptive.h"
#include "AddLayerNorm.h"
#include "Attention.h"
#include "FewRowsProduct.h"
#include "GELU.h"
#include "Gaussian.h"
#include "Level.h"
#include "OuterProduct.h"
#include "PackedProduct.h"
#include "Prefetch.h"
#include "Rectifier.h"
#include "SquaredError.h"
#include "Transpose.h"

#endif
