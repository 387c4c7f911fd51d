// SPDX-License-Identifier: MIT
/*
 * debug_inside.c - debug.h. What is printed comes from the events so far, and from the allocator's
 * own descriptors as they are at that moment. The state is static: a debugger has no other handle.
 */
#include "debug.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../exec/exec.h"
#include "cmd.h"

enum { AROUND = 8 }; /* operations shown before and after the next one */

struct seen {
	uint64_t addr, size, usable;
	uint32_t op;     /* that it came in */
	bool came, gone;
};

static struct {
	const struct sf_prog *prog;
	const struct sf_allocator *allocator;
	struct sf_judge *judge;
	struct sf_exec *exec;
	struct seen *object;     /* by result */
	char **cache;            /* names, by id */
	uint32_t nr_caches;
	uint32_t next, stop_at;  /* operation; */
	uint32_t wrong;          /* violations */
} dbg;

/* --- breakpoints --- */

__attribute__((noinline)) void sf_debug_stop(void)
{
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) void sf_debug_violation(const char *title)
{
	__asm__ volatile("" :: "r"(title) : "memory");
}

/* --- what is seen --- */

static void name_cache(const struct sf_ev_cache *c)
{
	if (c->id >= dbg.nr_caches) {
		dbg.cache = sf_grow(dbg.cache, c->id + (size_t)1, sizeof(*dbg.cache));
		while (dbg.nr_caches <= c->id)
			dbg.cache[dbg.nr_caches++] = NULL;
	}
	free(dbg.cache[c->id]);
	dbg.cache[c->id] = sf_strdup(c->name ? c->name : "");
}

static void note(const struct sf_event *ev)
{
	uint32_t res = ev->type == SF_EV_FREE ? ev->free.res : ev->alloc.res;

	if (ev->type == SF_EV_CACHE)
		name_cache(&ev->cache);
	if (ev->type == SF_EV_FREE && res < dbg.prog->nr_res && ev->free.status == SF_OK)
		dbg.object[res].gone = true;
	if ((ev->type != SF_EV_ALLOC && ev->type != SF_EV_REALLOC) || res >= dbg.prog->nr_res)
		return;
	dbg.object[res] = (struct seen){
		.addr = ev->alloc.addr, .size = ev->alloc.size, .usable = ev->alloc.usable,
		.op = ev->op, .came = ev->alloc.status == SF_OK && ev->alloc.addr,
	};
}

static void listen(void *ctx, const struct sf_event *ev)
{
	(void)ctx;
	note(ev);
	sf_judge_event(dbg.judge, ev);
}

static void on_violation(void *ctx, const struct sf_violation *v)
{
	(void)ctx;
	dbg.wrong++;
	printf("\n%s\n  %s\n", v->title, v->detail);
	fflush(stdout);
	sf_debug_violation(v->title);
}

/* --- what is printed --- */

static void put_op(uint32_t op)
{
	if (op == dbg.prog->nr_ops)
		printf("%s %4u  the end: all is given back\n", op == dbg.next ? ">>>" : "   ",
		       op + 1);
	if (op >= dbg.prog->nr_ops)
		return;
	printf("%s %4u  ", op == dbg.next ? ">>>" : "   ", op + 1);
	sf_text_write_op(dbg.prog, op, stdout);
}

void sf_debug_program(void)
{
	uint32_t from = dbg.next > AROUND ? dbg.next - AROUND : 0;

	for (uint32_t i = from; i <= dbg.prog->nr_ops && i <= dbg.next + AROUND; i++)
		put_op(i);
	fflush(stdout);
}

/* The address that is meant; 0: there is none. */
static uint64_t address(unsigned long which)
{
	if (which >= dbg.prog->nr_res)
		return which;
	if (!dbg.object[which].came)
		printf("r%lu: nothing came of it (yet)\n", which);
	return dbg.object[which].came ? dbg.object[which].addr : 0;
}

