// SPDX-License-Identifier: MIT
/*
 * test_lockstep.c - lockstep.h: a difference planted in each property is found under its name, and
 * nowhere else first; one that a setting may make is not.
 *
 * The other member is baseline with one answer twisted: by a function in its table, or on its way
 * through the sink.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/lockstep/lockstep.h"
#include "../harness/lockstep/observe.h"

static const char program[] =
	"heap pages=4096\n"
	"r9 = mem_cgroup_create(NULL)\n"
	"c0 = kmem_cache_create(\"toy\", 96, 0, 0)\n"
	"r0 = kmalloc(64, GFP_KERNEL)\n"
	"r1 = kzalloc(200, GFP_KERNEL)\n"
	"r2 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
	"write(r0)\n"
	"verify(r0)\n"
	"r3 = krealloc(r1, 600, GFP_KERNEL)\n"
	"check\n"
	"kfree(r0)\n"
	"kmem_cache_free(c0, r2)\n"
	"check\n";

/* --- one answer, twisted --- */

static struct {
	enum sf_property p;
	struct sf_sink inner, *outer; /* what the heap has; where events go */
	uint32_t allocs;
} twist;

static bool twists(enum sf_property p)
{
	return twist.p == p;
}

static void twist_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	if (twists(SF_PROP_RESULT) && ++twist.allocs == 2) {
		*rs = (struct sf_result){ .status = SF_NULL };
		return;
	}
	sf_baseline.alloc(h, rq, rs);
}

/* Of user space: another design, which has words for errors. */
static void twist_user_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	sf_allocator_by_name("reference")->alloc(h, rq, rs);
	rs->error += twists(SF_PROP_ERROR) && !rs->addr;
}

/* Who frees by itself what others keep. */
static uint64_t twist_shrink(struct sf_heap *h, uint64_t n)
{
	return sf_baseline.shrink(h, twists(SF_PROP_LIVE) ? 0 : n);
}

static uint64_t twist_usable(struct sf_heap *h, uint64_t addr)
{
	return sf_baseline.usable(h, addr) + twists(SF_PROP_USABLE);
}

static uint64_t twist_zeroed(struct sf_heap *h, uint64_t addr, uint64_t from, uint64_t to,
			     enum sf_contents how)
{
	uint64_t first = sf_baseline.zeroed(h, addr, from, to, how);

	return twists(SF_PROP_ZEROING) || twists(SF_PROP_WIPED) ? from : first;
}

static uint64_t twist_verify(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
			     enum sf_contents how)
{
	uint64_t first = sf_baseline.verify(h, addr, size, key, how);

	return twists(SF_PROP_CONTENTS) ? 0 : first;
}

static void twist_place(struct sf_heap *h, uint64_t addr, struct sf_place *pl)
{
	sf_baseline.place(h, addr, pl);
	if (pl->kind != SF_PLACE_SLAB)
		return;
	pl->cache ^= twists(SF_PROP_CACHE);
	pl->partition += twists(SF_PROP_PARTITION);
	pl->order += twists(SF_PROP_SLAB);
	pl->base += twists(SF_PROP_PLACE) * SF_PAGE_SIZE;
	pl->index += twists(SF_PROP_INDEX);
}

static void pass(const struct sf_event *ev)
{
	twist.outer->emit(twist.outer->ctx, ev);
}

static void twist_snapshot(struct sf_event *ev)
{
	static uint64_t other[SF_NR_ORDERS * 4096];
	static bool final;

	if (ev->type == SF_EV_SNAP_BEGIN)
		final = ev->snap.final;
	if (ev->type == SF_EV_SNAP_SLAB && twists(SF_PROP_FILL))
		ev->snapslab.inuse++;
	if (ev->type == SF_EV_SNAP_BLOCK && twists(SF_PROP_BLOCKS))
		ev->snapblock.position++;
	if (ev->type == SF_EV_SNAP_COUNTERS && twists(SF_PROP_COUNTERS))
		ev->counters.nr_free_pages--;
	if (ev->type == SF_EV_SNAP_MEMCG && twists(SF_PROP_AFTER) && final)
		ev->snapmemcg.usage++;
	if (ev->type == SF_EV_SNAP_SLAB && twists(SF_PROP_LISTS) && ev->snapslab.nr_free > 1) {
		memcpy(other, ev->snapslab.free, ev->snapslab.nr_free * sizeof(*other));
		other[0] = ev->snapslab.free[1];
		ev->snapslab.free = other;
	}
}

