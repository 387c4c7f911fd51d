// SPDX-License-Identifier: MIT
/*
 * worker_serve.c - the worker's side of docs/worker.md: takes programs from shared memory, runs
 * them, and writes their events into the ring. It knows of no process: waiting and waking are
 * handed to it, so a kernel runs it as it is. Relies on the executor and wire.h.
 */
#include "worker_link.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

#define ROOM_MS 20u

struct sf_serve {
	struct sf_serve_options opt;
	struct sf_exec *exec;
	struct sf_settings set;  /* of its heap */
	bool has_heap;
	struct sf_prog prog;

	uint64_t written;        /* bytes of the ring */
	uint64_t rung;           /* of these, when the bell was looked after last */
	uint32_t nr;             /* of the next record */
	char *scratch;           /* of a record that does not fit in one piece */
	size_t scratch_size;
};

/* --- the ring --- */

static void ring_bell(struct sf_serve *s)
{
	struct sf_link_out *out = s->opt.out;

	s->rung = s->written;
	SF_LINK_FENCE();
	if (!SF_LINK_LOAD(s->opt.in->sleeps))
		return;
	SF_LINK_STORE(out->bell, out->bell + 1);
	s->opt.os.wake(&out->bell);
}

static uint64_t room(const struct sf_serve *s)
{
	return SF_LINK_RING - (s->written - SF_LINK_LOAD(s->opt.in->taken));
}

/* At least `bytes`, which the ring can hold. */
static void wait_for_room(struct sf_serve *s, uint64_t bytes)
{
	struct sf_link_out *out = s->opt.out;

	while (room(s) < bytes) {
		uint32_t seen = SF_LINK_LOAD(s->opt.in->room);

		SF_LINK_STORE(out->sleeps, 1);
		ring_bell(s);
		if (room(s) < bytes)
			s->opt.os.wait(&s->opt.in->room, seen, ROOM_MS);
		SF_LINK_STORE(out->sleeps, 0);
	}
}

/* Where a record of `size` bytes can be written in one piece. */
static void *reserve(struct sf_serve *s, size_t size)
{
	uint32_t at = s->written % SF_LINK_RING;

	if (size <= SF_LINK_RING - at) {
		if (__builtin_expect(room(s) < size, false))
			wait_for_room(s, size);
		return s->opt.out->ring + at;
	}
	if (s->scratch_size < size) {
		s->scratch = sf_grow(s->scratch, size, 1);
		s->scratch_size = size;
	}
	return s->scratch;
}

/* In pieces, as there is room; the judge takes those of a record that the ring cannot hold. */
static void copy_in(struct sf_serve *s, const char *from, size_t size)
{
	while (size) {
		uint32_t at = s->written % SF_LINK_RING;
		size_t n = size < SF_LINK_RING - at ? size : SF_LINK_RING - at;

		if (n > SF_LINK_RING / 4)
			n = SF_LINK_RING / 4;
		wait_for_room(s, n);
		memcpy(s->opt.out->ring + at, from, n);
		from += n;
		size -= n;
		s->written += n;
		SF_LINK_STORE(s->opt.out->written, s->written);
	}
}

static void publish(struct sf_serve *s, const void *record, size_t size)
{
	s->opt.out->nr = ++s->nr;
	if (record == s->scratch) {
		copy_in(s, record, size);
	} else {
		s->written += size;
		SF_LINK_STORE(s->opt.out->written, s->written);
	}
	if (__builtin_expect(s->written - s->rung > SF_LINK_BELL_EVERY, false))
		ring_bell(s);
}

static void send_event(void *serve, const struct sf_event *ev)
{
	struct sf_serve *s = serve;
	size_t size = sf_wire_size(ev);
	void *at = reserve(s, size);

	sf_wire_write(ev, s->nr, at);
	publish(s, at, size);
}

static void send_control(struct sf_serve *s, uint8_t type, uint32_t op, const void *payload,
			 size_t size)
{
	size_t bytes = sf_wire_control_size(size);
	void *at = reserve(s, bytes);

	sf_wire_control(type, op, payload, size, s->nr, at);
	publish(s, at, bytes);
}

/* --- programs --- */

static bool robbed(const struct sf_serve *s)
{
	return s->opt.os.robbed && s->opt.os.robbed(s->opt.os.ctx);
}

static void enter(struct sf_serve *s, enum sf_link_phase phase, uint32_t op)
{
	struct sf_link_out *out = s->opt.out;

	SF_LINK_STORE(out->phase, (uint32_t)phase);
	SF_LINK_STORE(out->op, op);
	SF_LINK_STORE(out->beat, out->beat + 1);
}

/* A heap with these settings; `anew`: also if it has them. */
static bool have_heap(struct sf_serve *s, const struct sf_settings *set, bool anew,
		      struct sf_error *err)
{
	if (s->has_heap && !anew && !memcmp(set, &s->set, sizeof(*set)))
		return true;
	enter(s, SF_LINK_OPEN, SF_NONE);
	s->has_heap = false;
	s->set = *set;
	if (s->exec) {
		s->has_heap = sf_exec_open(s->exec, s->opt.allocator, set, err);
	} else {
		s->exec = sf_exec_create(s->opt.allocator, set, &s->opt.exec, send_event, s, err);
		s->has_heap = s->exec;
	}
	return s->has_heap;
}

