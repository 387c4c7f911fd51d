// SPDX-License-Identifier: MIT
/*
 * wire.c - wire.h: tables of payloads, of what their pointers point to and of what their members
 * may be, made from event.h; writing by them, and reading without trust.
 */
#include "wire.h"

#include <stdio.h>
#include <string.h>

#include "../../allocators/allocator.h"
#include "../../allocators/base/hash.h"

#define ABSENT UINT64_MAX /* length of a tail that is not there: NULL */
#define PAYLOAD_AT offsetof(struct sf_event, heap)

enum tail_kind {
	TAIL_TEXT,
	TAIL_ONE,
	TAIL_ARRAY,
};

struct tail {
	uint8_t type;        /* of the event */
	uint8_t kind;        /* enum tail_kind */
	bool optional;       /* it may be NULL */
	uint8_t count_width; /* ARRAY: of the member that says how many */
	uint16_t size;       /* of an entry */
	uint16_t at, count_at; /* members, from the event on */
};

#define AT(member) offsetof(struct sf_event, member)
#define SIZE(member) sizeof(((struct sf_event *)0)->member)

static const struct tail tails[] = {
#define X(id, pointer, opt) { SF_EV_##id, TAIL_TEXT, opt, 0, 1, AT(pointer), 0 },
	SF_WIRE_TEXTS(X)
#undef X
#define X(id, pointer, opt) { SF_EV_##id, TAIL_ONE, opt, 0, SIZE(pointer[0]), AT(pointer), 0 },
	SF_WIRE_ONES(X)
#undef X
#define X(id, pointer, opt, count)                                                         \
	{ SF_EV_##id, TAIL_ARRAY, opt, SIZE(count), SIZE(pointer[0]), AT(pointer), AT(count) },
	SF_WIRE_ARRAYS(X)
#undef X
};

#define EACH_TAIL(t) \
	for (const struct tail *t = tails; t < tails + sizeof(tails) / sizeof(tails[0]); t++)

static const uint16_t payload_size[SF_EV_TYPES] = {
#define X(id, member, doc) [SF_EV_##id] = SIZE(member),
	SF_EVENTS(X)
#undef X
};

_Static_assert(SF_EV_TYPES <= 128, "two words have a bit for each type of event");
_Static_assert(SF_EV_TYPES < SF_WIRE_CONTROL, "events and control records have types apart");

/* Most types have no row in the tables. */
static inline bool has_tails(uint8_t type)
{
#define HALF(id, high) ((SF_EV_##id / 64 == (high)) * (1ull << SF_EV_##id % 64))
#define X(id, ...) | HALF(id, 0)
	static const uint64_t low = 0 SF_WIRE_TEXTS(X) SF_WIRE_ONES(X) SF_WIRE_ARRAYS(X);
#undef X
#define X(id, ...) | HALF(id, 1)
	static const uint64_t high = 0 SF_WIRE_TEXTS(X) SF_WIRE_ONES(X) SF_WIRE_ARRAYS(X);
#undef X
	return (type < 64 ? low : high) >> type % 64 & 1;
}

static inline size_t padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

/*
 * Every byte and its place count. It is done twice for each event: in four sums, each a step behind
 * the others, so that no multiplication waits for the one before it.
 */
uint32_t sf_wire_sum(const struct sf_wire_head *head)
{
	const uint64_t *p = (const uint64_t *)(const void *)head;
	uint64_t a = SF_GOLDEN ^ head->bytes, b = a + 1, c = a + 2, d = a + 3;
	size_t i = 1, n = head->bytes / 8;

	for (; i + 4 <= n; i += 4) {
		a = (a ^ p[i]) * SF_GOLDEN;
		b = (b ^ p[i + 1]) * SF_GOLDEN;
		c = (c ^ p[i + 2]) * SF_GOLDEN;
		d = (d ^ p[i + 3]) * SF_GOLDEN;
	}
	for (; i < n; i++)
		a = (a ^ p[i]) * SF_GOLDEN;
	a = (a ^ a >> 32) * 3 + (b ^ b >> 32) * 5 + (c ^ c >> 32) * 7 + (d ^ d >> 32) * 11;
	return (uint32_t)(a ^ a >> 32);
}

uint64_t sf_wire_layout(void)
{
	uint64_t h = SF_FNV_START;
	const uint64_t rest[] = { SF_WIRE_VERSION, SF_ALLOCATOR_ABI, sizeof(struct sf_wire_head),
				  sizeof(struct sf_place), sizeof(tails) };

	h = sf_fnv1a(h, rest, sizeof(rest));
	h = sf_fnv1a(h, payload_size, sizeof(payload_size));
	return sf_fnv1a(h, tails, sizeof(tails));
}

/* --- writing --- */

static uint64_t count_in(const struct tail *t, const struct sf_event *ev)
{
	const char *at = (const char *)ev + t->count_at;

	if (t->count_width == 2)
		return *(const uint16_t *)(const void *)at;
	return t->count_width == 4 ? *(const uint32_t *)(const void *)at :
				     *(const uint64_t *)(const void *)at;
}

static const void *pointer_in(const struct tail *t, const struct sf_event *ev)
{
	const void *p;

	memcpy(&p, (const char *)ev + t->at, sizeof(p));
	return p;
}

/* Entries that a tail has; ABSENT: there is none. */
static uint64_t entries_of(const struct tail *t, const struct sf_event *ev)
{
	const void *p = pointer_in(t, ev);

	if (!p)
		return ABSENT;
	if (t->kind == TAIL_TEXT)
		return strlen(p) + 1;
	return t->kind == TAIL_ONE ? 1 : count_in(t, ev);
}

static size_t tail_bytes(const struct tail *t, uint64_t entries)
{
	return 8 + (entries == ABSENT ? 0 : padded((size_t)entries * t->size));
}

size_t sf_wire_size(const struct sf_event *ev)
{
	size_t size = sizeof(struct sf_wire_head) + padded(payload_size[ev->type]);

	if (has_tails(ev->type))
		EACH_TAIL(t)
			if (t->type == ev->type)
				size += tail_bytes(t, entries_of(t, ev));
	return size;
}

/* `size` bytes and zeros up to a multiple of 8; where the next go. */
static inline char *put(char *out, const void *from, size_t size)
{
	if (size % 8)
		memset(out + padded(size) - 8, 0, 8);
	if (size)
		memcpy(out, from, size);
	return out + padded(size);
}

static char *write_tails(const struct sf_event *ev, char *payload, char *out)
{
	static const void *const null = NULL;

	EACH_TAIL(t) {
		uint64_t entries;

		if (t->type != ev->type)
			continue;
		entries = entries_of(t, ev);
		out = put(out, &entries, sizeof(entries));
		if (entries != ABSENT)
			out = put(out, pointer_in(t, ev), (size_t)entries * t->size);
		memcpy(payload + (t->at - PAYLOAD_AT), &null, sizeof(null));
	}
	return out;
}

static void close_record(struct sf_wire_head *head, const char *end)
{
	head->bytes = (uint32_t)(end - (const char *)head);
	head->sum = sf_wire_sum(head);
}

void sf_wire_write(const struct sf_event *ev, uint32_t nr, void *out)
{
	struct sf_wire_head *head = out;
	char *payload = (char *)(head + 1), *end;

	*head = (struct sf_wire_head){ .nr = nr, .op = ev->op, .type = ev->type, .cpu = ev->cpu,
				       .payload = payload_size[ev->type] };
	end = put(payload, (const char *)ev + PAYLOAD_AT, head->payload);
	if (has_tails(ev->type))
		end = write_tails(ev, payload, end);
	close_record(head, end);
}

size_t sf_wire_control_size(size_t payload)
{
	return sizeof(struct sf_wire_head) + padded(payload);
}

void sf_wire_control(uint8_t type, uint32_t op, const void *payload, size_t size, uint32_t nr,
		     void *out)
{
	struct sf_wire_head *head = out;

	*head = (struct sf_wire_head){ .nr = nr, .op = op, .type = type,
				       .payload = (uint16_t)size };
	close_record(head, put((char *)(head + 1), payload, size));
}

/* --- reading --- */

/*
 * LIMITS_MEMBER(L): L(member, the largest value it may have). What others index or switch by, and
 * every bool: any other value than 0 and 1 in one is undefined behaviour. Ids are dense; who keeps
 * a table by them must not be made to take all memory.
 */
#define ID_MAX ((1u << 26) - 1)
#define ORDER_MAX 63
#define TYPE_MAX (SF_MIGRATE_TYPES - 1)

#define PAGES_MAX (1ull << 24) /* of a window: judges keep tables by page */

#define LIMITS_heap(L) \
	L(exact, 1) L(pages, PAGES_MAX) L(vmalloc_pages, PAGES_MAX) L(slab_pages, PAGES_MAX)
#define LIMITS_cache(L)                                                                    \
	L(id, ID_MAX) L(order, ORDER_MAX) L(min_order, ORDER_MAX) L(kind, SF_CACHE_KINDS - 1) \
	L(boot, 1) L(large, 1)
#define LIMITS_ctype(L) L(pointer, 1)
#define LIMITS_run(L)
#define LIMITS_alloc(L)                                                                    \
	L(api, SF_APIS - 1) L(status, SF_FREED) L(overflow, 1) L(moved, 1) L(forced, 1)    \
	L(lru, 1) L(touched, 1) L(call, SF_CALLS - 1) L(place.kind, SF_PLACE_NOWHERE)
#define LIMITS_free(L)                                                                     \
	L(api, SF_APIS - 1) L(status, SF_FREED) L(how, SF_FREE_HOWS - 1) L(known, 1)       \
	L(implied, 1) L(call, SF_CALLS - 1)
#define LIMITS_ksize(L)
#define LIMITS_content(L)
#define LIMITS_cacheop(L) L(status, SF_FREED) L(merged, 1)
#define LIMITS_skip(L) L(code, 127) L(reason, SF_SKIP_REASONS - 1)
#define LIMITS_owns(L)
#define LIMITS_pin(L) L(on, 1)
#define LIMITS_defer(L) L(how, SF_FREE_HOWS - 1)
#define LIMITS_migrate(L)
#define LIMITS_memcg(L) L(act, SF_MEMCG_DESTROY) L(status, SF_FREED)
#define LIMITS_ask(L) L(status, SF_FREED)
#define LIMITS_pool(L)                                                                     \
	L(act, SF_POOL_DESTROY) L(mode, SF_POOL_MODE_COUNT - 1) L(status, SF_FREED)
#define LIMITS_write(L) L(status, SF_FREED)
#define LIMITS_rare(L) L(status, SF_FREED) L(seen, 3)
#define LIMITS_taint(L) L(code, 127)
#define LIMITS_reach(L) L(code, 127) L(what, SF_REACHES - 1)
#define LIMITS_attack(L) L(code, 127) L(noticed, 1) L(reached, (1u << SF_REACHES) - 1)
#define LIMITS_slab(L) L(order, ORDER_MAX) L(migratetype, TYPE_MAX)
#define LIMITS_slaborder(L)
#define LIMITS_block(L) L(order, ORDER_MAX) L(migratetype, TYPE_MAX) L(tail, 1)
#define LIMITS_rmqueue(L)                                                                  \
	L(order, ORDER_MAX) L(migratetype, TYPE_MAX) L(from_order, ORDER_MAX)              \
	L(from_type, TYPE_MAX) L(mode, SF_RMQUEUE_STEAL) L(nofragment, 1) L(to_pcp, 1)
#define LIMITS_claim(L)                                                                    \
	L(order, ORDER_MAX) L(from, TYPE_MAX) L(to, TYPE_MAX) L(whole, 1) L(merge, 1)      \
	L(release, 1) L(want, ORDER_MAX)
#define LIMITS_page(L) L(order, ORDER_MAX) L(migratetype, TYPE_MAX) L(pcp, 1) L(reserve, 1)
#define LIMITS_pagefail(L) L(migratetype, TYPE_MAX) L(refused, 1)
#define LIMITS_oom(L) L(policy, SF_OOM_416) L(guess, 1)
#define LIMITS_shrink(L) L(stopped, 1)
#define LIMITS_reclaim(L) L(kind, SF_RECLAIM_SHRINK) L(begin, 1) L(ready, 1)
#define LIMITS_compact(L) L(success, 1)
#define LIMITS_grace(L) L(barrier, 1)
#define LIMITS_charge(L) L(uncharge, 1) L(refused, 1)
#define LIMITS_fault(L) L(kind, SF_FAULTS - 1)
#define LIMITS_warn(L)
#define LIMITS_map(L)
#define LIMITS_mapping(L) L(kind, SF_MAPPING_OTHER) L(read, 1) L(write, 1) L(exec, 1)
#define LIMITS_maps(L) L(when, SF_MAPS_WALK)
#define LIMITS_snap(L) L(final, 1)
#define LIMITS_snapcache(L)
#define LIMITS_snapslab(L)                                                                 \
	L(order, ORDER_MAX) L(list, SF_SLAB_DEFERRED) L(flag_partial, 1)                   \
	L(error, SF_WALK_UNALIGNED)
#define LIMITS_snapsheaf(L) L(kind, SF_SHEAF_KINDS - 1)
#define LIMITS_snapblock(L) L(order, ORDER_MAX) L(list, TYPE_MAX) L(pageblock, TYPE_MAX)
#define LIMITS_snappcp(L) L(order, ORDER_MAX)
#define LIMITS_snapused(L) L(order, ORDER_MAX) L(kind, SF_PLACE_NOWHERE)
#define LIMITS_snappb(L) L(migratetype, TYPE_MAX)
#define LIMITS_snapmemcg(L) L(online, 1)
#define LIMITS_counters(L)
#define LIMITS_pagesbulk(L) L(status, SF_FREED)
#define LIMITS_sheaf(L) L(act, SF_SHEAF_RETURN) L(status, SF_FREED)
#define LIMITS_goodsize(L)
#define LIMITS_trim(L)
#define LIMITS_stats(L) L(final, 1)
#define LIMITS_integrity(L)
#define LIMITS_userheap(L) L(act, SF_HEAP_DESTROY) L(status, SF_FREED)
#define LIMITS_crash(L) L(code, 127) L(refusal, 1)

/* As a number, whatever is in a bool. */
static inline bool above(const void *member, size_t size, uint64_t max)
{
	uint64_t v = 0;

	memcpy(&v, member, size);
	return v > max;
}

/* The first member whose value cannot be; NULL: there is none. */
static const char *out_of_range(const struct sf_event *ev)
{
#define LIMIT(member, max)                                      \
	if (above(&e->member, sizeof(e->member), max))          \
		return #member;
	switch (ev->type) {
#define X(id, member, doc)                                      \
	case SF_EV_##id: {                                      \
		const __typeof__(ev->member) *e = &ev->member;  \
		(void)e;                                        \
		LIMITS_##member(LIMIT)                          \
		break;                                          \
	}
	SF_EVENTS(X)
#undef X
	}
	return NULL;
}

