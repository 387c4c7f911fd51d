// SPDX-License-Identifier: MIT
/*
 * scan.c - the first pass over a recording: how large a heap it needs, which caches it has, which
 * page blocks are the backing of slabs.
 *
 * Relies on pair.c; import.c and judge_trace.c rely on it.
 */
#include <stdlib.h>
#include <string.h>

#include "../program/program.h"
#include "private.h"

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

struct sf_trace_scan *sf_trace_scan(struct sf_trace *t, struct sf_error *err)
{
	struct sf_pair_options opt = { .hashed = false };
	struct sf_trace_scan *s = sf_tr_alloc(sizeof(*s));
	struct sf_pair *p = sf_pair_create(&opt);
	struct sf_trace_record rec;
	uint32_t cpus = 1;
	int r;

	memset(s, 0, sizeof(*s));
	while ((r = sf_trace_read(t, &rec, err)) > 0) {
		if (rec.cpu >= cpus)
			cpus = rec.cpu + 1;
		if (sf_pair_record(p, t, &rec, err) < 0) {
			r = -1;
			break;
		}
		if (rec.kind == SF_TRACE_KMALLOC)
			s->last_kmalloc = sf_pair_counts(p)->events;
	}
	if (r < 0) {
		sf_pair_destroy(p);
		sf_trace_scan_free(s);
		return NULL;
	}
	if (sf_trace_notes(t)->cpus > cpus)
		cpus = sf_trace_notes(t)->cpus;
	sf_pair_finish(p, t);
	s->counts = *sf_pair_counts(p);
	take_caches(s, p);
	size_heap(s, p, cpus);
	s->hashed = sf_trace_hashed(t);
	s->base = sf_pair_base(p);
	sf_pair_take_backing(p, &s->backing);
	sf_pair_destroy(p);
	return s;
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
