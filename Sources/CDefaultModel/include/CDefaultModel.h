#ifndef CDEFAULTMODEL_H
#define CDEFAULTMODEL_H

#include <stddef.h>

// The denoiser that ships with the product: a safetensors file.
const unsigned char *default_model_start(void);
extern const size_t default_model_size;

#endif
