// SPDX-License-Identifier: MIT
/*
 * scan.c - the first pass over a recording: how large a heap it needs, which caches it has, which
 * page blocks are the backing of slabs.
 *
 * Relies on pair.c; import.c and judge_trace.c rely on it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../program/program.h"
#include "calls.h"

/* The direct rule of mm/slub.c:calculate_sizes, for caches without debugging. */
static uint64_t stride(uint64_t size, uint64_t align, bool ctor)
{
	uint64_t n = (size + 7) / 8 * 8 + (ctor ? 8 : 0);

	return (n + align - 1) / align * align;
}

/*
 * A recording does not say which caches count as reclaimable. These do in Linux 7.2
 * (reclaim_account in /sys/kernel/slab): what filesystems and the page cache keep only as long as
 * there is room.
 */
static bool is_reclaimable(const char *name)
{
	static const char *const names[] = { "dentry", "buffer_head", "radix_tree_node",
					     "extent_status", "mb_cache_entry" };
	static const char inode[] = "inode_cache";
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return len >= sizeof(inode) - 1 && !strcmp(name + len - (sizeof(inode) - 1), inode);
}

/*
 * Rule: a cache is created so that its objects lie as far apart as recorded: the smallest alignment
 * that gives the stride; where none does, the free pointer lies behind the object, as behind one
 * that has a constructor (or is type-safe under RCU, which a trace cannot tell from it). Never
 * merged: each cache stays the one that was recorded. Charged to a group if the trace shows it.
 */
static bool shape(struct sf_tr_named *n, const struct sf_tr_cache *c)
{
	n->bytes_alloc = c->bytes_alloc;
	n->size = c->bytes_req;
	n->align = 8;
	n->flags = SF_SLAB_NO_MERGE | (c->account ? SF_SLAB_ACCOUNT : 0) |
		   (is_reclaimable(c->name) ? SF_SLAB_RECLAIM_ACCOUNT : 0);
	for (int ctor = 0; ctor < 2; ctor++) {
		for (uint32_t align = 8; align <= 4096; align *= 2) {
			if (stride(c->bytes_req, align, ctor) != c->bytes_alloc)
				continue;
			n->align = align;
			n->flags |= ctor ? SF_SLAB_CTOR : 0;
			return true;
		}
	}
	return false;
}

/* A name that a program may have, unlike those before it. */
static char *program_name(const struct sf_trace_scan *s, const char *name)
{
	char *out = sf_tr_alloc(SF_STRING_MAX + 1);
	size_t n = 0;

	/* Room is left for a number. */
	for (; *name && n < SF_STRING_MAX - 12; name++)
		if (*name >= 0x20 && *name < 0x7f && *name != '"' && *name != '\\')
			out[n++] = *name;
	if (!n)
		n = (size_t)snprintf(out, SF_STRING_MAX, "unnamed");
	out[n] = '\0';
	for (uint32_t i = 0; i < s->nr_named; i++) {
		if (strcmp(s->named[i].name, out))
			continue;
		snprintf(out + n, 12, "-%u", s->nr_named);
		break;
	}
	return out;
}

static void take_caches(struct sf_trace_scan *s, struct sf_pair *p)
{
	s->named = sf_tr_alloc((sf_pair_caches(p) + 1) * sizeof(*s->named));
	for (uint32_t i = 0; i < sf_pair_caches(p); i++) {
		const struct sf_tr_cache *c = sf_pair_cache(p, i);
		struct sf_tr_named *n = &s->named[s->nr_named];

		if (!c->name)
			continue;
		s->counts.odd_caches += !shape(n, c);
		n->name = program_name(s, c->name);
		s->nr_named++;
	}
}

/* Objects that per-CPU sheaves and the barn may hold besides the live ones (mm/slub.c). */
static uint64_t parked(uint64_t bytes, uint64_t cpus)
{
	uint64_t capacity = bytes < 256 ? 60 : bytes < 1024 ? 28 : bytes < 4096 ? 12 : 4;

	return (3 * cpus + 10) * capacity;
}

/*
 * An arena in which nothing that the recorded kernel could allocate fails: each cache at its own
 * peak, its sheaves full, a quarter of each slab wasted; page blocks at their peak; then twice
 * that, against fragmentation and for the watermarks, because nothing here compacts.
 */
