// SPDX-License-Identifier: MIT
/*
 * disarm.c - linked before the oracles, it takes one of their rules out: what the rule named by
 * SLABFUZZ_DISARM raises is dropped, and it counts what it looked at as ever. Is there a test that
 * notices?
 *
 * SLABFUZZ_DISARM is a rule function ("sf_mem_1"; "!sf_mem_1": it is not even run); or where one
 * call of sf_title() returns to, counted from sf_title() below ("0xffffffffffff2031"); or "=" and a
 * text that titles are made of, as the source has it. What a rule leaves to be raised when its
 * operation is over is charged to all rules of its invariant.
 *
 * ci/oracle-mutants.sh generates disarmed_rules.h, a line X(function) for each rule, and links all
 * and sf_title(), sf_report() and sf_boots_create() with --wrap.
 */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../oracles/boots.h"
#include "../../oracles/oracle.h"

/* From the judge's private header. */
void __real_sf_title(struct sf_judge *j, enum sf_invariant inv, const char *fmt, ...);
void __wrap_sf_title(struct sf_judge *j, enum sf_invariant inv, const char *fmt, ...);
void __real_sf_report(struct sf_judge *j, const struct sf_event *ev, uint32_t res, uint32_t other,
		      const char *fmt, ...);
void __wrap_sf_report(struct sf_judge *j, const struct sf_event *ev, uint32_t res, uint32_t other,
		      const char *fmt, ...);
struct sf_boots *__real_sf_boots_create(const struct sf_judge_options *opt);
struct sf_boots *__wrap_sf_boots_create(const struct sf_judge_options *opt);

static const char *target;
static uintptr_t target_site;
static char target_text[2 * SF_TITLE_MAX]; /* as a shell pattern; "": no text */
static const char *rule; /* that is running; NULL: none */
static bool quiet;       /* the title in hand is dropped */
static struct sf_judge_options boots;

/* Any title that has the text in it, whatever stands for its %s. */
static void read_text(const char *text)
{
	size_t n = 0;

	target_text[n++] = '*';
	for (; *text && n + 2 < sizeof(target_text); text++) {
		target_text[n++] = *text == '%' ? '*' : *text;
		if (*text == '%')
			text += strcspn(text, "su");
	}
	target_text[n++] = '*';
}

__attribute__((constructor)) static void read_target(void)
{
	target = getenv("SLABFUZZ_DISARM");
	if (target && !strncmp(target, "0x", 2))
		target_site = (uintptr_t)strtoull(target, NULL, 16);
	if (target && target[0] == '=')
		read_text(target + 1);
	/* These take most of the time, and know no titles. */
	cmocka_set_skip_filter("test_hostile*");
}

#define X(fn)                                                                                \
	unsigned int __real_##fn(struct sf_judge *j, const struct sf_event *ev);             \
	unsigned int __wrap_##fn(struct sf_judge *j, const struct sf_event *ev);             \
	unsigned int __wrap_##fn(struct sf_judge *j, const struct sf_event *ev)              \
	{                                                                                    \
		const char *outer = rule;                                                    \
		unsigned int nr;                                                             \
											     \
		if (target && target[0] == '!' && !strcmp(target + 1, #fn))                  \
			return 0;                                                            \
		rule = #fn;                                                                  \
		nr = __real_##fn(j, ev);                                                     \
		rule = outer;                                                                \
		return nr;                                                                   \
	}
#if __has_include("disarmed_rules.h") /* not where lint looks at this file */
#include "disarmed_rules.h"
#endif
#undef X

/* Is `fn`, sf_mem_12_fail, a rule of this invariant, MEM-12? */
static bool is_of(const char *fn, enum sf_invariant inv)
{
	const char *id = sf_invariants[inv].id;

	if (strncmp(fn, "sf_", 3) != 0)
		return false;
	for (fn += 3; *id; id++, fn++)
		if (*fn != (*id == '-' ? '_' : *id >= 'A' ? *id | 0x20 : *id))
			return false;
	return *fn == '_' || !*fn;
}

static bool disarmed(enum sf_invariant inv, uintptr_t site, const char *title)
{
	if (!target)
		return false;
	if (target_site)
		return site == target_site;
	if (*target_text)
		return !fnmatch(target_text, title, 0);
	return rule ? !strcmp(rule, target) : is_of(target, inv);
}

void __wrap_sf_title(struct sf_judge *j, enum sf_invariant inv, const char *fmt, ...)
{
	uintptr_t site = (uintptr_t)__builtin_return_address(0) - (uintptr_t)__wrap_sf_title;
	char text[SF_TITLE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	quiet = disarmed(inv, site, text);
	if (!quiet)
		__real_sf_title(j, inv, "%s", text);
}

void __wrap_sf_report(struct sf_judge *j, const struct sf_event *ev, uint32_t res, uint32_t other,
		      const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!quiet)
		__real_sf_report(j, ev, res, other, "%s", text);
}

static void pass_on(void *ctx, const struct sf_violation *v)
{
	if (!*target_text || fnmatch(target_text, v->title, 0))
		boots.violation(ctx, v);
}

struct sf_boots *__wrap_sf_boots_create(const struct sf_judge_options *opt)
{
	struct sf_judge_options o = *opt;

	boots = o;
	o.violation = o.violation ? pass_on : NULL;
	return __real_sf_boots_create(&o);
}