static void twist_emit(void *ctx, const struct sf_event *ev)
{
	struct sf_event changed = *ev, warn = { .type = SF_EV_WARN, .warn.what = "twisted" };

	(void)ctx;
	changed.op = warn.op = twist.outer->op;
	twist_snapshot(&changed);
	if (ev->type == SF_EV_PAGE_ALLOC && twists(SF_PROP_EVENTS))
		changed.page.migratetype ^= 1;
	/* Nothing but whole events shows that. */
	if (ev->type == SF_EV_PAGE_ALLOC && twists(SF_PROP_WHOLE))
		changed.page.pfn ^= 1;
	if (ev->type == SF_EV_PAGE_ALLOC && twists(SF_PROP_COMPLAINTS))
		pass(&warn);
	pass(&changed);
}

static struct sf_heap *twist_create(const struct sf_allocator *self,
				    const struct sf_settings *set, struct sf_sink *sink,
				    struct sf_error *err)
{
	twist.outer = sink;
	twist.inner = (struct sf_sink){ .emit = twist_emit };
	return sf_baseline.create(self, set, sink ? &twist.inner : NULL, err);
}

static void twist_walk(struct sf_heap *h, struct sf_sink *sink, bool touched, bool final)
{
	struct sf_sink *outer = twist.outer;

	twist.outer = sink;
	sf_baseline.walk(h, &twist.inner, touched, final);
	twist.outer = outer;
}

static struct sf_allocator twisted(void)
{
	struct sf_allocator a = sf_baseline;

	a.create = twist_create;
	a.alloc = twist_alloc;
	a.usable = twist_usable;
	a.zeroed = twist_zeroed;
	a.verify = twist_verify;
	a.place = twist_place;
	a.walk = twist_walk;
	a.shrink = twist_shrink;
	return a;
}

static struct sf_allocator twisted_user(void)
{
	struct sf_allocator a = *sf_allocator_by_name("reference");

	a.alloc = twist_user_alloc;
	return a;
}

/* --- what comes of it --- */

static struct {
	uint32_t nr;
	uint8_t first;
	char title[200], key[200];
	bool consequences; /* all but the first said so */
} found;

static void on_diverged(void *ctx, const struct sf_divergence *d)
{
	(void)ctx;
	if (!found.nr++) {
		found.first = d->property;
		snprintf(found.title, sizeof(found.title), "%s", d->title);
		snprintf(found.key, sizeof(found.key), "%s", d->key);
		assert_false(d->consequence);
	} else {
		found.consequences &= d->consequence;
	}
}

/* On `one`, and on `other` with a setting of its own. Returns how much was compared. */
static uint64_t run_both(const struct sf_allocator *one, const struct sf_allocator *other,
			 const char *text, const char *set_other, uint64_t value)
{
	struct sf_lockstep_options opt = {
		.exec = { .end = SF_END_TEARDOWN, .contents = true }, .diverged = on_diverged,
	};
	struct sf_member member[] = { { .allocator = one, .label = "left" },
				      { .allocator = other, .label = "right" } };
	struct sf_members on = { .m = member, .nr = 2 };
	struct sf_text_error terr;
	struct sf_settings set[2];
	struct sf_error err;
	struct sf_lockstep *l = sf_lockstep_create(&on, &opt, &err);
	uint64_t compared = 0;
	struct sf_prog p;

	assert_non_null(l);
	memset(&found, 0, sizeof(found));
	found.consequences = true;
	twist.allocs = 0;
	sf_prog_init(&p);
	assert_int_equal(sf_text_parse(&p, text, strlen(text), &terr), 0);
	set[0] = set[1] = p.settings;
	if (set_other) {
		const struct sf_setting_info *info =
			sf_setting_by_name(set_other, strlen(set_other));

		if (*sf_setting_slot(&set[0], info) == value)
			fail_msg("%s is that in both", set_other);
		*sf_setting_slot(&set[1], info) = value;
	}
	assert_true(sf_lockstep_run(l, &p, "toy", set, &err) > 0);
	for (int i = 0; i < SF_PROPERTY_COUNT; i++)
		compared += sf_lockstep_counts(l, 1, (enum sf_property)i)->compared;
	sf_prog_free(&p);
	sf_lockstep_destroy(l);
	return compared;
}

