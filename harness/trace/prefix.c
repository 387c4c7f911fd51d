// SPDX-License-Identifier: MIT
/*
 * prefix.c - what stands before the fields of an event, in every layout that the kernel and its
 * tools print.
 *
 *   ftrace         comm-pid (tgid) [cpu] flags  seconds.micros: event: …
 *   trace-cmd      comm-pid [cpu]  seconds.micros: (+diff) event: …
 *   perf script    comm  pid/tid [cpu]  seconds.micros:  count group:event: …
 *   latency        comm-pid  cpu flags  12us!: event: …   (report -l: seconds instead of us)
 *   verbose        comm pid cpu flags depth number [hex] 12.345ms (+0.001ms): event: …
 *   function graph seconds.micros | cpu)  comm-pid  | duration |  / * event: … * /
 *
 * The first three are read from left to right, which is fast. Whatever else has the name of one of
 * our events in it is read from that name to the left, where everything may be missing. Relies on
 * lines.h; text.c relies on it.
 */
#include <string.h>

#include "lines.h"

#define COMM_MAX 20 /* the kernel's have 15 characters */

#define E(text, kind, node, batched) { text, sizeof(text) - 1, SF_TRACE_##kind, node, batched }
const struct sf_tr_event_name sf_tr_events[SF_TR_EVENTS] = {
	E("kmem_cache_alloc", CACHE_ALLOC, false, false),
	E("kmem_cache_free", CACHE_FREE, false, false),
	E("kfree", KFREE, false, false),
	E("kmalloc", KMALLOC, false, false),
	E("mm_page_alloc", PAGE_ALLOC, false, false),
	E("mm_page_free", PAGE_FREE, false, false),
	E("kmalloc_node", KMALLOC, true, false),
	E("kmem_cache_alloc_node", CACHE_ALLOC, true, false),
	/* The names before 3.3, and what is printed beside them for pages freed as a list. */
	E("mm_page_free_direct", PAGE_FREE, false, false),
	E("mm_pagevec_free", PAGE_FREE, false, true),
	E("mm_page_free_batched", PAGE_FREE, false, true),
};
#undef E

const struct sf_tr_event_name *sf_tr_event(const char *s, size_t len)
{
	for (size_t i = 0; i < SF_TR_EVENTS; i++)
		if (sf_tr_events[i].len == len && !memcmp(sf_tr_events[i].text, s, len))
			return &sf_tr_events[i];
	return NULL;
}

bool sf_tr_decimal(const char **p, const char *end, uint64_t *v)
{
	const char *s = *p;
	uint64_t n = 0;

	for (; s < end && sf_tr_is_digit(*s); s++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (unsigned int)(*s - '0'), &n))
			return false;
	if (s == *p)
		return false;
	*p = s;
	*v = n;
	return true;
}

