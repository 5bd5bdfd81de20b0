#ifndef SQUAREDERROR_H
#define SQUAREDERROR_H

#include <stddef.h>

// The sum of (y - target)² over `count` elements; d_y = factor · (y - target) where d_y is not NULL.
double ck_squared_error(const float *y, const float *target, float *d_y, float factor, size_t count);

#endif
