/* SPDX-License-Identifier: MIT */
/*
 * keep_finds.h - what a run of an engine has found, made small and put where finds are kept
 * (keep_finds.c). Relies on finds.h, minimize.h and crash_store.h; fuzz relies on it.
 */
#ifndef SLABFUZZ_KEEP_FINDS_H
#define SLABFUZZ_KEEP_FINDS_H

#include "../fuzz/finds.h"

struct sf_keep {
	const char *store;     /* folder */
	const char *target;    /* for what this program does not show */
	uint32_t seconds;      /* for each find; 0: as it was found */
};

/* Of each find that comes alone `text` is then its smallest program, in the folder of its title. */
void sf_keep_finds(const struct sf_keep *k, struct sf_finds *finds);

#endif
