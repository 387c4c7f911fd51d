// SPDX-License-Identifier: MIT
/*
 * text_parse.c - programs from text: strict, with line, column and what was expected.
 *
 * One pass, one operation a line; the work is linear in the text whatever it holds. Nothing is
 * repaired here: what fix-up (live.c) would change is refused.
 */
#include "live.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "types.h"

struct parser {
	struct sf_prog *p;
	struct sf_live *l;
	struct sf_text_error *err;
	const char *start, *pos, *end; /* of the line */
	uint32_t line;
	struct sf_op op;               /* under construction */
	const struct sf_op_info *info;
	const struct sf_arg_info *arg; /* being parsed */
	uint32_t heap_line;            /* the last line of settings, 0: there was none */
};

/* A piece of the line. */
struct word {
	const char *s;
	size_t len;
};

__attribute__((format(printf, 3, 4)))
static bool fail(struct parser *ps, const char *at, const char *fmt, ...)
{
	va_list ap;

	ps->err->line = ps->line;
	ps->err->col = at - ps->start < UINT32_MAX ? (uint32_t)(at - ps->start) + 1 : UINT32_MAX;
	va_start(ap, fmt);
	vsnprintf(ps->err->text, sizeof(ps->err->text), fmt, ap);
	va_end(ap);
	return false;
}

/* "expected WHAT, got 'X'": X is shortened, and shown as printable characters. */
static bool expected(struct parser *ps, struct word got, const char *what)
{
	char shown[48];
	size_t n = got.len < sizeof(shown) - 4 ? got.len : sizeof(shown) - 4;

	if (!got.len)
		return fail(ps, got.s, "expected %s, got %s", what, "end of line");
	for (size_t i = 0; i < n; i++)
		shown[i] = got.s[i] >= 0x20 && got.s[i] < 0x7f ? got.s[i] : '?';
	strcpy(shown + n, n < got.len ? "..." : "");
	return fail(ps, got.s, "expected %s, got '%s'", what, shown);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct parser *ps)
{
	while (ps->pos < ps->end && blank(*ps->pos))
		ps->pos++;
}

static bool delimiter(char c)
{
	return blank(c) || c == ',' || c == '(' || c == ')' || c == '=' || c == '|' || c == '#' ||
	       c == '"';
}

/* What stands at the position, up to a delimiter; empty if there is one, or the line ends. */
static struct word peek(struct parser *ps)
{
	struct word w;

	skip_blanks(ps);
	w = (struct word){ ps->pos, 0 };
	while (w.s + w.len < ps->end && !delimiter(w.s[w.len]))
		w.len++;
	return w;
}

static struct word next(struct parser *ps)
{
	struct word w = peek(ps);

	ps->pos += w.len;
	return w;
}

/* For messages: a delimiter is worth showing too. */
static struct word got(struct parser *ps)
{
	struct word w = peek(ps);

	if (!w.len && w.s < ps->end && *w.s != '#')
		w.len = 1;
	return w;
}

static bool accept(struct parser *ps, char c)
{
	skip_blanks(ps);
	if (ps->pos == ps->end || *ps->pos != c)
		return false;
	ps->pos++;
	return true;
}

static bool word_is(struct word w, const char *s, size_t len)
{
	return w.len == len && !memcmp(w.s, s, len);
}

