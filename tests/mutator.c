// SPDX-License-Identifier: MIT
/*
 * mutator.c - every small mistake that could be made in a C file: a statement left out, a condition
 * turned around, a boundary off by one, a constant changed, an operator taken for its neighbour.
 * Relies on nothing; ci/automutants.sh draws from what it prints and tries it.
 *
 *   mutator FILE...      a line for each: FILE, offset, length, line, kind, replacement (by tabs)
 *
 * It reads tokens, not C: that is enough for kernel style, and what does not compile is drawn
 * again.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum token_kind {
	TOKEN_WORD,
	TOKEN_NUMBER,
	TOKEN_TEXT,  /* a string or a character */
	TOKEN_PUNCT,
	TOKEN_END,
};

struct token {
	const char *s;
	size_t len;
	unsigned int line;
	enum token_kind kind;
	unsigned int depth; /* braces around it */
	size_t partner;     /* of a parenthesis: its partner's index */
};

struct file {
	const char *name;
	char *text;
	size_t len;
	struct token *t;
	size_t nr;
};

__attribute__((noreturn)) static void die(const char *name, const char *why)
{
	fprintf(stderr, "mutator: %s: %s\n", name, why);
	exit(2);
}

static void read_file(struct file *f)
{
	FILE *in = fopen(f->name, "rb");
	size_t cap = 1 << 20;

	f->text = malloc(cap + 1);
	f->t = calloc(cap / 4, sizeof(*f->t));
	if (!in || !f->text || !f->t)
		die(f->name, strerror(errno));
	f->len = fread(f->text, 1, cap, in);
	if (!feof(in))
		die(f->name, "too large");
	f->text[f->len] = 0;
	fclose(in);
}

/* Behind blanks, comments and lines of the preprocessor. */
static const char *skip(const char *s, unsigned int *line, bool fresh)
{
	for (;;) {
		if (*s == '\n') {
			++*line;
			fresh = true;
			s++;
		} else if (isspace((unsigned char)*s)) {
			s++;
		} else if (s[0] == '/' && s[1] == '*') {
			for (s += 2; *s && (s[0] != '*' || s[1] != '/'); s++)
				*line += *s == '\n';
			s += *s ? 2 : 0;
		} else if ((s[0] == '/' && s[1] == '/') || (fresh && *s == '#')) {
			while (*s && (*s != '\n' || s[-1] == '\\')) {
				*line += *s == '\n';
				s++;
			}
		} else {
			return s;
		}
	}
}

static size_t quoted(const char *s)
{
	size_t n = 1;

	while (s[n] && s[n] != s[0])
		n += s[n] == '\\' && s[n + 1] ? 2 : 1;
	return s[n] ? n + 1 : n;
}

static size_t punct(const char *s)
{
	static const char *const longest[] = {
		"<<=", ">>=", "...", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&",
		"||", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
	};

	for (size_t i = 0; i < sizeof(longest) / sizeof(longest[0]); i++)
		if (!strncmp(s, longest[i], strlen(longest[i])))
			return strlen(longest[i]);
	return 1;
}

static bool is(const struct token *t, const char *s)
{
	return t->len == strlen(s) && !strncmp(t->s, s, t->len);
}

static void tokenise(struct file *f)
{
	unsigned int line = 1, depth = 0;
	size_t open[256], nr_open = 0;
	const char *s;

	for (s = f->text; *s;) {
		struct token *t = &f->t[f->nr];

		s = skip(s, &line, s == f->text || s[-1] == '\n');
		if (!*s)
			break;
		t->s = s;
		t->line = line;
		if (isalpha((unsigned char)*s) || *s == '_') {
			t->kind = TOKEN_WORD;
			for (t->len = 1; isalnum((unsigned char)s[t->len]) || s[t->len] == '_';)
				t->len++;
		} else if (isdigit((unsigned char)*s)) {
			t->kind = TOKEN_NUMBER;
			for (t->len = 1; isalnum((unsigned char)s[t->len]) || s[t->len] == '.';)
				t->len++;
		} else if (*s == '"' || *s == '\'') {
			t->kind = TOKEN_TEXT;
			t->len = quoted(s);
		} else {
			t->kind = TOKEN_PUNCT;
			t->len = punct(s);
		}
		depth -= is(t, "}") && depth;
		t->depth = depth;
		depth += is(t, "{");
		if (is(t, "(") && nr_open < sizeof(open) / sizeof(open[0])) {
			open[nr_open++] = f->nr;
		} else if (is(t, ")") && nr_open) {
			t->partner = open[--nr_open];
			f->t[t->partner].partner = f->nr;
		}
		s += t->len;
		f->nr++;
	}
	f->t[f->nr].kind = TOKEN_END;
}

/* The `len` bytes from the token on become BEFORE WHAT BEHIND; a line stays a line. */
static void print(const struct file *f, const struct token *t, size_t len, const char *kind,
		  const char *before, const char *what, size_t what_len, const char *behind)
{
	printf("%s\t%zu\t%zu\t%u\t%s\t", f->name, (size_t)(t->s - f->text), len, t->line, kind);
	fputs(before, stdout);
	for (size_t i = 0; i < what_len; i++)
		putchar(what[i] == '\n' || what[i] == '\t' ? ' ' : what[i]);
	puts(behind);
}

/* One token becomes another. */
static void swap(const struct file *f, const struct token *t, const char *kind, const char *to)
{
	print(f, t, t->len, kind, "", to, strlen(to), "");
}

