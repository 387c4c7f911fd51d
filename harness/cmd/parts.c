// SPDX-License-Identifier: MIT
/*
 * parts.c - parts.h.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "parts.h"

/* A file as it is, and a NUL behind it. The Makefile knows that this depends on them. */
#define EMBED(symbol, path)                                                                     \
	__asm__(".pushsection .rodata\n"                                                        \
		".global " #symbol "\n" #symbol ":\n"                                           \
		".incbin \"" path "\"\n"                                                        \
		".byte 0\n"                                                                     \
		".popsection\n")

EMBED(sf_event_hash_header, "harness/exec/event_hash.h");
EMBED(sf_plugin_header, "allocators/include/slabfuzz/plugin.h");
EMBED(sf_report_html, "harness/cmd/report/page.html");
EMBED(sf_report_css, "harness/cmd/report/page.css");
EMBED(sf_report_js, "harness/cmd/report/page.js");
EMBED(sf_report_plots_js, "harness/cmd/report/plots.js");
EMBED(sf_report_heap_js, "harness/cmd/report/heap.js");

char *sf_part(const char *name)
{
	char self[PATH_MAX], *path;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return NULL;
	self[n] = 0;
	if (strrchr(self, '/'))
		*strrchr(self, '/') = 0;
	path = sf_sprintf("%s/%s", self, name);
	n = realpath(path, self) ? 1 : 0;
	free(path);
	return n ? sf_strdup(self) : NULL;
}