static void send_step(struct sf_serve *s, uint32_t op)
{
	const struct sf_outcome *out = sf_exec_outcome(s->exec);
	bool said = s->opt.os.said && s->opt.os.said(s->opt.os.ctx);
	struct sf_exec_counts counts;
	struct sf_link_step step;

	if (s->opt.steps_said && !said)
		return;
	sf_exec_counts(s->exec, &counts);
	step = (struct sf_link_step){ .addr = out->addr, .ret = out->ret, .status = out->status,
				      .skipped = out->skipped,
				      .said = said, .live = counts.live,
				      .no_cap = counts.skipped[SF_SKIP_NO_CAP] };
	send_control(s, SF_LINK_STEP, op, &step, sizeof(step));
}

/* False: it was robbed on the way. */
static bool run_ops(struct sf_serve *s, const char *name)
{
	const struct sf_prog *p = &s->prog;
	bool going = true;

	enter(s, SF_LINK_OPS, SF_NONE);
	sf_exec_begin(s->exec, name);
	for (uint32_t i = 0; i < p->nr_ops && going; i++) {
		enter(s, SF_LINK_OPS, i);
		going = sf_exec_step(s->exec, &p->ops[i], p->strings);
		if (s->opt.careful && robbed(s))
			return false;
		if (s->opt.steps)
			send_step(s, i);
	}
	enter(s, SF_LINK_END, SF_NONE);
	sf_exec_end(s->exec);
	return !robbed(s);
}

static void send_done(struct sf_serve *s, bool whole)
{
	struct sf_exec_counts counts;
	struct sf_link_done done = { .robbed = !whole };

	sf_exec_counts(s->exec, &counts);
	done.live = counts.live;
	done.ops = counts.ops;
	memcpy(done.skipped, counts.skipped, sizeof(done.skipped));
	send_control(s, SF_LINK_DONE, s->opt.out->op, &done, sizeof(done));
}

static void decode(struct sf_serve *s, const struct sf_link_program *in, const char **name)
{
	const char *at = (const char *)(in + 1);

	*name = in->name_len ? at : NULL;
	sf_bytes_decode(&s->prog, (const uint8_t *)at + in->name_len, in->prog_len, 0);
}

/* False: it was robbed. */
static bool run_program(struct sf_serve *s, const struct sf_link_program *in, uint32_t index)
{
	struct sf_link_out *out = s->opt.out;
	struct sf_error err = { "" };
	const char *name;
	bool whole = true;

	SF_LINK_STORE(out->program, index);
	send_control(s, SF_LINK_BEGIN, SF_NONE, &index, sizeof(index));
	decode(s, in, &name);
	if (s->prog.nr_ops != in->nr_ops) {
		snprintf(err.text, sizeof(err.text), "%u operations became %u on their way to the "
			 "worker", in->nr_ops, s->prog.nr_ops);
		send_control(s, SF_LINK_NO_HEAP, SF_NONE, &err, sizeof(err));
	} else if (!have_heap(s, &in->settings, in->tell, &err)) {
		send_control(s, SF_LINK_NO_HEAP, SF_NONE, &err, sizeof(err));
	} else {
		whole = run_ops(s, name);
		send_done(s, whole);
	}
	SF_LINK_STORE(out->phase, SF_LINK_IDLE);
	SF_LINK_STORE(out->done, index + 1);
	ring_bell(s);
	return whole;
}

bool sf_serve_batch(struct sf_serve *s, uint32_t from, uint32_t to)
{
	const char *at = (const char *)s->opt.in->data;

	for (uint32_t i = 0; i < to; i++) {
		const struct sf_link_program *p = (const void *)at;

		at += p->bytes;
		if (i >= from && !run_program(s, p, i))
			return false;
	}
	return true;
}

bool sf_serve_open(struct sf_serve *s, const struct sf_settings *set, struct sf_error *err)
{
	bool fine = have_heap(s, set, false, err);

	SF_LINK_STORE(s->opt.out->phase, SF_LINK_IDLE);
	return fine;
}

void sf_serve_resume(struct sf_serve *s, uint64_t written, uint32_t nr)
{
	s->written = s->rung = written;
	s->nr = nr;
}

bool sf_serve_understands(const struct sf_link_in *in, struct sf_error *err)
{
	if (in->magic == SF_LINK_MAGIC && in->version == SF_LINK_VERSION &&
	    in->layout == sf_wire_layout())
		return true;
	if (in->magic != SF_LINK_MAGIC)
		snprintf(err->text, sizeof(err->text), "what is shared is no worker's memory");
	else if (in->version != SF_LINK_VERSION)
		snprintf(err->text, sizeof(err->text), "the judge speaks version %u, this worker "
			 "version %u: build both from one source", in->version, SF_LINK_VERSION);
	else
		snprintf(err->text, sizeof(err->text), "judge and worker lay out events "
			 "differently: build both from one source");
	return false;
}

struct sf_serve *sf_serve_create(const struct sf_serve_options *opt)
{
	struct sf_serve *s = sf_zalloc(1, sizeof(*s));

	s->opt = *opt;
	sf_prog_init(&s->prog);
	return s;
}

void sf_serve_destroy(struct sf_serve *s)
{
	if (s->exec)
		sf_exec_destroy(s->exec);
	sf_prog_free(&s->prog);
	free(s->scratch);
	free(s);
}
