#ifndef CKERNELS_ADAM_H
#define CKERNELS_ADAM_H

#include <stddef.h>

// One step of Adam (arXiv 1412.6980, algorithm 1) in the operation order of PyTorch, except that a
// faster multiplication takes the place of its second division:
//   m = m + (g - m)(1 - beta1), v = beta2 · v + (1 - beta2) g²,
//   x = x - rate / correction1 · m / (√v / √correction2 + epsilon), correction_i = 1 - beta_i^step.
struct kernels_adam_step {
    float size;                   // rate / correction1
    float over_root_correction2;  // 1 / √correction2
    // 1 - beta1 and 1 - beta2, which single precision would get wrong by 5e-5 from the betas.
    float rest1, rest2;
    float beta2;
    float epsilon;
};

// The step on `count` parameters x with their gradient.
void kernels_adam(
    float *x, float *m, float *v, const float *gradient, size_t count,
    struct kernels_adam_step step);

// The step on parameters x[rows, columns] whose gradient is Σ a[i · a_row + d · a_depth] · b[d, j]
// over d < depth. The gradient is computed a tile at a time in registers and never stored. x, m and
// v are dense, rows of b lie `b_stride` floats apart; columns % 64 == 0.
void kernels_adam_outer_product(
    float *x, float *m, float *v, const float *a, size_t a_row, size_t a_depth, const float *b,
    size_t b_stride, size_t rows, size_t columns, size_t depth, struct kernels_adam_step step);

#endif
