// SPDX-License-Identifier: MIT
/*
 * bench_replay.c - what an event of a recording costs as recordings grow, 10 thousand to 10 million
 * events, through the executor and every oracle: a steady mix of allocations and frees with a
 * bounded number alive, and a real recording, repeated. And how fast real recordings are read.
 * Relies on the executor, the judge and the trace reader.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/rng.h"
#include "../trace/trace.h"
#include "bench.h"

#define LIVE 1024
#define WALK_EVERY 100000

struct mix {
	struct sf_exec *x;
	struct sf_rng rng;
	bool alive[LIVE];
};

/* Sizes by frequency, as kernels ask for them: small ones mostly. */
static uint64_t draw_size(struct sf_rng *r)
{
	static const uint16_t common[] = { 16, 32, 40, 64, 96, 128, 192, 256, 512, 1024 };
	uint64_t n = sf_rng_next(r);

	if (n % 64 == 0)
		return 1 + (n >> 32) % 8192;
	return common[(n >> 32) % (sizeof(common) / sizeof(common[0]))];
}

/* Every number is alive half of the time. */
static void run_events(struct mix *m, uint64_t events)
{
	struct sf_op get = sf_op_make(SF_OP_KMALLOC), put = sf_op_make(SF_OP_KFREE);

	get.gfp = SF_GFP_KERNEL;
	for (uint64_t i = 0; i < events; i++) {
		uint32_t n = (uint32_t)(sf_rng_next(&m->rng) % LIVE);

		if (m->alive[n]) {
			put.obj = n;
			sf_exec_step(m->x, &put, "");
		} else {
			get.res = n;
			get.size = draw_size(&m->rng);
			sf_exec_step(m->x, &get, "");
		}
		m->alive[n] = !m->alive[n];
	}
}

/*
 * Short lengths are run again and again till the clock can tell: `events` at a time, each from a
 * reset.
 */
static double ns_per_event(struct sf_exec *x, uint64_t events, uint64_t total)
{
	struct mix m = { .x = x };
	uint64_t start = bench_now(), done;

	for (done = 0; done < total; done += events) {
		memset(m.alive, 0, sizeof(m.alive));
		sf_rng_seed(&m.rng, 1);
		sf_exec_begin(x, "replay");
		run_events(&m, events);
		sf_exec_end(x);
	}
	return (double)(bench_now() - start) / (double)done;
}

static void bench_flatness(struct bench *b)
{
	static const struct {
		const char *name;
		uint64_t events;
	} lengths[] = {
		{ "replay_event_at_10k", 10000 },
		{ "replay_event_at_100k", 100000 },
		{ "replay_event_at_1M", 1000000 },
		{ "replay_event_at_10M", 10000000 },
	};
	unsigned int nr = b->quick ? 3 : 4;
	struct series ns[4] = { { .nr = 0 } }, ratio = { .nr = 0 };
	struct sf_judge *judge = bench_judge();
	struct sf_settings set;
	struct sf_exec *x;

	sf_settings_init(&set);
	x = bench_exec(&set, judge, WALK_EVERY);
	ns_per_event(x, 100000, 200000);
	for (unsigned int r = 0; r < b->rounds; r++) {
		for (unsigned int i = 0; i < nr; i++)
			series_add(&ns[i], ns_per_event(x, lengths[i].events,
							b->quick ? 1000000 : 3000000));
		series_add(&ratio, ns[nr - 1].value[r] / ns[0].value[r]);
	}
	for (unsigned int i = 0; i < nr; i++)
		bench_add(b, BENCH_RATE, lengths[i].name, &ns[i], 0, "ns");
	bench_add(b, BENCH_RATIO, "replay_flatness", &ratio, 1.10, "");
	sf_exec_destroy(x);
	sf_judge_destroy(judge);
}

/* --- a recording, again and again --- */

struct loop {
	struct sf_exec *x;
	const struct bench_recording *r;
	struct sf_op *alive; /* by number: the operation that gave it, code 0: nobody did */
	uint32_t nr;
	bool again;          /* its caches are there */
};

/* The free that goes with an allocation of a recording; false: it stays. */
static bool undo(struct loop *l, const struct sf_op *get)
{
	bool named = get->cache != SF_NONE;
	struct sf_op put = sf_op_make(SF_OP_KFREE);

	if (sf_op_table[get->code].res == SF_RES_PAGES)
		put = sf_op_make(SF_OP_FREE_PAGES);
	else if (sf_op_table[get->code].res != SF_RES_OBJ)
		return false;
	else if (named)
		put = sf_op_make(SF_OP_CACHE_FREE);
	put.obj = get->res;
	put.cache = named ? get->cache : SF_NONE;
	sf_exec_step(l->x, &put, "");
	return true;
}

static void note(struct loop *l, const struct sf_op *op)
{
	if (sf_op_table[op->code].flags & SF_OPF_FREES && op->obj < l->nr)
		l->alive[op->obj].code = 0;
	if (op->res < l->nr)
		l->alive[op->res] = *op;
}

