// SPDX-License-Identifier: MIT
/*
 * cmd_types.c - `slabfuzz types`: every type of the table or of a kernel's BTF, with its allocation
 * token, the partition and the cache that this means, and who shares a cache with whom.
 *
 * Relies on token.c, and on btf.c for what a kernel has.
 */
#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../trace/btf.h"
#include "../program/token.h"
#include "cmd.h"
#include "grid.h"
#include "json.h"

#define TOKEN_UNKNOWN SF_TOKENS /* of an anonymous type */

struct row {
	const char *name;
	uint64_t size;
	uint32_t class;   /* 0: more than the largest */
	uint8_t token;
	bool pointer, other; /* of the kernel, not of the module that was asked for */
};

static const uint32_t classes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192 };

#define NR_CLASSES (sizeof(classes) / sizeof(classes[0]))

#define ANY UINT64_MAX

enum { POINTER_NO, POINTER_YES, POINTER_BOTH };

struct plan {
	const char *btf, *base, *name, *shares;
	uint64_t token, class;     /* ANY, or only these */
	uint8_t pointer;           /* POINTER_NO, POINTER_YES, or both */
	uint8_t order;             /* of orders[] */
	bool anonymous, json;
	struct row *row;
	uint32_t nr, cap;
	uint32_t empty;
	/* With --shares: the caches that any type of that name is in. */
	bool shared[NR_CLASSES][SF_TOKENS];
};

static int take_class(void *to, const struct sf_usage *u, const char *value);

static const char *const pointers[] = { "no", "yes", NULL };
/* What --sort may name; by_KEY() compares. */
#define ORDERS(X) X(name) X(size) X(token) X(class)
static const char *const order_names[] = {
#define X(key) #key,
	ORDERS(X)
#undef X
	NULL,
};

static const struct sf_row rows[] = {
	SF_TEXT(0, "btf", "FILE", struct plan, btf,
		"those of a kernel: /sys/kernel/btf/vmlinux, or an ELF file"),
	SF_TEXT(0, "base", "FILE", struct plan, base, "the kernel's BTF, when --btf is a module's"),
	SF_WORD("sort", "KEY", struct plan, order, order_names,
		"name (default), size, token or class"),
	SF_TEXT(0, "name", "GLOB", struct plan, name,
		"only types whose name matches, with or without its tag"),
	SF_WORD("pointer", "yes|no", struct plan, pointer, pointers,
		"only types with, or without, pointers"),
	SF_NUMBER("token", "N", struct plan, token, 0, SF_TOKENS - 1, "only types of this token"),
	SF_CALL(0, "class", "N", struct plan, class, take_class,
		"only types of this size class (0: larger than all)"),
	SF_TEXT(0, "shares", "TYPE", struct plan, shares,
		"only types that share a cache with this one"),
	SF_FLAG("anonymous", struct plan, anonymous,
		"also types without any name: their half is known"),
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"types", "",
	"Lists types with size, whether they contain a pointer, the token that clang 22 gives\n"
	"them, and the cache of a kernel with typed partitions that a kmalloc_obj() of them comes\n"
	"from; then how many types each cache has. BTF does not tell what is _Atomic (clang sees\n"
	"no pointer there). Types without any name have tokens that depend on source paths: they\n"
	"are counted.",
	rows,
};

/* mm/slab_common.c:kmalloc_size_index; NR_CLASSES: none is large enough. */
static size_t class_index(uint64_t size)
{
	size_t i = 0;

	while (i < NR_CLASSES && size > classes[i])
		i++;
	return i;
}

/* "": it is not known. */
static void cache_name(const struct row *r, char *buf, size_t size)
{
	char class[16];

	sf_class_name(r->class, class);
	if (!r->class)
		snprintf(buf, size, "pages");
	else if (r->token == TOKEN_UNKNOWN)
		*buf = '\0';
	else if (r->token)
		snprintf(buf, size, "kmalloc-part-%02u-%s", r->token, class);
	else
		snprintf(buf, size, "kmalloc-%s", class);
}

static struct row *add(struct plan *p, const char *name, uint64_t size, bool pointer)
{
	size_t class = class_index(size);
	struct row *r;

	SF_GROW(p->row, p->nr, p->cap);
	r = &p->row[p->nr++];
	*r = (struct row){ .name = name, .size = size, .pointer = pointer,
			   .class = class < NR_CLASSES ? classes[class] : 0 };
	return r;
}

