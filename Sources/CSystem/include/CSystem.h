#ifndef CSYSTEM_H
#define CSYSTEM_H

#include "Allocator.h"
#include "CoreChoice.h"
#include "MappingGuard.h"
#include "TimedWait.h"

#endif
