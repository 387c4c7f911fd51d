// SPDX-License-Identifier: MIT
/*
 * film.c - film.h: events into numbers.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "film.h"

/* --- strings --- */

/* Bytes of the well-formed UTF-8 sequence at `s`, 0: it is none. */
static unsigned int utf8(const unsigned char *s)
{
	unsigned int n = *s >= 0xc2 && *s < 0xe0 ? 2 : (*s & 0xf0) == 0xe0 ? 3 :
			 *s >= 0xf0 && *s < 0xf5 ? 4 : 0;

	for (unsigned int i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong, surrogates, beyond U+10FFFF. */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void sf_film_string(const char *text, FILE *out)
{
	const unsigned char *s = (const unsigned char *)(text ? text : "");
	unsigned int n;

	fputc('"', out);
	for (; *s; s += n) {
		n = 1;
		if (*s >= 0x80 && (n = utf8(s)))
			fwrite(s, 1, n, out);
		else if (*s >= 0x80)
			n = 1, fputc('?', out);
		else if (*s < 0x20 || *s == 0x7f || strchr("\"\\<>&", *s))
			fprintf(out, "\\u%04x", *s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

/* --- frames --- */

static FILE *memory_file(char **text, size_t *len)
{
	FILE *f = open_memstream(text, len);

	if (!f)
		sf_out_of_memory();
	return f;
}

void sf_film_init(struct sf_film *f, uint32_t max_frames)
{
	*f = (struct sf_film){ .max_frames = max_frames, .sheaf_cache = SF_NONE };
	f->to_frames = memory_file(&f->frames, &f->frames_len);
	f->to_caches = memory_file(&f->caches, &f->caches_len);
	f->to_violations = memory_file(&f->violations, &f->violations_len);
	sf_film_frame(f, NULL);
}

static void close_frame(struct sf_film *f)
{
	if (f->open)
		fputs("]]", f->to_frames);
	f->open = false;
}

void sf_film_frame(struct sf_film *f, const char *text)
{
	close_frame(f);
	if (f->nr_frames == f->max_frames) {
		f->dropped++;
		return;
	}
	fputs(f->nr_frames++ ? ",\n[" : "[", f->to_frames);
	sf_film_string(text, f->to_frames);
	fputs(",[", f->to_frames);
	f->open = true;
	f->any = false;
}

static void number(struct sf_film *f, int64_t n)
{
	fprintf(f->to_frames, f->any ? ",%" PRId64 : "%" PRId64, n);
	f->any = true;
}

#define RECORD(f, ...)                                                             \
	do {                                                                       \
		const int64_t numbers_[] = { __VA_ARGS__ };                        \
		for (size_t i_ = 0; i_ < sizeof(numbers_) / sizeof(int64_t); i_++) \
			number(f, numbers_[i_]);                                   \
	} while (0)

void sf_film_violation(struct sf_film *f, const struct sf_violation *v)
{
	FILE *out = f->to_violations;

	fprintf(out, "%s[%u,", f->nr_violations++ ? ",\n" : "", f->nr_frames - 1);
	sf_film_string(sf_invariants[v->invariant].id, out);
	fputc(',', out);
	sf_film_string(v->title, out);
	fputc(',', out);
	sf_film_string(v->detail, out);
	for (int i = 0; i < 2; i++)
		fprintf(out, ",%" PRId64,
			v->objects[i] == SF_NONE ? INT64_C(-1) : (int64_t)v->objects[i]);
	fputc(']', out);
}

void sf_film_finish(struct sf_film *f)
{
	close_frame(f);
	fclose(f->to_frames);
	fclose(f->to_caches);
	fclose(f->to_violations);
	f->to_frames = f->to_caches = f->to_violations = NULL;
}

void sf_film_free(struct sf_film *f)
{
	free(f->frames);
	free(f->caches);
	free(f->violations);
	free(f->settings);
	free(f->head);
	free(f->cache);
	free(f->said);
}

/* --- what is where --- */

static void take_settings(struct sf_film *f, const struct sf_settings *from)
{
	struct sf_settings set = *from, usual;
	FILE *out;
	char buf[40];

	free(f->settings);
	f->settings = NULL;
	sf_settings_init(&usual);
	out = memory_file(&f->settings, &f->settings_len);
	for (size_t i = 0; i < sf_setting_count; i++) {
		const struct sf_setting_info *info = &sf_setting_table[i];
		uint64_t value = *sf_setting_slot(&set, info);

		fputs(i ? ",[" : "[", out);
		sf_film_string(info->name, out);
		fputc(',', out);
		sf_film_string(sf_setting_text(info, value, buf), out);
		fprintf(out, ",%d]", value == *sf_setting_slot(&usual, info));
	}
	fclose(out);
}

static void take_heap(struct sf_film *f, const struct sf_ev_heap *h)
{
	f->direct_map = h->direct_map;
	f->pages = h->pages;
	free(f->head);
	f->head = f->pages ? sf_zalloc(f->pages, sizeof(*f->head)) : NULL;
	if (h->settings)
		take_settings(f, h->settings);
}

static void take_cache(struct sf_film *f, const struct sf_ev_cache *c)
{
	FILE *out = f->to_caches;

	f->cache = sf_grow_zeroed(f->cache, &f->cap_caches, (size_t)c->id + 1, sizeof(*f->cache));
	f->cache[c->id].stride = c->stride;
	fprintf(out, "%s[%u,", f->nr_caches++ ? ",\n" : "", c->id);
	sf_film_string(c->name, out);
	fprintf(out, ",%u,%u,%u,%u,%u,%u]", c->kind, c->partition, c->object_size, c->stride,
		c->objects, c->order);
}

static int64_t frame_of(const struct sf_film *f, uint64_t addr)
{
	uint64_t pfn = (addr - f->direct_map) >> SF_PAGE_SHIFT;

	return addr >= f->direct_map && pfn < f->pages ? (int64_t)pfn : -1;
}

/* The slab of an address in the direct map, and its index there; -1, -1: not known. */
static void put_slot(struct sf_film *f, uint32_t cache, uint64_t addr)
{
	int64_t pfn = frame_of(f, addr), head = pfn < 0 ? -1 : (int64_t)f->head[pfn] - 1;
	uint32_t stride = cache < f->cap_caches ? f->cache[cache].stride : 0;

	if (head < 0 || !stride)
		RECORD(f, -1, -1);
	else
		RECORD(f, head, (int64_t)((addr - f->direct_map -
					   ((uint64_t)head << SF_PAGE_SHIFT)) / stride));
}

static void take_slab(struct sf_film *f, const struct sf_ev_slab *s, bool made)
{
	for (uint64_t i = 0; i < 1ull << s->order && s->pfn + i < f->pages; i++)
		f->head[s->pfn + i] = made ? (uint32_t)s->pfn + 1 : 0;
	if (made)
		RECORD(f, SF_FILM_SLAB, (int64_t)s->pfn, s->order, s->migratetype, s->cache,
		       s->objects);
	else
		RECORD(f, SF_FILM_UNSLAB, (int64_t)s->pfn, s->order);
}

static void take_object(struct sf_film *f, const struct sf_ev_alloc *a)
{
	const struct sf_place *p = &a->place;
	int64_t pfn = -1, index = p->index;

	if (a->old_id != SF_NONE && a->old_id != a->id && a->status != SF_NULL)
		RECORD(f, SF_FILM_GONE, a->old_id);
	if (a->status != SF_OK || a->id == SF_NONE || a->addr <= SF_ZERO_SIZE_PTR)
		return;
	if (!f->pages) {
		pfn = (int64_t)(a->addr >> SF_PAGE_SHIFT);
		index = (int64_t)(a->addr & (SF_PAGE_SIZE - 1));
	} else if (p->kind == SF_PLACE_SLAB && p->pfn < f->pages) {
		/* Slabs may have a window of their own: count back from the page. */
		pfn = (int64_t)(p->pfn - ((a->addr >> SF_PAGE_SHIFT) - (p->base >> SF_PAGE_SHIFT)));
	} else if (p->pfn < f->pages) {
		pfn = frame_of(f, p->base);
		pfn = pfn < 0 ? (int64_t)p->pfn : pfn;
	}
	RECORD(f, SF_FILM_OBJECT, a->id, pfn, index,
	       a->size > INT32_MAX ? INT32_MAX : (int64_t)a->size, p->kind, p->order,
	       p->partition, a->res == SF_NONE ? INT64_C(-1) : (int64_t)a->res, p->offset);
}

/* --- snapshots: only what has changed --- */

static uint64_t hash(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static void grow_said(struct sf_film *f)
{
	struct sf_film_said *old = f->said;
	size_t cap = f->cap_said;

	f->cap_said = cap ? 2 * cap : 256;
	f->said = sf_zalloc(f->cap_said, sizeof(*f->said));
	for (size_t i = 0; i < cap; i++)
		if (old[i].key) {
			size_t at = old[i].key & (f->cap_said - 1);

			while (f->said[at].key)
				at = (at + 1) & (f->cap_said - 1);
			f->said[at] = old[i];
		}
	free(old);
}

/* Was something else said of it before? */
static bool is_news(struct sf_film *f, uint64_t key, uint64_t value)
{
	size_t at;

	if (f->nr_said * 2 >= f->cap_said)
		grow_said(f);
	key = hash(1, key) | 1;
	at = key & (f->cap_said - 1);
	while (f->said[at].key && f->said[at].key != key)
		at = (at + 1) & (f->cap_said - 1);
	if (f->said[at].key && f->said[at].hash == value)
		return false;
	f->nr_said += !f->said[at].key;
	f->said[at] = (struct sf_film_said){ key, value };
	return true;
}

static void take_sheaf(struct sf_film *f, const struct sf_ev_snapsheaf *s)
{
	uint64_t h = s->nr;
	uint32_t which;

	if (s->cache != f->sheaf_cache)
		memset(f->sheaves, 0, sizeof(f->sheaves));
	f->sheaf_cache = s->cache;
	which = s->kind < SF_SHEAF_BARN ? 0 : f->sheaves[s->kind]++;
	for (uint32_t i = 0; i < s->nr; i++)
		h = hash(h, s->objs[i]);
	if (!is_news(f, (uint64_t)s->cache << 32 | (uint64_t)which << 16 | (uint64_t)s->kind << 8 |
		     s->cpu, h))
		return;
	RECORD(f, SF_FILM_SHEAF, s->cache, s->kind, s->cpu, which, s->nr);
	for (uint32_t i = 0; i < s->nr; i++)
		put_slot(f, s->cache, s->objs[i]);
}

static void take_freelist(struct sf_film *f, const struct sf_ev_snapslab *s)
{
	uint32_t stride = s->cache < f->cap_caches ? f->cache[s->cache].stride : 0;
	uint64_t h = hash(s->nr_free, s->cache);

	for (uint32_t i = 0; i < s->nr_free; i++)
		h = hash(h, s->free[i]);
	if (!stride || !is_news(f, 1ull << 63 | s->pfn, h))
		return;
	RECORD(f, SF_FILM_FREELIST, (int64_t)s->pfn, s->nr_free);
	for (uint32_t i = 0; i < s->nr_free; i++)
		number(f, (int64_t)(s->free[i] - s->addr) / stride);
}

static void take_map(struct sf_film *f, const struct sf_ev_map *m)
{
	if (!m->pfns)
		return;
	RECORD(f, SF_FILM_MAPPED, (int64_t)m->pages);
	for (uint64_t i = 0; i < m->pages; i++)
		number(f, (int64_t)m->pfns[i]);
}

static void take_page(struct sf_film *f, const struct sf_ev_page *p, bool used)
{
	if (used)
		RECORD(f, SF_FILM_USED, (int64_t)p->pfn, p->order, p->migratetype);
	else if (p->pcp)
		RECORD(f, SF_FILM_PARKED, (int64_t)p->pfn, p->order);
	else
		RECORD(f, SF_FILM_UNLISTED, (int64_t)p->pfn, p->order);
}

void sf_film_event(void *film, const struct sf_event *ev)
{
	struct sf_film *f = film;

	if (ev->type == SF_EV_HEAP)
		take_heap(f, &ev->heap);
	if (ev->type == SF_EV_CACHE)
		take_cache(f, &ev->cache);
	if (!f->open)
		return;
	switch (ev->type) {
	case SF_EV_BLOCK_ADD:
		RECORD(f, SF_FILM_LISTED, (int64_t)ev->block.pfn, ev->block.order,
		       ev->block.migratetype);
		break;
	case SF_EV_BLOCK_DEL:
		RECORD(f, SF_FILM_UNLISTED, (int64_t)ev->block.pfn, ev->block.order);
		break;
	case SF_EV_RMQUEUE:
		if (ev->rmqueue.to_pcp)
			RECORD(f, SF_FILM_PARKED, (int64_t)ev->rmqueue.pfn, ev->rmqueue.order);
		break;
	case SF_EV_PAGE_ALLOC:
	case SF_EV_PAGE_FREE:
		take_page(f, &ev->page, ev->type == SF_EV_PAGE_ALLOC);
		break;
	case SF_EV_SLAB_NEW:
	case SF_EV_SLAB_FREE:
		take_slab(f, &ev->slab, ev->type == SF_EV_SLAB_NEW);
		break;
	case SF_EV_ALLOC:
	case SF_EV_REALLOC:
		take_object(f, &ev->alloc);
		break;
	case SF_EV_FREE:
		if (ev->free.status == SF_OK && ev->free.id != SF_NONE)
			RECORD(f, SF_FILM_GONE, ev->free.id);
		break;
	case SF_EV_DEFER:
		RECORD(f, SF_FILM_WAITS, ev->defer.id);
		break;
	case SF_EV_MIGRATE:
		RECORD(f, SF_FILM_MOVED, ev->migrate.id, frame_of(f, ev->migrate.to));
		break;
	case SF_EV_CLAIM:
		RECORD(f, SF_FILM_TYPE, (int64_t)ev->claim.start, (int64_t)ev->claim.nr_pages,
		       ev->claim.to);
		break;
	case SF_EV_SNAP_BEGIN:
		f->sheaf_cache = SF_NONE;
		break;
	case SF_EV_SNAP_SHEAF:
		take_sheaf(f, &ev->snapsheaf);
		break;
	case SF_EV_SNAP_SLAB:
		take_freelist(f, &ev->snapslab);
		break;
	case SF_EV_MAP:
		take_map(f, &ev->map);
		break;
	}
}
