// SPDX-License-Identifier: MIT
/*
 * known.c - known.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "known.h"

/* The next part of a line, without blanks around it; *at is behind its bar. */
static char *part(char **at)
{
	char *from = *at + strspn(*at, " \t"), *bar = *from == '|' ? from : strstr(from, " | ");
	char *end = bar ? bar : from + strlen(from);

	/* An address that is left out leaves its bar. */
	*at = !bar ? end : bar == from ? bar + 1 : bar + 3;
	while (end > from && isspace((unsigned char)end[-1]))
		end--;
	return sf_sprintf("%.*s", (int)(end - from), from);
}

static bool is_day(const char *s)
{
	static const char form[] = "dddd-dd-dd";

	for (int i = 0; form[i]; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)s[i]) : s[i] != form[i])
			return false;
	return !s[sizeof(form) - 1];
}

static int read_line(struct sf_known *k, const char *path, unsigned int nr, char *line)
{
	struct sf_known_title *t;

	if (!line[strspn(line, " \t\r\n")] || *line == '#')
		return 0;
	SF_GROW(k->list, k->nr, k->cap);
	t = &k->list[k->nr++];
	*t = (struct sf_known_title){ .title = part(&line) };
	t->address = part(&line);
	t->expiry = part(&line);
	if (!*t->title)
		return sf_bad("%s:%u: which title? TITLE | ADDRESS | EXPIRY", path, nr);
	if (*t->expiry && !is_day(t->expiry))
		return sf_bad("%s:%u: '%s' is no day like 2027-01-31", path, nr, t->expiry);
	return 0;
}

int sf_known_read(struct sf_known *k, const char *path)
{
	FILE *f = path ? fopen(path, "r") : NULL;
	time_t now = time(NULL);
	unsigned int nr = 0;
	char *line = NULL;
	size_t cap = 0;
	int status = 0;
	struct tm tm;

	*k = (struct sf_known){ .nr = 0 };
	strftime(k->today, sizeof(k->today), "%Y-%m-%d", gmtime_r(&now, &tm));
	if (path && !f)
		return sf_bad("%s: %s", path, strerror(errno));
	while (f && !status && getline(&line, &cap, f) >= 0)
		status = read_line(k, path, ++nr, line);
	free(line);
	if (f)
		fclose(f);
	return status;
}

void sf_known_free(struct sf_known *k)
{
	for (uint32_t i = 0; i < k->nr; i++) {
		free(k->list[i].title);
		free(k->list[i].address);
		free(k->list[i].expiry);
	}
	free(k->list);
}

static bool names(const char *known, const char *title)
{
	size_t n = strlen(known);

	if (n && known[n - 1] == '*')
		return !strncmp(known, title, n - 1);
	return !strcmp(known, title);
}

static bool is_over(const struct sf_known *k, const struct sf_known_title *t)
{
	return *t->expiry && strcmp(k->today, t->expiry) > 0;
}

const struct sf_known_title *sf_known_of(const struct sf_known *k, const char *title)
{
	for (uint32_t i = 0; i < k->nr; i++)
		if (names(k->list[i].title, title) && !is_over(k, &k->list[i]))
			return &k->list[i];
	return NULL;
}

const struct sf_known_title *sf_known_find(struct sf_known *k, const char *title)
{
	for (uint32_t i = 0; i < k->nr; i++)
		k->list[i].seen += names(k->list[i].title, title);
	return sf_known_of(k, title);
}

void sf_known_print_rest(const struct sf_known *k)
{
	for (uint32_t i = 0; i < k->nr; i++) {
		const struct sf_known_title *t = &k->list[i];
		const char *blank = *t->address ? " " : "";

		if (is_over(k, t))
			printf("known only until %s: %s%s%s\n", t->expiry, t->title, blank,
			       t->address);
		else if (!t->seen)
			printf("known, and not seen any more: %s%s%s\n", t->title, blank,
			       t->address);
	}
}
