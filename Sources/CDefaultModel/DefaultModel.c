#include "include/CDefaultModel.h"

static const unsigned char default_model[] __attribute__((aligned(64))) = {
#embed "default.safetensors"
};
const unsigned char *default_model_start(void) { return default_model; }
const size_t default_model_size = sizeof default_model;

static const unsigned char judgement_rows[] = {
#embed "judgement.safetensors"
};
const unsigned char *judgement_rows_start(void) { return judgement_rows; }
const size_t judgement_rows_size = sizeof judgement_rows;

static const unsigned char replay_rows[] = {
#embed "replay.safetensors"
};
const unsigned char *replay_rows_start(void) { return replay_rows; }
const size_t replay_rows_size = sizeof replay_rows;
