/* SPDX-License-Identifier: MIT */
/*
 * hardening.h - what the rules of the hardenings remember. judge.c relies on it.
 */
#ifndef SLABFUZZ_HARDENING_H
#define SLABFUZZ_HARDENING_H

struct sf_judge;

/* Its memory goes. What it knows of a cache it keeps by the cache's serial. */
void sf_hardening_free(struct sf_judge *j);

#endif
