// SPDX-License-Identifier: MIT
/*
 * trace_map.c - the parts of trace_map.h that are not inline: growth and removal.
 *
 * Relies on sf_tr_alloc(); the pairing relies on it.
 */
#include <stdlib.h>

#include "private.h"

#define SF_TMAP_MIN 1024u

static void place(struct sf_tmap *m, uint64_t key, uint32_t value)
{
	uint32_t i = sf_tmap_home(m, key);

	while (m->slot[i].value != SF_TMAP_NONE)
		i = (i + 1) & m->mask;
	m->slot[i].key = key;
	m->slot[i].value = value;
}

static void grow(struct sf_tmap *m)
{
	struct sf_tmap_slot *old = m->slot;
	uint32_t nr = m->mask ? m->mask + 1 : 0;

	m->mask = nr ? 2 * nr - 1 : SF_TMAP_MIN - 1;
	m->slot = sf_tr_alloc(((size_t)m->mask + 1) * sizeof(*m->slot));
	for (uint32_t i = 0; i <= m->mask; i++)
		m->slot[i].value = SF_TMAP_NONE;
	for (uint32_t i = 0; i < nr; i++)
		if (old[i].value != SF_TMAP_NONE)
			place(m, old[i].key, old[i].value);
	free(old);
}

void sf_tmap_free(struct sf_tmap *m)
{
	free(m->slot);
	*m = (struct sf_tmap){0};
}

void sf_tmap_set(struct sf_tmap *m, uint64_t key, uint32_t value)
{
	if (m->mask) {
		uint32_t i = sf_tmap_home(m, key);

		for (; m->slot[i].value != SF_TMAP_NONE; i = (i + 1) & m->mask) {
			if (m->slot[i].key != key)
				continue;
			m->slot[i].value = value;
			return;
		}
	}
	if (!m->mask || (uint64_t)(m->nr + 1) * 10 > ((uint64_t)m->mask + 1) * 7)
		grow(m);
	place(m, key, value);
	m->nr++;
}

bool sf_tmap_del(struct sf_tmap *m, uint64_t key)
{
	uint32_t i, hole;

	if (!m->mask)
		return false;
	for (i = sf_tmap_home(m, key); m->slot[i].key != key; i = (i + 1) & m->mask)
		if (m->slot[i].value == SF_TMAP_NONE)
			return false;
	if (m->slot[i].value == SF_TMAP_NONE)
		return false;
	/* Whoever would be found only across the hole moves into it. */
	hole = i;
	for (i = (i + 1) & m->mask; m->slot[i].value != SF_TMAP_NONE; i = (i + 1) & m->mask) {
		uint32_t home = sf_tmap_home(m, m->slot[i].key);

		if (((i - home) & m->mask) < ((i - hole) & m->mask))
			continue;
		m->slot[hole] = m->slot[i];
		hole = i;
	}
	m->slot[hole].value = SF_TMAP_NONE;
	m->nr--;
	return true;
}

size_t sf_tmap_bytes(const struct sf_tmap *m)
{
	return m->mask ? ((size_t)m->mask + 1) * sizeof(*m->slot) : 0;
}
