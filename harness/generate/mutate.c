// SPDX-License-Identifier: MIT
/*
 * mutate.c - changes to programs: a table of small mutations, each of which turns a valid program
 * into a list of operations that sf_prog_fixup() makes valid again; and the form the engines call,
 * from bytes to bytes. Relies on draw.c, generate.c, program.c and bytes.c; harness/entry relies on
 * it.
 */
#include "mutate_internal.h"

#include <string.h>

enum {
	RANGE_MAX = 16,  /* operations that one mutation takes at once, mostly */
	REPEAT_MAX = 130,/* two sheaves and a few */
};

struct mutation {
	struct sf_prog *p;
	const struct sf_prog *other;
	struct sf_rng *rng;
	struct sf_swarm swarm;
};

struct range {
	uint32_t from, nr;
};

static struct sf_draw draw_at(struct mutation *m, uint32_t pos)
{
	return (struct sf_draw){ .rng = m->rng, .p = m->p, .pos = pos, .caps = m->swarm.caps };
}

/* A few neighbours, rarely any stretch. */
static struct range pick_range(struct mutation *m, const struct sf_prog *p)
{
	struct range r = { 0, 0 };
	uint32_t max;

	if (!p->nr_ops)
		return r;
	r.from = (uint32_t)sf_rng_below(m->rng, p->nr_ops);
	max = p->nr_ops - r.from;
	if (max > RANGE_MAX && !sf_rng_one_in(m->rng, 8))
		max = RANGE_MAX;
	r.nr = 1 + (uint32_t)(sf_rng_one_in(m->rng, 2) ? 0 : sf_rng_below(m->rng, max));
	return r;
}

static uint32_t pick_pos(struct mutation *m)
{
	return (uint32_t)sf_rng_below(m->rng, m->p->nr_ops + 1ull);
}

/* How many more operations the fuzzers' decoder would still read. */
static uint32_t room(const struct mutation *m)
{
	return m->p->nr_ops < SF_FUZZ_OPS_MAX ? SF_FUZZ_OPS_MAX - m->p->nr_ops : 0;
}

static void swap_ops(struct sf_op *a, struct sf_op *b)
{
	struct sf_op t = *a;

	*a = *b;
	*b = t;
}

static void reverse(struct sf_op *ops, uint32_t nr)
{
	for (uint32_t i = 0; i < nr / 2; i++)
		swap_ops(&ops[i], &ops[nr - 1 - i]);
}

/* Brings ops[mid..end) in front of ops[from..mid), in place: reverse both, then the whole. */
static void rotate(struct sf_prog *p, uint32_t from, uint32_t mid, uint32_t end)
{
	reverse(p->ops + from, mid - from);
	reverse(p->ops + mid, end - mid);
	reverse(p->ops + from, end - from);
}

/* Puts the operations from index `first` on (just appended) to `pos`. */
static void move_tail(struct sf_prog *p, uint32_t first, uint32_t pos)
{
	rotate(p, pos, first, p->nr_ops);
}

static void remove_range(struct sf_prog *p, struct range r)
{
	memmove(p->ops + r.from, p->ops + r.from + r.nr,
		(p->nr_ops - r.from - r.nr) * sizeof(*p->ops));
	p->nr_ops -= r.nr;
}

/*
 * Appends a copy of src->ops[r]. References to results that the range defines follow the copies;
 * others stay (the same program), or are drawn anew (another program's numbers mean nothing here).
 */
