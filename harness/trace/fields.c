// SPDX-License-Identifier: MIT
/*
 * fields.c - the fields of an event in text: key=value, by name, so that kernels which add, drop or
 * reorder them read alike.
 *
 * Values come as the kernel's format prints them, and raw (options/fields, report -R): numbers in
 * hexadecimal with the decimal value in brackets, flags as a number. A line of which a part is
 * missing, or in which a second event begins, is one event lost, never another event. Relies on
 * lines.h and gfp.c; text.c relies on it.
 */
#include <string.h>

#include "lines.h"

#define GFP_CACHE 64u
#define GFP_TEXT 128u
#define NAME_CACHE 256u
#define NAME_TEXT 40u

struct gfp_entry {
	char text[GFP_TEXT];
	size_t len; /* 0: empty */
	uint32_t gfp;
	uint64_t unknown;
};

struct name_entry {
	char text[NAME_TEXT];
	size_t len; /* 0: empty */
};

/* The fields of an event in this file, and how often it had just these. */
#define SURE 8u
#define SURE_MAX 32u
struct layout {
	uint32_t keys, sure;
};

struct sf_fields {
	struct gfp_entry gfp[GFP_CACHE];
	struct name_entry name[NAME_CACHE]; /* of caches, seen lately */
	bool name_known;                    /* the last one was */
	struct layout layout[SF_TR_EVENTS];
	unsigned int digits; /* of pointers in this file, 0: none seen yet */
	unsigned int digits_0x; /* likewise, most of those written with 0x */
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
	X(TYPE, "migratetype")     \
	X(PAGE, "page")            \
	X(NODE, "node")

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

/* Fields without which the event means nothing. */
static const uint32_t need[SF_TRACE_KINDS] = {
	[SF_TRACE_KMALLOC] = OBJ_FIELDS,
	[SF_TRACE_KFREE] = BIT(PTR),
	[SF_TRACE_CACHE_ALLOC] = OBJ_FIELDS,
	[SF_TRACE_CACHE_FREE] = BIT(PTR),
	[SF_TRACE_PAGE_ALLOC] = BIT(PFN) | BIT(ORDER) | BIT(GFP),
	[SF_TRACE_PAGE_FREE] = BIT(PFN) | BIT(ORDER),
};

#define ALLOC_FIELDS (OBJ_FIELDS | BIT(SITE) | BIT(NAME) | BIT(ACCOUNTED) | BIT(NODE))
#define PAGE_FIELDS (BIT(PAGE) | BIT(PFN) | BIT(ORDER) | BIT(TYPE))

/* Fields that it may have at all: others are another event's. */
static const uint32_t may[SF_TRACE_KINDS] = {
	[SF_TRACE_KMALLOC] = ALLOC_FIELDS,
	[SF_TRACE_KFREE] = BIT(PTR) | BIT(SITE),
	[SF_TRACE_CACHE_ALLOC] = ALLOC_FIELDS,
	[SF_TRACE_CACHE_FREE] = BIT(PTR) | BIT(SITE) | BIT(NAME),
	[SF_TRACE_PAGE_ALLOC] = PAGE_FIELDS | BIT(GFP),
	[SF_TRACE_PAGE_FREE] = PAGE_FIELDS,
};

struct sf_fields *sf_fields_create(void)
{
	struct sf_fields *f = sf_tr_alloc(sizeof(*f));

	memset(f, 0, sizeof(*f));
	return f;
}

void sf_fields_reset(struct sf_fields *f)
{
	memset(f, 0, sizeof(*f));
}

static uint32_t parse_gfp(struct sf_fields *f, const char *s, size_t len,
			  struct sf_tr_notes *notes)
{
	struct gfp_entry *e;

