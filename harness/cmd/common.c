// SPDX-License-Identifier: MIT
/*
 * common.c - messages, memory and options for the subcommands (cmd.h). Relies on libc and
 * getopt_long.
 */
#define _GNU_SOURCE /* vasprintf() */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

#define OPTIONS_MAX 24

/* A message is one line whatever a file's name holds: control characters become '?'. */
static void say(const char *prefix, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	fprintf(stderr, "slabfuzz: %s%s\n", prefix, text);
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
	for (const struct sf_option *o = u->option; o->name; o++) {
		char left[64];

		snprintf(left, sizeof(left), "%c%c%c --%s%s%s", o->key < 256 ? '-' : ' ',
			 o->key < 256 ? o->key : ' ', o->key < 256 ? ',' : ' ', o->name,
			 o->arg ? "=" : "", o->arg ? o->arg : "");
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

int sf_option_next(const struct sf_usage *u, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX + 2] = { { "help", no_argument, NULL, 'h' } };
	char shorts[2 * OPTIONS_MAX + 4] = ":h";
	size_t n = 1, s = 2;
	int key;

	for (const struct sf_option *o = u->option; o->name && n <= OPTIONS_MAX; o++) {
		longs[n++] = (struct option){ o->name, o->arg ? required_argument : no_argument,
					      NULL, o->key };
		if (o->key < 256) {
			shorts[s++] = (char)o->key;
			if (o->arg)
				shorts[s++] = ':';
		}
	}
	opterr = 0;
	key = getopt_long(argc, argv, shorts, longs, NULL);
	if (key == 'h') {
		print_help(u);
		return SF_OPTION_HELP;
	}
	if (key == ':') {
		sf_usage_error(u, "option '%s' needs a value", argv[optind - 1]);
		return SF_OPTION_BAD;
	}
	if (key == '?') {
		/* A short letter is in optopt; a long name can only be the argument just passed. */
		if (optopt && optopt < 256)
			sf_usage_error(u, "unknown option '-%c'", optopt);
		else
			sf_usage_error(u, "bad option '%s'", argv[optind - 1]);
		return SF_OPTION_BAD;
	}
	return key;
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
