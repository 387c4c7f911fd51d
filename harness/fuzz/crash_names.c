// SPDX-License-Identifier: MIT
/*
 * crash_names.c - names of functions for the frames of a crash, from the symbols of the files that
 * they are in (crash.h). Relies on child.c, and on llvm-symbolizer or addr2line if one is there.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "child.h"
#include "crash.h"

enum { FRAMES_MAX = 32, PLACE_MAX = 512 };

/* A frame's line that has a place, "(FILE+0x12)". */
struct place {
	const char *line;
	int len;             /* up to its end */
	int head;            /* "    #0 0x55.." */
	char file[PLACE_MAX];
	char offset[24];     /* "0x12" */
};

static bool take_place(struct place *p, const char *line)
{
	const char *open, *plus = NULL, *pc;

	p->line = line;
	p->len = (int)strcspn(line, "\n");
	line += strspn(line, " \t");
	if (*line != '#' || !isdigit((unsigned char)line[1]))
		return false;
	open = memchr(line, '(', (size_t)(p->line + p->len - line));
	for (const char *s = open; s && s < p->line + p->len - 3 && *s != ')'; s++)
		if (!strncmp(s, "+0x", 3))
			plus = s;
	pc = strstr(line, "0x");
	if (!plus || !pc || plus - open >= PLACE_MAX || pc > open)
		return false;
	p->head = (int)(pc + strcspn(pc, " \n") - p->line);
	snprintf(p->file, sizeof(p->file), "%.*s", (int)(plus - open - 1), open + 1);
	snprintf(p->offset, sizeof(p->offset), "%.*s", (int)strspn(plus + 1, "x0123456789abcdef"),
		 plus + 1);
	return true;
}

/* What a symbolizer says of one place: lines "function", "file:line"; inlined ones first. */
static char *ask(const struct place *p)
{
	static const char *const llvm[] = { "llvm-symbolizer", "llvm-symbolizer-22",
					    "llvm-symbolizer-20", "llvm-symbolizer-19",
					    "llvm-symbolizer-18", "llvm-symbolizer-14" };
	static unsigned int which; /* of these; then addr2line */
	const unsigned int nr = sizeof(llvm) / sizeof(llvm[0]);
	const char *asked = getenv("ASAN_SYMBOLIZER_PATH");
	struct sf_child_output out = { 0 };

	for (; which <= nr; which++) {
		const char *tool = which < nr ? llvm[which] : "addr2line";
		const char *const argv[] = { which || !asked ? tool : asked, "-f", "-i", "-e",
					     p->file, p->offset, NULL };
		const struct sf_child child = { .argv = argv, .seconds = 60 };

		if (sf_child_run(&child, &out) && !out.hung && !out.status)
			return out.text;
		free(out.text);
	}
	return NULL;
}

/* "    #0 0x55.. in FUNCTION FILE:LINE", a line for each function of which that is code. */
static void put_named(FILE *to, const struct place *p, const char *said)
{
	bool any = false;

	while (*said) {
		const char *where = strchr(said, '\n'), *end;

		if (!where || where == said)
			break;
		where++;
		end = where + strcspn(where, "\n");
		if (*said != '?') {
			fprintf(to, "%.*s in %.*s %.*s\n", p->head, p->line,
				(int)(where - 1 - said), said, (int)(end - where), where);
			any = true;
		}
		said = *end ? end + 1 : end;
	}
	if (!any)
		fprintf(to, "%.*s\n", p->len, p->line);
}

char *sf_crash_symbolize(const char *text)
{
	char *result = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&result, &size);
	bool frames = false, over = false;
	int nr = 0;

	if (!to)
		sf_out_of_memory();
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		struct place p;
		char *said = NULL;
		bool frame = text[strspn(text, " \t")] == '#';

		over |= frames && !frame;
		frames |= frame;
		if (!over && take_place(&p, text) && nr++ < FRAMES_MAX)
			said = ask(&p);
		if (said)
			put_named(to, &p, said);
		else
			fprintf(to, "%.*s\n", (int)strcspn(text, "\n"), text);
		free(said);
	}
	fclose(to);
	return result;
}
