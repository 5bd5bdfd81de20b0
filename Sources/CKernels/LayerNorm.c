#include "include/LayerNorm.h"
#include "Dispatch.h"
#include <math.h>

DISPATCHED void ck_residual_layer_norm(float *restrict x, const float *restrict bias,
                                       const float *restrict residual, const float *restrict gain,
                                       const float *restrict shift, float epsilon, size_t rows,
                                       size_t columns) {
#pragma clang fp reassociate(on)
    for (size_t row = 0; row < rows; row++) {
        float *restrict x_r = x + row * columns;
        const float *restrict residual_r = residual + row * columns;
        float sum = 0;
        for (size_t c = 0; c < columns; c++) {
            x_r[c] += residual_r[c] + bias[c];
            sum += x_r[c];
        }
        const float mean = sum / (float)columns;
        float squares = 0;
        for (size_t c = 0; c < columns; c++) {
            const float d = x_r[c] - mean;
            squares += d * d;
        }
        const float scale = 1.0f / sqrtf(squares / (float)columns + epsilon);
        for (size_t c = 0; c < columns; c++) x_r[c] = (x_r[c] - mean) * scale * gain[c] + shift[c];
    }
}
