#include "include/CDefaultModel.h"

static const unsigned char default_model[] __attribute__((aligned(64))) = {
#embed "default.safetensors"
};
const unsigned char *default_model_start(void) { return default_model; }
const size_t default_model_size = sizeof default_model;
