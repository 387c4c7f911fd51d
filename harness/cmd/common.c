// SPDX-License-Identifier: MIT
/*
 * common.c - messages, memory and options for the subcommands (cmd.h). Relies on libc and
 * getopt_long.
 */
#define _GNU_SOURCE /* vasprintf() */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/apart.h"
#include "cmd.h"

#define ROWS_MAX 24

/* A message is one line whatever a file's name holds: control characters become '?'. */
static void say(const char *prefix, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	dprintf(sf_apart_messages(), "slabfuzz: %s%s\n", prefix, text);
}

void sf_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

int sf_bad(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
	return SF_EXIT_BAD;
}

char *sf_strdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(sf_grow(NULL, n, 1), s, n);
}

char *sf_sprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		sf_out_of_memory();
	return s;
}

/* printf pads to bytes; this is what a string has more of them than columns. */
static int unseen_bytes(const char *utf8)
{
	int n = 0;

	for (; *utf8; utf8++)
		n += (*utf8 & 0xc0) == 0x80;
	return n;
}

static void print_help(const struct sf_usage *u)
{
	printf("usage: slabfuzz %s [OPTION]… %s\n\n%s\n\n", u->name, u->args, u->intro);
	for (const struct sf_row *o = u->row; o->name; o++) {
		char left[64];

		snprintf(left, sizeof(left), "%c%c%c --%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name,
			 o->arg && *o->arg != '[' ? "=" : "", o->arg ? o->arg : "");
		printf("  %-*s %s\n", 28 + unseen_bytes(left), left, o->help);
	}
	printf("  %-28s %s\n", "-h, --help", "this text");
}

int sf_usage_error(const struct sf_usage *u, const char *fmt, ...)
{
	char prefix[32];
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	snprintf(prefix, sizeof(prefix), "%s: ", u->name);
	snprintf(text, sizeof(text), "%s (see slabfuzz %s --help)", fmt, u->name);
	say(prefix, text, ap);
	va_end(ap);
	return SF_EXIT_BAD;
}

bool sf_parse_number(const char *s, uint64_t *out)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	char *end;

	if (!isxdigit((unsigned char)s[hex ? 2 : 0]))
		return false;
	errno = 0;
	*out = strtoull(s, &end, hex ? 16 : 10);
	return !errno && !*end;
}

static int take_number(const struct sf_row *o, void *to, const struct sf_usage *u, const char *s)
{
	uint64_t n;

	if (!sf_parse_number(s, &n) || n < o->min || n > o->max) {
		if (o->max == UINT64_MAX)
			return sf_usage_error(u, "--%s wants a number from %" PRIu64
					      " on, not '%s'", o->name, o->min, s);
		return sf_usage_error(u, "--%s wants a number from %" PRIu64 " to %" PRIu64
				      ", not '%s'", o->name, o->min, o->max, s);
	}
	if (o->size == sizeof(uint32_t))
		*(uint32_t *)to = (uint32_t)n;
	else
		*(uint64_t *)to = n;
	return 0;
}

static int take_word(const struct sf_row *o, uint8_t *to, const struct sf_usage *u, const char *s)
{
	char known[128] = "";
	uint8_t i;

	for (i = 0; o->words[i]; i++) {
		size_t n = strlen(known);

		if (!strcmp(o->words[i], s)) {
			*to = i;
			return 0;
		}
		snprintf(known + n, sizeof(known) - n, "%s%s",
			 !i ? "" : o->words[i + 1] ? ", " : " or ", o->words[i]);
	}
	return sf_usage_error(u, "--%s wants %s, not '%s'", o->name, known, s);
}

static int take_row(const struct sf_row *o, char *plan, const struct sf_usage *u)
{
	void *to = plan + o->offset;

	switch (o->kind) {
	case SF_ROW_FLAG:
		*(bool *)to = true;
		return 0;
	case SF_ROW_NUMBER:
		return take_number(o, to, u, optarg);
	case SF_ROW_TEXT:
		*(const char **)to = optarg;
		return 0;
	case SF_ROW_WORD:
		return take_word(o, to, u, optarg);
	}
	return o->take(to, u, optarg);
}

/* What getopt_long() returns for a row: its letter, or its place behind all letters. */
static int key_of(const struct sf_row *rows, const struct sf_row *o)
{
	return o->letter ? o->letter : 256 + (int)(o - rows);
}

/* What getopt_long() reads the rows as. */
struct forms {
	struct option longs[ROWS_MAX + 2];
	char shorts[2 * ROWS_MAX + 4];
};

static int takes(const struct sf_row *o)
{
	if (!o->arg)
		return no_argument;
	return *o->arg == '[' ? optional_argument : required_argument;
}

static void spell(const struct sf_row *rows, struct forms *f)
{
	size_t n = 0, s = 0;

	f->longs[n++] = (struct option){ "help", no_argument, NULL, 'h' };
	f->shorts[s++] = ':';
	f->shorts[s++] = 'h';
	for (const struct sf_row *o = rows; o->name && n <= ROWS_MAX; o++) {
		f->longs[n++] = (struct option){ o->name, takes(o), NULL, key_of(rows, o) };
		if (!o->letter)
			continue;
		f->shorts[s++] = o->letter;
		if (o->arg)
			f->shorts[s++] = ':';
	}
	f->longs[n] = (struct option){ NULL, 0, NULL, 0 };
	f->shorts[s] = '\0';
}

static int bad_option(const struct sf_usage *u, int key, char **argv)
{
	if (key == ':')
		return sf_usage_error(u, "option '%s' needs a value", argv[optind - 1]);
	/* A short letter is in optopt; a long name can only be the argument just passed. */
	if (optopt && optopt < 256)
		return sf_usage_error(u, "unknown option '-%c'", optopt);
	return sf_usage_error(u, "bad option '%s'", argv[optind - 1]);
}

int sf_take_options(const struct sf_usage *u, void *plan, int argc, char **argv)
{
	struct forms f;
	int key, status;

	spell(u->row, &f);
	opterr = 0;
	while ((key = getopt_long(argc, argv, f.shorts, f.longs, NULL)) != -1) {
		const struct sf_row *o = u->row;

		if (key == 'h') {
			print_help(u);
			return SF_EXIT_GOOD;
		}
		if (key == ':' || key == '?')
			return bad_option(u, key, argv);
		while (key_of(u->row, o) != key)
			o++;
		status = take_row(o, plan, u);
		if (status)
			return status;
	}
	return SF_GO_ON;
}