	if (!len || len > GFP_TEXT)
		return sf_tr_gfp(s, len, notes);
	e = &f->gfp[(len * 7 + (unsigned char)s[len - 1] + (unsigned char)s[len / 2] * 3u) %
		    GFP_CACHE];
	if (e->len != len || memcmp(e->text, s, len) || e->unknown) {
		uint64_t before = notes->unknown_gfp;

		memcpy(e->text, s, len);
		e->len = len;
		e->gfp = sf_tr_gfp(s, len, notes);
		e->unknown = notes->unknown_gfp - before;
	}
	return e->gfp;
}

/*
 * "0000000012345678" (a hash), "0xffff888012345678", "(nil)", "(null)"; "(ptrval)" and
 * "(____ptrval____)" where the kernel could not hash yet: an address that is not known.
 */
static bool pointer(const char *s, const char *end, uint64_t *v, bool *untold)
{
	size_t n = (size_t)(end - s);

	*v = 0;
	if (n && *s == '(') {
		*untold = (n == 8 && !memcmp(s, "(ptrval)", 8)) ||
			  (n == 16 && !memcmp(s, "(____ptrval____)", 16));
		return *untold || (n == 5 && !memcmp(s, "(nil)", 5)) ||
		       (n == 6 && !memcmp(s, "(null)", 6));
	}
	if (n > 2 && s[0] == '0' && s[1] == 'x')
		s += 2;
	return sf_tr_hexadecimal(&s, end, v) && s == end;
}

/*
 * The kernel prints all pointers of a recording with as many digits, zeros in front: one with fewer
 * was cut off. Its tools write 0x, and no zeros.
 */
static bool whole_pointer(struct sf_fields *f, const char *s, const char *end, uint64_t v)
{
	unsigned int digits = (unsigned int)(end - s);

	if (digits > 2 && s[1] == 'x') {
		if (digits - 2 > f->digits_0x)
			f->digits_0x = digits - 2;
		/* Of 64 bits with the top one set, as on most machines. */
		return f->digits_0x != 16 || digits == 18 || v <= SF_PAGE_SIZE;
	}
	if (!f->digits && (digits == 16 || digits == 8))
		f->digits = digits;
	return digits == f->digits || (!v && digits == 1);
}

static bool take_pointer(struct sf_fields *f, struct sf_trace_record *rec, const char *s,
			 const char *end)
{
	return pointer(s, end, &rec->ptr, &rec->no_ptr) &&
	       (*s == '(' || whole_pointer(f, s, end, rec->ptr));
}

/* Decimal, or hexadecimal with 0x; at most `max`. */
static bool amount(const char *s, const char *end, uint64_t max, uint64_t *v)
{
	bool ok;

	if (end - s > 2 && s[0] == '0' && s[1] == 'x') {
		s += 2;
		ok = sf_tr_hexadecimal(&s, end, v);
	} else {
		ok = sf_tr_decimal(&s, end, v);
	}
	return ok && s == end && *v <= max;
}

/* "true", "false", and as a raw field: "1", "0x1", "(1)". */
static bool truth(const char *s, const char *end, bool *v)
{
	uint64_t n = 0;

	if (!strcmp(s, "true") || !strcmp(s, "false")) {
		*v = *s == 't';
		return true;
	}
	if (end - s > 2 && *s == '(' && end[-1] == ')') {
		s++;
		end--;
	}
	if (!amount(s, end, 1, &n))
		return false;
	*v = n != 0;
	return true;
}

static void note_name(struct sf_fields *f, const char *s, size_t len)
{
	struct name_entry *e;

	f->name_known = false;
	if (!len || len > NAME_TEXT)
		return;
	e = &f->name[(len * 7 + (unsigned char)s[len - 1] + (unsigned char)s[len / 2] * 3u +
		      (unsigned char)s[0] * 17u) % NAME_CACHE];
	f->name_known = e->len == len && !memcmp(e->text, s, len);
	if (f->name_known)
		return;
	memcpy(e->text, s, len);
	e->len = len;
}

/* Takes one field; false: its value makes no sense. */
static bool take(struct sf_fields *f, struct sf_trace_record *rec, enum key key, char *s, char *end,
		 struct sf_tr_notes *notes)
{
	uint64_t v = 0;
	bool ok = true;
	char *cut;