static uint64_t run(const struct sf_allocator *other, const char *text, const char *set_other,
		    uint64_t value)
{
	return run_both(&sf_baseline, other, text, set_other, value);
}

static void test_alike(void **state)
{
	(void)state;
	assert_true(run(&sf_baseline, program, NULL, 0) > 50);
	assert_int_equal(found.nr, 0);
}

static const char user_program[] =
	"r0 = malloc(64)\n"
	"r1 = malloc(SIZE_MAX-4096)\n"
	"free(r0)\n";

static const char shrunk_program[] =
	"heap pages=4096\n"
	"c0 = kmem_cache_create(\"inode\", 600, 0, SLAB_RECLAIM_ACCOUNT)\n"
	"r0 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
	"shrink(100)\n";

static const char wiped_program[] =
	"heap pages=4096 init_on_free=1\n"
	"r0 = kmalloc(64, GFP_KERNEL)\n"
	"kfree(r0)\n";

/* Of each property: the program, if it takes another one, and a setting that may change it. */
static const struct plant {
	const char *text, *set;
	uint64_t value;
} plants[SF_PROPERTY_COUNT] = {
	[SF_PROP_RESULT] = { .set = "flex", .value = 1 },
	[SF_PROP_ERROR] = { user_program, "misuse", 1 },
	[SF_PROP_ZEROING] = { .set = "init_on_alloc", .value = 1 },
	[SF_PROP_CONTENTS] = { .set = "misuse", .value = 1 },
	[SF_PROP_LIVE] = { shrunk_program, "sheaves", 0 },
	[SF_PROP_COMPLAINTS] = { .set = "freelist_hardened", .value = 1 },
	[SF_PROP_USABLE] = { .set = "usercopy", .value = 0 },
	[SF_PROP_CACHE] = { .set = "memcg", .value = 0 },
	[SF_PROP_PARTITION] = { .set = "seed", .value = 77 },
	[SF_PROP_SLAB] = { .set = "slab_min_order", .value = 1 },
	[SF_PROP_PLACE] = { .set = "shuffle", .value = 1 },
	[SF_PROP_WIPED] = { wiped_program, "init_on_alloc", 1 },
	[SF_PROP_INDEX] = { .set = "freelist_random", .value = 1 },
	[SF_PROP_EVENTS] = { .set = "shuffle", .value = 1 },
	[SF_PROP_FILL] = { .set = "shuffle", .value = 1 },
	[SF_PROP_LISTS] = { .set = "freelist_random", .value = 1 },
	[SF_PROP_BLOCKS] = { .set = "shuffle", .value = 1 },
	[SF_PROP_COUNTERS] = { .set = "watermarks", .value = 0 },
	[SF_PROP_AFTER] = { .set = "misuse", .value = 1 },
	[SF_PROP_WHOLE] = { .set = "freelist_random", .value = 1 },
};

/* With the twist; `set`: and a setting apart. */
static void run_plant(const struct plant *p, const char *set)
{
	bool user = p->text == user_program;
	struct sf_allocator a = user ? twisted_user() : twisted();

	assert_true(run_both(user ? sf_allocator_by_name("reference") : &sf_baseline, &a,
			     p->text ? p->text : program, set, p->value) > 0);
}

