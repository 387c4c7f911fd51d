// SPDX-License-Identifier: MIT
/*
 * bench_replay.c - what an event of a recording costs as recordings grow: a steady mix of
 * allocations and frees with a bounded number alive goes through the executor and every oracle, 10
 * thousand to 10 million events. And how fast real recordings are read. Relies on the executor, the
 * judge and the trace reader.
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
	bench_reading(b);
}
