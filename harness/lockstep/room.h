/* SPDX-License-Identifier: MIT */
/*
 * room.h - was there memory for a request that a member refused? Who tells nothing of its inside is
 * asked: a fresh process of it, with the same settings, is to give everything that the program asks
 * for up to there, twice, and gets nothing back. If it gives all of that, no layout and no delay
 * in using memory again can have left it short. Relies on tape.h.
 */
#ifndef SLABFUZZ_ROOM_H
#define SLABFUZZ_ROOM_H

#include "tape.h"

/*
 * Was there, on member `a`, for operation `nr` of `p`? `asked`: a tape of a member that had room
 * for it, which says what counts. False also if that cannot be known.
 */
bool sf_room_had(const struct sf_allocator *a, const struct sf_tape_options *worker,
		 const struct sf_settings *set, const struct sf_prog *p, uint32_t nr,
		 const struct sf_tape *asked);

#endif