/* A property without a plant fails. */
static void test_each_property(void **state)
{
	char want[40];

	(void)state;
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++) {
		twist.p = (enum sf_property)p;
		run_plant(&plants[p], NULL);
		snprintf(want, sizeof(want), "diff %s: left ", sf_properties[p].name);
		if (!found.nr || strncmp(found.title, want, strlen(want)))
			fail_msg("%s: %u found, first '%s'", sf_properties[p].name, found.nr,
				 found.title);
		assert_true(found.consequences);
	}
}

/* The same difference, between two who may differ in that: nothing is said. */
static void test_each_that_may(void **state)
{
	(void)state;
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++) {
		if (!plants[p].set)
			fail_msg("%s: which setting may change it?", sf_properties[p].name);
		twist.p = (enum sf_property)p;
		run_plant(&plants[p], plants[p].set);
		if (found.nr)
			fail_msg("%s: %s: %s", sf_properties[p].name, plants[p].set, found.title);
	}
}

/* One bug is one find: its key has no numbers. */
static void test_key(void **state)
{
	struct sf_allocator a = twisted();

	(void)state;
	twist.p = SF_PROP_USABLE;
	run(&a, program, NULL, 0);
	assert_string_equal(found.title, "diff usable: left 64, right 65 after kmalloc");
	assert_string_equal(found.key, "diff usable: left N, right N after kmalloc");
	twist.p = SF_PROP_CACHE;
	run(&a, program, NULL, 0);
	assert_non_null(strstr(found.title, "left kmalloc-64, right kmalloc-"));
	assert_non_null(strstr(found.key, "left kmalloc-N, right kmalloc-"));
}

/* Who has seen enough ends it with the operation in hand. */
static struct sf_lockstep *stopping;

static void on_event(void *ctx, uint32_t nr, const struct sf_event *ev)
{
	uint32_t *steps = ctx;

	if (ev->type != SF_EV_ALLOC)
		return;
	steps[nr]++;
	if (steps[0] == 2)
		sf_lockstep_stop(stopping);
}

static void test_stop(void **state)
{
	uint32_t steps[2] = { 0 };
	struct sf_lockstep_options opt = { .exec = { .end = SF_END_TEARDOWN, .contents = true },
					   .event = on_event, .ctx = steps };
	struct sf_member member[] = { { .allocator = &sf_baseline, .label = "left" },
				      { .allocator = &sf_baseline, .label = "right" } };
	struct sf_members on = { .m = member, .nr = 2 };
	struct sf_text_error terr;
	struct sf_settings set[2];
	struct sf_error err;
	struct sf_prog p;

	(void)state;
	stopping = sf_lockstep_create(&on, &opt, &err);
	assert_non_null(stopping);
	sf_prog_init(&p);
	assert_int_equal(sf_text_parse(&p, program, strlen(program), &terr), 0);
	assert_true(sf_lockstep_settings(stopping, &p.settings, NULL, set, &err));
	assert_true(sf_lockstep_run(stopping, &p, "toy", set, &err) > 0);
	assert_int_equal(steps[0], 2);
	assert_int_equal(steps[1], 1);
	/* The next program runs as if nothing had been. */
	steps[0] = 10;
	assert_int_equal(sf_lockstep_run(stopping, &p, "toy", set, &err), 12);
	sf_prog_free(&p);
	sf_lockstep_destroy(stopping);
}

static bool keeps(struct sf_lockstep *l, const char *text, const struct sf_difference *d)
{
	struct sf_text_error terr;
	struct sf_prog p;
	bool same;

	sf_prog_init(&p);
	assert_int_equal(sf_text_parse(&p, text, strlen(text), &terr), 0);
	twist.allocs = 0;
	same = sf_lockstep_keeps(l, &p, NULL, d);
	sf_prog_free(&p);
	return same;
}

