#include "include/Rectifier.h"
#include "Dispatch.h"

DISPATCHED void ck_bias_rectifier(float *restrict x, const float *restrict bias, bool rectify,
                                  size_t rows, size_t columns) {
    const float least = rectify ? 0.0f : -__builtin_inff();
    for (size_t row = 0; row < rows; row++) {
        float *restrict x_r = x + row * columns;
        for (size_t c = 0; c < columns; c++) {
            const float v = x_r[c] + bias[c];
            // Written so that a NaN stays one.
            x_r[c] = v < least ? least : v;
        }
    }
}

DISPATCHED void ck_bias_rectifier_backward(float *restrict d_x, const float *restrict y,
                                           float *restrict d_bias, bool rectify, size_t rows,
                                           size_t columns) {
    for (size_t c = 0; c < columns; c++) d_bias[c] = 0;
    for (size_t row = 0; row < rows; row++) {
        float *restrict d_r = d_x + row * columns;
        const float *restrict y_r = y + row * columns;
        if (rectify)
            for (size_t c = 0; c < columns; c++) d_r[c] = y_r[c] > 0 ? d_r[c] : 0;
        for (size_t c = 0; c < columns; c++) d_bias[c] += d_r[c];
    }
}
