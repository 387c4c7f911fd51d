// SPDX-License-Identifier: MIT
/*
 * text.c - ftrace text, `trace-cmd report` and `perf script`: lines to records.
 *
 * The three print the same fields behind different prefixes:
 *
 *   ftrace     comm-pid  [cpu] flags  seconds.micros: event: key=value …
 *   trace-cmd  comm-pid  [cpu]        seconds.micros: event: (function) key=value …
 *   perf       comm  pid [cpu]        seconds.micros: group:event: key=value …
 *
 * Fields are taken by name, so that kernels which add, drop or reorder them read alike. Strings of
 * a record point into the line buffer, which is never longer than two lines may be. Relies on
 * source.c and gfp.c; trace.c relies on it.
 */
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define BUF_SIZE (4u * SF_TR_LINE_MAX)
#define GFP_CACHE 64u
#define GFP_TEXT 128u

struct gfp_entry {
	char text[GFP_TEXT];
	size_t len; /* 0: empty */
	uint32_t gfp;
	uint64_t unknown;
};

struct sf_lines {
	struct sf_source *src;
	char *buf;         /* BUF_SIZE + 1 */
	size_t pos, len;   /* not yet taken */
	size_t seen;       /* no newline before this */
	bool end;
	uint64_t line;
	struct gfp_entry gfp[GFP_CACHE];
};

/* What precedes the fields. Offsets only: nothing is written until the line is known to be ours. */
struct prefix {
	const char *comm, *comm_end;
	const char *group, *event, *event_end;
	const char *rest;
	uint64_t pid, cpu, time_ns;
	bool flags;
};

/*
 * SF_TR_KEYS(X): X(KEY, field name)
 */
#define SF_TR_KEYS(X)              \
	X(PTR, "ptr")              \
	X(PFN, "pfn")              \
	X(NAME, "name")            \
	X(ORDER, "order")          \
	X(SITE, "call_site")       \
	X(GFP, "gfp_flags")        \
	X(REQ, "bytes_req")        \
	X(ALLOC, "bytes_alloc")    \
	X(ACCOUNTED, "accounted")  \
	X(TYPE, "migratetype")

enum key {
#define X(id, text) KEY_##id,
	SF_TR_KEYS(X)
#undef X
	KEYS,
};

static const struct {
	const char *text;
	size_t len;
} keys[KEYS] = {
#define X(id, text) { text, sizeof(text) - 1 },
	SF_TR_KEYS(X)
#undef X
};

#define BIT(k) (1u << KEY_##k)
#define OBJ_FIELDS (BIT(PTR) | BIT(REQ) | BIT(ALLOC) | BIT(GFP))

static const struct {
	const char *text;
	size_t len;
	uint8_t kind;
	uint32_t need; /* fields without which the event means nothing */
} events[] = {
#define E(text, kind, need) { text, sizeof(text) - 1, SF_TRACE_##kind, need }
	E("kmem_cache_alloc", CACHE_ALLOC, OBJ_FIELDS),
	E("kmem_cache_free", CACHE_FREE, BIT(PTR)),
	E("kfree", KFREE, BIT(PTR)),
	E("kmalloc", KMALLOC, OBJ_FIELDS),
	E("mm_page_alloc", PAGE_ALLOC, BIT(PFN) | BIT(ORDER) | BIT(GFP)),
	E("mm_page_free", PAGE_FREE, BIT(PFN) | BIT(ORDER)),
	E("kmalloc_node", KMALLOC, OBJ_FIELDS),
	E("kmem_cache_alloc_node", CACHE_ALLOC, OBJ_FIELDS),
#undef E
};

struct sf_lines *sf_lines_open(struct sf_source *src)
{
	struct sf_lines *l = sf_tr_alloc(sizeof(*l));

	memset(l, 0, sizeof(*l));
	l->src = src;
	l->buf = sf_tr_alloc(BUF_SIZE + 1);
	return l;
}

void sf_lines_close(struct sf_lines *l)
{
	if (!l)
		return;
	free(l->buf);
	free(l);
}