/* A smaller program is of use if it shows the same property of the same members first. */
static void test_keeps(void **state)
{
	struct sf_lockstep_options opt = { .exec = { .end = SF_END_TEARDOWN, .contents = true } };
	struct sf_allocator a = twisted();
	struct sf_member member[] = { { .allocator = &sf_baseline, .label = "left" },
				      { .allocator = &sf_baseline, .label = "middle" },
				      { .allocator = &a, .label = "right" } };
	struct sf_members on = { .m = member, .nr = 3 };
	struct sf_difference d, other;
	struct sf_error err;
	struct sf_lockstep *l = sf_lockstep_create(&on, &opt, &err);

	(void)state;
	assert_non_null(l);
	twist.p = SF_PROP_USABLE;
	/* Not of that find: another member. */
	other = (struct sf_difference){ .property = SF_PROP_USABLE, .b = 1 };
	assert_false(keeps(l, program, &other));
	assert_true(sf_lockstep_first(l, &d));
	assert_int_equal(d.property, SF_PROP_USABLE);
	assert_int_equal(d.b, 2);
	assert_true(keeps(l, program, &d));
	assert_true(keeps(l, "heap pages=4096\nr0 = kmalloc(8, GFP_KERNEL)\n", &d));
	assert_false(keeps(l, "heap pages=4096\ncheck\n", &d));
	assert_false(sf_lockstep_first(l, &other));
	/* Another property. */
	twist.p = SF_PROP_PLACE;
	assert_false(keeps(l, program, &d));
	assert_true(sf_lockstep_first(l, &other));
	assert_int_equal(other.property, SF_PROP_PLACE);
	sf_lockstep_destroy(l);
}

static void realloc_or_die(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
			   struct sf_result *rs)
{
	if (rq->size == 600)
		raise(SIGKILL);
	sf_baseline.realloc(h, addr, rq, rs);
}

/* In workers all is as it is here; but who crashes differs, and the next program runs. */
static void test_workers(void **state)
{
	struct sf_tape_options worker = { .exec = { .end = SF_END_TEARDOWN, .contents = true } };
	struct sf_lockstep_options opt = { .exec = worker.exec, .diverged = on_diverged,
					   .worker = &worker };
	struct sf_allocator a = sf_baseline;
	struct sf_member member[] = { { .allocator = &sf_baseline, .label = "left" },
				      { .allocator = &a, .label = "right" } };
	struct sf_members on = { .m = member, .nr = 2 };
	uint64_t here = run(&sf_baseline, program, NULL, 0), there = 0;
	struct sf_text_error terr;
	struct sf_settings set[2];
	struct sf_lockstep *l;
	struct sf_error err;
	struct sf_prog p;

	(void)state;
	memset(&found, 0, sizeof(found));
	sf_prog_init(&p);
	assert_int_equal(sf_text_parse(&p, program, strlen(program), &terr), 0);
	l = sf_lockstep_create(&on, &opt, &err);
	assert_true(sf_lockstep_settings(l, &p.settings, NULL, set, &err));
	assert_int_equal(sf_lockstep_run(l, &p, "toy", set, &err), p.nr_ops);
	for (int i = 0; i < SF_PROPERTY_COUNT; i++)
		there += sf_lockstep_counts(l, 1, (enum sf_property)i)->compared;
	assert_int_equal(here, there);
	assert_int_equal(found.nr, 0);
	sf_lockstep_destroy(l);

	a.realloc = realloc_or_die;
	l = sf_lockstep_create(&on, &opt, &err);
	for (int again = 0; again < 2; again++) {
		memset(&found, 0, sizeof(found));
		assert_true(sf_lockstep_run(l, &p, "toy", set, &err) > 0);
		assert_int_equal(found.nr, 1);
		assert_int_equal(found.first, SF_PROP_RESULT);
		assert_non_null(strstr(found.title, "left ok, right SIG"));
		assert_non_null(strstr(found.title, "after krealloc"));
	}
	sf_prog_free(&p);
	sf_lockstep_destroy(l);
}