bool sf_tr_hexadecimal(const char **p, const char *end, uint64_t *v)
{
	const char *s = *p;
	uint64_t n = 0;

	for (; s < end; s++) {
		unsigned int d;

		if (sf_tr_is_digit(*s))
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

/* Where the blanks before p begin. */
static const char *back_blanks(const char *line, const char *p)
{
	while (p > line && sf_tr_is_blank(p[-1]))
		p--;
	return p;
}

static const char *back_word(const char *line, const char *p)
{
	while (p > line && !sf_tr_is_blank(p[-1]))
		p--;
	return p;
}

/* `nr` digits; *v becomes their value. */
static bool digits_of(const char *p, const char *end, int nr, uint64_t *v)
{
	if (end - p < nr)
		return false;
	for (*v = 0; nr--; p++) {
		if (!sf_tr_is_digit(*p))
			return false;
		*v = *v * 10 + (uint64_t)(*p - '0');
	}
	return true;
}

/* Days since 1970 (Howard Hinnant's days_from_civil). */
static uint64_t days(uint64_t year, uint64_t month, uint64_t day)
{
	uint64_t y = year - (month <= 2), era = y / 400, yoe = y - era * 400;
	uint64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/*
 * "2026-11-29 09:00:01.000003", with a T between or a colon behind: where it ends, and its time; p
 * if there is none.
 */
static const char *skip_date(const char *p, const char *end, uint64_t *ns)
{
	uint64_t year, month, day, hour, min, sec, part = 0;
	const char *q = p;
	unsigned int n = 9;

	if (end - p < 19 || p[4] != '-' || p[7] != '-' || (p[10] != ' ' && p[10] != 'T') ||
	    p[13] != ':' || p[16] != ':')
		return p;
	if (!digits_of(p, end, 4, &year) || !digits_of(p + 5, end, 2, &month) ||
	    !digits_of(p + 8, end, 2, &day) || !digits_of(p + 11, end, 2, &hour) ||
	    !digits_of(p + 14, end, 2, &min) || !digits_of(p + 17, end, 2, &sec) ||
	    year < 1970 || year > 2500)
		return p;
	q = p + 19;
	if (q < end && (*q == '.' || *q == ','))
		for (q++; q < end && sf_tr_is_digit(*q) && n; n--)
			part = part * 10 + (uint64_t)(*q++ - '0');
	while (n--)
		part *= 10;
	sec += (days(year, month, day) * 24 + hour) * 3600 + min * 60;
	*ns = sec * 1000000000u + part;
	return sf_tr_skip_word(q, end); /* a zone, a colon */
}

/* What a mailer, printk or syslog put before a line: "> ", "<4>", "[   12.300002] ". */
static const char *skip_printk(const char *p, const char *end)
{
	const char *q;
	uint64_t v;

	while (p < end && (*p == '>' || sf_tr_is_blank(*p)))
		p++;
	p = sf_tr_skip_blanks(skip_date(p, end, &v), end);
	for (q = p; (q = memchr(q, '[', (size_t)(end - q))); ) {
		const char *at = sf_tr_skip_blanks(++q, end);

		if (!sf_tr_decimal(&at, end, &v) || at == end || *at++ != '.' ||
		    !sf_tr_decimal(&at, end, &v) || at == end || *at++ != ']')
			continue;
		p = q = sf_tr_skip_blanks(at, end);
	}
	/* "[  T77]", "[  C1]": who printed it (PRINTK_CALLER). */
	if (end - p > 2 && *p == '[') {
		q = sf_tr_skip_blanks(p + 1, end);
		if (q < end && (*q == 'T' || *q == 'C') && (q = memchr(q, ']', (size_t)(end - q))))
			p = sf_tr_skip_blanks(q + 1, end);
	}
	q = memmem(p, (size_t)(end - p), " kernel: ", 9);
	return q ? sf_tr_skip_blanks(q + 9, end) : p;
}

/* "comm-pid", "comm pid", "comm pid/tid", "comm-pid (tgid)" from line to end. */
static bool task(struct sf_prefix *x, const char *line, const char *end)
{
	const char *p = back_blanks(line, end), *digits;

	if (p > line && p[-1] == ')') {
		while (p > line && p[-1] != '(')
			p--;
		if (p == line)
			return false;
		p = back_blanks(line, p - 1);
	}
	for (digits = p; digits > line && sf_tr_is_digit(digits[-1]); digits--)
		;
	x->comm_end = digits;
	if (!sf_tr_decimal(&digits, p, &x->pid))
		return false;
	p = x->comm_end;
	if (p > line && p[-1] == '/')
		for (p--; p > line && sf_tr_is_digit(p[-1]); p--)
			;
	if (p == line || (p[-1] != '-' && !sf_tr_is_blank(p[-1])))
		return false;
	p = back_blanks(line, p - 1);
	x->comm_end = p;
	x->comm = sf_tr_skip_blanks(line, p);
	/* A name has 15 characters: what is longer begins with something else. */
	if (x->comm < p && (*x->comm == '[' || *x->comm == '>' || *x->comm == '<' ||
			    p - x->comm > 15))
		x->comm = skip_printk(x->comm, p);
	return true;
}

/*
 * "seconds.fraction:" or "ticks:"; the fraction has six or nine digits. "+seconds:" is a time since
 * the event before, which tells no order.
 */
static bool timestamp(struct sf_prefix *x, const char *p, const char *end)
{
	bool relative = p < end && *p == '+';
	uint64_t whole, part = 0;
	unsigned int digits = 9;

	p += relative;
	if (!sf_tr_decimal(&p, end, &whole))
		return false;
	if (p + 1 == end && *p == ':') {
		x->time_ns = relative ? 0 : whole;
		return true;
	}
	if (p == end || *p++ != '.')
		return false;
	for (; p < end && sf_tr_is_digit(*p) && digits; digits--)
		part = part * 10 + (uint64_t)(*p++ - '0');
	while (digits--)
		part *= 10;
	x->time_ns = relative ? 0 : whole * 1000000000u + part;
	return p < end && *p == ':' && p + 1 == end;
}

static bool cpu_and_task(struct sf_prefix *x, const char *line, const char *end,
			 const char **after)
{
	for (const char *p = line; (p = memchr(p, '[', (size_t)(end - p))); ) {
		const char *q = ++p;

		if (!sf_tr_decimal(&q, end, &x->cpu) || q == end || *q != ']')
			continue;
		if (!task(x, line, p - 1))
			continue;
		*after = q + 1;
		return true;
	}
	return false;
}

/* "event:" or "group:event:" from p to end. */
static bool event_name(struct sf_prefix *x, const char *p, const char *end)
{
	const char *colon;

	if (end - p < 2 || end[-1] != ':')
		return false;
	x->rest = end;
	x->event_end = end - 1;
	colon = memchr(p, ':', (size_t)(x->event_end - p));
	x->group = colon ? p : NULL;
	x->event = colon ? colon + 1 : p;
	return true;
}

/* A time, a date, or a date and then the recorder's own time (perf script -F +tod). */
static bool when(struct sf_prefix *x, const char **p, const char *end)
{
	uint64_t wall = 0;
	const char *date = skip_date(*p, end, &wall), *from = sf_tr_skip_blanks(date, end);
	const char *stop = sf_tr_skip_word(from, end);

	if (timestamp(x, from, stop)) {
		*p = stop;
		return true;
	}
	if (date == *p)
		return false;
	x->time_ns = wall;
	*p = date;
	return true;
}

/* The layouts with a CPU in brackets and a time. */
static bool plain_layout(struct sf_prefix *x, const char *line, const char *end)
{
	const char *p, *q;
	bool flags = false;

	if (!cpu_and_task(x, line, end, &p))
		return false;
	/* Latency flags may stand before the time. */
	p = sf_tr_skip_blanks(p, end);
	if (!when(x, &p, end)) {
		flags = true;
		p = sf_tr_skip_blanks(sf_tr_skip_word(p, end), end);
		if (!when(x, &p, end))
			return false;
	}
	/* trace-cmd may print a difference before the event, perf a count. */
	p = sf_tr_skip_blanks(p, end);
	q = sf_tr_skip_word(p, end);
	if (q > p && (sf_tr_is_digit(q[-1]) || q[-1] == ')')) {
		p = sf_tr_skip_blanks(q, end);
		q = sf_tr_skip_word(p, end);
	}
	if (!event_name(x, p, q))
		return false;
	x->end = end;
	x->layout = x->group ? SF_LAYOUT_PERF : flags ? SF_LAYOUT_FTRACE : SF_LAYOUT_REPORT;
	return true;
}

/* ---- everything else, from the event to the left ---- */

/* The first "name:" of an event of ours; what precedes it is no part of a longer word. */
static bool find_event(struct sf_prefix *x, const char *line, const char *end)
{
	for (const char *p = line; (p = memchr(p, ':', (size_t)(end - p))); p++) {
		const char *s = p;

		while (s > line && (s[-1] == '_' || (s[-1] >= 'a' && s[-1] <= 'z')))
			s--;
		if (!sf_tr_event(s, (size_t)(p - s)) ||
		    (p + 1 < end && !sf_tr_is_blank(p[1]) && !sf_tr_begins_with_field(p + 1, end)))
			continue;
		x->group = s - line >= 5 && !memcmp(s - 5, "kmem:", 5) ? s - 5 : NULL;
		if (!x->group && s > line && !sf_tr_is_blank(s[-1]))
			continue;
		x->event = s;
		x->event_end = p;
		x->rest = p + 1;
		return true;
	}
	return false;
}

/*
 * "0d..1", "0 d..1", "[001] d..1": the CPU, and flags that begin with no digit. Excerpts may have
 * neither, nor a task.
 */
static bool cpu_and_flags(struct sf_prefix *x, const char *line, const char **p)
{
	const char *end = back_blanks(line, *p), *word = back_word(line, end), *q;

	if (word < end && !sf_tr_is_digit(*word) && *word != '[') { /* the flags alone */
		end = back_blanks(line, word);
		word = back_word(line, end);
	}
	*p = word;
	if (word == end)
		return true;
	q = *word == '[' ? word + 1 : word;
	if (*word == '[')
		x->layout = SF_LAYOUT_FTRACE;
	return sf_tr_decimal(&q, end, &x->cpu);
}

static void task_or_none(struct sf_prefix *x, const char *line, const char *end)
{
	if (task(x, line, end))
		return;
	x->pid = 0;
	end = back_blanks(line, end);
	x->comm = skip_printk(line, end);
	x->comm_end = end > x->comm ? end : x->comm;
}

/* "12us", "12.345ms", from s to end. */
static bool short_time(struct sf_prefix *x, const char *s, const char *end)
{
	uint64_t whole, part = 0;

	if (!sf_tr_decimal(&s, end, &whole) || whole > UINT64_MAX / 1000000u - 1)
		return false;
	if (s < end && *s == '.') {
		s++;
		if (!sf_tr_decimal(&s, end, &part) || part > 999)
			return false;
	}
	if (end - s != 2 || s[1] != 's' || (*s != 'u' && *s != 'm'))
		return false;
	x->time_ns = *s == 'u' ? whole * 1000u : whole * 1000000u + part * 1000u;
	return true;
}

/* "1234", of a clock that does not count nanoseconds. */
static bool ticks(struct sf_prefix *x, const char *s, const char *end)
{
	return sf_tr_decimal(&s, end, &x->time_ns) && s == end;
}

/* "alpha  0d..1  12us!: ", "12us : ", "12.000001: ": what ends in the colon at `end`. */
static bool latency_layout(struct sf_prefix *x, const char *line, const char *end)
{
	const char *p = end - 1, *word;

	if (p > line && strchr(" !+#*@$", p[-1]))
		p--;
	word = back_word(line, p);
	if (!short_time(x, word, p) && !timestamp(x, word, end) && !ticks(x, word, p))
		return false;
	x->layout = SF_LAYOUT_LATENCY;
	if (!cpu_and_flags(x, line, &word))
		return false;
	task_or_none(x, line, word);
	return true;
}

/* "alpha 77 0 0 00000000 00000001 [00012345] 12.345ms (+0.001ms): ": likewise. */
static bool verbose_layout(struct sf_prefix *x, const char *line, const char *end)
{
	const char *p = end, *word, *cpu;

	while (p > line && *p != '(')
		p--;
	p = back_blanks(line, p);
	word = back_word(line, p);
	if (!short_time(x, word, p))
		return false;
	/* The time since boot, a number, the depth and flags, and then the CPU. */
	for (int i = 0; i < 5; i++) {
		p = back_blanks(line, word);
		word = back_word(line, p);
	}
	cpu = word;
	x->layout = SF_LAYOUT_LATENCY;
	return sf_tr_decimal(&cpu, p, &x->cpu) && cpu == p && task(x, line, word);
}

/* A time before the first bar, as funcgraph-abstime prints it; without one it is 0. */
static void graph_time(struct sf_prefix *x, const char *line, const char *end)
{
	const char *bar = memchr(line, '|', (size_t)(end - line));
	const char *p = sf_tr_skip_blanks(line, bar ? bar : line), *stop;
	char text[32];
	size_t n;

	stop = sf_tr_skip_word(p, bar ? bar : p);
	n = (size_t)(stop - p);
	if (!n || n >= sizeof(text))
		return;
	memcpy(text, p, n);
	text[n] = ':';
	if (!timestamp(x, text, text + n + 1))
		x->time_ns = 0;
}

/* ` 0)  bash-4000  |  1.234 us  |  / * kmalloc: … * /`, perhaps with a time before it. */
static bool graph_layout(struct sf_prefix *x, const char *line, const char *end)
{
	const char *paren = memchr(line, ')', (size_t)(x->event - line)), *p, *digits, *bar;

	/* The CPU may have been left out (nofuncgraph-cpu). */
	for (p = paren ? paren : line; p > line && sf_tr_is_digit(p[-1]); p--)
		;
	digits = p;
	if (!paren || !sf_tr_decimal(&digits, paren, &x->cpu))
		x->cpu = 0;
	graph_time(x, line, p);
	p = paren ? paren + 1 : line;
	bar = memchr(p, '|', (size_t)(x->event - p));
	if (!bar || !task(x, p, bar)) {
		x->comm = x->comm_end = line;
		x->pid = 0;
	}
	/* The comment's end; a line cut off has none. */
	end = back_blanks(x->rest, end);
	if (end - x->rest >= 2 && end[-1] == '/' && end[-2] == '*')
		end -= 2;
	x->end = end;
	x->layout = SF_LAYOUT_GRAPH;
	return true;
}

/* The start of a date and a time of day that end at `end`, which is the time if there is none. */
static const char *back_date(struct sf_prefix *x, const char *line, const char *end)
{
	const char *clock = back_word(line, end);
	const char *date = back_word(line, back_blanks(line, clock));
	uint64_t wall = 0;

	if (clock == end)
		return end;
	if (skip_date(clock, end, &wall) == end)
		date = clock;
	else if (skip_date(date, end, &wall) != end)
		return end;
	if (!x->time_ns)
		x->time_ns = wall;
	return back_blanks(line, date);
}

/* perf script, where fields were left out: each of time, CPU and task may be missing. */
static bool sparse_layout(struct sf_prefix *x, const char *line, const char *p)
{
	const char *end = back_blanks(line, p), *word = back_word(line, end), *q = word;
	uint64_t v;

	x->layout = SF_LAYOUT_PERF;
	if (sf_tr_decimal(&q, end, &v) && q == end && back_blanks(line, word) > line &&
	    back_blanks(line, word)[-1] == ':') { /* a count, behind a time */
		end = back_blanks(line, word);
		word = back_word(line, end);
	}
	if (word < end && timestamp(x, word, end))
		end = back_blanks(line, word);
	end = back_date(x, line, end);
	word = back_word(line, end);
	q = word + 1;
	if (word < end && *word == '[' && sf_tr_decimal(&q, end, &x->cpu) && q + 1 == end)
		end = back_blanks(line, word);
	task_or_none(x, line, end);
	return true;
}

/* The start of a difference in brackets before p (--ts-diff), else p. */
static const char *back_difference(const char *line, const char *p)
{
	const char *q = p;

	if (q == line || q[-1] != ')')
		return p;
	while (q > line && *q != '(')
		q--;
	return back_blanks(line, q);
}

/* The event alone, as it is quoted: it must be followed by a field, perhaps by "(function)". */
static bool bare_layout(struct sf_prefix *x, const char *line, const char *p)
{
	const char *rest = sf_tr_skip_blanks(x->rest, x->end);

	if (rest < x->end && *rest == '(')
		rest = sf_tr_skip_word(rest, x->end);
	/* Not in a program's comment. */
	if (!sf_tr_begins_with_field(rest, x->end) || memchr(line, '#', (size_t)(p - line)))
		return false;
	x->layout = SF_LAYOUT_FTRACE;
	task_or_none(x, line, p);
	return true;
}

static bool odd_layout(struct sf_prefix *x, const char *line, const char *end)
{
	const char *p;

	if (*line == '#' || !find_event(x, line, end))
		return false;
	x->end = end;
	x->cpu = x->pid = x->time_ns = 0;
	p = back_blanks(line, x->group ? x->group : x->event);
	if (p - line >= 2 && p[-1] == '*' && p[-2] == '/')
		return graph_layout(x, line, end);
	if (x->group)
		return sparse_layout(x, line, x->group);
	p = back_difference(line, p);
	if (p == line || p[-1] != ':')
		return bare_layout(x, line, p);
	if (p - line > 2 && p[-2] == ')')
		return verbose_layout(x, line, p);
	return latency_layout(x, line, p);
}

bool sf_tr_prefix(struct sf_prefix *x, const char *line, const char *end)
{
	return plain_layout(x, line, end) || odd_layout(x, line, end);
}

bool sf_tr_torn_in_front(const struct sf_prefix *x)
{
	const char *p = x->comm, *end;

	if (x->comm_end - p <= COMM_MAX)
		return false;
	for (; p < x->comm_end; p = end) {
		p = sf_tr_skip_blanks(p, x->comm_end);
		end = sf_tr_skip_word(p, x->comm_end);
		if (end > p && (sf_tr_before_event(p, end) || sf_tr_begins_with_field(p, end)))
			return true;
	}
	return false;
}

bool sf_tr_before_event(const char *s, const char *end)
{
	struct sf_prefix x;
	const char *p = s + 1;
	uint64_t v;

	if (end - s < 3)
		return false;
	if (*s == '[')
		return sf_tr_decimal(&p, end, &v) && p + 1 == end && *p == ']';
	if (end[-1] != ':')
		return false;
	if (timestamp(&x, s, end))
		return true;
	p = memchr(s, ':', (size_t)(end - s));
	return sf_tr_event(s, (size_t)(p - s)) ||
	       (p + 1 < end && sf_tr_event(p + 1, (size_t)(end - p) - 2));
}
