/* SPDX-License-Identifier: MIT */
/*
 * film.h - a heap as a film: what each operation changed, from events, as compact JSON for a page
 * that draws it (docs/report.md has the numbers' meaning). A frame is an operation.
 *
 * Relies on event.h and a violation's members; `slabfuzz report` relies on it. Time and memory are
 * proportional to what changes, not to the heap.
 */
#ifndef SLABFUZZ_FILM_H
#define SLABFUZZ_FILM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../../allocators/event.h"
#include "../../oracles/oracle.h"

/*
 * SF_FILM_CODES(X): X(identifier, numbers behind the code): records of a frame, a code and what
 * belongs to it. Frames of pages are page frame numbers, or where the allocator has no pages of its
 * own, addresses divided by the size of a page. Negative: not known.
 */
#define SF_FILM_CODES(X)                                                                      \
	X(LISTED, "pfn order migratetype")     /* 0: a free block is on a list */             \
	X(UNLISTED, "pfn order")               /* 1: and no longer */                         \
	X(USED, "pfn order migratetype")       /* 2: pages left the page allocator */         \
	X(PARKED, "pfn order")                 /* 3: on a per-CPU list */                     \
	X(SLAB, "pfn order migratetype cache objects") /* 4: a slab was made */               \
	X(UNSLAB, "pfn order")                 /* 5: and given back */                        \
	X(OBJECT, "id pfn index size kind order partition res offset") /* 6: alive */         \
	X(GONE, "id")                          /* 7: freed */                                 \
	X(TYPE, "pfn pages migratetype")       /* 8: page blocks changed type */              \
	X(SHEAF, "cache kind cpu which n (pfn index)*n") /* 9: a sheaf holds these */         \
	X(FREELIST, "pfn n index*n")           /* 10: a slab's list has these, in order */    \
	X(MAPPED, "n pfn*n")                   /* 11: mapped into the vmalloc window */       \
	X(WAITS, "id")                         /* 12: freed after a grace period */           \
	X(MOVED, "id pfn")                     /* 13: migrated */

enum sf_film_code {
#define X(id, numbers) SF_FILM_##id,
	SF_FILM_CODES(X)
#undef X
};

struct sf_film {
	/* Texts of JSON without the brackets around them; whole after sf_film_finish(). */
	char *frames, *caches, *violations, *settings;
	size_t frames_len, caches_len, violations_len, settings_len;
	FILE *to_frames, *to_caches, *to_violations;
	uint64_t direct_map, pages;
	uint32_t nr_frames, max_frames;
	uint64_t dropped;       /* operations after the last frame */
	uint32_t nr_violations, nr_caches;
	bool open, any;         /* a frame is being written; has numbers */
	uint32_t *head;         /* of the slab that a page belongs to, plus 1; by pfn */
	struct sf_film_cache {
		uint32_t stride;
	} *cache;               /* by id */
	size_t cap_caches;
	/* What was last said of sheaves and free lists: hashes, so that only changes are told. */
	struct sf_film_said {
		uint64_t key, hash;
	} *said;
	size_t nr_said, cap_said;
	uint32_t sheaves[SF_SHEAF_KINDS]; /* of the cache in hand, in this snapshot */
	uint32_t sheaf_cache;
};

void sf_film_init(struct sf_film *f, uint32_t max_frames);
/* Another operation; what events say from now on belongs to it. */
void sf_film_frame(struct sf_film *f, const char *text);
/* Fits struct sf_sink.emit. */
void sf_film_event(void *film, const struct sf_event *ev);
void sf_film_violation(struct sf_film *f, const struct sf_violation *v);
void sf_film_finish(struct sf_film *f);
void sf_film_free(struct sf_film *f);

/* A string of JSON that may stand in HTML, too: no '<', no '>', no '&'; what is no UTF-8 is '?'. */
void sf_film_string(const char *s, FILE *out);

#endif
