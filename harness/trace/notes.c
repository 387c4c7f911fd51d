// SPDX-License-Identifier: MIT
/*
 * notes.c - names and how often they were met; what a page event says of its frame. Small things
 * that all readers share. Relies on private.h.
 */
#include <stdio.h>
#include <string.h>

#include "private.h"

/* Where a name is, or where it would be; NULL: full. */
static uint64_t *slot(struct sf_tr_tally *t, const char *name, size_t len)
{
	uint32_t h = (uint32_t)len;

	for (size_t i = 0; i < len; i++)
		h = h * 31 + (unsigned char)name[i];
	for (uint32_t i = 0; i < SF_TR_TALLY_NAMES; i++) {
		uint32_t at = (h + i) % SF_TR_TALLY_NAMES;

		if (!t->entry[at].nr) {
			memcpy(t->entry[at].name, name, len);
			t->entry[at].name[len] = '\0';
			return &t->entry[at].nr;
		}
		if (!strncmp(t->entry[at].name, name, len) && !t->entry[at].name[len])
			return &t->entry[at].nr;
	}
	return NULL;
}

static void add(struct sf_tr_tally *t, const char *name, size_t len, uint64_t nr)
{
	char clean[SF_TR_TALLY_TEXT];
	uint64_t *count;

	if (len >= SF_TR_TALLY_TEXT)
		len = SF_TR_TALLY_TEXT - 1;
	for (size_t i = 0; i < len; i++)
		clean[i] = name[i] > ' ' && name[i] < 0x7f ? name[i] : '?';
	count = slot(t, clean, len);
	*(count ? count : &t->rest) += nr;
}

void sf_tr_tally(struct sf_tr_tally *t, const char *name, size_t len)
{
	add(t, name, len, 1);
}

void sf_tr_tally_add(struct sf_tr_tally *to, const struct sf_tr_tally *from)
{
	for (uint32_t i = 0; i < SF_TR_TALLY_NAMES; i++)
		if (from->entry[i].nr)
			add(to, from->entry[i].name, strlen(from->entry[i].name),
			    from->entry[i].nr);
	to->rest += from->rest;
}

/* The most frequent one not yet named; of equals the first by name. */
static int best(const struct sf_tr_tally *t, const bool *named)
{
	int found = -1;

	for (int i = 0; i < (int)SF_TR_TALLY_NAMES; i++) {
		if (!t->entry[i].nr || named[i])
			continue;
		if (found < 0 || t->entry[i].nr > t->entry[found].nr ||
		    (t->entry[i].nr == t->entry[found].nr &&
		     strcmp(t->entry[i].name, t->entry[found].name) < 0))
			found = i;
	}
	return found;
}

void sf_tr_tally_text(const struct sf_tr_tally *t, unsigned int names, char *out, size_t cap)
{
	bool named[SF_TR_TALLY_NAMES] = { false };
	uint64_t others = t->rest;
	size_t n = 0;
	int i;

	*out = '\0';
	for (; names && (i = best(t, named)) >= 0; names--) {
		named[i] = true;
		n += (size_t)snprintf(out + n, cap - n, "%s%s %llu", n ? ", " : "",
				      t->entry[i].name, (unsigned long long)t->entry[i].nr);
		if (n >= cap)
			return;
	}
	for (i = 0; i < (int)SF_TR_TALLY_NAMES; i++)
		others += named[i] ? 0 : t->entry[i].nr;
	if (others)
		snprintf(out + n, cap - n, "%sothers %llu", n ? ", " : "",
			 (unsigned long long)others);
}

/*
 * Kernels to 3.18 record the descriptor and print the frame of it, whatever comes out for none;
 * later ones record the frame, all bits of it set for none, and print that as frame 0 and no
 * descriptor. What has a descriptor only (trace.dat and raw fields of the former) has no frame.
 */
void sf_tr_page_frame(struct sf_trace_record *rec, bool have_pfn, bool have_page)
{
	bool none = have_page && !rec->page;

	if (have_pfn && (rec->pfn == UINT64_MAX || rec->pfn == UINT32_MAX ||
			 (none && (!rec->pfn || rec->pfn > SF_TR_PFN_MAX)))) {
		rec->pfn = SF_NO_PFN;
	} else if (!have_pfn) {
		rec->pfn = SF_NO_PFN;
		rec->no_frame = !none;
	}
}

/* What is cut at a column ends there, whatever is in it. */
void sf_tr_note_cut(struct sf_tr_heard *h, uint64_t column, uint64_t events)
{
	if (column < h->cut_column)
		return;
	if (column > h->cut_column)
		h->cut_there = 0;
	h->cut_column = column;
	h->cut_there += events;
}

uint64_t sf_tr_cut_column(const struct sf_tr_heard *h, uint64_t cut_off)
{
	return h->cut_there >= 3 && h->cut_there * 2 > cut_off ? h->cut_column : 0;
}
