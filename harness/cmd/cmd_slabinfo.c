// SPDX-License-Identifier: MIT
/*
 * cmd_slabinfo.c - `slabfuzz slabinfo`: the heap after a program or a recording, in the shape of
 * /proc/slabinfo and its neighbours, and ordinary kmalloc by partition. slabinfo.c and meminfo.c do
 * the counting.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../measure/meminfo.h"
#include "../measure/slabinfo.h"
#include "cmd.h"
#include "grid.h"
#include "json.h"
#include "runner.h"

/* Which of the files were asked for. */
struct files {
#define X(name, doc) bool name;
	SF_MEMINFO_FILES(X)
#undef X
};

struct plan {
	struct sf_selection on;
	struct sf_overrides overrides;
	uint64_t at;
	bool histogram, json;
	struct files files;
};

static const struct sf_row rows[] = {
	SF_ALLOCATORS_ROW("NAME", struct plan, on, "on this allocator (default: baseline)"),
	SF_TRAIT_ROW(struct plan, on),
	SF_SET_ROW(struct plan, overrides, "change a heap setting, whatever the program says"),
	SF_NUMBER("at", "N", struct plan, at, 1, UINT64_MAX,
		  "after N operations (default: after the last, nothing torn down)"),
	SF_FLAG("histogram", struct plan, histogram, "only the partitions of ordinary kmalloc"),
#define X(name, doc) SF_FLAG(#name, struct plan, files.name, "only " doc),
	SF_MEMINFO_FILES(X)
#undef X
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"slabinfo", "FILE",
	"Runs FILE, a program or a recording, and prints the caches as /proc/slabinfo does; where\n"
	"ordinary kmalloc is partitioned, then what is alive in each partition. Objects parked in\n"
	"sheaves count as active, as in Linux; the partitions count what is alive. With --meminfo\n"
	"and its like only those, in the order of this list.",
	rows,
};

struct views {
	struct sf_slabinfo slabs;
	struct sf_meminfo memory;
};

static void listen(void *views, const struct sf_event *ev)
{
	struct views *v = views;

	sf_slabinfo_event(&v->slabs, ev);
	sf_meminfo_event(&v->memory, ev);
}

/* A snapshot of all caches, not only of those that the program has touched. */
static void look(void *views, struct sf_exec *x, const struct sf_allocator *a)
{
	struct sf_sink sink = { .emit = listen, .ctx = views, .op = SF_NONE };

	if (a->caps & SF_CAP_WALK)
		a->walk(sf_exec_heap(x), &sink, false, false);
}

/* mm/slab_common.c:print_slabinfo_header, cache_show */
static void print_table(const struct sf_slabinfo *s)
{
	puts("slabinfo - version: 2.1");
	puts("# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
	     " : tunables <limit> <batchcount> <sharedfactor>"
	     " : slabdata <active_slabs> <num_slabs> <sharedavail>");
	for (size_t i = s->nr_caches; i-- > 0;) {
		const struct sf_slabinfo_cache *c = &s->cache[i];

		if (!c->present || !c->shown)
			continue;
		printf("%-17s %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %4" PRIu64 " %4" PRIu64
		       " : tunables %4u %4u %4u : slabdata %6" PRIu64 " %6" PRIu64 " %6u\n",
		       c->name, c->snap.active_objs, c->snap.num_objs, c->snap.objsize,
		       c->snap.objperslab, c->snap.pagesperslab, 0, 0, 0, c->snap.active_slabs,
		       c->snap.num_slabs, 0);
	}
}

static bool has_partitions(const struct sf_slabinfo *s)
{
	return s->caps & (SF_CAP_RANDOM | SF_CAP_TYPED);
}

#define BAR_WIDTH 40

static void print_bar(uint64_t n, uint64_t most)
{
	uint64_t width = most ? (n * BAR_WIDTH + most - 1) / most : 0;

	if (width)
		printf("  ");
	while (width--)
		putchar('#');
	putchar('\n');
}

static void print_histogram(const struct sf_slabinfo *s)
{
	struct sf_slabinfo_partition part[SF_PARTITIONS];
	uint64_t most = 0;

	sf_slabinfo_partitions(s, part);
	for (unsigned int i = 0; i < SF_PARTITIONS; i++)
		most = part[i].live > most ? part[i].live : most;
	printf("%-9s %8s %10s %6s %6s\n", "partition", "objects", "bytes", "slabs", "pages");
	for (unsigned int i = 0; i < SF_PARTITIONS; i++) {
		if (s->caps & SF_CAP_TYPED && i % (SF_PARTITIONS / 2) == 0)
			puts(i ? "  types with pointers" : "  types without pointers");
		printf("%-9u %8" PRIu64 " %10" PRIu64 " %6" PRIu64 " %6" PRIu64, i, part[i].live,
		       part[i].live_bytes, part[i].slabs, part[i].pages);
		print_bar(part[i].live, most);
	}
}

static void print_classes(const struct sf_slabinfo *s)
{
	struct sf_grid objects = { .nr = 0 };

	for (size_t i = 0; i < s->nr_caches; i++) {
		const struct sf_slabinfo_cache *c = &s->cache[i];

		if (c->present && c->kind == SF_CACHE_KMALLOC)
			sf_grid_add(&objects, c->class_size, c->partition, c->live);
	}
	puts("\nobjects by size class and partition");
	sf_grid_print(&objects);
}

