// Every kernel at one level.
#include "../include/CKernels.h"
#include "Vector.h"

#include "Exponential.h"

#include "AddLayerNorm.h"
#include "Attention.h"
#include "FewRowsProduct.h"
#include "GELU.h"
