// SPDX-License-Identifier: MIT
/*
 * test_wire.c - events cross a process boundary: every type comes back as it went, every pointer of
 * event.h has a row in wire.h's tables, and whatever bytes come instead are refused by name or are
 * an event that the judge survives. Relies on the executor and the models for real events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../allocators/base/grow.h"
#include "../allocators/base/rng.h"
#include "../harness/exec/exec.h"
#include "../harness/exec/wire.h"
#include "../harness/generate/mutate.h"
#include "../oracles/oracle.h"
#include "../harness/exec/event_hash.h"

/* --- every pointer has a row --- */

static const char *const rows[] = {
#define X(id, pointer, ...) #pointer,
	SF_WIRE_TEXTS(X) SF_WIRE_ONES(X) SF_WIRE_ARRAYS(X)
#undef X
};

static const struct {
	const char *id, *member;
} types[] = {
#define X(id, member, doc) { #id, #member },
	SF_EVENTS(X)
#undef X
};

static const char *const row_types[] = {
#define X(id, ...) #id,
	SF_WIRE_TEXTS(X) SF_WIRE_ONES(X) SF_WIRE_ARRAYS(X)
#undef X
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* Each type of event with that payload has a row for the pointer. */
static void has_rows(const char *member, const char *pointer)
{
	char name[80];

	snprintf(name, sizeof(name), "%s.%s", member, pointer);
	for (size_t t = 0; t < NR(types); t++) {
		bool found = strcmp(types[t].member, member);

		for (size_t r = 0; r < NR(rows); r++)
			found |= !strcmp(rows[r], name) && !strcmp(row_types[r], types[t].id);
		if (!found)
			fail_msg("event.h: %s of %s has no row in wire.h", name, types[t].id);
	}
}

/* Declarations of pointers in payloads, as event.h is written: a line each. */
static void test_pointers(void **state)
{
	FILE *f = fopen("allocators/event.h", "r");
	char line[300], payload[60] = "", name[60];
	unsigned int seen = 0;

	(void)state;
	if (!f)
		fail_msg("allocators/event.h: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		const char *star;

		if (sscanf(line, "struct sf_ev_%59[a-z] {", payload) == 1)
			continue;
		if (line[0] == '}')
			payload[0] = 0;
		star = strstr(line, " *");
		if (!payload[0] || strncmp(line, "\tconst ", 7) || !star ||
		    sscanf(star, " *%59[a-z_]", name) != 1)
			continue;
		has_rows(payload, name);
		seen++;
	}
	fclose(f);
	/* A way of writing them that this does not see would pass everything. */
	assert_true(seen >= 16);
}

/* --- there and back --- */

struct record {
	uint64_t *data;
	size_t size;
};

static struct record written(const struct sf_event *ev, uint32_t nr)
{
	struct record r = { .size = sf_wire_size(ev) };

	r.data = sf_grow(NULL, r.size, 1);
	memset(r.data, 0xee, r.size);
	sf_wire_write(ev, nr, r.data);
	return r;
}

static uint64_t hash_of(const struct sf_event *ev)
{
	uint64_t h = 1;

	hash_event(&h, ev);
	return h;
}

static void there_and_back(const struct sf_event *ev)
{
	struct record r = written(ev, 7);
	struct sf_wire_fault fault = { "" };
	struct sf_event back;

	assert_int_equal(sf_wire_frame(r.data, r.size, 7, &fault), r.size);
	if (!sf_wire_read(r.data, &back, &fault))
		fail_msg("%s", fault.text);
	assert_true(hash_of(&back) == hash_of(ev));
	assert_int_equal(back.op, ev->op);
	assert_int_equal(back.cpu, ev->cpu);
	free(r.data);
}

/* Of any type: numbers that are in range whatever they are of, and what pointers point to. */
static struct sf_event any_event(uint8_t type)
{
	static const uint64_t words[3] = { 3, 1ull << 60, 7 };
	static const uint16_t halves[3] = { 1, 2, 65535 };
	static struct sf_settings settings;
	static struct sf_traits traits;
	struct sf_event ev;

	sf_settings_init(&settings);
	traits = sf_traits_default;
	traits.align = 32;
	memset(&ev, 0, sizeof(ev));
	ev.type = type;
	ev.cpu = 1;
	ev.op = 5;
	switch (type) {
#define X(id, pointer, opt)                \
	case SF_EV_##id:                   \
		ev.pointer = "text of it"; \
		break;
	X(CACHE, cache.name, 0) X(BEGIN, run.program, 0) X(END, run.program, 0)
	X(CACHE_CREATE, cacheop.name, 0) X(WARN, warn.what, 0) X(CRASH, crash.title, 0)
	X(INTEGRITY, integrity.what, 0)
#undef X
	case SF_EV_HEAP:
		ev.heap = (struct sf_ev_heap){ .allocator = "toy", .settings = &settings,
					       .traits = &traits, .exact = true };
		break;
	case SF_EV_CTYPE:
		ev.ctype = (struct sf_ev_ctype){ .name = "struct s", .canonical = "s", .size = 8 };
		break;
	case SF_EV_MAP:
		ev.map = (struct sf_ev_map){ .pages = 3, .pfns = words };
		break;
	case SF_EV_UNMAP:
		ev.map = (struct sf_ev_map){ .pages = 3 };
		break;
	case SF_EV_SLAB_ORDER:
		ev.slaborder = (struct sf_ev_slaborder){ .objects = 3, .index = halves };
		break;
	case SF_EV_SNAP_SLAB:
		ev.snapslab = (struct sf_ev_snapslab){ .nr_free = 2, .free = words,
						       .stored = words };
		break;
	case SF_EV_SNAP_SHEAF:
		ev.snapsheaf = (struct sf_ev_snapsheaf){ .nr = 3, .objs = words };
		break;
	case SF_EV_SNAP_PCP:
		ev.snappcp = (struct sf_ev_snappcp){ .nr = 1, .pfns = words };
		break;
	}
	return ev;
}

static void test_every_type(void **state)
{
	(void)state;
	for (unsigned int type = 0; type < SF_EV_TYPES; type++) {
		struct sf_event ev = any_event((uint8_t)type);

		there_and_back(&ev);
		/* Empty arrays and absent texts; what must be there is. */
		if (type != SF_EV_HEAP && type != SF_EV_CTYPE && type != SF_EV_CRASH) {
			memset((char *)&ev + offsetof(struct sf_event, heap), 0,
			       sizeof(ev) - offsetof(struct sf_event, heap));
			there_and_back(&ev);
		}
	}
}

static void cross(void *ctx, const struct sf_event *ev)
{
	++*(uint64_t *)ctx;
	there_and_back(ev);
}

static void generate(struct sf_prog *p, uint64_t seed)
{
	struct sf_swarm sw;
	struct sf_rng r;

	sf_rng_seed(&r, seed);
	sf_swarm_draw(&sw, SF_DRAW_KERNEL, &r);
	sf_generate(p, 40, &sw, &r);
}

static void test_real_events(void **state)
{
	static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true };
	uint64_t events = 0;
	struct sf_prog p;

	(void)state;
	sf_prog_init(&p);
	for (uint64_t seed = 0; seed < 30; seed++) {
		const struct sf_allocator *a = sf_allocators[seed % 3];
		struct sf_error err;
		struct sf_exec *x;

		generate(&p, seed);
		x = sf_exec_create(a, &p.settings, &how, cross, &events, &err);
		assert_non_null(x);
		sf_exec_run(x, &p, "p", &err);
		sf_exec_destroy(x);
	}
	sf_prog_free(&p);
	assert_true(events > 1000);
}