static json_t *cache_json(const struct sf_slabinfo_cache *c)
{
	bool ordinary = c->kind == SF_CACHE_KMALLOC;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
			 sf_json_text(c->name), "active_objs", sf_json_number(c->snap.active_objs),
			 "num_objs", sf_json_number(c->snap.num_objs), "objsize",
			 sf_json_number(c->snap.objsize), "objperslab",
			 sf_json_number(c->snap.objperslab), "pagesperslab",
			 sf_json_number(c->snap.pagesperslab), "active_slabs",
			 sf_json_number(c->snap.active_slabs), "num_slabs",
			 sf_json_number(c->snap.num_slabs), "live", sf_json_number(c->live),
			 "live_bytes", sf_json_number(c->live_bytes), "partition",
			 ordinary ? json_integer(c->partition) : json_null(), "class",
			 ordinary ? json_integer(c->class_size) : json_null());
}

static void print_json(const struct sf_slabinfo *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->nr_caches; i++)
		if (s->cache[i].present && s->cache[i].shown)
			json_array_append_new(list, cache_json(&s->cache[i]));
	sf_json_print(list, stdout);
}

/* meminfo in kB, as it is printed. */
static json_t *json_meminfo(const struct sf_meminfo *m)
{
	json_t *j = json_object();

#define X(name, pages) json_object_set_new(j, name, sf_json_number((uint64_t)(pages) * 4));
	SF_MEMINFO_LINES(X)
#undef X
	return j;
}

static json_t *json_vmstat(const struct sf_meminfo *m)
{
	json_t *j = json_object();

#define X(name, value) json_object_set_new(j, name, sf_json_number(value));
	SF_VMSTAT_LINES(X)
#undef X
	return j;
}

static json_t *json_buddyinfo(const struct sf_meminfo *m)
{
	json_t *j = json_array();

	for (unsigned int order = 0; order < SF_NR_ORDERS; order++)
		json_array_append_new(j, sf_json_number(sf_meminfo_free(m, order)));
	return j;
}

static json_t *json_pagetypeinfo(const struct sf_meminfo *m)
{
	json_t *j = json_object();

	for (unsigned int t = 0; t < SF_MIGRATE_TYPES; t++) {
		json_t *orders = json_array();

		for (unsigned int order = 0; order < SF_NR_ORDERS; order++)
			json_array_append_new(orders, sf_json_number(m->free[order][t]));
		json_object_set_new(j, sf_meminfo_types[t],
				    json_pack("{s:o, s:o}", "free", orders, "page_blocks",
					      sf_json_number(sf_meminfo_blocks(m, t))));
	}
	return j;
}

static bool wants_files(const struct plan *p)
{
	static const struct files none;

	return memcmp(&p->files, &none, sizeof(none)) != 0;
}

static void show_files(const struct plan *p, const struct sf_meminfo *m)
{
	json_t *j = p->json ? json_object() : NULL;
	const char *gap = "";

#define X(name, doc)                                                  \
	if (p->files.name && j) {                                     \
		json_object_set_new(j, #name, json_##name(m));        \
	} else if (p->files.name) {                                   \
		fputs(gap, stdout);                                   \
		sf_meminfo_##name(m, stdout);                         \
		gap = "\n";                                           \
	}
	SF_MEMINFO_FILES(X)
#undef X
	if (j)
		sf_json_print(j, stdout);
}

static void show(const struct plan *p, const struct sf_slabinfo *s)
{
	if (p->json) {
		print_json(s);
		return;
	}
	if (!p->histogram)
		print_table(s);
	if (has_partitions(s) && !p->histogram)
		putchar('\n');
	if (has_partitions(s))
		print_histogram(s);
	if (has_partitions(s) && !p->histogram)
		print_classes(s);
}

static int show_all(const struct plan *p, const struct views *v, const char *name)
{
	if (wants_files(p) && !v->memory.complete)
		return sf_bad("%s: %s tells no counters", name, p->on.allocator[0]->name);
	if (wants_files(p))
		show_files(p, &v->memory);
	else
		show(p, &v->slabs);
	return 0;
}

static int run_file(const struct plan *p, const char *name)
{
	struct views views = { .slabs = { 0 } };
	struct sf_runner runner = { .allocator = p->on.allocator[0], .overrides = &p->overrides,
				    .stop_at = p->at, .emit = listen, .at_end = look,
				    .ctx = &views };
	struct sf_prog prog;
	struct sf_input in;
	int status = sf_input_open(&in, name, false);

	sf_prog_init(&prog);
	if (!status && in.kind != SF_INPUT_TRACE)
		status = sf_input_program(&in, &prog);
	if (!status)
		status = sf_runner_run(&runner, &in, &prog);
	if (!status)
		status = show_all(p, &views, name);
	sf_prog_free(&prog);
	sf_input_close(&in);
	sf_slabinfo_free(&views.slabs);
	return status;
}

static int slabinfo(struct plan *p, int argc, char **argv)
{
	int status = sf_take_options(&usage, p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (optind + 1 != argc)
		return sf_usage_error(&usage, "which file? One is wanted");
	status = sf_select_open(&p->on, &usage, sf_allocators[0]->name);
	if (status)
		return status;
	if (p->on.nr != 1)
		return sf_usage_error(&usage, "-a: one allocator is wanted");
	if (p->histogram && wants_files(p))
		return sf_usage_error(&usage, "--histogram is of caches: not with --meminfo …");
	if (p->histogram && !(p->on.allocator[0]->caps & (SF_CAP_RANDOM | SF_CAP_TYPED)))
		return sf_bad("slabinfo: %s has no partitions: --histogram has nothing to show",
			      p->on.allocator[0]->name);
	return run_file(p, argv[optind]);
}

int sf_cmd_slabinfo(int argc, char **argv)
{
	struct plan p = { .at = 0 };
	int status = slabinfo(&p, argc, argv);

	sf_selection_free(&p.on);
	sf_overrides_free(&p.overrides);
	return status;
}