void sf_lines_reset(struct sf_lines *l)
{
	l->pos = l->len = l->seen = 0;
	l->line = 0;
	l->end = false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits from p; false if there are none or they do not fit. */
static bool number(const char **p, const char *end, uint64_t *v)
{
	const char *s = *p;
	uint64_t n = 0;

	for (; s < end && is_digit(*s); s++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (unsigned int)(*s - '0'), &n))
			return false;
	if (s == *p)
		return false;
	*p = s;
	*v = n;
	return true;
}

static bool hex(const char **p, const char *end, uint64_t *v)
{
	const char *s = *p;
	uint64_t n = 0;

	for (; s < end; s++) {
		unsigned int d;

		if (is_digit(*s))
			d = (unsigned int)(*s - '0');
		else if ((*s | 32) >= 'a' && (*s | 32) <= 'f')
			d = (unsigned int)((*s | 32) - 'a' + 10);
		else
			break;
		if (n >> 60)
			return false;
		n = n << 4 | d;
	}
	if (s == *p)
		return false;
	*p = s;
	*v = n;
	return true;
}

static const char *skip_spaces(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

static const char *skip_word(const char *p, const char *end)
{
	while (p < end && *p != ' ' && *p != '\t')
		p++;
	return p;
}

/* "comm-pid", "comm pid", "comm pid/tid", "comm-pid (tgid)" in front of "[cpu]". */
static bool task(struct prefix *x, const char *line, const char *end)
{
	const char *p = end, *digits;

	while (p > line && p[-1] == ' ')
		p--;
	if (p > line && p[-1] == ')') {
		while (p > line && p[-1] != '(')
			p--;
		if (p == line)
			return false;
		for (p--; p > line && p[-1] == ' '; p--)
			;
	}
	for (digits = p; digits > line && is_digit(digits[-1]); digits--)
		;
	x->comm_end = digits;
	if (!number(&digits, p, &x->pid))
		return false;
	p = x->comm_end;
	if (p > line && p[-1] == '/')
		for (p--; p > line && is_digit(p[-1]); p--)
			;
	if (p == line || (p[-1] != '-' && p[-1] != ' '))
		return false;
	for (p--; p > line && p[-1] == ' '; p--)
		;
	x->comm_end = p;
	x->comm = skip_spaces(line, p);
	return true;
}

/* "seconds.fraction:" or "ticks:"; the fraction has six or nine digits. */
static bool timestamp(struct prefix *x, const char *p, const char *end)
{
	uint64_t whole, part = 0;
	unsigned int digits = 9;

	if (!number(&p, end, &whole))
		return false;
	if (p < end && *p == ':') {
		x->time_ns = whole;
		return p + 1 == end;
	}
	if (p == end || *p++ != '.')
		return false;
	for (; p < end && is_digit(*p) && digits; digits--)
		part = part * 10 + (uint64_t)(*p++ - '0');
	while (digits--)
		part *= 10;
	x->time_ns = whole * 1000000000u + part;
	return p < end && *p == ':' && p + 1 == end;
}

static bool cpu_and_task(struct prefix *x, const char *line, const char *end, const char **after)
{
	for (const char *p = line; (p = memchr(p, '[', (size_t)(end - p))); ) {
		const char *q = ++p;

		if (!number(&q, end, &x->cpu) || q == end || *q != ']')
			continue;
		if (!task(x, line, p - 1))
			continue;
		*after = q + 1;
		return true;
	}
	return false;
}

static bool parse_prefix(struct prefix *x, const char *line, const char *end)
{
	const char *p, *q = NULL, *colon;

	if (!cpu_and_task(x, line, end, &p))
		return false;
	/* Latency flags may stand before the time. */
	p = skip_spaces(p, end);
	q = skip_word(p, end);
	x->flags = false;
	if (!timestamp(x, p, q)) {
		x->flags = true;
		p = skip_spaces(q, end);
		q = skip_word(p, end);
		if (!timestamp(x, p, q))
			return false;
	}
	/* perf may print a count before the event. */
	p = skip_spaces(q, end);
	q = skip_word(p, end);
	if (q > p && is_digit(q[-1])) {
		p = skip_spaces(q, end);
		q = skip_word(p, end);
	}
	if (q - p < 2 || q[-1] != ':')
		return false;
	x->rest = q;
	x->event_end = q - 1;
	colon = memchr(p, ':', (size_t)(x->event_end - p));
	x->group = colon ? p : NULL;
	x->event = colon ? colon + 1 : p;
	return true;
}

const char *sf_lines_format(const uint8_t *head, size_t len)
{
	const char *p = (const char *)head, *end = p + len;
	struct prefix x;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		size_t n = (size_t)(stop - p);

		if (n >= 9 && !memcmp(p, "# tracer:", 9))
			return "ftrace";
		if (n >= 6 && !memcmp(p, "cpus=", 5) && is_digit(p[5]))
			return "trace-cmd report";
		if (parse_prefix(&x, p, stop))
			return x.flags ? "ftrace" : x.group ? "perf script" : "trace-cmd report";
		p = nl ? nl + 1 : end;
	}
	return NULL;
}