static void append_copy(struct mutation *m, const struct sf_prog *src, struct range r, uint32_t pos)
{
	uint32_t lo = SF_NONE, hi = 0, base = m->p->nr_res, first = m->p->nr_ops;

	for (uint32_t i = r.from; i < r.from + r.nr; i++) {
		uint32_t res = src->ops[i].res;

		if (res == SF_NONE)
			continue;
		if (lo == SF_NONE)
			lo = res;
		hi = res + 1;
	}
	for (uint32_t i = r.from; i < r.from + r.nr; i++) {
		struct sf_op op = src->ops[i]; /* a copy: src may be the program that grows */
		uint32_t *ref[] = { &op.obj, &op.obj2, &op.cache };
		bool foreign = false;

		for (unsigned int k = 0; k < 3; k++) {
			if (lo != SF_NONE && *ref[k] >= lo && *ref[k] < hi)
				*ref[k] = base + (*ref[k] - lo);
			else if (src != m->p && *ref[k] != SF_NONE)
				foreign = true;
		}
		if (src != m->p && op.name) {
			const char *s = sf_prog_str(src, op.name);

			op.name = sf_prog_string(m->p, s, strlen(s));
		}
		if (foreign) {
			struct sf_draw d = draw_at(m, pos < first ? pos : first);

			sf_draw_repoint(&d, &op);
		}
		op.expect = 0;
		sf_prog_add(m->p, &op);
	}
}

static bool mutate_insert(struct mutation *m)
{
	uint32_t first = m->p->nr_ops, pos = pick_pos(m);
	uint32_t nr = 1 + (uint32_t)(sf_rng_one_in(m->rng, 4) ? sf_rng_below(m->rng, 8) : 0);

	if (nr > room(m))
		return false;
	while (nr--) {
		/* What goes in is drawn for the place where it goes. */
		struct sf_draw d = draw_at(m, pos);
		struct sf_op op = sf_draw_op(&d, sf_swarm_pick(&m->swarm, &d));

		sf_prog_add(m->p, &op);
	}
	move_tail(m->p, first, pos);
	return true;
}

static bool mutate_delete(struct mutation *m)
{
	struct range r = pick_range(m, m->p);

	if (!r.nr || r.nr == m->p->nr_ops)
		return false;
	remove_range(m->p, r);
	return true;
}

static bool mutate_duplicate(struct mutation *m)
{
	uint32_t first = m->p->nr_ops, pos;
	struct range r = pick_range(m, m->p);

	if (!r.nr || r.nr > room(m))
		return false;
	pos = sf_rng_one_in(m->rng, 2) ? r.from + r.nr : pick_pos(m);
	append_copy(m, m->p, r, pos);
	move_tail(m->p, first, pos);
	return true;
}

static bool mutate_swap(struct mutation *m)
{
	uint32_t a, b;

	if (m->p->nr_ops < 2)
		return false;
	a = (uint32_t)sf_rng_below(m->rng, m->p->nr_ops);
	b = (uint32_t)sf_rng_below(m->rng, m->p->nr_ops);
	if (a == b)
		return false;
	swap_ops(&m->p->ops[a], &m->p->ops[b]);
	return true;
}

static bool mutate_move(struct mutation *m)
{
	struct range r = pick_range(m, m->p);
	uint32_t pos = pick_pos(m), end = r.from + r.nr;

	if (!r.nr || (pos >= r.from && pos <= end))
		return false;
	if (pos < r.from)
		rotate(m->p, pos, r.from, end);
	else
		rotate(m->p, r.from, end, pos);
	return true;
}

static bool mutate_splice(struct mutation *m)
{
	uint32_t first = m->p->nr_ops, pos = pick_pos(m);
	struct range r;

	if (!m->other || !m->other->nr_ops)
		return false;
	r = pick_range(m, m->other);
	if (sf_rng_one_in(m->rng, 4)) /* from somewhere to the end */
		r.nr = m->other->nr_ops - r.from;
	if (sf_rng_one_in(m->rng, 4)) /* ... in place of all that follows here */
		m->p->nr_ops = first = pos;
	if (r.nr > room(m))
		r.nr = room(m);
	if (!r.nr)
		return false;
	append_copy(m, m->other, r, pos);
	move_tail(m->p, first, pos);
	return true;
}

static void insert_cpu(struct mutation *m, uint32_t pos, uint8_t cpu)
{
	uint32_t first = m->p->nr_ops;
	struct sf_op op = sf_op_make(SF_OP_CPU);

	op.cpu = cpu;
	sf_prog_add(m->p, &op);
	move_tail(m->p, first, pos);
}

