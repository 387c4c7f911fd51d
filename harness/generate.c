// SPDX-License-Identifier: MIT
/*
 * generate.c - random numbers, swarms, and whole programs drawn from them. Relies on draw.c for
 * values and on program.c to make the result valid; mutate.c, tests and the benchmark rely on it.
 */
#include "mutate_internal.h"

/* xoroshiro128+ (Blackman, Vigna), seeded by splitmix64: small, fast, the same everywhere. */
static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint64_t rotl(uint64_t x, unsigned int k)
{
	return x << k | x >> (64 - k);
}

void sf_rng_seed(struct sf_rng *r, uint64_t seed)
{
	r->s[0] = splitmix(&seed);
	r->s[1] = splitmix(&seed) | 1; /* the state must not be all zero */
}

uint64_t sf_rng_next(struct sf_rng *r)
{
	uint64_t a = r->s[0], b = r->s[1], out = a + b;

	b ^= a;
	r->s[0] = rotl(a, 24) ^ b ^ b << 16;
	r->s[1] = rotl(b, 37);
	return out;
}

uint64_t sf_rng_below(struct sf_rng *r, uint64_t n)
{
	/* The bias of the high part of a product is n / 2^64. */
	return (uint64_t)((unsigned __int128)sf_rng_next(r) * n >> 64);
}

static bool takes(const struct sf_op_info *info, uint8_t kind)
{
	for (unsigned int i = 0; i < SF_OP_ARGS_MAX; i++)
		if (info->arg[i].kind == kind)
			return true;
	return false;
}

/*
 * How much an operation is worth before the swarm has its say. There are many ways to spell
 * kmalloc() and one to free it; named caches, devices and sets of buckets need several operations
 * in a row to be of any use.
 */
static unsigned int base_weight(enum sf_opcode code)
{
	const struct sf_op_info *info = &sf_op_table[code];

	if (!info->name)
		return 0;
	if (info->flags & SF_OPF_DECL || code == SF_OP_CHECK || code == SF_OP_CACHE_DESTROY)
		return 1; /* a check looks at the whole heap */
	if (code == SF_OP_DRAIN || code == SF_OP_FAIL || code == SF_OP_CACHE_SHRINK)
		return 2;
	if (code == SF_OP_BUCKETS_CREATE)
		return 2; /* thirteen caches each time */
	if (code == SF_OP_DEVICE_UNREGISTER)
		return 4;
	if (info->flags & SF_OPF_MISUSE) /* in the few heaps that allow it */
		return 12;
	if (takes(info, SF_ARG_CACHE) || info->res == SF_RES_CACHE)
		return 14;
	if (takes(info, SF_ARG_DEVICE) || takes(info, SF_ARG_BUCKETS) ||
	    info->res == SF_RES_DEVICE)
		return 8;
	if (info->flags & SF_OPF_FREES)
		return 10;
	return info->res == SF_RES_PAGES || info->res == SF_RES_EXACT || code == SF_OP_CPU ? 6 : 3;
}

void sf_swarm_draw(struct sf_swarm *sw, struct sf_rng *r)
{
	sw->total = 0;
	for (unsigned int code = 0; code <= SF_CODE_MAX; code++) {
		unsigned int w = base_weight(code);

		sw->weight[code] = sf_rng_one_in(r, 3) ? 0 : (uint16_t)(w << sf_rng_below(r, 5));
	}
	/* The one operation that can stand anywhere and fails for no lack of anything. */
	if (!sw->weight[SF_OP_KMALLOC])
		sw->weight[SF_OP_KMALLOC] = 1;
	for (unsigned int code = 0; code <= SF_CODE_MAX; code++)
		sw->total += sw->weight[code];
}

enum sf_opcode sf_swarm_pick(const struct sf_swarm *sw, struct sf_draw *d)
{
	for (unsigned int attempt = 0; attempt < 8; attempt++) {
		uint32_t x = (uint32_t)sf_rng_below(d->rng, sw->total), code = 0;

		while (x >= sw->weight[code])
			x -= sw->weight[code++];
		if (sf_draw_possible(d, code))
			return code;
	}
	return SF_OP_KMALLOC;
}

/* The same allocation again and again: fills slabs, sheaves and per-CPU lists. */
static uint32_t burst_length(struct sf_draw *d, enum sf_opcode code, uint32_t room)
{
	uint64_t n = 1;

	if (sf_op_table[code].res == SF_RES_NONE) {
		if (sf_op_table[code].flags & SF_OPF_FREES && sf_rng_one_in(d->rng, 4))
			n = 1 + sf_rng_below(d->rng, 16);
	} else if (sf_op_table[code].res < SF_RES_CACHE && sf_rng_one_in(d->rng, 12)) {
		n = 1 + sf_rng_below(d->rng, sf_rng_one_in(d->rng, 4) ? 64 : 12);
	}
	return n < room ? (uint32_t)n : room;
}

static void append(struct sf_prog *p, uint32_t nr_ops, const struct sf_swarm *sw, struct sf_rng *r)
{
	struct sf_draw d = { .rng = r, .p = p };

	while (p->nr_ops < nr_ops) {
		enum sf_opcode code;
		struct sf_op op;
		uint32_t n;

		d.pos = p->nr_ops;
		code = sf_swarm_pick(sw, &d);
		n = burst_length(&d, code, nr_ops - p->nr_ops);
		op = sf_draw_op(&d, code);
		for (; n; n--) {
			sf_prog_add(p, &op);
			d.pos = p->nr_ops;
			if (sf_op_table[code].flags & SF_OPF_FREES) {
				op = sf_draw_op(&d, code);
				if (op.obj == SF_NONE)
					break;
			}
		}
	}
}

void sf_generate(struct sf_prog *p, uint32_t nr_ops, const struct sf_swarm *sw, struct sf_rng *r)
{
	sf_prog_clear(p);
	sf_draw_preset(&p->settings, r);
	/* A few operations are dropped by the fix-up; kmalloc never is, so this ends. */
	for (unsigned int round = 0; p->nr_ops < nr_ops; round++) {
		struct sf_swarm only = { .weight[SF_OP_KMALLOC] = 1, .total = 1 };

		append(p, nr_ops, round < 8 ? sw : &only, r);
		sf_prog_fixup(p);
	}
}
