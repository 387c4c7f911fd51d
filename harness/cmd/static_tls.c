// SPDX-License-Identifier: MIT
/*
 * static_tls.c - static_tls.h: glibc keeps room if a tunable says so, which it reads before main().
 * Nothing has been read from standard input or printed when this is called.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "static_tls.h"
#include "../../allocators/base/grow.h"

#define TUNABLE "glibc.rtld.optional_static_tls"

/* What the process was begun with. Its size is known when it is read. */
static char *read_arguments(size_t *len)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	uint32_t nr = 0, cap = 0;
	char *text = NULL;
	ssize_t got = 0;

	while (fd >= 0) {
		SF_GROW(text, nr, cap);
		got = read(fd, text + nr, cap - nr);
		if (got <= 0)
			break;
		nr += (uint32_t)got;
	}
	if (fd >= 0)
		close(fd);
	*len = nr;
	return text;
}

void sf_static_tls_again(const char *why)
{
	const char *had = getenv("GLIBC_TUNABLES");
	uint32_t nr = 0, cap = 0;
	char *text, *tunables, **argv = NULL;
	size_t len;

	if (!strstr(why, "static TLS") || (had && strstr(had, TUNABLE)))
		return;
	text = read_arguments(&len);
	for (size_t at = 0; at < len; at += strlen(text + at) + 1) {
		SF_GROW(argv, nr, cap);
		argv[nr++] = text + at;
	}
	SF_GROW(argv, nr, cap);
	argv[nr] = NULL;
	tunables = sf_sprintf("%s%s" TUNABLE "=65536", had ? had : "", had && *had ? ":" : "");
	if (nr && !setenv("GLIBC_TUNABLES", tunables, 1))
		execv("/proc/self/exe", argv);
	free(tunables);
	free(argv);
	free(text);
}