/* A range goes to another CPU and what follows stays where it was: frees become remote. */
static bool mutate_migrate(struct mutation *m)
{
	struct range r = pick_range(m, m->p);
	uint64_t cpus = m->p->settings.cpus;
	uint8_t cpu = 0, to;

	if (!sf_word_fits(SF_OP_CPU, m->swarm.caps) || !r.nr || cpus < 2 || room(m) < 2)
		return false;
	for (uint32_t i = 0; i < r.from; i++)
		if (m->p->ops[i].code == SF_OP_CPU)
			cpu = m->p->ops[i].cpu;
	to = (uint8_t)((cpu + 1 + sf_rng_below(m->rng, cpus - 1)) % cpus);
	insert_cpu(m, r.from + r.nr, cpu);
	insert_cpu(m, r.from, to);
	return true;
}

static bool mutate_argument(struct mutation *m)
{
	for (unsigned int attempt = 0; m->p->nr_ops && attempt < 4; attempt++) {
		uint32_t i = (uint32_t)sf_rng_below(m->rng, m->p->nr_ops);
		struct sf_draw d = draw_at(m, i);

		if (sf_draw_change(&d, &m->p->ops[i]))
			return true;
	}
	return false;
}

static bool mutate_repoint(struct mutation *m)
{
	for (unsigned int attempt = 0; m->p->nr_ops && attempt < 4; attempt++) {
		uint32_t i = (uint32_t)sf_rng_below(m->rng, m->p->nr_ops);
		struct sf_draw d = draw_at(m, i);

		if (sf_draw_repoint(&d, &m->p->ops[i]))
			return true;
	}
	return false;
}

/* The same operation many times over, as it takes to fill a sheaf, a slab or a per-CPU list. */
static bool mutate_repeat(struct mutation *m)
{
	static const uint8_t times[] = { 2,  4,  12, 13, 16, 28,  29,
					 32, 33, 60, 61, 64, 120, REPEAT_MAX };
	uint32_t first = m->p->nr_ops, nr, i;

	if (!first)
		return false;
	i = (uint32_t)sf_rng_below(m->rng, first);
	if (sf_op_table[m->p->ops[i].code].res == SF_RES_NONE ||
	    m->p->ops[i].code == SF_OP_BUCKETS_CREATE) /* thirteen caches each, never destroyed */
		return false;
	nr = times[sf_rng_below(m->rng, sizeof(times))];
	if (nr > room(m))
		nr = room(m);
	if (!nr)
		return false;
	while (nr--) {
		struct sf_op op = m->p->ops[i];

		sf_prog_add(m->p, &op);
	}
	move_tail(m->p, first, i + 1);
	return true;
}

static bool alive_at(const struct sf_prog *p, uint32_t i, uint32_t pos)
{
	for (uint32_t k = i + 1; k < pos; k++)
		if (sf_draw_ends(&p->ops[k], &p->ops[i]))
			return false;
	return true;
}

/* Gives back what is alive at a place, in order, backwards, or every other one. */
static bool mutate_free_all(struct mutation *m)
{
	uint32_t first = m->p->nr_ops, pos = pick_pos(m), left = room(m);
	bool origins = sf_rng_one_in(m->rng, 4);
	uint32_t step = 1 + (uint32_t)sf_rng_one_in(m->rng, 3), seen = 0;

	for (uint32_t i = 0; i < pos && left; i++) {
		const struct sf_op def = m->p->ops[i];
		struct sf_op op = sf_op_make(sf_draw_free_code(&def));

		if (op.code == SF_OP_NOP || (sf_op_ends_many(op.code) && !origins))
			continue;
		if (seen++ % step || !alive_at(m->p, i, pos))
			continue;
		if (sf_op_ends_many(op.code)) {
			op.cache = def.res;
		} else {
			op.obj = def.res;
			op.cache = def.cache;
		}
		sf_prog_add(m->p, &op);
		left--;
	}
	if (first == m->p->nr_ops)
		return false;
	if (sf_rng_one_in(m->rng, 2) && !origins)
		reverse(m->p->ops + first, m->p->nr_ops - first);
	move_tail(m->p, first, pos);
	return true;
}