static const char *name_of(uint8_t type)
{
	static const char *const names[] = {
#define X(id, member, doc) #id,
		SF_EVENTS(X)
#undef X
	};

	return type < SF_EV_TYPES ? names[type] : "no event";
}

#define REFUSE(fault, ...) (snprintf((fault)->text, sizeof((fault)->text), __VA_ARGS__), false)

int64_t sf_wire_frame(const void *data, size_t len, uint32_t nr, struct sf_wire_fault *fault)
{
	const struct sf_wire_head *head = data;
	bool event = len >= sizeof(*head) && head->type < SF_EV_TYPES;

	if (len < sizeof(*head))
		return 0;
	if (head->bytes % 8 || head->bytes > SF_WIRE_MAX ||
	    head->bytes < sf_wire_control_size(head->payload))
		return REFUSE(fault, "record %u: %u bytes cannot be its length", nr,
			      head->bytes) - 1;
	if (head->nr != nr)
		return REFUSE(fault, "record %u where record %u was due", head->nr, nr) - 1;
	if (event ? head->payload != payload_size[head->type] :
	    head->type < SF_WIRE_CONTROL || head->bytes != sf_wire_control_size(head->payload))
		return REFUSE(fault, "record %u: type %u with %u bytes is none", nr, head->type,
			      head->payload) - 1;
	if (len < head->bytes)
		return 0;
	if (head->sum != sf_wire_sum(head))
		return REFUSE(fault, "record %u (%s): its sum is wrong: it was written over", nr,
			      name_of(head->type)) - 1;
	return head->bytes;
}

