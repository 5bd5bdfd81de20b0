// Every kernel at one level.
#include "../include/CKernels.h"
#include <math.h>
#include <string.h>

#include "Vector.h"

#include "Exponential.h"

#include "Adaptive.h"
#include "AddLayerNorm.h"
#include "Attention.h"
#include "FewRowsProduct.h"
#include "GELU.h"
#include "Gaussian.h"
#include "OuterProduct.h"
#include "PackedProduct.h"
#include "Rectifier.h"
#include "SquaredError.h"
#include "Transpose.h"

#include "Adam.h"  // on the outer product's tiles
