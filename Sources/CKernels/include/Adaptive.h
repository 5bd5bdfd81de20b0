#ifndef CKERNELS_ADAPTIVE_H
#define CKERNELS_ADAPTIVE_H

#include <stddef.h>

// What lies between the products of the adaptive denoiser's network. Matrices are dense but for `input`, whose rows
// lie `stride` floats apart. A row has one noise level s; w are the variances of clean vectors, v = w + s²,
// g = w / v the gain of the Wiener filter.

// lengths[row] = Σ x² over the row, in double.
void kernels_squared_lengths(double *lengths, const float *x, size_t rows, size_t columns);

// levels[row] = √(max(Σ (x + shift)² - 1, 0) / columns): the noise level of a row that has length 1 without noise.
void kernels_levels_of_lengths(
    float *levels, const float *x, const float *shift, size_t rows, size_t columns);

// y[row, ·] = x[row, ·] · factors[row], in double.
void kernels_scale_rows(
    float *y, const float *x, const double *factors, size_t rows, size_t columns);

// input[row, ·] = (y - mean) / √v, then exp(-((s - i · spacing) / spacing)²) for i < features, 1, and zeros up to
// `stride`; features <= 16.
void kernels_network_input(
    float *input, size_t stride, const float *y, const float *mean, const float *w, const float *s,
    size_t rows, size_t columns, size_t features, float spacing);

// gated[row, i] = silu(h[row, i]) · h[row, hidden + i], silu(p) = p / (1 + exp(-p)).
void kernels_gated(float *gated, const float *h, size_t rows, size_t hidden);

// The gradient of h [rows, 2 · hidden] from that of the gated values, written over h.
void kernels_gated_backward(float *h, const float *d_gated, size_t rows, size_t hidden);

// output[row, ·] = (y - mean) · g + r · √(w (1 - g)).
void kernels_posterior(
    float *output, const float *y, const float *mean, const float *r, const float *w,
    const float *s, size_t rows, size_t columns);

// With t = y · g + r · √(w (1 - g)) - target: *sum = the sum of weights[row] · Σ t², and r's gradient of it over r.
void kernels_posterior_loss(
    double *sum, float *r, const float *y, const float *target, const float *w, const float *s,
    const float *weights, size_t rows, size_t columns);

// ways[row] = Σ (scales[row] · f - x)², in double.
void kernels_squared_ways(
    double *ways, const float *f, const float *x, const double *scales, size_t rows,
    size_t columns);

// f[row, ·] = x + amounts[row] · (scales[row] · f - x), in double; x itself where the amount is 0.
void kernels_blend(
    float *f, const float *x, const double *amounts, const double *scales, size_t rows,
    size_t columns);

// sums[row, level] = Σ (factors[level] · y - mean)² · precisions[level, ·].
void kernels_weighted_distances(
    float *sums, const float *y, const float *mean, const float *factors, const float *precisions,
    size_t rows, size_t levels, size_t columns);

// x += y.
void kernels_add_to(float *x, const float *y, size_t count);

#endif