/* SF_OP_NOP: the allocator has none. */
static enum sf_opcode pick_misuse(struct sf_rng *r, uint64_t caps)
{
	uint8_t is[SF_CODE_MAX + 1] = { 0 };
	unsigned int nr = 0;

	for (unsigned int code = 0; code <= SF_CODE_MAX; code++)
		if (sf_op_table[code].flags & SF_OPF_MISUSE && sf_word_fits(code, caps))
			is[nr++] = (uint8_t)code;
	return nr ? is[sf_rng_below(r, nr)] : SF_OP_NOP;
}

/* The operations that put the rest under another light. */
static bool mutate_sprinkle(struct mutation *m)
{
	static const uint8_t codes[] = { SF_OP_FAIL,         SF_OP_FAIL,  SF_OP_CHECK, SF_OP_DRAIN,
					 SF_OP_CACHE_SHRINK, SF_OP_VERIFY,
					 SF_OP_POOL_PROTECT, SF_OP_RARE_WRITE };
	uint32_t first = m->p->nr_ops, pos = pick_pos(m);
	struct sf_draw d = draw_at(m, pos);
	enum sf_opcode code = codes[sf_rng_below(m->rng, sizeof(codes))];
	struct sf_op op;

	if (m->p->settings.misuse && sf_rng_one_in(m->rng, 2))
		code = pick_misuse(m->rng, m->swarm.caps);
	if (code == SF_OP_NOP || !sf_word_fits(code, m->swarm.caps))
		code = sf_swarm_pick(&m->swarm, &d);
	if (!room(m) || !sf_draw_possible(&d, code))
		return false;
	op = sf_draw_op(&d, code);
	sf_prog_add(m->p, &op);
	move_tail(m->p, first, pos);
	return true;
}

static bool mutate_settings(struct mutation *m)
{
	if (sf_rng_one_in(m->rng, 8))
		sf_draw_setting(&m->p->settings, m->rng);
	else
		sf_draw_preset(&m->p->settings, m->rng);
	return true;
}

static const struct {
	uint32_t weight;
	bool (*apply)(struct mutation *m); /* false: nothing was changed */
} mutations[] = {
	{ 16, mutate_insert },   { 24, mutate_delete },  { 8, mutate_duplicate },
	{ 6, mutate_swap },      { 6, mutate_move },     { 10, mutate_splice },
	{ 6, mutate_migrate },   { 24, mutate_argument },{ 10, mutate_repoint },
	{ 6, mutate_repeat },    { 5, mutate_free_all }, { 6, mutate_sprinkle },
	{ 1, mutate_settings },
};

static bool mutate_once(struct mutation *m)
{
	uint32_t total = 0, x;

	for (size_t i = 0; i < sizeof(mutations) / sizeof(mutations[0]); i++)
		total += mutations[i].weight;
	x = (uint32_t)sf_rng_below(m->rng, total);
	for (size_t i = 0; i < sizeof(mutations) / sizeof(mutations[0]); i++) {
		if (x < mutations[i].weight)
			return mutations[i].apply(m);
		x -= mutations[i].weight;
	}
	return false;
}

/* Mutations of which one is a program of a family, whatever it was before. */
enum { FAMILY_ONE_IN = 32 };

/* Nothing of what it was before. */
static void start_over(struct sf_prog *p, uint64_t caps, struct sf_rng *r)
{
	sf_prog_clear(p);
	while (caps & SF_CAP_MALLOC && !p->nr_ops)
		sf_user_begin(p, SF_FUZZ_OPS_MAX, caps, r);
	if (!p->nr_ops)
		sf_family_draw(p, sf_family_pick(r), r);
	sf_prog_respell(p, caps);
	sf_prog_fixup(p);
}

/* It may be empty: of what others were about nothing can be said in this allocator's words. */
static void never_empty(struct mutation *m)
{
	struct sf_draw d = draw_at(m, 0);
	struct sf_op op;

	if (m->p->nr_ops)
		return;
	op = sf_draw_op(&d, sf_plain_word(m->swarm.caps));
	sf_prog_add(m->p, &op);
	sf_prog_fixup(m->p);
}