/* --- refused --- */

static struct sf_wire_head *head_of(struct record r)
{
	return (void *)r.data;
}

/* A sum that is right, of what is there. */
static void sum_anew(struct record r)
{
	head_of(r)->sum = sf_wire_sum(head_of(r));
}

static void refused(struct record r, uint32_t nr, const char *why)
{
	struct sf_wire_fault fault = { "" };
	struct sf_event ev;
	int64_t n = sf_wire_frame(r.data, r.size, nr, &fault);

	if (n == -1 || (n > 0 && !sf_wire_read(r.data, &ev, &fault))) {
		if (!strstr(fault.text, why))
			fail_msg("refused, but for: %s", fault.text);
		free(r.data);
		return;
	}
	fail_msg("not refused: %s", why);
}

static struct record some(uint8_t type)
{
	const struct sf_event ev = any_event(type);

	return written(&ev, 1);
}

static void test_frames(void **state)
{
	struct sf_wire_fault fault;
	struct record r = some(SF_EV_ALLOC);

	(void)state;
	for (size_t len = 0; len < r.size; len++)
		assert_int_equal(sf_wire_frame(r.data, len, 1, &fault), 0);
	refused(r, 2, "record 1 where record 2 was due");
	r = some(SF_EV_ALLOC);
	head_of(r)->bytes += 4;
	refused(r, 1, "cannot be its length");
	r = some(SF_EV_ALLOC);
	head_of(r)->bytes = 24;
	refused(r, 1, "cannot be its length");
	r = some(SF_EV_ALLOC);
	head_of(r)->bytes = SF_WIRE_MAX + 8;
	refused(r, 1, "cannot be its length");
	r = some(SF_EV_ALLOC);
	head_of(r)->type = SF_EV_TYPES;
	refused(r, 1, "is none");
	r = some(SF_EV_ALLOC);
	head_of(r)->type = SF_EV_KSIZE;
	refused(r, 1, "is none");
	r = some(SF_EV_ALLOC);
	((char *)r.data)[r.size - 9] ^= 1;
	refused(r, 1, "(ALLOC): its sum is wrong");
}

