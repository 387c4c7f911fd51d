/* SPDX-License-Identifier: MIT */
/*
 * lines.h - what the files that read text share: the events by name, what stands before the fields
 * of one, and what a line that is none may say. Relies on private.h; text.c, prefix.c, fields.c and
 * headers.c rely on it.
 */
#ifndef SLABFUZZ_TRACE_LINES_H
#define SLABFUZZ_TRACE_LINES_H

#include "private.h"

/* How a line is laid out, and what prints such lines. */
enum sf_layout {
	SF_LAYOUT_FTRACE,
	SF_LAYOUT_LATENCY, /* latency format, trace-cmd report -l, and the dump of a crash */
	SF_LAYOUT_GRAPH,   /* function_graph: events are comments */
	SF_LAYOUT_REPORT,  /* trace-cmd report */
	SF_LAYOUT_PERF,    /* perf script */
	SF_LAYOUTS,
};

/*
 * What precedes the fields. Offsets only: nothing is written until the line is known to be ours.
 * `comm` may be empty, `pid` and `time_ns` 0: not every layout has them.
 */
struct sf_prefix {
	const char *comm, *comm_end;
	const char *group, *event, *event_end; /* group: NULL if there is none */
	const char *rest, *end;                /* the fields */
	uint64_t pid, cpu, time_ns;
	uint8_t layout;                        /* enum sf_layout */
};

bool sf_tr_prefix(struct sf_prefix *x, const char *line, const char *end);
/* Words that stand before an event and never among fields: "[001]", "12.000001:", "kfree:". */
bool sf_tr_before_event(const char *s, const char *end);

/* Whether what should be the task's name is the rest of another event. */
bool sf_tr_torn_in_front(const struct sf_prefix *x);

#define SF_TR_EVENTS 11u
struct sf_tr_event_name {
	const char *text;
	uint8_t len, kind; /* enum sf_trace_kind */
	bool node, batched;
};
extern const struct sf_tr_event_name sf_tr_events[SF_TR_EVENTS];
/* NULL: not one of ours. */
const struct sf_tr_event_name *sf_tr_event(const char *s, size_t len);

/* fields.c: `line` is cut into strings. */
struct sf_fields;
struct sf_fields *sf_fields_create(void);
void sf_fields_reset(struct sf_fields *f); /* from the start of the file again */
enum sf_tr_damage sf_tr_fields(struct sf_fields *f, struct sf_trace_record *rec,
			       const struct sf_tr_event_name *ev, const struct sf_prefix *x,
			       char *line, bool whole, struct sf_tr_notes *notes,
			       char why[SF_TR_WHY_MAX]);
/* Whether a line begins with a field, as the second half of a wrapped event does. */
bool sf_tr_begins_with_field(const char *line, const char *end);

/* headers.c: a line that is no event of ours; `x` is NULL if it is no event at all. */
void sf_tr_note_line(const char *line, size_t len, const struct sf_prefix *x,
		     struct sf_tr_notes *notes);

/* Digits from *p on, moved behind them; false if there are none or they do not fit. */
bool sf_tr_decimal(const char **p, const char *end, uint64_t *v);
bool sf_tr_hexadecimal(const char **p, const char *end, uint64_t *v);

static inline bool sf_tr_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool sf_tr_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline const char *sf_tr_skip_blanks(const char *p, const char *end)
{
	while (p < end && sf_tr_is_blank(*p))
		p++;
	return p;
}

static inline const char *sf_tr_skip_word(const char *p, const char *end)
{
	while (p < end && !sf_tr_is_blank(*p))
		p++;
	return p;
}

#endif