static const char *cache_name(uint32_t id)
{
	return id < dbg.nr_caches && dbg.cache[id] ? dbg.cache[id] : "no cache";
}

static bool place_of(uint64_t addr, struct sf_place *pl)
{
	static const char *const kinds[] = {
		[SF_PLACE_UNKNOWN] = "somewhere", [SF_PLACE_SLAB] = "in a slab",
		[SF_PLACE_LARGE] = "pages of a large kmalloc", [SF_PLACE_PAGES] = "pages",
		[SF_PLACE_VMALLOC] = "vmalloc", [SF_PLACE_POOL] = "in a pool",
		[SF_PLACE_NOWHERE] = "not allocated",
	};

	if (!(dbg.allocator->caps & SF_CAP_PLACE)) {
		puts("  where it lies the allocator does not say");
		return false;
	}
	*pl = (struct sf_place){ .kind = SF_PLACE_UNKNOWN };
	dbg.allocator->place(sf_exec_heap(dbg.exec), addr, pl);
	printf("  %s", pl->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[pl->kind] : "?");
	if (pl->kind == SF_PLACE_SLAB)
		printf(" of %s (partition %u): slot %u of %u, %u bytes each, objects of %u",
		       cache_name(pl->cache), pl->partition, pl->index, pl->objects, pl->stride,
		       pl->object_size);
	putchar('\n');
	return true;
}

static void put_object(uint32_t res)
{
	const struct seen *o = &dbg.object[res];

	printf("r%u at 0x%" PRIx64 ", %" PRIu64 " bytes", res, o->addr, o->size);
	if (o->usable)
		printf(" (%" PRIu64 " usable)", o->usable);
	printf(", of operation %u%s\n", o->op + 1, o->gone ? ", freed" : "");
}

void sf_debug_object(unsigned long which)
{
	struct sf_place pl;
	uint64_t addr = address(which);

	for (uint32_t i = 0; addr && i < dbg.prog->nr_res; i++)
		if (dbg.object[i].came && dbg.object[i].addr == addr)
			put_object(i);
	if (addr)
		place_of(addr, &pl);
	fflush(stdout);
}

void sf_debug_objects(void)
{
	for (uint32_t i = 0; i < dbg.prog->nr_res; i++)
		if (dbg.object[i].came && !dbg.object[i].gone)
			sf_debug_object(i);
	fflush(stdout);
}

/* What a walk says of one page frame. */
struct search {
	uint64_t pfn, base;
	uint32_t stride, objects;
};

static bool has(const struct search *s, uint64_t pfn, unsigned int order)
{
	return s->pfn >= pfn && s->pfn - pfn < 1ull << order;
}

static bool is_alive(uint64_t addr)
{
	for (uint32_t i = 0; i < dbg.prog->nr_res; i++)
		if (dbg.object[i].came && !dbg.object[i].gone && dbg.object[i].addr == addr)
			return true;
	return false;
}

/* A character for each slot. */
static void put_slots(const struct search *s, const struct sf_ev_snapslab *slab)
{
	printf("  ");
	for (uint32_t i = 0; i < s->objects; i++) {
		uint64_t addr = slab->addr + (uint64_t)i * s->stride;
		char c = is_alive(addr) ? '#' : 'o';

		for (uint32_t k = 0; k < slab->nr_free; k++)
			if (slab->free[k] == addr)
				c = is_alive(addr) ? '!' : '.';
		putchar(c);
	}
	puts("\n  # a result's, o in use otherwise (sheaf, allocator), . free, ! free and alive");
}

