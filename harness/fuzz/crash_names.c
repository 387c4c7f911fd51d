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
	const char *said;    /* of it, by a symbolizer */
	bool asked;
};

static bool take_place(struct place *p, const char *line)
{
	const char *open, *plus = NULL, *pc;

	*p = (struct place){ .line = line };
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

/* What a symbolizer says of all places in the file of the first; NULL: there is none. */
static char *ask(const struct place *p, int nr)
{
	static const char *const llvm[] = { "llvm-symbolizer", "llvm-symbolizer-22",
					    "llvm-symbolizer-20", "llvm-symbolizer-19",
					    "llvm-symbolizer-18", "llvm-symbolizer-14" };
	static unsigned int which; /* of these; then addr2line */
	const unsigned int tools = sizeof(llvm) / sizeof(llvm[0]);
	const char *asked = getenv("ASAN_SYMBOLIZER_PATH");
	const char *argv[FRAMES_MAX + 8] = { NULL, "-a", "-f", "-i", "-e", p->file };
	struct sf_child_output out = { 0 };
	int n = 6;

	for (int i = 0; i < nr; i++)
		if (!strcmp(p[i].file, p->file))
			argv[n++] = p[i].offset;
	for (; which <= tools; which++) {
		const struct sf_child child = { .argv = argv, .seconds = 60 };

		argv[0] = which == tools ? "addr2line" : which || !asked ? llvm[which] : asked;
		if (sf_child_run(&child, &out) && !out.hung && !out.status)
			return out.text;
		free(out.text);
	}
	return NULL;
}

/* Each place's part of that: lines "function", "file:line", inlined ones first; after "0x12". */
static void share_out(struct place *p, int nr, char *said)
{
	const char *file = p->file;

	for (int i = 0; i < nr && said; i++) {
		if (strcmp(p[i].file, file))
			continue;
		p[i].asked = true;
		if (!strncmp(said, "0x", 2)) {
			said = strchr(said, '\n');
			said += said != NULL;
		}
		p[i].said = said;
		said = said ? strstr(said, "\n0x") : NULL;
		if (said)
			*said++ = 0;
	}
}

/* "    #0 0x55.. in FUNCTION FILE:LINE", a line for each function of which that is code. */
static void put_named(FILE *to, const struct place *p)
{
	const char *said = p->said ? p->said : "";
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

/* The places of the first stack; how many. */
static int take_places(struct place *p, const char *text)
{
	bool frames = false;
	int nr = 0;

	for (; *text && nr < FRAMES_MAX; text += strcspn(text, "\n"), text += *text == '\n') {
		bool frame = text[strspn(text, " \t")] == '#';

		if (frames && !frame)
			break;
		frames |= frame;
		nr += frame && take_place(&p[nr], text);
	}
	return nr;
}

char *sf_crash_symbolize(const char *text)
{
	struct place *place = sf_zalloc(FRAMES_MAX, sizeof(*place));
	int nr = take_places(place, text), next = 0, nr_said = 0;
	char *said[FRAMES_MAX], *result = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&result, &size);

	if (!to)
		sf_out_of_memory();
	for (int i = 0; i < nr; i++) {
		if (place[i].asked)
			continue;
		said[nr_said] = ask(&place[i], nr - i);
		share_out(&place[i], nr - i, said[nr_said++]);
	}
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		if (next < nr && place[next].line == text)
			put_named(to, &place[next++]);
		else
			fprintf(to, "%.*s\n", (int)strcspn(text, "\n"), text);
	}
	fclose(to);
	for (int i = 0; i < nr_said; i++)
		free(said[i]);
	free(place);
	return result;
}