static void test_members(void **state)
{
	struct sf_settings set, was;
	struct sf_members m = { .nr = 0 };
	struct sf_error err;
	char *beside;

	(void)state;
	assert_true(sf_members_read_all(&m, "baseline typed@init_on_free=1@seed=7,baseline", &err));
	assert_int_equal(m.nr, 3);
	assert_string_equal(m.m[1].label, "typed@init_on_free=1@seed=7");
	assert_ptr_equal(m.m[0].allocator, m.m[2].allocator);
	sf_settings_init(&set);
	was = set;
	assert_null(sf_overrides_apply(&m.m[1].overrides, &set));
	was.init_on_free = 1;
	was.seed = 7;
	assert_memory_equal(&set, &was, sizeof(set));
	assert_false(sf_members_read(&m, "typed@nosuch=1", &err));
	assert_non_null(strstr(err.text, "no setting 'nosuch'"));
	assert_false(sf_members_read(&m, "typed@cpus=none", &err));
	assert_false(sf_members_read(&m, "nosuch", &err));
	assert_int_equal(m.nr, 3);
	sf_members_free(&m);
	for (int i = 0; sf_allocators[i]; i++) {
		beside = sf_members_beside(sf_allocators[i]);
		assert_true(sf_members_read_all(&m, beside, &err));
		free(beside);
	}
	sf_members_free(&m);
}

/* What a setting may change is not held against the member that has it; all else is. */
static void test_one_setting_apart(void **state)
{
	static const struct {
		const char *set;
		uint64_t value;
		enum sf_property silent, heard;
	} row[] = {
		{ "freelist_random", 1, SF_PROP_INDEX, SF_PROP_PARTITION },
		{ "init_on_alloc", 1, SF_PROP_ZEROING, SF_PROP_INDEX },
		{ "init_on_free", 1, SF_PROP_ZEROING, SF_PROP_PLACE },
		{ "freelist_hardened", 1, SF_PROP_COMPLAINTS, SF_PROP_LISTS },
		{ "memcg", 0, SF_PROP_CACHE, SF_PROP_CONTENTS },
		{ "shuffle", 1, SF_PROP_PLACE, SF_PROP_USABLE },
		{ "freelist_random", 1, SF_PROP_WHOLE, SF_PROP_EVENTS },
	};
	struct sf_allocator a = twisted();

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		twist.p = row[i].silent;
		assert_true(run(&a, program, row[i].set, row[i].value) > 0);
		if (found.nr)
			fail_msg("%s: %s", row[i].set, found.title);
		twist.p = row[i].heard;
		run(&a, program, row[i].set, row[i].value);
		if (!found.nr || found.first != row[i].heard)
			fail_msg("%s: %s is not heard", row[i].set,
				 sf_properties[row[i].heard].name);
	}
}

static void observe(struct sf_observer *o, struct sf_event ev)
{
	sf_observe_begin(o);
	sf_observe_event(o, &ev);
}