static int fail(const struct sf_lines *l, struct sf_error *err, const char *what)
{
	return sf_tr_error(err, sf_source_name(l->src), l->line, "%s", what);
}

/* 1: a line of *len bytes, NUL-terminated in place; 0: the end; -1. */
static int next_line(struct sf_lines *l, char **line, size_t *len, bool *whole,
		     struct sf_error *err)
{
	for (;;) {
		char *nl = memchr(l->buf + l->seen, '\n', l->len - l->seen);
		ssize_t n;

		*line = l->buf + l->pos;
		*len = (size_t)((nl ? nl : l->buf + l->len) - *line);
		if (*len > SF_TR_LINE_MAX) {
			l->line++;
			return fail(l, err, "a line of more than 65536 bytes: no recording");
		}
		if (nl || l->end) {
			*whole = nl != NULL;
			if (!nl && !*len)
				return 0;
			(*line)[*len] = '\0';
			l->pos = l->seen = l->pos + *len + (nl != NULL);
			l->line++;
			return 1;
		}
		memmove(l->buf, *line, *len);
		l->pos = 0;
		l->len = l->seen = *len;
		n = sf_source_read(l->src, l->buf + l->len, BUF_SIZE - l->len, err);
		if (n < 0)
			return -1;
		l->end = n == 0;
		l->len += (size_t)n;
	}
}

/* Lines that are no event: headers that say something, and losses. */
static void note_line(const char *line, size_t len, struct sf_tr_notes *notes)
{
	const char *end = line + len, *p;
	uint64_t v;

	notes->foreign++;
	if (len > 5 && !memcmp(line, "cpus=", 5)) {
		p = line + 5;
		if (number(&p, end, &v) && v <= SF_TR_CPU_MAX + 1)
			notes->cpus = (uint32_t)v;
	} else if (*line == '#' && (p = strstr(line, "#P:"))) {
		p += 3;
		if (number(&p, end, &v) && v <= SF_TR_CPU_MAX + 1)
			notes->cpus = (uint32_t)v;
	} else if ((p = strstr(line, "[LOST "))) {
		p += 6;
		notes->lost += number(&p, end, &v) ? v : 1;
	} else if (strstr(line, " EVENTS DROPPED]") && (p = strchr(line, '['))) {
		p++;
		notes->lost += number(&p, end, &v) ? v : 1;
	} else if ((p = strstr(line, "PERF_RECORD_LOST lost "))) {
		p += 22;
		notes->lost += number(&p, end, &v) ? v : 1;
	}
}

static uint32_t parse_gfp(struct sf_lines *l, const char *s, size_t len, struct sf_tr_notes *notes)
{
	struct gfp_entry *e;

	if (!len || len > GFP_TEXT)
		return sf_tr_gfp(s, len, &notes->unknown_gfp);
	e = &l->gfp[(len * 7 + (unsigned char)s[len - 1] + (unsigned char)s[len / 2] * 3u) %
		    GFP_CACHE];
	if (e->len != len || memcmp(e->text, s, len)) {
		memcpy(e->text, s, len);
		e->len = len;
		e->unknown = 0;
		e->gfp = sf_tr_gfp(s, len, &e->unknown);
	}
	notes->unknown_gfp += e->unknown;
	return e->gfp;
}

