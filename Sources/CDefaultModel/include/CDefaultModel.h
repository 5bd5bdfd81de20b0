#ifndef CDEFAULTMODEL_H
#define CDEFAULTMODEL_H

#include <stddef.h>

// The denoiser that ships with the product: a safetensors file.
const unsigned char *default_model_start(void);
extern const size_t default_model_size;

// Clean embeddings in 8-bit integers, each up to its length, in safetensors files: some of several kinds of text that
// every new model is judged on, and some of the text behind the built-in model, which its adaptation sees again.
const unsigned char *judgement_rows_start(void);
extern const size_t judgement_rows_size;
const unsigned char *replay_rows_start(void);
extern const size_t replay_rows_size;

#endif