/* ---- order and choice ---- */

static const char *skip_word(const char *s, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(s, word, n) && (s[n] == ' ' || s[n] == ':') ? s + n + 1 : s;
}

/* "struct:foo", "struct foo" and "foo" are the same here. */
static const char *plain_name(const char *name)
{
	return skip_word(skip_word(name, "struct"), "union");
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = strcmp(plain_name(x->name), plain_name(y->name));

	if (!c)
		c = strcmp(x->name, y->name);
	if (!c)
		c = compare(x->size, y->size);
	return c ? c : compare(x->pointer, y->pointer);
}

static int by_size(const void *a, const void *b)
{
	int c = compare(((const struct row *)a)->size, ((const struct row *)b)->size);

	return c ? c : by_name(a, b);
}

static int by_token(const void *a, const void *b)
{
	int c = compare(((const struct row *)a)->token, ((const struct row *)b)->token);

	return c ? c : by_size(a, b);
}

static int by_class(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = compare(class_index(x->size), class_index(y->size));

	return c ? c : by_token(a, b);
}

static int (*const orders[])(const void *a, const void *b) = {
#define X(key) by_##key,
	ORDERS(X)
#undef X
};

static bool shares(const struct plan *p, const struct row *r)
{
	return r->class && r->token < SF_TOKENS && p->shared[class_index(r->size)][r->token];
}

static bool chosen(const struct plan *p, const struct row *r)
{
	if (p->shares ? !shares(p, r) : r->other)
		return false;
	if (p->name && fnmatch(p->name, r->name, 0) && fnmatch(p->name, plain_name(r->name), 0))
		return false;
	if (p->pointer != POINTER_BOTH && r->pointer != p->pointer)
		return false;
	return (p->token == ANY || r->token == p->token) &&
	       (p->class == ANY || r->class == p->class);
}

/* With a tag only that type, without any of that name. */
static bool is_named(const struct row *r, const char *name)
{
	const char *plain = plain_name(name);

	return r->token < SF_TOKENS && !strcmp(plain_name(r->name), plain) &&
	       (plain == name || !strncmp(r->name, name, strcspn(name, " :")));
}

static int find_shared(struct plan *p)
{
	bool found = false, any = false;

	for (uint32_t i = 0; i < p->nr; i++) {
		const struct row *r = &p->row[i];

		if (!is_named(r, p->shares))
			continue;
		found = true;
		if (r->class)
			any = p->shared[class_index(r->size)][r->token] = true;
	}
	if (!found)
		return sf_bad("types: no type '%s' there", p->shares);
	if (!any)
		return sf_bad("types: %s is larger than all classes: none is shared", p->shares);
	return 0;
}

/* ---- output ---- */

static void print_json(const struct plan *p)
{
	json_t *list = json_array();
	char cache[40];

	for (uint32_t i = 0; i < p->nr; i++) {
		const struct row *r = &p->row[i];
		bool known = r->token < SF_TOKENS;

		if (!chosen(p, r))
			continue;
		cache_name(r, cache, sizeof(cache));
		json_array_append_new(
			list, json_pack("{s:o, s:o, s:b, s:o, s:i, s:o}", "name",
					sf_json_text(r->name), "size", sf_json_number(r->size),
					"pointer", r->pointer, "token",
					known ? json_integer(r->token) : json_null(), "class",
					(int)r->class, "cache",
					sf_json_text(*cache ? cache : NULL)));
	}
	sf_json_print(list, stdout);
}

static void print_row(const struct row *r)
{
	char cache[40], token[8];

	cache_name(r, cache, sizeof(cache));
	snprintf(token, sizeof(token), "%u", r->token);
	printf("%-44s %8" PRIu64 "  %-7s %5s %6u  %s\n", r->name, r->size,
	       r->pointer ? "yes" : "no",
	       r->token < SF_TOKENS ? token : r->pointer ? "8-15" : "0-7", r->class,
	       *cache ? cache : "?");
}

/* What is counted on the way through the rows. */
struct count {
	uint32_t types, pointers, anonymous, anonymous_pointers;
	struct sf_grid caches;
};

static void count_row(struct count *c, const struct row *r)
{
	bool known = r->token < SF_TOKENS;

	*(known ? &c->types : &c->anonymous) += 1;
	*(known ? &c->pointers : &c->anonymous_pointers) += r->pointer;
	if (known)
		sf_grid_add(&c->caches, r->class, r->token, 1);
}

