// SPDX-License-Identifier: MIT
/*
 * bury.c - a program among random operations, in its own order and with its own settings: what a
 * minimiser has to find again. Relies on the generator; ci/minimize-bank.sh and end-to-end tests
 * rely on it.
 *
 *   bury FILE OPERATIONS SEED [ALLOCATOR]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../harness/fuzz/files.h"
#include "../harness/generate/mutate.h"

/* Numbers of results that no program has. */
#define BURIED 0x40000000u

static uint32_t buried(uint32_t label)
{
	return label == SF_NONE ? SF_NONE : label + BURIED;
}

static void add(struct sf_prog *to, const struct sf_prog *from, uint32_t at, bool deep)
{
	struct sf_op op = from->ops[at], *new;
	const char *name = sf_prog_str(from, op.name);

	op.name = sf_prog_string(to, name, strlen(name));
	op.expect = 0;
	new = sf_prog_add(to, &op);
	new->res = deep ? buried(op.res) : op.res;
	if (!deep)
		return;
	new->obj = buried(op.obj);
	new->obj2 = buried(op.obj2);
	new->cache = buried(op.cache);
}

static void bury(struct sf_prog *to, const struct sf_prog *what, uint32_t nr, uint64_t seed,
		 uint64_t caps)
{
	struct sf_prog earth;
	struct sf_swarm swarm;
	struct sf_rng rng;
	uint32_t a = 0, b = 0;

	sf_prog_init(&earth);
	sf_rng_seed(&rng, seed);
	sf_swarm_draw(&swarm, caps, &rng);
	sf_generate(&earth, nr, &swarm, &rng);
	to->settings = what->settings;
	while (a < what->nr_ops || b < earth.nr_ops) {
		uint64_t left = (uint64_t)what->nr_ops - a + earth.nr_ops - b;

		if (sf_rng_below(&rng, left) < what->nr_ops - a)
			add(to, what, a++, true);
		else
			add(to, &earth, b++, false);
	}
	sf_prog_fixup(to);
	sf_prog_free(&earth);
}

int main(int argc, char **argv)
{
	const struct sf_allocator *a = sf_allocator_by_name(argc > 4 ? argv[4] : "baseline");
	struct sf_prog what, out;
	struct sf_text_error err;
	size_t len = 0;
	char *text = argc > 3 ? sf_read_file(argv[1], &len) : NULL;

	if (!text || !a) {
		fprintf(stderr, "usage: bury FILE OPERATIONS SEED [ALLOCATOR]\n");
		return 2;
	}
	sf_prog_init(&what);
	sf_prog_init(&out);
	if (sf_text_parse(&what, text, len, &err)) {
		fprintf(stderr, "%s:%u:%u: %s\n", argv[1], err.line, err.col, err.text);
		return 2;
	}
	bury(&out, &what, (uint32_t)strtoul(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
	     a->caps & SF_CAP_KMALLOC ? a->caps & SF_DRAW_KERNEL : a->caps);
	sf_text_write(&out, stdout);
	sf_prog_free(&what);
	sf_prog_free(&out);
	free(text);
	return 0;
}
