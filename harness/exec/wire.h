/* SPDX-License-Identifier: MIT */
/*
 * wire.h - events as bytes, for who judges in another process than the allocator's (worker.h): a
 * head, the payload as event.h has it, and behind it whatever its pointers point to. Nothing in a
 * record is a pointer. Relies on event.h and memory alone, so that a kernel compiles it, too.
 *
 * The writer is believed nothing: it may be an allocator that has gone mad. What is read is refused
 * with a reason, or is an event that is sound by itself: whole, of a known type, each array as long
 * as it says, each text with an end, each value in its range.
 */
#ifndef SLABFUZZ_WIRE_H
#define SLABFUZZ_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "../../allocators/event.h"

#define SF_WIRE_VERSION 1u
#define SF_WIRE_MAX (64u << 20) /* bytes of a record, at most */

/* A record is a multiple of 8 bytes long, and is 8-aligned where it is written and read. */
struct sf_wire_head {
	uint32_t bytes;   /* of the record, with this head */
	uint32_t sum;     /* of all that follows: what was written over shows */
	uint32_t nr;      /* one more than the record's before: so does what came twice */
	uint32_t op;
	uint8_t type;     /* enum sf_event_type, or from SF_WIRE_CONTROL on what is no event */
	uint8_t cpu;
	uint16_t payload; /* bytes behind the head, before padding to 8 */
	uint32_t zero;
};

#define SF_WIRE_CONTROL 0xf0u /* first type that is the carrier's own: head and payload alone */

/*
 * What pointers in events point to: every one has a row for each type of event that has it.
 * SF_WIRE_TEXTS(X): X(EVENT, pointer, it may be NULL): text that ends with NUL.
 * SF_WIRE_ONES(X): the same: one structure.
 * SF_WIRE_ARRAYS(X): X(EVENT, pointer, it may be NULL, member that says how many).
 */
#define SF_WIRE_TEXTS(X)                 \
	X(HEAP, heap.allocator, 0)       \
	X(CACHE, cache.name, 1)          \
	X(CTYPE, ctype.name, 0)          \
	X(CTYPE, ctype.canonical, 1)     \
	X(BEGIN, run.program, 1)         \
	X(END, run.program, 1)           \
	X(CACHE_CREATE, cacheop.name, 1) \
	X(CACHE_DESTROY, cacheop.name, 1) \
	X(CACHE_SHRINK, cacheop.name, 1) \
	X(BUCKETS_CREATE, cacheop.name, 1) \
	X(WARN, warn.what, 1)            \
	X(INTEGRITY, integrity.what, 1)  \
	X(CRASH, crash.title, 0)

#define SF_WIRE_ONES(X)                  \
	X(HEAP, heap.settings, 0)        \
	X(HEAP, heap.traits, 1)

#define SF_WIRE_ARRAYS(X)                                        \
	X(SLAB_ORDER, slaborder.index, 0, slaborder.objects)     \
	X(MAP, map.pfns, 0, map.pages)                           \
	X(UNMAP, map.pfns, 1, map.pages)                         \
	X(SNAP_SLAB, snapslab.free, 0, snapslab.nr_free)         \
	X(SNAP_SLAB, snapslab.stored, 1, snapslab.nr_free)       \
	X(SNAP_SHEAF, snapsheaf.objs, 0, snapsheaf.nr)           \
	X(SNAP_PCP, snappcp.pfns, 0, snappcp.nr)

/*
 * A number for how this build lays out events: two sides with the same one understand each other.
 */
uint64_t sf_wire_layout(void);

/* Bytes that the event's record takes. */
size_t sf_wire_size(const struct sf_event *ev);
/* Writes them. `nr`: of the record. */
void sf_wire_write(const struct sf_event *ev, uint32_t nr, void *out);
/* Of a record, all but its sum being there. For who writes records otherwise. */
uint32_t sf_wire_sum(const struct sf_wire_head *head);
/* The same for a control record: type from SF_WIRE_CONTROL on. */
size_t sf_wire_control_size(size_t payload);
void sf_wire_control(uint8_t type, uint32_t op, const void *payload, size_t size, uint32_t nr,
		     void *out);

/* Why a record was refused: one line. */
struct sf_wire_fault {
	char text[120];
};

/*
 * The record at `data`, of which `len` bytes are there and nobody else's: 8-aligned. Its bytes; 0:
 * more is needed; -1: refused. `nr`: the number that is due.
 */
int64_t sf_wire_frame(const void *data, size_t len, uint32_t nr, struct sf_wire_fault *fault);
/*
 * The event of a record that sf_wire_frame() has let pass, with pointers into the record. False:
 * refused.
 */
bool sf_wire_read(const void *record, struct sf_event *ev, struct sf_wire_fault *fault);
/* The payload of a control record, which must be of `size` bytes; NULL: it is not. */
const void *sf_wire_control_payload(const void *record, size_t size);

#endif