/* Properties that no twist above reaches, from events. */
static void test_events_alone(void **state)
{
	struct sf_observer a = { .nr_caches = 0 }, b = { .nr_caches = 0 };
	struct sf_event ev = { .type = SF_EV_ALLOC, .alloc = { .api = SF_API_FOREIGN,
		.status = SF_NULL, .error = 12, .bad = SF_GOOD } };
	char buf[40];

	(void)state;
	observe(&a, ev);
	observe(&b, ev);
	assert_int_equal(sf_observed_differ(&a, &b, SF_PROP_ERROR), UINT32_MAX);
	ev.alloc.error = 0;
	observe(&b, ev);
	assert_int_equal(sf_observed_differ(&a, &b, SF_PROP_ERROR), 0);
	assert_string_equal(sf_value_text(&a.seen[SF_PROP_ERROR], 0, buf), "12");
	assert_string_equal(sf_value_text(&a.seen[SF_PROP_ERROR], 9, buf), "nothing");

	ev = (struct sf_event){ .type = SF_EV_ALLOC, .alloc = { .api = SF_API_KMALLOC,
		.status = SF_OK, .addr = 4096, .bad = SF_GOOD, .dirty = 5 } };
	observe(&a, ev);
	ev.alloc.dirty = SF_GOOD;
	observe(&b, ev);
	assert_int_equal(sf_observed_differ(&a, &b, SF_PROP_WIPED), 0);
	assert_int_equal(sf_observed_differ(&a, &b, SF_PROP_ZEROING), UINT32_MAX);

	/* Who succeeds may leave in errno what it likes. */
	ev.alloc = (struct sf_ev_alloc){ .api = SF_API_FOREIGN, .status = SF_OK, .addr = 4096,
					 .error = 12, .bad = SF_GOOD };
	observe(&a, ev);
	ev.alloc.error = 0;
	observe(&b, ev);
	assert_int_equal(sf_observed_differ(&a, &b, SF_PROP_ERROR), UINT32_MAX);
	/* So may who is asked for an alignment that is none say what it likes. */
	ev.alloc = (struct sf_ev_alloc){ .api = SF_API_FOREIGN, .call = SF_CALL_MEMALIGN,
					 .align = 24, .status = SF_NULL, .error = 12,
					 .bad = SF_GOOD };
	observe(&a, ev);
	ev.alloc.error = 22;
	observe(&b, ev);
	assert_int_equal(sf_observed_differ(&a, &b, SF_PROP_ERROR), UINT32_MAX);
	sf_observer_free(&a);
	sf_observer_free(&b);
}

/* How much is looked at hangs on usable sizes; what is lost does not. */
static void test_what_one_looked_at(void **state)
{
	struct sf_observer a = { .nr_caches = 0 }, b = { .nr_caches = 0 };
	struct sf_event more = { .type = SF_EV_CONTENT, .content = { .bad = SF_GOOD } };
	struct sf_event ev = { .type = SF_EV_CONTENT, .content = { .bad = SF_GOOD } };

	(void)state;
	observe(&a, ev);
	sf_observe_event(&a, &more);
	observe(&b, ev);
	assert_int_equal(sf_observed_differ(&a, &b, SF_PROP_CONTENTS), UINT32_MAX);
	sf_observe_begin(&b);
	assert_int_equal(sf_observed_differ(&a, &b, SF_PROP_CONTENTS), UINT32_MAX);
	more.content.bad = 7;
	sf_observe_event(&a, &more);
	assert_int_equal(sf_observed_differ(&a, &b, SF_PROP_CONTENTS), 0);
	observe(&b, ev);
	assert_int_equal(sf_observed_differ(&a, &b, SF_PROP_CONTENTS), 0);
	sf_observer_free(&a);
	sf_observer_free(&b);
}

/* Another heap has other caches under the same ids: names do not outlive it. */
static void test_names_of_another_heap(void **state)
{
	struct sf_observer o = { .nr_caches = 0 };
	struct sf_event heap = { .type = SF_EV_HEAP };
	struct sf_event cache = { .type = SF_EV_CACHE, .cache = { .name = "old", .boot = true } };

	(void)state;
	sf_observe_event(&o, &heap);
	sf_observe_event(&o, &cache);
	assert_string_equal(o.cache[0], "old");
	sf_observe_event(&o, &heap);
	cache.cache.name = "new";
	sf_observe_event(&o, &cache);
	assert_string_equal(o.cache[0], "new");
	sf_observer_free(&o);
}

static void test_bad_input(void **state)
{
	struct sf_lockstep_options opt = { .ctx = NULL };
	struct sf_member one = { .allocator = &sf_baseline, .label = "one" };
	struct sf_members on = { .m = &one, .nr = 1 };
	struct sf_error err;

	(void)state;
	assert_null(sf_lockstep_create(&on, &opt, &err));
	assert_non_null(strstr(err.text, "2 to 16"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_each_property),
		cmocka_unit_test(test_each_that_may),
		cmocka_unit_test(test_one_setting_apart),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_keeps),
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_events_alone),
		cmocka_unit_test(test_what_one_looked_at),
		cmocka_unit_test(test_names_of_another_heap),
		cmocka_unit_test(test_bad_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
