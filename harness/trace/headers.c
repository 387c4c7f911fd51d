// SPDX-License-Identifier: MIT
/*
 * headers.c - lines of a recording that are no memory event: what headers say of CPUs and of events
 * that were overwritten, what is said of losses, and which other events there are.
 *
 * Relies on lines.h; text.c relies on it.
 */
#include <string.h>

#include "lines.h"

static bool starts(const char *line, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && !memcmp(line, with, n);
}

static void take_cpus(const char *p, const char *end, struct sf_tr_notes *notes)
{
	uint64_t v;

	if (sf_tr_decimal(&p, end, &v) && v <= SF_TR_CPU_MAX + 1)
		notes->cpus = (uint32_t)v;
}

/* "a/b": a of b events are left. */
static void take_overwritten(const char *p, const char *end, struct sf_tr_notes *notes)
{
	uint64_t left, written;

	p = sf_tr_skip_blanks(p, end);
	if (!sf_tr_decimal(&p, end, &left) || p == end || *p++ != '/' ||
	    !sf_tr_decimal(&p, end, &written) || written <= left)
		return;
	notes->overwritten += written - left;
}

static void header(const char *line, const char *end, struct sf_tr_notes *notes)
{
	const char *p;

	if ((p = strstr(line, "entries-in-buffer/entries-written:")))
		take_overwritten(p + 34, end, notes);
	else if (starts(line, (size_t)(end - line), "# latency:") && (p = strstr(line, ", #")))
		take_overwritten(p + 3, end, notes);
	p = strstr(line, "#P:");
	if (p)
		take_cpus(p + 3, end, notes);
}

/* What comes in brackets: "[LOST n]", "[LOST n EVENTS]", "[n EVENTS DROPPED]". */
static void loss(const char *line, const char *end, struct sf_tr_notes *notes)
{
	const char *p;
	uint64_t v;

	if ((p = strstr(line, "[LOST "))) {
		p += 6;
		notes->lost += sf_tr_decimal(&p, end, &v) ? v : 1;
	} else if ((p = strstr(line, "EVENTS DROPPED]"))) {
		while (p > line && p[-1] != '[')
			p--;
		notes->lost += sf_tr_decimal(&p, end, &v) ? v : 1;
	} else if ((p = strstr(line, "PERF_RECORD_LOST lost "))) {
		p += 22;
		notes->lost += sf_tr_decimal(&p, end, &v) ? v : 1;
	} else if ((p = strstr(line, "##### CPU "))) {
		notes->started += strstr(p, " buffer started") != NULL;
	}
}

void sf_tr_note_line(const char *line, size_t len, const struct sf_prefix *x,
		     struct sf_tr_notes *notes)
{
	const char *end = line + len;

	notes->foreign++;
	if (x) {
		notes->other_events++;
		sf_tr_tally(&notes->heard->events, x->event, (size_t)(x->event_end - x->event));
		return;
	}
	if (starts(line, len, "cpus="))
		take_cpus(line + 5, end, notes);
	else if (len && *line == '#' && !starts(line, len, "#####"))
		header(line, end, notes);
	else if (memchr(line, '[', len) || memchr(line, '#', len))
		loss(line, end, notes);
	else if (len)
		loss(line, end, notes);
}