/* Decimal or 0x. False: no number, or more than 64 bits. */
static bool number(struct word w, uint64_t *value)
{
	unsigned int base = 10;
	uint64_t v = 0;

	if (w.len > 2 && w.s[0] == '0' && (w.s[1] == 'x' || w.s[1] == 'X')) {
		base = 16;
		w.s += 2;
		w.len -= 2;
	}
	if (!w.len)
		return false;
	for (size_t i = 0; i < w.len; i++) {
		char c = w.s[i];
		unsigned int d = c >= '0' && c <= '9' ? (unsigned int)(c - '0') :
				 c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 :
				 c >= 'A' && c <= 'F' ? (unsigned int)(c - 'A') + 10 : 16;

		if (d >= base || __builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
	}
	*value = v;
	return true;
}

static bool ranged(struct parser *ps, uint64_t lo, uint64_t hi, const char *what, uint64_t *value)
{
	struct word w = next(ps);
	char text[120];
	int n;

	if (number(w, value) && *value >= lo && *value <= hi)
		return true;
	if (!w.len)
		w = got(ps);
	if (ps->arg)
		n = snprintf(text, sizeof(text), "%s (%s, ", ps->arg->name, what);
	else
		n = snprintf(text, sizeof(text), "%s (", what);
	snprintf(text + n, sizeof(text) - (size_t)n, "%llu to %llu)", (unsigned long long)lo,
		 (unsigned long long)hi);
	return expected(ps, w, text);
}

/* A label is a letter and a number; both together are its key. */
#define LABEL_KEY(letter, nr) ((uint64_t)(letter) << 32 | (nr))

static bool label(struct word w, char letter, uint64_t *key)
{
	uint64_t nr = 0;

	if (w.len < 2 || w.len > 11 || w.s[0] != letter)
		return false;
	for (size_t i = 1; i < w.len; i++) {
		if (w.s[i] < '0' || w.s[i] > '9')
			return false;
		nr = nr * 10 + (uint64_t)(w.s[i] - '0');
	}
	if (nr >= SF_NONE)
		return false;
	*key = LABEL_KEY(letter, nr);
	return true;
}

/* The letter in front of a result's number. */
static char letter_of(const struct parser *ps, uint32_t res)
{
	return ps->l->res[res].class == SF_CLASS_CACHE ? 'c' : 'r';
}

/* How a result of that class ends. */
static const char *end_of(uint8_t class)
{
	if (class == SF_CLASS_CACHE || class == SF_CLASS_MEMCG || class == SF_CLASS_POOL ||
	    class == SF_CLASS_HEAP)
		return "destroyed";
	if (class == SF_CLASS_SHEAF)
		return "returned";
	if (class == SF_CLASS_REGION)
		return "removed";
	return class == SF_CLASS_DEVICE ? "unregistered" : "freed";
}

static bool explain_dead(struct parser *ps, struct word w, uint32_t res)
{
	const struct sf_live_res *r = &ps->l->res[res], *from;

	if (r->dead)
		return fail(ps, w.s, "%.*s was %s at line %u", (int)w.len, w.s, end_of(r->class),
			    r->died);
	from = &ps->l->res[r->cache];
	return fail(ps, w.s, "%.*s went with its %s %c%u, %s at line %u", (int)w.len, w.s,
		    from->class == SF_CLASS_DEVICE ? "device" :
		    from->class == SF_CLASS_POOL ? "pool" :
		    from->class == SF_CLASS_HEAP ? "heap" : "cache", letter_of(ps, r->cache),
		    (uint32_t)from->label, end_of(from->class), from->died);
}

static bool reference(struct parser *ps, bool null_ok, uint32_t *res)
{
	bool cache = ps->arg->kind == SF_ARG_CACHE || ps->arg->kind == SF_ARG_CACHE2;
	bool dead = ps->arg->kind == SF_ARG_DEAD;
	struct word w = next(ps);
	unsigned int classes;
	uint64_t key;
	char what[80];

	if (null_ok && word_is(w, "NULL", 4)) {
		*res = SF_NONE;
		return true;
	}
	if (!label(w, cache ? 'c' : 'r', &key)) {
		snprintf(what, sizeof(what), "%s (%s%s)", ps->arg->name,
			 cache ? "a cache like c0" : "a result like r0",
			 null_ok ? ", or NULL" : "");
		return expected(ps, w.len ? w : got(ps), what);
	}
	*res = sf_live_find(ps->l, key);
	if (*res == SF_NONE)
		return fail(ps, w.s, "%.*s is not defined", (int)w.len, w.s);
	classes = sf_live_accepts(&ps->op, ps->arg->kind);
	if (!(classes & 1u << ps->l->res[*res].class))
		return fail(ps, w.s, "%s() cannot take %.*s: it is %s", ps->info->name,
			    (int)w.len, w.s, sf_class_names[ps->l->res[*res].class]);
	if (dead && sf_live_usable(ps->l, *res))
		return fail(ps, w.s, "%.*s was not freed", (int)w.len, w.s);
	if (!dead && !sf_live_usable(ps->l, *res))
		return explain_dead(ps, w, *res);
	return true;
}

/* One function for each kind of argument; false with the error filled in. */
static bool parse_OBJ(struct parser *ps)
{
	const char *at;
	const struct sf_live_res *r;

	skip_blanks(ps);
	at = ps->pos;
	if (!reference(ps, ps->info->flags & SF_OPF_NULL_OK, &ps->op.obj))
		return false;
	/* A rare write may name any pool. */
	if (ps->op.cache == SF_NONE || ps->op.obj == SF_NONE || ps->info->flags & SF_OPF_POOL)
		return true;
	r = &ps->l->res[ps->op.obj];
	if (r->cache == ps->op.cache)
		return true;
	return fail(ps, at, "%.*s came from %c%u, not from %c%u", (int)(ps->pos - at), at,
		    letter_of(ps, r->cache), (uint32_t)ps->l->res[r->cache].label,
		    letter_of(ps, ps->op.cache), (uint32_t)ps->l->res[ps->op.cache].label);
}

static bool parse_OBJ2(struct parser *ps)
{
	return reference(ps, false, &ps->op.obj2);
}

#define parse_PAGES parse_OBJ
#define parse_EXACT parse_OBJ
#define parse_BULK parse_OBJ
#define parse_PAGES_BULK parse_OBJ
#define parse_SHEAF parse_OBJ

static bool parse_CACHE(struct parser *ps)
{
	return reference(ps, false, &ps->op.cache);
}

static bool parse_BUCKETS(struct parser *ps)
{
	return reference(ps, false, &ps->op.obj2);
}

static bool parse_DEVICE(struct parser *ps)
{
	return reference(ps, false, &ps->op.cache);
}

#define parse_POOL parse_DEVICE
#define parse_UOBJ parse_OBJ
#define parse_SIZED parse_OBJ
#define parse_ALIGNED parse_OBJ
#define parse_REGION parse_OBJ

static bool parse_HEAP(struct parser *ps)
{
	return reference(ps, false, &ps->op.cache);
}

static bool parse_DEAD(struct parser *ps)
{
	return reference(ps, false, &ps->op.obj);
}

static bool parse_MEMCG(struct parser *ps)
{
	return reference(ps, ps->info->flags & SF_OPF_NULL_OK, &ps->op.obj2);
}

static bool parse_CACHE2(struct parser *ps)
{
	const char *at;

	skip_blanks(ps);
	at = ps->pos;
	if (!reference(ps, false, &ps->op.obj2))
		return false;
	if (ps->op.obj == SF_NONE || ps->op.obj2 != ps->l->res[ps->op.obj].cache)
		return true;
	return fail(ps, at, "%.*s is the object's own %s", (int)(ps->pos - at), at,
		    ps->arg->kind == SF_ARG_HEAP2 ? "heap" : "cache");
}

#define parse_HEAP2 parse_CACHE2

static bool parse_u64(struct parser *ps, const char *what, uint64_t *value)
{
	static const char max[] = "SIZE_MAX";
	struct word w = next(ps);
	uint64_t below;
	char text[80];

	if (number(w, value))
		return true;
	if (w.len >= sizeof(max) - 1 && !memcmp(w.s, max, sizeof(max) - 1)) {
		struct word rest = { w.s + sizeof(max) - 1, w.len - (sizeof(max) - 1) };

		*value = UINT64_MAX;
		if (!rest.len)
			return true;
		if (rest.s[0] == '-' && number((struct word){ rest.s + 1, rest.len - 1 }, &below)) {
			*value -= below;
			return true;
		}
	}
	snprintf(text, sizeof(text), "%s (%s)", ps->arg->name, what);
	return expected(ps, w.len ? w : got(ps), text);
}

static bool parse_SIZE(struct parser *ps)
{
	return parse_u64(ps, "bytes, SIZE_MAX or SIZE_MAX-n", &ps->op.size);
}

static bool parse_N(struct parser *ps)
{
	return parse_u64(ps, "a count, SIZE_MAX or SIZE_MAX-n", &ps->op.n);
}

struct flag_name {
	const char *name;
	uint32_t len, bits;
};

/* NAME|NAME…; a number may stand for any of them. Not every name is a program's to pass. */
static bool flags(struct parser *ps, const struct flag_name *names, size_t nr, uint32_t allowed,
		  const char *what, uint32_t *value)
{
	do {
		struct word w = next(ps);
		uint64_t raw = 0;
		size_t i = 0;

		while (i < nr && !word_is(w, names[i].name, names[i].len))
			i++;
		if (i < nr)
			raw = names[i].bits;
		else if (!number(w, &raw))
			return expected(ps, w.len ? w : got(ps), what);
		if (raw & ~(uint64_t)allowed)
			return expected(ps, w, what);
		*value |= (uint32_t)raw;
	} while (accept(ps, '|'));
	return true;
}

static bool parse_GFP(struct parser *ps)
{
	static const struct flag_name names[] = {
#define X(id, name, ...) { name, sizeof(name) - 1, SF_GFP_##id },
		SF_GFP_NAMES(X)
		SF_GFP_BITS(X)
#undef X
	};

	return flags(ps, names, sizeof(names) / sizeof(names[0]), SF_GFP_ALL, "a gfp flag",
		     &ps->op.gfp);
}

static bool parse_SLAB_FLAGS(struct parser *ps)
{
	static const struct flag_name names[] = {
#define X(id, name, bit) { name, sizeof(name) - 1, SF_SLAB_##id },
		SF_SLAB_FLAGS(X)
#undef X
	};

	if (!flags(ps, names, sizeof(names) / sizeof(names[0]), SF_SLAB_USER, "a cache flag",
		   &ps->op.flags))
		return false;
	if (ps->op.flags & SF_SLAB_TEMPORARY)
		ps->op.flags = (ps->op.flags | SF_SLAB_RECLAIM_ACCOUNT) &
			       ~(uint32_t)SF_SLAB_TEMPORARY;
	return true;
}

static bool parse_ALIGN(struct parser *ps)
{
	struct word w = next(ps);
	uint64_t v;

	if (!number(w, &v) || v > 1u << 31 || v & (v - 1))
		return expected(ps, w.len ? w : got(ps), "align (0, or a power of two up to 2^31)");
	ps->op.align = (uint32_t)v;
	return true;
}

/* A type ends at the comma or parenthesis that is not its own. */
static bool parse_TYPE(struct parser *ps)
{
	const struct sf_type *t;
	struct word w;
	int depth = 0;

	skip_blanks(ps);
	w.s = ps->pos;
	for (; ps->pos < ps->end && *ps->pos != '#' && *ps->pos != '"'; ps->pos++) {
		char c = *ps->pos;

		if (!depth && (c == ',' || c == ')'))
			break;
		depth += (c == '(' || c == '[') - (c == ')' || c == ']');
	}
	w.len = (size_t)(ps->pos - w.s);
	while (w.len && blank(w.s[w.len - 1]))
		w.len--;
	t = w.len ? sf_type_by_name(w.s, w.len) : NULL;
	if (!t)
		return expected(ps, w.len ? w : got(ps), "a type");
	if (ps->info->flags & SF_OPF_FLEX && !t->flex_elem)
		return expected(ps, w, "a type with a flexible array");
	ps->op.type = (uint16_t)sf_type_index(t);
	return true;
}

static bool parse_SITE(struct parser *ps)
{
	uint64_t v;

	if (!ranged(ps, 0, UINT16_MAX, "a call site", &v))
		return false;
	ps->op.site = (uint16_t)v;
	return true;
}

static bool limited(struct parser *ps, const char *what, uint64_t *v)
{
	struct sf_limits lim = sf_arg_limits(ps->arg->kind, ps->arg->key);

	return ranged(ps, lim.lo, lim.hi, what, v);
}

static bool parse_ORDER(struct parser *ps)
{
	uint64_t v;

	if (!limited(ps, ps->arg->key ? "a small number" : "a block order", &v))
		return false;
	ps->op.order = (uint8_t)v;
	return true;
}

static bool parse_COUNT(struct parser *ps)
{
	uint64_t v;

	if (!limited(ps, "a count", &v))
		return false;
	ps->op.count = (uint16_t)v;
	return true;
}

static bool parse_CPU(struct parser *ps)
{
	uint64_t v;

	if (!ranged(ps, 0, ps->p->settings.cpus - 1, "a CPU of the heap", &v))
		return false;
	ps->op.cpu = (uint8_t)v;
	return true;
}

static bool parse_FAULT(struct parser *ps)
{
	struct word w = next(ps);

	for (unsigned int i = 0; i < SF_FAULTS; i++)
		if (word_is(w, sf_fault_names[i], strlen(sf_fault_names[i]))) {
			ps->op.fault = (uint8_t)i;
			return true;
		}
	return expected(ps, w.len ? w : got(ps), "slab or page");
}

static bool parse_MODE(struct parser *ps)
{
	struct word w = next(ps);

	for (unsigned int i = 0; i < SF_POOL_MODE_COUNT; i++)
		if (word_is(w, sf_pool_mode_names[i], strlen(sf_pool_mode_names[i]))) {
			ps->op.fault = (uint8_t)i;
			return true;
		}
	return expected(ps, w.len ? w : got(ps), "ro, wr, auto_ro, auto_wr or start_wr");
}

static bool parse_MIN_ORDER(struct parser *ps)
{
	uint64_t v = 0;

	if (!ranged(ps, 0, SF_NR_ORDERS - 1, "an order", &v))
		return false;
	ps->op.cpu = (uint8_t)v;
	return true;
}

static bool cache_name(struct parser *ps, struct word w, const char *name)
{
	uint32_t res;

	if (!w.len)
		return fail(ps, w.s, "expected a cache name, got an empty string");
	res = sf_live_named(ps->l, name);
	if (res == SF_NONE)
		return true;
	return fail(ps, w.s, "a live cache of that name is c%u, of line %u",
		    (uint32_t)ps->l->res[res].label, ps->l->res[res].defined);
}

static bool parse_NAME(struct parser *ps)
{
	struct word w;

	if (!accept(ps, '"'))
		return expected(ps, got(ps), "a quoted string");
	w = (struct word){ ps->pos, 0 };
	while (ps->pos < ps->end && sf_name_char((unsigned char)*ps->pos))
		ps->pos++;
	w.len = (size_t)(ps->pos - w.s);
	if (ps->pos == ps->end || *ps->pos != '"')
		return expected(ps, (struct word){ ps->pos, ps->pos < ps->end },
				"a closing quote or a printable character but \\");
	ps->pos++;
	if (w.len > SF_STRING_MAX)
		return fail(ps, w.s + SF_STRING_MAX, "expected at most %u characters",
			    SF_STRING_MAX);
	ps->op.name = sf_prog_string(ps->p, w.s, w.len);
	if (ps->info->res != SF_RES_CACHE)
		return true;
	return cache_name(ps, w, sf_prog_str(ps->p, ps->op.name));
}

static bool parse_TOKEN(struct parser *ps)
{
	uint64_t v = 0;

	if (!ranged(ps, 0, SF_TOKENS_MAX - 1, "an alloc token", &v))
		return false;
	ps->op.token = (uint8_t)(v + 1);
	return true;
}

static bool parse_SPAN(struct parser *ps)
{
	uint64_t v = 0;

	if (!ranged(ps, 1, UINT16_MAX, "bytes", &v))
		return false;
	ps->op.count = (uint16_t)v;
	return true;
}

static bool parse_ERRNO(struct parser *ps)
{
	uint64_t v = 0;

	if (!ranged(ps, 1, SF_MAX_ERRNO, "an error number", &v))
		return false;
	ps->op.count = (uint16_t)v;
	return true;
}

static bool parse_ANY_ALIGN(struct parser *ps)
{
	struct word w = next(ps);

	return number(w, &ps->op.align) || expected(ps, w.len ? w : got(ps), "an alignment");
}

static bool parse_AT(struct parser *ps)
{
	uint64_t v = 0;

	if (!ranged(ps, 0, SF_PAGE_SIZE - 1, "bytes", &v))
		return false;
	ps->op.count = (uint16_t)v;
	return true;
}

static bool parse_THREAD(struct parser *ps)
{
	uint64_t v = 0;

	if (!ranged(ps, 0, SF_THREADS_MAX - 1, "a thread", &v))
		return false;
	ps->op.cpu = (uint8_t)v;
	return true;
}

static bool parse_BOOL(struct parser *ps)
{
	uint64_t v = 0;

	if (!ranged(ps, 0, 1, "yes or no", &v))
		return false;
	ps->op.flag = (uint8_t)v;
	return true;
}

static bool parse_PERCENT(struct parser *ps)
{
	uint64_t v = 0;

	if (!ranged(ps, 0, 100, "percent", &v))
		return false;
	ps->op.cpu = (uint8_t)v;
	return true;
}

static bool (*const parse_arg[SF_ARG_KINDS])(struct parser *ps) = {
#define X(kind, field, width, doc) [SF_ARG_##kind] = parse_##kind,
	SF_ARGS(X)
#undef X
};

/* key=value, once each. `seen` has a bit for each argument of the operation. */
static bool key_arg(struct parser *ps, unsigned int *seen)
{
	struct word w = next(ps);
	char what[80] = "";

	for (unsigned int i = 0; ps->info->arg[i].kind != SF_ARG_END; i++) {
		const struct sf_arg_info *arg = &ps->info->arg[i];

		if (!arg->key)
			continue;
		snprintf(what + strlen(what), sizeof(what) - strlen(what), "%s%s=",
			 *what ? " or " : "", arg->name);
		if (!word_is(w, arg->name, strlen(arg->name)))
			continue;
		if (*seen & 1u << i)
			return fail(ps, w.s, "%s= is given twice", arg->name);
		*seen |= 1u << i;
		if (!accept(ps, '='))
			return expected(ps, got(ps), "'='");
		ps->arg = arg;
		return parse_arg[arg->kind](ps);
	}
	if (!w.len)
		w = got(ps);
	return expected(ps, w, *what ? what : "')'");
}

static bool args(struct parser *ps)
{
	const struct sf_arg_info *arg = ps->info->arg;
	unsigned int seen = 0;
	bool first = true;
	char what[40];

	for (; arg->kind != SF_ARG_END && !arg->key; arg++, first = false) {
		ps->arg = arg;
		snprintf(what, sizeof(what), "', %s'", arg->name);
		if (!first && !accept(ps, ','))
			return expected(ps, got(ps), what);
		if (!parse_arg[arg->kind](ps))
			return false;
	}
	while (!accept(ps, ')')) {
		bool more = arg->kind != SF_ARG_END;

		if (!more)
			return expected(ps, got(ps), "')'");
		if (!first && !accept(ps, ','))
			return expected(ps, got(ps), "',' or ')'");
		if (!key_arg(ps, &seen))
			return false;
		first = false;
	}
	return true;
}

/* Behind an operation: nothing, or a comment, which may be an expectation. */
static bool trailer(struct parser *ps)
{
	char canon[SF_STRING_MAX + 1];

	skip_blanks(ps);
	if (ps->pos == ps->end)
		return true;
	if (*ps->pos != '#')
		return expected(ps, got(ps), "end of line");
	ps->pos++;
	if (sf_expect_parse(&ps->op, ps->pos, (size_t)(ps->end - ps->pos), canon))
		ps->op.expect = sf_prog_string(ps->p, canon, strlen(canon));
	return true;
}

static unsigned int op_by_name(struct word w)
{
	static const uint8_t len[SF_CODE_MAX + 1] = {
#define X(code, id, name, ...) [code] = sizeof(name) - 1,
		SF_OPS(X)
#undef X
	};

	for (unsigned int code = 0; code <= SF_CODE_MAX; code++)
		if (len[code] == w.len && w.len && !memcmp(sf_op_table[code].name, w.s, w.len))
			return code;
	return SF_OP_NOP;
}

/* What stands before `=`: the label of what the operation defines. */
static bool check_label(struct parser *ps, struct word w, uint64_t *key)
{
	bool cache = ps->info->res == SF_RES_CACHE;
	uint32_t res;

	if (ps->info->res == SF_RES_NONE)
		return fail(ps, w.s, "%s() has no result", ps->info->name);
	if (!label(w, cache ? 'c' : 'r', key))
		return expected(ps, w, cache ? "a label like c0" : "a label like r0");
	res = sf_live_find(ps->l, *key);
	if (res != SF_NONE)
		return fail(ps, w.s, "%.*s is defined already, at line %u", (int)w.len, w.s,
			    ps->l->res[res].defined);
	return true;
}

static bool operation(struct parser *ps, struct word w)
{
	struct word lbl = { NULL, 0 };
	uint64_t key = SF_NONE;
	unsigned int code;
	struct sf_op *op;

	if (accept(ps, '=')) {
		lbl = w;
		w = next(ps);
	}
	code = op_by_name(w);
	if (code == SF_OP_NOP)
		return expected(ps, w.len ? w : got(ps), "an operation");
	ps->op = sf_op_make(code);
	ps->op.line = ps->line;
	ps->info = &sf_op_table[code];
	if (ps->info->flags & SF_OPF_MISUSE && !ps->p->settings.misuse)
		return fail(ps, w.s, "%s() misuses the allocator: say `heap misuse=1`",
			    ps->info->name);
	if (lbl.s && !check_label(ps, lbl, &key))
		return false;
	if (accept(ps, '(')) {
		if (!args(ps))
			return false;
	} else if (ps->info->arg[0].kind != SF_ARG_END) {
		return expected(ps, got(ps), "'('");
	}
	if (!trailer(ps))
		return false;
	if (ps->p->nr_ops >= UINT32_MAX - 1)
		return fail(ps, w.s, "expected fewer operations: a program holds 4294967294");
	sf_live_apply(ps->l, ps->p, &ps->op, key);
	op = sf_prog_add(ps->p, &ps->op);
	ps->op.res = op->res;
	return true;
}

static bool setting(struct parser *ps, const struct sf_setting_info *info)
{
	struct word w = next(ps);
	char buf[120], text[160];
	uint64_t v = 0;
	const char *what = sf_setting_parse(info, w.s, w.len, &v, buf);

	if (!what) {
		*sf_setting_slot(&ps->p->settings, info) = v;
		return true;
	}
	snprintf(text, sizeof(text), "%s (%s)", info->name, what);
	return expected(ps, w.len ? w : got(ps), text);
}

static bool heap_line(struct parser *ps, struct word heap)
{
	ps->arg = NULL;
	if (ps->p->nr_ops)
		return fail(ps, heap.s, "heap settings come before the first operation");
	ps->heap_line = ps->line;
	for (;;) {
		const struct sf_setting_info *info;
		struct word w = next(ps);

		if (!w.len && (ps->pos == ps->end || *ps->pos == '#'))
			break;
		info = sf_setting_by_name(w.s, w.len);
		if (!info)
			return expected(ps, w.len ? w : got(ps), "a heap setting");
		if (!accept(ps, '='))
			return expected(ps, got(ps), "'='");
		if (!setting(ps, info))
			return false;
	}
	return true;
}

/* All settings are known: what contradicts itself is said of the last line of them. */
static bool settings_done(struct parser *ps)
{
	const char *fault = sf_settings_fault(&ps->p->settings);

	sf_settings_fixup(&ps->p->settings);
	if (!fault)
		return true;
	ps->err->line = ps->heap_line;
	ps->err->col = 1;
	snprintf(ps->err->text, sizeof(ps->err->text), "%s", fault);
	return false;
}

static bool line(struct parser *ps)
{
	struct word w = next(ps);

	if (!w.len && (ps->pos == ps->end || *ps->pos == '#'))
		return true;
	if (word_is(w, "heap", 4))
		return heap_line(ps, w);
	if (!ps->p->nr_ops && !settings_done(ps))
		return false;
	return operation(ps, w);
}

int sf_text_parse(struct sf_prog *p, const char *text, size_t len, struct sf_text_error *err)
{
	struct parser ps = { .p = p, .err = err };
	const char *end = text + len;

	sf_prog_clear(p);
	ps.l = sf_live_begin(p);
	memset(err, 0, sizeof(*err));
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));

		ps.start = ps.pos = text;
		ps.end = nl ? nl : end;
		text = nl ? nl + 1 : end;
		if (ps.end > ps.start && ps.end[-1] == '\r')
			ps.end--;
		ps.line++;
		if (!line(&ps))
			return -1;
	}
	return p->nr_ops || settings_done(&ps) ? 0 : -1;
}