/* One tail at *at; false: it is not sound. Advances. */
static bool read_tail(const struct tail *t, struct sf_event *ev, const char **at, const char *end)
{
	uint64_t entries, room;
	const void *p = NULL;

	if ((size_t)(end - *at) < sizeof(entries))
		return false;
	memcpy(&entries, *at, sizeof(entries));
	*at += sizeof(entries);
	room = (uint64_t)(end - *at) / t->size;
	if (entries != ABSENT) {
		if (entries > room || padded((size_t)entries * t->size) > (size_t)(end - *at))
			return false;
		p = *at;
		*at += padded((size_t)entries * t->size);
	}
	memcpy((char *)ev + t->at, &p, sizeof(p));
	if (!p)
		return t->optional || (t->kind == TAIL_ARRAY && !count_in(t, ev));
	switch (t->kind) {
	case TAIL_TEXT:
		return entries && memchr(p, 0, (size_t)entries) == (const char *)p + entries - 1;
	case TAIL_ONE:
		return entries == 1;
	}
	return entries == count_in(t, ev);
}

bool sf_wire_read(const void *record, struct sf_event *ev, struct sf_wire_fault *fault)
{
	const struct sf_wire_head *head = record;
	const char *at = (const char *)(head + 1), *end = (const char *)head + head->bytes;
	const char *member;

	if (head->type >= SF_EV_TYPES)
		return REFUSE(fault, "record %u: type %u is no event", head->nr, head->type);
	ev->type = head->type;
	ev->cpu = head->cpu;
	ev->op = head->op;
	memcpy((char *)ev + PAYLOAD_AT, at, head->payload);
	at += padded(head->payload);
	if (has_tails(ev->type))
		EACH_TAIL(t)
			if (t->type == ev->type && !read_tail(t, ev, &at, end))
				return REFUSE(fault, "record %u (%s): what it points to is not "
					      "there", head->nr, name_of(ev->type));
	if (at != end)
		return REFUSE(fault, "record %u (%s): %zu bytes are left over", head->nr,
			      name_of(ev->type), (size_t)(end - at));
	member = out_of_range(ev);
	if (member)
		return REFUSE(fault, "record %u (%s): its %s cannot be", head->nr,
			      name_of(ev->type), member);
	return true;
}

const void *sf_wire_control_payload(const void *record, size_t size)
{
	const struct sf_wire_head *head = record;

	return head->type >= SF_WIRE_CONTROL && head->payload == size ? head + 1 : NULL;
}
