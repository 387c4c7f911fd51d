// SPDX-License-Identifier: MIT
/*
 * keep_finds.c - keep_finds.h. A find is looked for in this program first: that is quicker by far.
 * What it does not show, because the target has other allocators or sanitizers, is run there.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../fuzz/child.h"
#include "../fuzz/engine.h"
#include "../fuzz/files.h"
#include "../fuzz/minimize.h"
#include "cmd.h"
#include "crash_input.h"
#include "crash_store.h"
#include "keep_finds.h"

enum { SECONDS_MAX = 60 }; /* of all together; then they are kept as they were found */

struct keeping {
	const struct sf_keep *k;
	struct sf_find *find;
	struct sf_crash_input in;
	struct sf_target target;
	struct sf_minimized m;
	char *report;
	bool smaller;
};

/* A find's file may name what this program cannot open: such a one stays as it is. */
static const struct sf_usage usage = { .name = "fuzz", .args = "" };

static bool try_in(struct keeping *k, const struct sf_target *target)
{
	const struct sf_rerun_options opt = {
		.on = &k->in.on, .timeout_ms = 10000, .target = target,
		.memory_bytes = (uint64_t)sf_memory_mb() << 20,
	};
	struct sf_error err = { "" };
	const char *report;
	struct sf_minimize how = {
		.again = sf_rerun_open(&opt, &err), .title = k->find->title,
		.seconds = k->k->seconds, .interrupted = sf_crash_interrupts(),
	};

	if (!how.again)
		return false;
	/* In a target each run takes its time, and a find that it confirmed comes at once. */
	how.tries = target ? 1 : 0;
	k->smaller = sf_minimize(&how, &k->in.prog, &k->m, &err);
	report = sf_rerun_report(how.again);
	if (k->smaller && report)
		k->report = sf_strdup(report);
	sf_rerun_close(how.again);
	return k->smaller;
}

static void store(struct keeping *k)
{
	struct sf_symptom as_found = { .kind = k->find->kind, .op = SF_NONE,
				       .objects = { SF_NONE, SF_NONE } };
	struct sf_stored f = {
		.shows = k->smaller ? &k->m.shows : &as_found, .prog = &k->in.prog,
		.allocator = k->in.label, .report = k->report, .repeated = k->find->repeated,
		.tried = k->find->tried, .times = k->find->times ? k->find->times : 1,
		.seen = time(NULL),
	};
	struct sf_stored_find now;

	memcpy(as_found.title, k->find->title, sizeof(as_found.title));
	if (!sf_store_add(k->k->store, &f, &now) && k->smaller) {
		free(k->find->text);
		k->find->text = sf_strdup(now.program);
	}
	sf_stored_free(&now);
}

static void keep(struct keeping *k)
{
	const struct sf_crash_plan plan = SF_CRASH_PLAN;
	bool alone = k->find->repeated && !k->find->before && k->find->kind != SF_CRASH_HANG;
	struct sf_words env = { 0 };

	if (sf_crash_open(&k->in, &plan, &usage, k->find->text)) {
		sf_crash_close(&k->in);
		return;
	}
	sf_engine_asan(&env, "symbolize=0");
	k->target = (struct sf_target){ .program = k->k->target,
					.env = (const char *const *)env.word };
	if (alone && k->k->seconds && !try_in(k, NULL) && k->k->target)
		try_in(k, &k->target);
	store(k);
	sf_words_free(&env);
	free(k->report);
	sf_crash_close(&k->in);
}

void sf_keep_finds(const struct sf_keep *how, struct sf_finds *finds)
{
	struct sf_keep now = *how;
	double start = sf_engine_now();

	for (uint32_t i = 0; i < finds->nr; i++) {
		struct keeping k = { .k = &now, .find = &finds->list[i] };

		if (sf_engine_now() - start > SECONDS_MAX || *sf_crash_interrupts())
			now.seconds = 0;
		if (k.find->text)
			keep(&k);
	}
}
