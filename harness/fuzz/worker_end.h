/* SPDX-License-Identifier: MIT */
/*
 * worker_end.h - what a worker died of, in words (worker_end.c). Relies on worker.h and crash.h.
 */
#ifndef SLABFUZZ_WORKER_END_H
#define SLABFUZZ_WORKER_END_H

#include "../exec/worker.h"
#include "crash.h"

/* From `text`: what it wrote, with names of functions. Title "": unknown. */
void sf_worker_crash(const struct sf_worker_end *end, const char *text, struct sf_crash *c);
/* In a worker: on standard error, which is read here, it says where it was. */
void sf_worker_speaks(void);

#endif