/* "0000000012345678" (a hash), "0xffff888012345678", "(nil)", "(null)". */
static bool pointer(const char *s, const char *end, uint64_t *v)
{
	if (end - s == 5 && !memcmp(s, "(nil)", 5)) {
		*v = 0;
		return true;
	}
	if (end - s == 6 && !memcmp(s, "(null)", 6)) {
		*v = 0;
		return true;
	}
	if (end - s > 2 && s[0] == '0' && s[1] == 'x')
		s += 2;
	return hex(&s, end, v) && s == end;
}

/* Decimal, or hexadecimal with 0x; at most `max`. */
static bool amount(const char *s, const char *end, uint64_t max, uint64_t *v)
{
	bool ok;

	if (end - s > 2 && s[0] == '0' && s[1] == 'x') {
		s += 2;
		ok = hex(&s, end, v);
	} else {
		ok = number(&s, end, v);
	}
	return ok && s == end && *v <= max;
}

/* Takes one field; false: its value makes no sense. */
static bool take(struct sf_lines *l, struct sf_trace_record *rec, enum key key, char *s, char *end,
		 struct sf_tr_notes *notes)
{
	uint64_t v = 0;
	bool ok = true;
	char *cut;

	switch (key) {
	case KEY_PTR:
		return pointer(s, end, &rec->ptr);
	case KEY_PFN:
		return amount(s, end, UINT64_MAX, &rec->pfn);
	case KEY_NAME:
		rec->cache = s;
		return s != end;
	case KEY_SITE:
		/* symbol+offset/size: the size tells nothing that the symbol does not. */
		cut = memchr(s, '/', (size_t)(end - s));
		if (cut)
			*cut = '\0';
		rec->site = s;
		return true;
	case KEY_GFP:
		rec->gfp = parse_gfp(l, s, (size_t)(end - s), notes);
		return s != end;
	case KEY_REQ:
		return amount(s, end, UINT64_MAX, &rec->bytes_req);
	case KEY_ALLOC:
		return amount(s, end, UINT64_MAX, &rec->bytes_alloc);
	case KEY_ORDER:
		ok = amount(s, end, SF_NR_ORDERS - 1, &v);
		rec->order = (uint8_t)v;
		return ok;
	case KEY_TYPE:
		ok = amount(s, end, 15, &v);
		rec->migratetype = (uint8_t)v;
		return ok;
	case KEY_ACCOUNTED:
		rec->accounted = *s == 't';
		return !strcmp(s, "true") || !strcmp(s, "false");
	case KEYS:
		break;
	}
	return true;
}

static enum key find_key(const char *s, size_t len)
{
	for (unsigned int i = 0; i < KEYS; i++)
		if (keys[i].len == len && keys[i].text[0] == *s && !memcmp(keys[i].text, s, len))
			return (enum key)i;
	return KEYS;
}

/* The end of a value: the next space; a cache's name may itself contain some. */
static char *value_end(enum key key, char *s, char *end)
{
	char *p = (char *)skip_word(s, end);

	while (key == KEY_NAME && p < end) {
		char *q = (char *)skip_spaces(p, end), *r = (char *)skip_word(q, end);

		if (q == end || memchr(q, '=', (size_t)(r - q)))
			break;
		p = r;
	}
	return p;
}

/* The fields of one event: bits of those seen, or -1. */
static int64_t fields(struct sf_lines *l, struct sf_trace_record *rec, char *p, char *end,
		      struct sf_tr_notes *notes, struct sf_error *err)
{
	uint32_t seen = 0;

	for (;;) {
		char *word, *eq, *stop;
		enum key key;

		word = (char *)skip_spaces(p, end);
		if (word == end)
			return seen;
		for (eq = word; eq < end && *eq != '=' && *eq != ' '; eq++)
			;
		p = eq;
		if (eq == end || *eq != '=')
			continue;
		key = find_key(word, (size_t)(eq - word));
		stop = value_end(key, eq + 1, end);
		p = stop < end ? stop + 1 : stop;
		if (key == KEYS)
			continue;
		*stop = '\0';
		if (!take(l, rec, key, eq + 1, stop, notes))
			return sf_tr_error(err, sf_source_name(l->src), l->line,
					   "%s=%.40s: no such value", keys[key].text, eq + 1);
		seen |= 1u << key;
	}
}

