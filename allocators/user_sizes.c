// SPDX-License-Identifier: MIT
/*
 * user_sizes.c - user_sizes.h: a map to places in a list, which grows with the objects that are
 * there at once.
 */
#include "user_sizes.h"

#include <stdlib.h>

void user_sizes_put(struct user_sizes *s, uint64_t addr, struct user_size size)
{
	uint32_t at = sf_map_get(&s->at, addr);

	if (at == SF_MAP_NONE) {
		if (s->nr_spare) {
			at = s->spare[--s->nr_spare];
		} else {
			SF_GROW(s->list, s->nr, s->cap);
			at = s->nr++;
		}
		sf_map_put(&s->at, addr, at);
	}
	s->list[at] = size;
}

const struct user_size *user_sizes_get(const struct user_sizes *s, uint64_t addr)
{
	uint32_t at = sf_map_get(&s->at, addr);

	return at == SF_MAP_NONE ? NULL : &s->list[at];
}

void user_sizes_del(struct user_sizes *s, uint64_t addr)
{
	uint32_t at = sf_map_get(&s->at, addr);

	if (at == SF_MAP_NONE)
		return;
	SF_GROW(s->spare, s->nr_spare, s->cap_spare);
	s->spare[s->nr_spare++] = at;
	sf_map_del(&s->at, addr);
}

void user_sizes_clear(struct user_sizes *s)
{
	sf_map_clear(&s->at);
	s->nr = s->nr_spare = 0;
}

void user_sizes_free(struct user_sizes *s)
{
	sf_map_free(&s->at);
	free(s->list);
	free(s->spare);
	*s = (struct user_sizes){ 0 };
}
