// SPDX-License-Identifier: MIT
/*
 * target.c - target.h.
 */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "child.h"
#include "files.h"

enum { PATIENCE = 60 }; /* seconds; libFuzzer's targets give up on a hang before */

bool sf_target_run(const struct sf_target *t, const char *allocator, const char *expect,
		   const char *const *paths, struct sf_crash *c, char **said)
{
	char *on = sf_path("SLABFUZZ_ALLOCATOR=%s", allocator ? allocator : "");
	const char *user = getenv("SLABFUZZ_EXPECT");
	char *only = sf_path("SLABFUZZ_EXPECT=%s", expect ? expect : user ? user : "");
	const char *const own[] = { on, only, "SLABFUZZ_CRASHES=", "SLABFUZZ_GO_ON=" };
	const char **env = NULL, **argv = NULL, *name = strrchr(t->program, '/');
	char hang[32], memory[32];
	struct sf_child child = { .seconds = PATIENCE };
	struct sf_child_output out;
	size_t n = 0, nr = 0;
	bool crashed = false;

	while (t->env && t->env[n])
		n++;
	while (paths[nr])
		nr++;
	env = sf_zalloc(n + 5, sizeof(*env));
	for (size_t i = 0; i < n; i++)
		env[i] = t->env[i];
	memcpy(env + n, own, sizeof(own));
	argv = sf_zalloc(nr + 6, sizeof(*argv));
	argv[0] = t->program;
	name = name ? name + 1 : t->program;
	memcpy(argv + 1, paths, nr * sizeof(*argv));
	if (strstr(name, "libfuzzer")) {
		/* It would save the input again. */
		argv[nr + 1] = "-exact_artifact_path=/dev/null";
		snprintf(hang, sizeof(hang), "-timeout=%d", SF_HANG_SECONDS);
		snprintf(memory, sizeof(memory), "-rss_limit_mb=%u", sf_memory_mb());
		argv[nr + 2] = hang;
		argv[nr + 3] = memory;
	}
	child.argv = argv;
	child.env = env;
	if (sf_child_run(&child, &out)) {
		struct sf_crash_end end = { .status = out.status, .hung = out.hung };
		char *named;

		/* To look names up takes longest. */
		crashed = sf_crash_read(c, out.text, &end);
		if (crashed && (!c->said || (said && !sf_crash_is_judged(c->kind)))) {
			named = sf_crash_symbolize(out.text);
			sf_crash_read(c, named, &end);
			free(out.text);
		} else {
			named = out.text;
		}
		if (crashed && said)
			*said = named;
		else
			free(named);
	}
	free(env);
	free(argv);
	free(on);
	free(only);
	return crashed;
}