static void size_heap(struct sf_trace_scan *s, struct sf_pair *p, uint32_t cpus)
{
	const struct sf_setting_info *info = sf_setting_by_name("pages", 5);
	uint64_t pages = sf_pair_peak_pages(p);

	sf_settings_init(&s->settings);
	s->settings.cpus = cpus < 64 ? cpus : 64;
	s->settings.memcg = 1;
	for (uint32_t i = 0; i < sf_pair_caches(p); i++) {
		const struct sf_tr_cache *c = sf_pair_cache(p, i);
		uint64_t n = c->peak + parked(c->bytes_alloc, s->settings.cpus);

		pages += n * c->bytes_alloc / SF_PAGE_SIZE * 5 / 4 + 64;
	}
	pages = (2 * pages + 8192 + 1023) / 1024 * 1024;
	if (pages < info->def)
		pages = info->def;
	s->settings.pages = pages < info->max ? pages : info->max;
}

/* Recordings of which only a crumb is memory events were made for something else. */
static bool crumbs(const struct sf_trace_counts *c)
{
	return c->events < 100 && c->other_events / 100 >= c->events;
}

/*
 * No success where nothing can be said: no memory events, hardly any, or no allocation among them.
 * What there is instead, and what to enable.
 */
static int hold_content(const struct sf_trace *t, const struct sf_trace_counts *c,
			struct sf_error *err)
{
	const struct sf_tr_notes *n = sf_trace_notes(t);
	uint64_t lost = c->cut_off + c->torn + c->bad_values;
	uint64_t column = sf_tr_cut_column(n->heard, c->cut_off);
	char seen[120], cut[140] = "";

	if (column)
		snprintf(cut, sizeof(cut), "; %llu end at column %llu: " SF_TR_CUT_HINT,
			 (unsigned long long)n->heard->cut_there, (unsigned long long)column);
	if (c->wrapped && c->wrapped * 2 > c->events)
		return sf_tr_error(err, sf_trace_name(t), n->heard->damage_line,
				   "%llu events were wrapped into two lines, by a mailer perhaps: "
				   "put each back on one line",
				   (unsigned long long)c->wrapped);
	if (lost && !c->events)
		return sf_tr_error(err, sf_trace_name(t), n->heard->damage_line,
				   "%s; none of %llu memory events can be read%s",
				   n->heard->damage_why, (unsigned long long)lost, cut);
	if (!c->events && sf_trace_looks_like(t))
		return sf_tr_error(err, sf_trace_name(t), 0, "%s", sf_trace_looks_like(t));
	sf_tr_tally_text(&n->heard->events, 3, seen, sizeof(seen));
	if (!c->events || crumbs(c))
		return sf_tr_error(err, sf_trace_name(t), 0,
				   "%llu memory events in %llu lines: enable events/kmem; seen: %s",
				   (unsigned long long)c->events,
				   (unsigned long long)c->events + c->foreign_lines,
				   *seen ? seen : "no others");
	if (c->kmalloc + c->cache_alloc + c->page_alloc)
		return 0;
	if (lost)
		return sf_tr_error(err, sf_trace_name(t), n->heard->damage_line,
				   "no allocation among %llu memory events read, and %llu that "
				   "cannot be%s",
				   (unsigned long long)c->events, (unsigned long long)lost, cut);
	return sf_tr_error(err, sf_trace_name(t), 0,
			   "no allocation among %llu memory events: enable kmem:kmalloc, "
			   "kmem_cache_alloc and mm_page_alloc, too",
			   (unsigned long long)c->events);
}

/*
 * A free that belongs to nothing, or two objects in one place, are a mistake of the kernel only if
 * the recording would show whatever else explains them: every kind of allocation, of every task,
 * and of pages; nothing overwritten, lost or damaged, said or not.
 */