/* What a writer means, sum and all. */
static void refused_anew(struct record r, const char *why)
{
	sum_anew(r);
	refused(r, 1, why);
}

#define PAYLOAD(r) ((void *)(head_of(r) + 1))

static void test_payloads(void **state)
{
	struct record r;

	(void)state;
	r = some(SF_EV_ALLOC);
	((struct sf_ev_alloc *)PAYLOAD(r))->api = SF_APIS;
	refused_anew(r, "(ALLOC): its api cannot be");
	r = some(SF_EV_ALLOC);
	memset(&((struct sf_ev_alloc *)PAYLOAD(r))->overflow, 2, 1);
	refused_anew(r, "(ALLOC): its overflow cannot be");
	r = some(SF_EV_MAP);
	((struct sf_ev_map *)PAYLOAD(r))->pages = 4;
	refused_anew(r, "(MAP): what it points to is not there");
	r = some(SF_EV_MAP);
	r.data[r.size / 8 - 4] = UINT64_MAX - 1; /* entries */
	refused_anew(r, "(MAP): what it points to is not there");
	r = some(SF_EV_MAP);
	r.data[r.size / 8 - 4] = UINT64_MAX; /* NULL, and yet there */
	refused_anew(r, "(MAP): what it points to is not there");
	r = some(SF_EV_UNMAP);
	r.data[r.size / 8 - 1] = 0; /* an array of none where three are said to be */
	refused_anew(r, "(UNMAP): what it points to is not there");
	r = some(SF_EV_WARN);
	((char *)r.data)[r.size - 6] = 'x'; /* the NUL of "text of it" */
	refused_anew(r, "(WARN): what it points to is not there");
	r = some(SF_EV_WARN);
	((char *)r.data)[r.size - 12] = 0; /* a NUL in the midst */
	refused_anew(r, "(WARN): what it points to is not there");
	r = some(SF_EV_HEAP);
	((struct sf_ev_heap *)PAYLOAD(r))->pages = UINT64_MAX;
	refused_anew(r, "(HEAP): its pages cannot be");
	r = some(SF_EV_KSIZE);
	r.data = sf_grow(r.data, r.size + 8, 1);
	r.data[r.size / 8] = 0;
	r.size += 8;
	head_of(r)->bytes += 8;
	refused_anew(r, "(KSIZE): 8 bytes are left over");
}