/* Names that come again, of what the file itself has; rows are in the order of names. */
static uint32_t count_homonyms(const struct plan *p)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < p->nr; i++)
		n += p->row[i].token < SF_TOKENS && !p->row[i].other && !p->row[i - 1].other &&
		     !strcmp(p->row[i].name, p->row[i - 1].name);
	return n;
}

static void print_text(const struct plan *p, uint32_t homonyms)
{
	struct count c = { .types = 0 };

	printf("%-44s %8s  %-7s %5s %6s  %s\n", "type", "size", "pointer", "token", "class",
	       "cache");
	for (uint32_t i = 0; i < p->nr; i++) {
		const struct row *r = &p->row[i];

		if (!chosen(p, r))
			continue;
		if (r->token < SF_TOKENS || p->anonymous)
			print_row(r);
		count_row(&c, r);
	}
	puts("\ntypes in each cache, by size class and token (8 to 15: with pointers)");
	sf_grid_print(&c.caches);
	printf("\n%u types, %u with pointers, %u without\n", c.types, c.pointers,
	       c.types - c.pointers);
	if (!p->btf)
		return;
	printf("%u without a name, %u with pointers, %u without: no token is known\n", c.anonymous,
	       c.anonymous_pointers, c.anonymous - c.anonymous_pointers);
	printf("in the whole file: %u more definitions of a name that was there, %u of no size\n",
	       homonyms, p->empty);
}

static void drop_anonymous(struct plan *p)
{
	uint32_t to = 0;

	for (uint32_t i = 0; i < p->nr; i++)
		if (p->row[i].token < SF_TOKENS)
			p->row[to++] = p->row[i];
	p->nr = to;
}

static int show(struct plan *p)
{
	int status = p->shares ? find_shared(p) : 0;
	uint32_t homonyms;

	if (status)
		return status;
	if (p->json && !p->anonymous)
		drop_anonymous(p);
	if (p->nr)
		qsort(p->row, p->nr, sizeof(*p->row), by_name);
	homonyms = count_homonyms(p);
	if (p->nr && orders[p->order] != by_name)
		qsort(p->row, p->nr, sizeof(*p->row), orders[p->order]);
	if (p->json)
		print_json(p);
	else
		print_text(p, homonyms);
	return 0;
}

static int show_btf(struct plan *p)
{
	struct sf_error err = { "" };
	struct sf_btf btf;
	int status;

	switch (sf_btf_read(p->btf, p->base, &btf, &err)) {
	case SF_BTF_MISSING:
		sf_say("types: %s", err.text);
		return SF_EXIT_MISSING;
	case SF_BTF_BAD:
		return sf_bad("types: %s", err.text);
	case SF_BTF_OK:
		break;
	}
	for (uint32_t i = 0; i < btf.nr; i++) {
		const struct sf_btf_type *t = &btf.type[i];
		struct row *r = add(p, t->name, t->size, t->pointer);

		r->other = t->from_base;
		r->token = TOKEN_UNKNOWN;
		if (t->canonical)
			r->token = (uint8_t)sf_token_of(t->canonical, t->pointer, SF_TOKENS);
	}
	p->empty = btf.empty;
	status = show(p);
	sf_btf_free(&btf);
	return status;
}

static int show_table(struct plan *p)
{
	if (p->base)
		return sf_usage_error(&usage, "--base goes with --btf");
	for (uint32_t i = 1; i < sf_type_count; i++)
		add(p, sf_types[i].name, sf_types[i].size, sf_types[i].pointer)->token =
			sf_type_token(i);
	return show(p);
}

/* ---- options ---- */

static bool is_class(uint64_t n)
{
	size_t i = class_index(n);

	return !n || (i < NR_CLASSES && classes[i] == n);
}

static int take_class(void *to, const struct sf_usage *u, const char *value)
{
	uint64_t *class = to;

	if (!sf_parse_number(value, class) || !is_class(*class))
		return sf_usage_error(u, "--class wants a size class of kmalloc, not '%s'", value);
	return 0;
}

int sf_cmd_types(int argc, char **argv)
{
	struct plan p = { .pointer = POINTER_BOTH, .token = ANY, .class = ANY };
	int status = sf_take_options(&usage, &p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (optind < argc)
		return sf_usage_error(&usage, "no argument is expected: '%s'", argv[optind]);
	status = p.btf ? show_btf(&p) : show_table(&p);
	free(p.row);
	return status;
}