static void weigh(struct sf_tr_evidence *e, const struct sf_trace_counts *c,
		  const struct sf_gaps *gaps)
{
	const uint32_t objects = 1u << SF_TRACE_KMALLOC | 1u << SF_TRACE_KFREE |
				 1u << SF_TRACE_CACHE_ALLOC | 1u << SF_TRACE_CACHE_FREE;
	const uint32_t pages = 1u << SF_TRACE_PAGE_ALLOC | 1u << SF_TRACE_PAGE_FREE;
	const char *lack = NULL;
	char missing[200];

	e->unbroken = !(c->overwritten + c->started + c->cut_off + c->torn + c->bad_values +
			c->alloc_no_ptr + c->free_no_ptr);
	if (c->backwards)
		lack = "times go backwards (files of several CPUs are given as several)";
	else if (c->ended_early)
		lack = "compressed data ends too early";
	else if (c->lost)
		lack = "the recorder lost events";
	else if (!e->unbroken)
		lack = "some events were overwritten, damaged or have no address";
	else if ((e->kinds & objects) != objects)
		lack = "not all of kmalloc, kfree, kmem_cache_alloc, kmem_cache_free were recorded";
	else if (!e->node)
		lack = "no allocation on a node was recorded (kmalloc_node)";
	else if (!e->idle)
		lack = "not all tasks were recorded, or none while the idle one ran";
	else if ((e->kinds & pages) != pages)
		lack = "mm_page_alloc and mm_page_free were not both recorded";
	else if (c->page_no_frame + c->page_free_no_frame)
		lack = "page events do not tell frames";
	else if (sf_gaps_found(gaps, missing, sizeof(missing)))
		lack = missing;
	e->complete = !lack;
	if (lack)
		snprintf(e->why, sizeof(e->why), "%s", lack);
}

static void note_record(struct sf_trace_scan *s, const struct sf_trace_record *rec)
{
	s->evidence.kinds |= 1u << rec->kind;
	s->evidence.node = s->evidence.node || (rec->node && rec->kind != SF_TRACE_PAGE_ALLOC);
	s->evidence.idle = s->evidence.idle || !rec->pid;
}

static int read_all(struct sf_trace_scan *s, struct sf_pair *p, struct sf_trace *t,
		    struct sf_gaps *gaps, uint32_t *cpus, struct sf_error *err)
{
	struct sf_trace_record rec;
	int r;

	while ((r = sf_trace_read(t, &rec, err)) > 0) {
		if (rec.cpu >= *cpus)
			*cpus = rec.cpu + 1;
		note_record(s, &rec);
		sf_gaps_record(gaps, p, &rec);
		if (sf_pair_record(p, t, &rec, err) < 0)
			return -1;
		if (rec.kind == SF_TRACE_KMALLOC)
			s->last_kmalloc = sf_pair_counts(p)->events;
	}
	if (sf_trace_notes(t)->cpus > *cpus)
		*cpus = sf_trace_notes(t)->cpus;
	return r;
}

static bool on_event(void *ctx, const struct sf_tr_event *ev)
{
	sf_gaps_event(ctx, ev);
	return true;
}

static struct sf_trace_scan *scan_kernel(struct sf_trace *t, struct sf_error *err)
{
	struct sf_gaps *gaps = sf_gaps_create();
	struct sf_pair_options opt = { .event = on_event, .ctx = gaps };
	struct sf_trace_scan *s = sf_tr_alloc(sizeof(*s));
	struct sf_pair *p = sf_pair_create(&opt);
	uint32_t cpus = 1;
	int r;

	memset(s, 0, sizeof(*s));
	r = read_all(s, p, t, gaps, &cpus, err);
	if (!r) {
		sf_pair_finish(p, t);
		s->counts = *sf_pair_counts(p);
		r = hold_content(t, &s->counts, err);
	}
	if (r) {
		sf_gaps_destroy(gaps);
		sf_pair_destroy(p);
		sf_trace_scan_free(s);
		return NULL;
	}
	weigh(&s->evidence, &s->counts, gaps);
	sf_gaps_destroy(gaps);
	take_caches(s, p);
	sf_tr_learn(&s->kernel, p, t, s->counts.odd_caches, s->nr_named);
	size_heap(s, p, cpus);
	s->hashed = sf_trace_hashed(t);
	s->base = sf_pair_base(p);
	sf_pair_take_backing(p, &s->backing);
	sf_pair_destroy(p);
	sf_trace_found(t, s);
	return s;
}

struct sf_trace_scan *sf_trace_scan(struct sf_trace *t, struct sf_error *err)
{
	return sf_trace_is_calls(t) ? sf_calls_scan(t, err) : scan_kernel(t, err);
}

void sf_trace_scan_free(struct sf_trace_scan *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->nr_named; i++)
		free(s->named[i].name);
	free(s->named);
	free(s->backing.word);
	free(s);
}

const struct sf_settings *sf_trace_scan_settings(const struct sf_trace_scan *s)
{
	return &s->settings;
}

const struct sf_trace_counts *sf_trace_scan_counts(const struct sf_trace_scan *s)
{
	return &s->counts;
}
