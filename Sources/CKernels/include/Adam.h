#ifndef ADAM_H
#define ADAM_H

#include <stddef.h>

// One step of Adam (arXiv 1412.6980, algorithm 1) in the operation order of PyTorch:
//   m = m + (g - m)(1 - beta1), v = beta2 · v + (1 - beta2) g²,
//   x = x - rate / correction1 · m / (√v / √correction2 + epsilon), correction_i = 1 - beta_i^step.
// rest1 and rest2 are 1 - beta1 and 1 - beta2, which single precision would get wrong by 5e-5.
void ck_adam(float *x, const float *gradient, float *m, float *v, float step_size, float root_correction2,
             float rest1, float beta2, float rest2, float epsilon, size_t count);

#endif