void sf_mutate(struct sf_prog *p, const struct sf_prog *other, uint64_t caps, struct sf_rng *r)
{
	struct mutation m = { .p = p, .other = other, .rng = r };
	uint64_t changes = 1 + (sf_rng_one_in(r, 2) ? 0 : sf_rng_below(r, 4));

	if (sf_rng_one_in(r, FAMILY_ONE_IN)) {
		start_over(p, caps, r);
		return;
	}
	sf_swarm_draw(&m.swarm, caps, r);
	/* A changed program is no test any more: what it expected is not what it does. */
	for (uint32_t i = 0; i < p->nr_ops; i++)
		p->ops[i].expect = 0;
	if (mutate_splice(&m)) {
		sf_prog_fixup(p);
		changes--;
	}
	if (sf_prog_respell(p, caps))
		sf_prog_fixup(p);
	for (unsigned int attempt = 0; changes && attempt < 16; attempt++) {
		if (!mutate_once(&m))
			continue;
		sf_prog_fixup(p);
		changes--;
	}
	if (sf_prog_respell(p, caps))
		sf_prog_fixup(p);
	never_empty(&m);
}

/* Drops operations here and there until the encoding fits. Returns its size. */
static size_t encode_within(struct sf_prog *p, uint8_t *out, size_t max, struct sf_rng *r)
{
	size_t size;

	while ((size = sf_bytes_encode(p, out, max)) > max) {
		struct range cut = { 0, (uint32_t)((size - max - 1) / SF_RECORD_SIZE) + 1 };

		if (!p->nr_ops) {
			sf_settings_init(&p->settings);
			if (sf_bytes_encode(p, out, max) <= max)
				continue;
			memcpy(out, SF_BYTES_MAGIC, max);
			return max;
		}
		if (cut.nr > p->nr_ops)
			cut.nr = p->nr_ops;
		cut.from = (uint32_t)sf_rng_below(r, p->nr_ops - cut.nr + 1ull);
		remove_range(p, cut);
		sf_prog_fixup(p);
	}
	return size;
}

/*
 * Mutations of bytes of which one is a new program, whatever it was before. What only a program as
 * a whole leads to (memory under pressure, a pool that is filled, sealed and changed) does not grow
 * one operation at a time: steps on the way there cover nothing new, and are not kept.
 */
enum {
	FRESH_ONE_IN = 8,
	FRESH_MIN = 8,   /* operations */
	FRESH_MAX = 120, /* about what an input of 4096 bytes holds */
};

static void begin_afresh(struct sf_prog *p, uint64_t caps, struct sf_rng *r)
{
	struct sf_swarm swarm;
	uint32_t nr_ops = FRESH_MIN + (uint32_t)sf_rng_below(r, FRESH_MAX - FRESH_MIN);

	sf_swarm_draw(&swarm, caps, r);
	sf_generate(p, nr_ops, &swarm, r);
}

size_t sf_mutate_bytes(uint8_t *data, size_t size, size_t max_size, const uint8_t *other,
		       size_t other_size, uint64_t caps, uint64_t seed)
{
	/* The engines' hooks carry no context; the programs keep their memory from call to call. */
	static struct sf_prog prog, donor;
	static bool ready;
	struct sf_rng rng;

	if (!ready) {
		sf_prog_init(&prog);
		sf_prog_init(&donor);
		ready = true;
	}
	if (!max_size)
		return 0;
	sf_rng_seed(&rng, seed);
	/* Not of what is being made smaller. */
	if (size <= max_size && sf_rng_one_in(&rng, FRESH_ONE_IN)) {
		begin_afresh(&prog, caps, &rng);
		return encode_within(&prog, data, max_size, &rng);
	}
	sf_bytes_decode(&prog, data, size, SF_FUZZ_OPS_MAX);
	if (other)
		sf_bytes_decode(&donor, other, other_size, SF_FUZZ_OPS_MAX);
	sf_mutate(&prog, other ? &donor : NULL, caps, &rng);
	return encode_within(&prog, data, max_size, &rng);
}