	switch (key) {
	case KEY_PTR:
		return take_pointer(f, rec, s, end);
	case KEY_PFN:
		return amount(s, end, UINT64_MAX, &rec->pfn);
	case KEY_NAME:
		rec->cache = s;
		note_name(f, s, (size_t)(end - s));
		return s != end;
	case KEY_SITE:
		/* symbol+offset/size: the size says nothing that the symbol does not. */
		cut = memchr(s, '/', (size_t)(end - s));
		if (cut)
			*cut = '\0';
		rec->site = s;
		return true;
	case KEY_GFP:
		rec->gfp = parse_gfp(f, s, (size_t)(end - s), notes);
		return s != end;
	case KEY_REQ:
		return amount(s, end, UINT64_MAX, &rec->bytes_req);
	case KEY_ALLOC:
		return amount(s, end, UINT64_MAX, &rec->bytes_alloc);
	case KEY_ORDER:
		ok = amount(s, end, SF_TR_ORDER_MAX, &v);
		rec->order = (uint8_t)v;
		return ok;
	case KEY_TYPE:
		ok = amount(s, end, 15, &v);
		rec->migratetype = (uint8_t)v;
		return ok;
	case KEY_ACCOUNTED:
		return truth(s, end, &rec->accounted);
	case KEY_PAGE:
		ok = false;
		return pointer(s, end, &rec->page, &ok);
	case KEY_NODE:
		rec->node = true;
		return true;
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

/*
 * The end of a value: the next blank. A cache's name may itself contain some, and "(null)" is
 * padded to the width of a pointer; *s moves to where the value begins. NULL: a second event begins
 * within it.
 */
static char *value_end(enum key key, char **s, char *end)
{
	char *p = *s;

	if ((key == KEY_PTR || key == KEY_PAGE) && p < end && sf_tr_is_blank(*p)) {
		char *q = (char *)sf_tr_skip_blanks(p, end);

		if (q < end && *q == '(')
			*s = p = q;
	}
	p = (char *)sf_tr_skip_word(p, end);
	while (key == KEY_NAME && p < end) {
		char *q = (char *)sf_tr_skip_blanks(p, end), *r = (char *)sf_tr_skip_word(q, end);

		if (q == end || memchr(q, '=', (size_t)(r - q)))
			break;
		if (sf_tr_before_event(q, r))
			return NULL;
		p = r;
	}
	return p;
}

/* Every event that begins in the rest of a torn line is lost with it. */
static enum sf_tr_damage torn(const char *p, const char *end, struct sf_tr_notes *notes, char *why)
{
	const char *q;

	for (; p < end; p = q) {
		p = sf_tr_skip_blanks(p, end);
		q = sf_tr_skip_word(p, end);
		if (q - p > 1 && q[-1] == ':' && !sf_tr_is_digit(*p) && sf_tr_before_event(p, q))
			notes->damage[SF_TR_TORN]++;
	}
	snprintf(why, SF_TR_WHY_MAX, "another event begins in the midst of it");
	return SF_TR_TORN;
}

/* What a field may hold depends on the others. */
static const char *check(struct sf_trace_record *rec, uint32_t seen)
{
	bool pages = rec->kind == SF_TRACE_PAGE_ALLOC || rec->kind == SF_TRACE_PAGE_FREE;

	if ((rec->kind == SF_TRACE_KMALLOC || rec->kind == SF_TRACE_CACHE_ALLOC) &&
	    (rec->ptr || rec->no_ptr)) {
		if (rec->bytes_alloc > SF_TR_BYTES_MAX)
			return "bytes_alloc out of range";
		if (rec->bytes_req > SF_TR_BYTES_MAX)
			return "bytes_req out of range";
	}
	if (!pages)
		return NULL;
	sf_tr_page_frame(rec, seen & BIT(PFN), seen & BIT(PAGE));
	if (rec->pfn != SF_NO_PFN && rec->pfn > SF_TR_PFN_MAX)
		return "pfn out of range";
	return NULL;
}

/*
 * A last line without a newline is whole if its last field is. A kfree's pointer has as many digits
 * as the others; a cache's name, or a flag's, is the half of one unless it is known.
 */
static bool may_be_cut(const struct sf_fields *f, const struct sf_trace_record *rec, enum key last,
		       const char *value, bool unknown_gfp)
{
	size_t digits = strlen(value);

	if (last == KEY_NAME)
		return !f->name_known;
	if (last == KEY_PTR && digits > 2 && value[1] == 'x')
		return rec->ptr > SF_PAGE_SIZE && digits - 2 < f->digits_0x;
	return last == KEY_GFP && unknown_gfp;
}

/* Whether the last flag's name is the beginning of one that is known. */
static bool half_flag(const char *value)
{
	const char *bar = strrchr(value, '|'), *name = bar ? bar + 1 : value;

	return sf_tr_gfp_begins(name, strlen(name));
}

/* A value that makes no sense: perhaps because the rest is another event's. */
static enum sf_tr_damage senseless(char *p, char *end, enum key key, const char *value,
				   struct sf_tr_notes *notes, char *why)
{
	for (const char *q = p, *r; q < end; q = r) {
		q = sf_tr_skip_blanks(q, end);
		r = sf_tr_skip_word(q, end);
		if (r > q && sf_tr_before_event(q, r))
			return torn(q, end, notes, why);
	}
	snprintf(why, SF_TR_WHY_MAX, "%s=%.40s: no such value", keys[key].text, value);
	return p >= end ? SF_TR_CUT : SF_TR_BAD;
}

struct seen {
	uint32_t keys;
	enum key last;
	const char *value, *end; /* of the last */
};

static enum sf_tr_damage take_all(struct sf_fields *f, struct sf_trace_record *rec, char *p,
				  char *end, struct seen *seen, struct sf_tr_notes *notes,
				  char *why)
{
	for (;;) {
		char *word = (char *)sf_tr_skip_blanks(p, end), *eq, *value, *stop;
		enum key key;

		if (word == end)
			return SF_TR_WHOLE;
		for (eq = word; eq < end && *eq != '=' && !sf_tr_is_blank(*eq); eq++)
			;
		p = eq;
		if (eq == end || *eq != '=') {
			if (sf_tr_before_event(word, eq))
				return torn(word, end, notes, why);
			continue;
		}
		key = find_key(word, (size_t)(eq - word));
		value = eq + 1;
		stop = value_end(key, &value, end);
		if (!stop || (key != KEYS && ((seen->keys | ~may[rec->kind]) >> key & 1)))
			return torn(word, end, notes, why);
		p = stop < end ? stop + 1 : stop;
		if (key == KEYS)
			continue;
		*stop = '\0';
		if (!take(f, rec, key, value, stop, notes))
			return senseless(p, end, key, value, notes, why);
		seen->keys |= 1u << key;
		seen->last = key;
		seen->value = value;
		seen->end = stop;
	}
}

/* Without these the event means nothing. */
static uint32_t lacks(const struct sf_tr_event_name *ev, uint32_t seen)
{
	uint32_t lack = need[ev->kind] & ~seen;

	if (seen & BIT(PAGE))
		lack &= ~BIT(PFN);
	if (ev->batched)
		lack &= ~BIT(ORDER);
	return lack;
}

/*
 * All events of one name have the same fields in one file. What has fewer than all those before it
 * was cut off, what has more was torn, though it might pass. Another kernel's events, should some
 * follow, are taken for what there is after a while. Returns the fields in which it differs.
 */
static uint32_t differs(struct sf_fields *f, const struct sf_tr_event_name *ev, uint32_t seen)
{
	struct layout *l = &f->layout[ev - sf_tr_events];
	bool sure = l->sure >= SURE;

	if (seen == l->keys) {
		l->sure += l->sure < SURE_MAX;
		return 0;
	}
	if (l->sure)
		l->sure--;
	if (sure)
		return seen ^ l->keys;
	if (!l->sure)
		*l = (struct layout){ .keys = seen, .sure = 1 };
	return 0;
}

enum sf_tr_damage sf_tr_fields(struct sf_fields *f, struct sf_trace_record *rec,
			       const struct sf_tr_event_name *ev, const struct sf_prefix *x,
			       char *line, bool whole, struct sf_tr_notes *notes,
			       char why[SF_TR_WHY_MAX])
{
	char *p = line + (x->rest - line), *end = line + (x->end - line);
	uint64_t unknown = notes->unknown_gfp;
	struct seen seen = { .last = KEYS, .value = "" };
	enum sf_tr_damage damage = take_all(f, rec, p, end, &seen, notes, why);
	const char *bad;
	uint32_t lack;

	if (damage)
		return damage;
	lack = lacks(ev, seen.keys);
	if (!lack)
		lack = differs(f, ev, seen.keys);
	if (lack & seen.keys)
		return torn(end, end, notes, why);
	if (lack) {
		snprintf(why, SF_TR_WHY_MAX, "%.*s event without %s",
			 (int)(x->event_end - x->event), x->event, keys[__builtin_ctz(lack)].text);
		return SF_TR_CUT;
	}
	if ((!whole && may_be_cut(f, rec, seen.last, seen.value, notes->unknown_gfp != unknown)) ||
	    (seen.last == KEY_GFP && (seen.end[-1] == '|' || (notes->unknown_gfp != unknown &&
							      half_flag(seen.value))))) {
		notes->unknown_gfp = unknown;
		snprintf(why, SF_TR_WHY_MAX, "cut off inside %s=%.40s", keys[seen.last].text,
			 seen.value);
		return SF_TR_CUT;
	}
	if (!(seen.keys & BIT(ACCOUNTED)))
		rec->accounted = rec->gfp & SF_GFP_ACCOUNT;
	bad = check(rec, seen.keys);
	if (bad)
		snprintf(why, SF_TR_WHY_MAX, "%s", bad);
	return bad ? SF_TR_BAD : SF_TR_WHOLE;
}

bool sf_tr_begins_with_field(const char *line, const char *end)
{
	const char *p = sf_tr_skip_blanks(line, end), *eq;

	while (p < end && *p == '>')
		p = sf_tr_skip_blanks(p + 1, end);
	eq = memchr(p, '=', (size_t)(end - p));
	return eq && find_key(p, (size_t)(eq - p)) != KEYS;
}
