// SPDX-License-Identifier: MIT
/*
 * room.c - room.h.
 */
#include "room.h"

#include "../../allocators/base/grow.h"

#define ROOM_BYTES (256ull << 20) /* in all: beyond it, other processes' memory has a say */

/* It asks for memory of the first heap. */
static bool is_request(const struct sf_op *op)
{
	switch (sf_op_table[op->code].res) {
	case SF_RES_OBJ:
	case SF_RES_KV:
	case SF_RES_USER:
	case SF_RES_ALIGNED:
	case SF_RES_MEMALIGNED:
		return op->cache == SF_NONE;
	}
	return false;
}

/* UINT64_MAX: of more than there can be. */
static uint64_t bytes_of(const struct sf_op *op)
{
	bool array = sf_op_table[op->code].flags & SF_OPF_ARRAY;
	uint64_t size;

	if (__builtin_mul_overflow(array ? op->n : 1, op->size, &size) || size > ROOM_BYTES)
		return UINT64_MAX;
	return op->align > ROOM_BYTES ? UINT64_MAX : size + op->align;
}

static bool was_given(const struct sf_tape *asked, uint32_t nr)
{
	struct sf_observer seen = { .nr_caches = 0 };
	struct sf_outcome out;
	bool given;

	if (nr >= sf_tape_steps(asked))
		return false;
	sf_tape_play(asked, nr, &seen, &out);
	given = out.status == SF_OK && out.addr && !out.skipped;
	sf_observer_free(&seen);
	return given;
}

static void ask_once(struct sf_prog *to, const struct sf_op *op)
{
	struct sf_op again = *op;

	if (sf_op_table[op->code].flags & SF_OPF_MOVES)
		again.obj = SF_NONE;
	again.expect = 0;
	sf_prog_add(to, &again);
}

/* All that was given up to `nr`, whoever's turn it was. False: it is too much to be asked. */
static bool gather(struct sf_prog *to, const struct sf_prog *p, uint32_t nr,
		   const struct sf_tape *asked)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i <= nr; i++) {
		const struct sf_op *op = &p->ops[i];

		if (op->code == SF_OP_THREAD || op->code == SF_OP_CPU)
			ask_once(to, op);
		if (!is_request(op) || !was_given(asked, i))
			continue;
		if (bytes_of(op) > ROOM_BYTES - sum)
			return false;
		sum += bytes_of(op);
		ask_once(to, op);
	}
	return true;
}

static bool gives_all(const struct sf_tape *t, const struct sf_prog *p)
{
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (is_request(&p->ops[i]) && !was_given(t, i))
			return false;
	return sf_tape_steps(t) == p->nr_ops;
}

bool sf_room_had(const struct sf_allocator *a, const struct sf_tape_options *worker,
		 const struct sf_settings *set, const struct sf_prog *p, uint32_t nr,
		 const struct sf_tape *asked)
{
	const struct sf_op *op = &p->ops[nr];
	struct sf_error err = { "" };
	struct sf_tape *t;
	struct sf_prog all;
	bool had;

	/* What 0 bytes give is for each to say. */
	if (!is_request(op) || !op->size || (sf_op_table[op->code].flags & SF_OPF_ARRAY && !op->n))
		return false;
	sf_prog_init(&all);
	had = gather(&all, p, nr, asked);
	had = had && gather(&all, p, nr, asked); /* once more */
	if (had) {
		t = sf_tape_create(a, worker);
		had = sf_tape_record(t, &all, "room", set, &err) && gives_all(t, &all);
		sf_tape_free(t);
	}
	sf_prog_free(&all);
	return had;
}