/* Up to `events` of them; what is alive in the end is freed, so that the next time is as this. */
static uint64_t once_more(struct loop *l, uint64_t events)
{
	uint64_t done = 0;

	for (uint32_t i = 0; i < l->r->prog.nr_ops && done < events; i++) {
		const struct sf_op *op = &l->r->prog.ops[i];

		if (l->again && op->code == SF_OP_CACHE_CREATE)
			continue;
		sf_exec_step(l->x, op, l->r->prog.strings);
		note(l, op);
		done++;
	}
	for (uint32_t n = 0; n < l->nr; n++)
		if (l->alive[n].code && undo(l, &l->alive[n])) {
			l->alive[n].code = 0;
			done++;
		}
	l->again = true;
	return done;
}

static double ns_per_recorded(struct loop *l, uint64_t events, uint64_t total)
{
	uint64_t start = bench_now(), done = 0;

	while (done < total) {
		uint64_t now = 0;

		memset(l->alive, 0, l->nr * sizeof(*l->alive));
		l->again = false;
		sf_exec_begin(l->x, "replay");
		while (now < events)
			now += once_more(l, events - now);
		sf_exec_end(l->x);
		done += now;
	}
	return (double)(bench_now() - start) / (double)done;
}

static void bench_repeated(struct bench *b)
{
	static const struct {
		const char *name;
		uint64_t events;
	} lengths[] = {
		{ "recording_event_at_10k", 10000 },
		{ "recording_event_at_100k", 100000 },
		{ "recording_event_at_1M", 1000000 },
		{ "recording_event_at_10M", 10000000 },
	};
	unsigned int nr = b->quick ? 3 : 4;
	struct series ns[4] = { { .nr = 0 } }, ratio = { .nr = 0 };
	struct bench_recording rec;
	struct loop l = { .r = &rec };
	struct sf_judge *judge;

	if (!bench_record(b, &rec))
		return;
	judge = bench_judge();
	for (uint32_t i = 0; i < rec.prog.nr_ops; i++)
		if (rec.prog.ops[i].res != SF_NONE && rec.prog.ops[i].res >= l.nr)
			l.nr = rec.prog.ops[i].res + 1;
	l.alive = sf_zalloc(l.nr, sizeof(*l.alive));
	l.x = bench_exec(&rec.set, judge, WALK_EVERY);
	ns_per_recorded(&l, 100000, 200000);
	for (unsigned int r = 0; r < b->rounds; r++) {
		for (unsigned int i = 0; i < nr; i++)
			series_add(&ns[i], ns_per_recorded(&l, lengths[i].events,
							   b->quick ? 1000000 : 3000000));
		series_add(&ratio, ns[nr - 1].value[r] / ns[0].value[r]);
	}
	for (unsigned int i = 0; i < nr; i++)
		bench_add(b, BENCH_RATE, lengths[i].name, &ns[i], 0, "ns");
	bench_add(b, BENCH_RATIO, "recording_growth", &ratio, 1.5, "");
	sf_exec_destroy(l.x);
	sf_judge_destroy(judge);
	sf_prog_free(&rec.prog);
	free(l.alive);
}

static double read_rate(const char *path, struct sf_error *err)
{
	struct sf_trace_record rec;
	uint64_t start = bench_now(), events = 0;
	int status, code = 0;
	struct sf_trace *t = sf_trace_open(path, err, &code);

	if (!t)
		return 0;
	while ((status = sf_trace_read(t, &rec, err)) > 0)
		events++;
	sf_trace_close(t);
	return status < 0 ? 0 : (double)events * 1e9 / (double)(bench_now() - start);
}

static int plain_name(const struct dirent *e)
{
	return e->d_name[0] != '.' && !strstr(e->d_name, ".md");
}

static void bench_reading(struct bench *b)
{
	struct dirent **list;
	int nr = scandir(b->traces, &list, plain_name, alphasort);

	if (nr <= 0)
		bench_skip(b, "reading: no recordings in %s", b->traces);
	for (int i = 0; i < nr; i++) {
		struct series rate = { .nr = 0 };
		struct sf_error err = { "" };
		char path[4352], name[64];

		snprintf(path, sizeof(path), "%s/%s", b->traces, list[i]->d_name);
		snprintf(name, sizeof(name), "read_%.58s", list[i]->d_name);
		for (unsigned int r = 0; r < b->rounds; r++)
			series_add(&rate, read_rate(path, &err));
		if (rate.value[0] > 0)
			bench_add(b, BENCH_RATE, name, &rate, 0, "events/s");
		else
			bench_skip(b, "%s", err.text);
		free(list[i]);
	}
	if (nr >= 0)
		free(list);
}

void bench_replay(struct bench *b)
{
	bench_flatness(b);
	bench_repeated(b);
	bench_reading(b);
}
