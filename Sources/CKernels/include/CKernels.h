#ifndef CKERNELS_H
#define CKERNELS_H

#include "Adam.h"
#include "Attention.h"
#include "GELU.h"
#include "Gaussian.h"
#include "LayerNorm.h"
#include "Rectifier.h"
#include "SquaredError.h"

#endif