static void on_walk(void *ctx, const struct sf_event *ev)
{
	const struct search *s = ctx;

	if (ev->type == SF_EV_SNAP_SLAB && has(s, ev->snapslab.pfn, ev->snapslab.order)) {
		printf("  slab of %s: pfn 0x%" PRIx64 ", order %u, %u objects, %u in use, "
		       "%u free\n",
		       cache_name(ev->snapslab.cache), ev->snapslab.pfn, ev->snapslab.order,
		       ev->snapslab.objects, ev->snapslab.inuse, ev->snapslab.nr_free);
		if (s->stride)
			put_slots(s, &ev->snapslab);
	} else if (ev->type == SF_EV_SNAP_BLOCK &&
		   has(s, ev->snapblock.pfn, ev->snapblock.order)) {
		printf("  free block: pfn 0x%" PRIx64 ", order %u, on the list of type %u\n",
		       ev->snapblock.pfn, ev->snapblock.order, ev->snapblock.list);
	} else if (ev->type == SF_EV_SNAP_USED && has(s, ev->snapused.pfn, ev->snapused.order)) {
		printf("  pages in use: pfn 0x%" PRIx64 ", order %u\n", ev->snapused.pfn,
		       ev->snapused.order);
	} else if (ev->type == SF_EV_SNAP_PCP) {
		for (uint32_t i = 0; i < ev->snappcp.nr; i++)
			if (has(s, ev->snappcp.pfns[i], ev->snappcp.order))
				printf("  free on CPU %u's list: pfn 0x%" PRIx64 ", order %u\n",
				       ev->snappcp.cpu, ev->snappcp.pfns[i], ev->snappcp.order);
	}
}

static void look(unsigned long which, bool slots)
{
	struct sf_place pl;
	struct search s = { .pfn = SF_NO_PFN };
	struct sf_sink sink = { on_walk, &s, SF_NONE };
	uint64_t addr = address(which);

	if (!addr)
		return;
	if (!place_of(addr, &pl))
		goto out;
	s = (struct search){ .pfn = pl.pfn, .base = pl.base, .stride = slots ? pl.stride : 0,
			     .objects = pl.objects };
	printf("  page frame 0x%" PRIx64 ", order %u, migrate type %u, begins at 0x%" PRIx64 "\n",
	       pl.pfn, pl.order, pl.migratetype, pl.base);
	if (dbg.allocator->caps & SF_CAP_WALK)
		dbg.allocator->walk(sf_exec_heap(dbg.exec), &sink, true, false);
out:
	fflush(stdout);
}

void sf_debug_slab(unsigned long which)
{
	look(which, true);
}

void sf_debug_page(unsigned long which)
{
	look(which, false);
}

void sf_debug_next(void)
{
	dbg.stop_at = dbg.next + 1;
}

/* --- the run --- */

static void stop_if_due(void)
{
	if (dbg.next == dbg.stop_at)
		sf_debug_stop();
}

int sf_debug_inside(struct sf_crash_input *in, uint32_t at)
{
	static const struct sf_exec_options in_full = { .end = SF_END_TEARDOWN, .contents = true };
	const struct sf_judge_options judge = { .violation = on_violation };
	struct sf_error err = { "" };
	bool going = true;

	dbg.prog = &in->prog;
	dbg.allocator = in->on.m[0].allocator;
	dbg.object = sf_zalloc(in->prog.nr_res + (size_t)1, sizeof(*dbg.object));
	dbg.judge = sf_judge_create(&judge);
	dbg.stop_at = at;
	dbg.exec = sf_exec_create(dbg.allocator, &in->prog.settings, &in_full, listen, NULL, &err);
	if (!dbg.exec)
		return sf_bad("debug: %s", err.text);
	sf_exec_begin(dbg.exec, in->name);
	for (dbg.next = 0; dbg.next < in->prog.nr_ops && going; dbg.next++) {
		stop_if_due();
		going = sf_exec_step(dbg.exec, &in->prog.ops[dbg.next], in->prog.strings);
	}
	if (going)
		stop_if_due();
	sf_exec_end(dbg.exec);
	sf_exec_destroy(dbg.exec);
	sf_judge_destroy(dbg.judge);
	for (uint32_t i = 0; i < dbg.nr_caches; i++)
		free(dbg.cache[i]);
	free(dbg.cache);
	free(dbg.object);
	return dbg.wrong ? SF_EXIT_WRONG : SF_EXIT_GOOD;
}