/* What a field may hold depends on the others. */
static const char *check(struct sf_trace_record *rec, const struct prefix *x)
{
	if (x->pid > INT32_MAX)
		return "process number out of range";
	if (x->cpu > SF_TR_CPU_MAX)
		return "CPU number out of range";
	rec->pid = (int32_t)x->pid;
	rec->cpu = (uint32_t)x->cpu;
	rec->time_ns = x->time_ns;
	if (rec->kind == SF_TRACE_KMALLOC || rec->kind == SF_TRACE_CACHE_ALLOC) {
		if (rec->ptr && rec->bytes_alloc > SF_TR_BYTES_MAX)
			return "bytes_alloc out of range";
		if (rec->ptr && rec->bytes_req > SF_TR_BYTES_MAX)
			return "bytes_req out of range";
	}
	if (rec->pfn != SF_NO_PFN && rec->pfn > SF_TR_PFN_MAX)
		return "pfn out of range";
	return NULL;
}

/* 1: rec is filled in; 0: no kmem event; -1. */
static int parse_line(struct sf_lines *l, char *line, size_t len, bool whole,
		      struct sf_trace_record *rec, struct sf_tr_notes *notes, struct sf_error *err)
{
	char *end = line + len;
	struct prefix x;
	const char *bad;
	int64_t seen;
	size_t i, n;

	if (len && line[len - 1] == '\r')
		*--end = '\0';
	if (!parse_prefix(&x, line, end))
		return 0;
	if (x.group && (x.event - x.group != 5 || memcmp(x.group, "kmem:", 5)))
		return 0;
	n = (size_t)(x.event_end - x.event);
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i].len == n && !memcmp(events[i].text, x.event, n))
			break;
	if (i == sizeof(events) / sizeof(events[0]))
		return 0;
	memset(rec, 0, sizeof(*rec));
	rec->kind = events[i].kind;
	rec->line = l->line;
	rec->site = rec->cache = "";
	rec->comm = x.comm;
	line[x.comm_end - line] = '\0';
	seen = fields(l, rec, line + (x.rest - line), end, notes, err);
	if (seen < 0)
		return -1;
	if (events[i].need & ~(uint32_t)seen) {
		n = (size_t)__builtin_ctz(events[i].need & ~(uint32_t)seen);
		return sf_tr_error(err, sf_source_name(l->src), l->line, "%s event %s %s",
				   events[i].text, whole ? "without" : "is cut off before",
				   keys[n].text);
	}
	if (!(seen & BIT(ACCOUNTED)))
		rec->accounted = rec->gfp & SF_GFP_ACCOUNT;
	bad = check(rec, &x);
	return bad ? fail(l, err, bad) : 1;
}

/*
 * A last line without a newline is whole if its last field is: the pointer of a kfree has 16 digits
 * or is 0; of other fields a cut would have been noticed or cannot be.
 */
static bool cut_off(const struct sf_trace_record *rec, const char *line, size_t len)
{
	const char *eq = memrchr(line, '=', len);
	size_t digits;

	if (rec->kind != SF_TRACE_KFREE || !eq || !rec->ptr)
		return false;
	digits = strlen(eq + 1);
	return digits < 16;
}

int sf_lines_read(struct sf_lines *l, struct sf_trace_record *rec, struct sf_tr_notes *notes,
		  struct sf_error *err)
{
	for (;;) {
		bool whole = true;
		size_t len;
		char *line;
		int r = next_line(l, &line, &len, &whole, err);

		if (r <= 0)
			return r;
		r = parse_line(l, line, len, whole, rec, notes, err);
		if (r < 0)
			return -1;
		if (!r) {
			note_line(line, len, notes);
			continue;
		}
		if (!whole && cut_off(rec, line, len))
			return fail(l, err, "kfree event is cut off inside ptr");
		/* Kernel addresses have the top bit set, hashes have 32 bits (lib/vsprintf.c). */
		if (rec->ptr > SF_PAGE_SIZE && !(rec->ptr >> 63))
			notes->hashed = true;
		return 1;
	}
}