static void operators(const struct file *f, size_t i)
{
	static const struct {
		const char *from, *kind, *to;
	} swaps[] = {
		{ "<", "boundary", "<=" },   { "<=", "boundary", "<" },
		{ ">", "boundary", ">=" },   { ">=", "boundary", ">" },
		{ "==", "condition", "!=" }, { "!=", "condition", "==" },
		{ "&&", "condition", "||" }, { "||", "condition", "&&" },
		{ "+=", "operator", "-=" },  { "-=", "operator", "+=" },
		{ "++", "operator", "--" },  { "--", "operator", "++" },
		{ "<<", "operator", ">>" },  { ">>", "operator", "<<" },
		{ "|=", "operator", "&=" },  { "+", "operator", "-" },
	};
	const struct token *t = &f->t[i], *before = t - 1;
	bool binary = before->kind == TOKEN_WORD || before->kind == TOKEN_NUMBER ||
		      is(before, ")") || is(before, "]");

	for (size_t k = 0; k < sizeof(swaps) / sizeof(swaps[0]); k++)
		if (is(t, swaps[k].from))
			swap(f, t, swaps[k].kind, swaps[k].to);
	if (is(t, "-") && binary)
		swap(f, t, "operator", "+");
	if (is(t, "!") && !is(t + 1, "!"))
		swap(f, t, "condition", "");
}

static void constant(const struct file *f, const struct token *t)
{
	char *end, to[32];
	unsigned long long n = strtoull(t->s, &end, 0);
	const char *suffix = end;
	int len = (int)(t->s + t->len - suffix);

	if (end > t->s + t->len)
		return;
	snprintf(to, sizeof(to), "%llu%.*s", n + 1, len, suffix);
	swap(f, t, "constant", to);
	if (n) {
		snprintf(to, sizeof(to), "%llu%.*s", n - 1, len, suffix);
		swap(f, t, "constant", to);
	}
}

static void condition(const struct file *f, size_t i)
{
	const struct token *open = &f->t[i + 1], *close;

	if (!(is(&f->t[i], "if") || is(&f->t[i], "while")) || !is(open, "(") || !open->partner)
		return;
	close = &f->t[open->partner];
	print(f, open + 1, (size_t)(close->s - open[1].s), "condition", "!(", open[1].s,
	      (size_t)(close->s - open[1].s), ")");
}

/* A statement begins here: behind another, a brace, a label, or what it hangs on. */
static bool begins(const struct file *f, size_t i)
{
	const struct token *before = &f->t[i - 1];

	if (is(before, ";") || is(before, "{") || is(before, "}") || is(before, "else") ||
	    is(before, "do"))
		return !(is(before, "{") && i >= 2 && is(before - 1, "="));
	if (is(before, ")") && before->partner)
		return is(&f->t[before->partner - 1], "if") ||
		       is(&f->t[before->partner - 1], "for") ||
		       is(&f->t[before->partner - 1], "while");
	return false;
}

/* An expression: an assignment, a call, a step. Declarations and jumps are something else. */
static bool is_expression(const struct token *t)
{
	static const char *const others[] = {
		"return", "if", "for", "while", "do", "switch", "case", "default", "goto", "else",
		"struct", "enum", "union", "static", "const", "unsigned", "int", "char", "bool",
		"void", "long", "sizeof", "extern", "typedef",
	};

	if (is(t, "*") || is(t, "++") || is(t, "--") || is(t, "("))
		return true;
	if (t->kind != TOKEN_WORD)
		return false;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (is(t, others[i]))
			return false;
	if (is(t, "break") || is(t, "continue"))
		return true;
	return t[1].kind == TOKEN_PUNCT && !is(t + 1, "*") && !is(t + 1, ":") && !is(t + 1, ",");
}

static void statement(const struct file *f, size_t i)
{
	size_t end = i;
	const struct token *t = &f->t[i];

	if (!begins(f, i) || !is_expression(t))
		return;
	while (f->t[end].kind != TOKEN_END && !is(&f->t[end], ";")) {
		if (is(&f->t[end], "{") || is(&f->t[end], "}"))
			return;
		end++;
	}
	if (f->t[end].kind != TOKEN_END)
		print(f, t, (size_t)(f->t[end].s - t->s), "statement", "", "", 0, "");
}

/* What only tells or checks is no part of what an allocator does. */
static bool in_assertion(const struct file *f, size_t i)
{
	size_t from = i > 60 ? i - 60 : 1;

	for (size_t k = i + 1; k-- > from;) {
		if (f->t[k].depth < f->t[i].depth || (k < i && is(&f->t[k], ";")))
			return false;
		if (f->t[k].len > 4 && f->t[k].kind == TOKEN_WORD &&
		    (strstr(f->t[k].s, "assert") && strstr(f->t[k].s, "assert") < f->t[k].s +
		     f->t[k].len))
			return true;
	}
	return false;
}

static void mutate(struct file *f)
{
	read_file(f);
	tokenise(f);
	for (size_t i = 2; i < f->nr; i++) {
		const struct token *t = &f->t[i];

		if (!t->depth || t->kind == TOKEN_TEXT || in_assertion(f, i))
			continue;
		if (t->kind == TOKEN_NUMBER)
			constant(f, t);
		if (t->kind == TOKEN_PUNCT)
			operators(f, i);
		if (t->kind == TOKEN_WORD)
			condition(f, i);
		statement(f, i);
	}
	free(f->text);
	free(f->t);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		die("usage", "mutator FILE...");
	for (int i = 1; i < argc; i++) {
		struct file f = { .name = argv[i] };

		mutate(&f);
	}
	return 0;
}
