#ifndef CTHREADS_H
#define CTHREADS_H

#include "CoreChoice.h"
#include "TimedWait.h"

#endif
