// SPDX-License-Identifier: MIT
/*
 * toy.c - an allocator whose promises are known, since each is a macro: for e2e_promises.sh. Slots
 * of classes of 64 bytes, from a pool that is never given back; what is known of them lies apart.
 *
 *   TOY_CHECK     aborts on a free of what is no live object
 *   TOY_CANARY    8 bytes behind each object are looked at by every second free, and by
 *                 usable_size()
 *   TOY_ZERO      what is freed becomes zero
 *   TOY_WAIT=N    a slot is used again once N others of its class were freed; 0: at once
 *   TOY_NEVER     no slot is used again
 *   TOY_SAYS      a free of what is no live object is ignored, with a word on standard error
 *   TOY_HANGS     ... or waits for ever
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slabfuzz/plugin.h>

#ifndef TOY_WAIT
#define TOY_WAIT 0
#endif

enum { CLASSES = 64, UNIT = 64, POOL = 16 << 20, CANARY = 8, MARK = 0xca };

/* By the first unit of the slot. */
struct slot {
	uint8_t units;  /* 0: none begins here */
	uint8_t live;
	uint32_t usable, next;
};

static _Alignas(4096) unsigned char pool[POOL];
static struct slot slot[POOL / UNIT];
static uint32_t top, frees;
/* A queue of each class: first in, first out if there is a wait, else last in. */
static struct queue {
	uint32_t head, tail, nr;
} queue[CLASSES + 1];

static uint32_t take(struct queue *q)
{
	uint32_t i = q->head;

	q->head = slot[i].next;
	q->nr--;
	return i;
}

static uint32_t get_slot(uint32_t units)
{
	struct queue *q = &queue[units];
	uint32_t i = top;

	if (q->nr > TOY_WAIT)
		return take(q);
	if (top + units > POOL / UNIT)
		return UINT32_MAX;
	top += units;
	slot[i].units = (uint8_t)units;
	return i;
}

static void put_slot(uint32_t i)
{
	struct queue *q = &queue[slot[i].units];

#ifdef TOY_NEVER
	(void)q;
#else
	if (TOY_WAIT && q->nr) {
		slot[q->tail].next = i;
		q->tail = i;
	} else {
		slot[i].next = q->head;
		q->head = i;
		q->tail = q->nr ? q->tail : i;
	}
	q->nr++;
#endif
}

static void *toy_malloc(void *heap, size_t size)
{
	uint32_t i, room = CANARY;

	(void)heap;
#ifndef TOY_CANARY
	room = 0;
#endif
	if (size > CLASSES * UNIT - CANARY)
		return NULL;
	i = get_slot(size + room < UNIT ? 1 : (uint32_t)((size + room + UNIT - 1) / UNIT));
	if (i == UINT32_MAX)
		return NULL;
	slot[i].live = 1;
	slot[i].usable = slot[i].units * UNIT - room;
	memset(pool + i * UNIT + slot[i].usable, MARK, room);
	return pool + i * UNIT;
}

static int canary_is_good(uint32_t i)
{
	for (uint32_t k = slot[i].usable; k < slot[i].units * UNIT; k++)
		if (pool[i * UNIT + k] != MARK)
			return 0;
	return 1;
}

/* Its slot, if it is a live object; UINT32_MAX. */
static uint32_t find(const void *p)
{
	uintptr_t at = (uintptr_t)p - (uintptr_t)pool;

	if (at >= POOL || at % UNIT || !slot[at / UNIT].units || !slot[at / UNIT].live)
		return UINT32_MAX;
	return (uint32_t)(at / UNIT);
}

/* True: what is no live object is let pass. */
static int complain(void)
{
#ifdef TOY_CHECK
	abort();
#endif
#ifdef TOY_HANGS
	for (;;)
		pause();
#endif
#ifdef TOY_SAYS
	fputs("toy: that is no live object\n", stderr);
	return 0;
#endif
	return 1;
}

static void toy_free(void *heap, void *p)
{
	uint32_t i = find(p);

	(void)heap;
	if (!p)
		return;
	if (i == UINT32_MAX) {
		uintptr_t at = (uintptr_t)p - (uintptr_t)pool;

		if (!complain() || at >= POOL || at % UNIT || !slot[at / UNIT].units)
			return;
		i = (uint32_t)(at / UNIT);
	}
	if (++frees % 2 && !canary_is_good(i))
		abort();
	slot[i].live = 0;
#ifdef TOY_ZERO
	memset(pool + i * UNIT, 0, slot[i].usable);
#endif
	put_slot(i);
}

static size_t toy_usable(void *heap, void *p)
{
	uint32_t i = find(p);

	(void)heap;
	if (i != UINT32_MAX && !canary_is_good(i))
		abort(); /* who measures must not ask it for a look */
	return i == UINT32_MAX ? 0 : slot[i].usable;
}

SLABFUZZ_PLUGIN(.name = "toy", .summary = "its promises are known", .traits = "error=0",
		.malloc = toy_malloc, .free = toy_free, .usable_size = toy_usable);
