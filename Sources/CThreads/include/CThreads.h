#ifndef CTHREADS_H
#define CTHREADS_H

#include "CoreChoice.h"
#include "MappingGuard.h"
#include "TimedWait.h"

#endif