/* --- whatever bytes --- */

struct stream {
	struct record *record;
	uint32_t nr, cap;
};

static void keep(void *ctx, const struct sf_event *ev)
{
	struct stream *s = ctx;

	SF_GROW(s->record, s->nr, s->cap);
	s->record[s->nr] = written(ev, s->nr);
	s->nr++;
}

static void damage(struct record r, struct sf_rng *rng)
{
	uint8_t *bytes = (uint8_t *)r.data;
	unsigned int n = 1 + (unsigned int)sf_rng_below(rng, 3);

	while (n--) {
		size_t at = sizeof(struct sf_wire_head) +
			    sf_rng_below(rng, r.size - sizeof(struct sf_wire_head));
		static const uint8_t values[] = { 0, 1, 2, 8, 0x7f, 0x80, 0xff };

		bytes[at] = values[sf_rng_below(rng, sizeof(values))];
	}
}

/*
 * Real events, some of them with bytes changed on purpose, sum and all: each is refused, or the
 * judge takes it. It may accuse; it must not crash, nor take all memory.
 */
static void test_judge_survives(void **state)
{
	static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true };
	const char *env = getenv("SLABFUZZ_WIRE_SEEDS");
	uint64_t seeds = env ? strtoull(env, NULL, 0) : 40, refusals = 0, damaged = 0;
	struct sf_prog p;

	(void)state;
	sf_prog_init(&p);
	for (uint64_t seed = 0; seed < seeds; seed++) {
		const struct sf_judge_options quiet = { .only = 0 };
		struct sf_judge *judge = sf_judge_create(&quiet);
		struct stream s = { .nr = 0 };
		struct sf_error err;
		struct sf_exec *x;
		struct sf_rng r;

		generate(&p, seed);
		p.settings.pages = 1024;
		x = sf_exec_create(sf_allocators[seed % 5], &p.settings, &how, keep, &s, &err);
		assert_non_null(x);
		sf_exec_run(x, &p, "p", &err);
		sf_exec_destroy(x);
		sf_rng_seed(&r, seed);
		for (uint32_t i = 0; i < s.nr; i++) {
			struct sf_wire_fault fault;
			struct sf_event ev;

			if (!sf_rng_below(&r, 20)) {
				damage(s.record[i], &r);
				sum_anew(s.record[i]);
				damaged++;
			}
			if (sf_wire_frame(s.record[i].data, s.record[i].size, i, &fault) > 0 &&
			    sf_wire_read(s.record[i].data, &ev, &fault))
				sf_judge_event(judge, &ev);
			else
				refusals++;
			free(s.record[i].data);
		}
		free(s.record);
		sf_judge_destroy(judge);
	}
	sf_prog_free(&p);
	assert_true(damaged > 100);
	assert_true(refusals > damaged / 20);
}

static void test_noise(void **state)
{
	static uint64_t data[64];
	struct sf_wire_fault fault;
	struct sf_event ev;
	struct sf_rng r;

	(void)state;
	sf_rng_seed(&r, 1);
	for (unsigned int round = 0; round < 200000; round++) {
		struct sf_wire_head *h = (void *)data;
		size_t len = 8 * (4 + sf_rng_below(&r, 60));

		for (size_t i = 0; i < len / 8; i++)
			data[i] = sf_rng_next(&r);
		*h = (struct sf_wire_head){
			.bytes = (uint32_t)(sf_rng_below(&r, 8) ? len : data[1]),
			.type = (uint8_t)sf_rng_below(&r, SF_EV_TYPES + 2), .nr = 3,
			.payload = (uint16_t)sf_rng_below(&r, len),
		};
		if (h->bytes >= sizeof(*h) && h->bytes <= len)
			h->sum = sf_wire_sum(h);
		if (sf_wire_frame(data, len, 3, &fault) > 0)
			sf_wire_read(data, &ev, &fault);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_real_events),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_judge_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
