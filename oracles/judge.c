// SPDX-License-Identifier: MIT
/*
 * judge.c - which rules are judged, and dispatch: for each type of event the functions that
 * listing.h lists, in that order, as straight code.
 *
 * What rules need is in their rows of invariants.h: what the source cannot show, or a setting
 * leaves out, is skipped and counted with its reason. Relies on judge.h, listing.h and intake.h;
 * the command, the fuzz targets and the tests use it through oracle.h.
 */
#include "judge.h"

#include <stdlib.h>
#include <string.h>

#include "consistency.h"
#include "designs.h"
#include "hardening.h"
#include "intake.h"
#include "large_rules.h"
#include "listing.h"
#include "malloc_state.h"
#include "oom.h"
#include "report.h"
#include "shadow_mem.h"
#include "sheaf_rules.h"
#include "snap.h"

_Static_assert(SF_INV_COUNT < 128, "invariants are bits of an sf_invariant_set");

/* SF_ONCE_MEM_1: is it skipped once a run, not at each event? So is what the judge never judges. */
enum {
#define X(family, nr, cost, needs, setting, marks, statement, source)                             \
	SF_ONCE_##family##_##nr =                                                                 \
		((marks) & SF_RULE_ONCE) != 0 || SF_COST_##cost == SF_COST_BOOTS,
	SF_INVARIANTS(X)
#undef X
};

#define BIT_OF(family_nr) ((sf_invariant_set)1 << SF_INV_##family_nr)

/* Of all invariants, those whose row says so. */
static const sf_invariant_set once_a_run = 0
#define X(family, nr, cost, needs, setting, marks, statement, source)                             \
	| (SF_ONCE_##family##_##nr ? BIT_OF(family##_##nr) : 0)
	SF_INVARIANTS(X);
#undef X

static const sf_invariant_set about_misuse = 0
#define X(family, nr, cost, needs, setting, marks, statement, source)                             \
	| ((marks) & SF_RULE_MISUSE ? BIT_OF(family##_##nr) : 0)
	SF_INVARIANTS(X);
#undef X

static bool has(sf_invariant_set set, unsigned int inv)
{
	return (bool)(set >> inv & 1);
}

/* What the source cannot show is skipped from here on, with this as the reason. */
static const char *missing_cap(const struct sf_shadow *sh, unsigned int inv)
{
	static const struct {
		uint64_t bit;
		const char *reason;
	} caps[] = {
#define X(id, name, nr, doc) { SF_CAP_##id, "the allocator lacks '" name "'" },
		SF_CAPS(X)
#undef X
	};
	uint64_t needs = sf_invariants[inv].needs, lacks = needs & ~sh->caps;

	if ((sf_invariants[inv].marks & SF_RULE_ADDRESS) && !sh->addresses)
		return "pointers are hashes";
	for (size_t i = 0; lacks && i < sizeof(caps) / sizeof(caps[0]); i++)
		if (lacks & caps[i].bit)
			return caps[i].reason;
	if ((needs & SF_CAP_TRACE) && !sh->zone.on)
		return "the arena's size is unknown";
	return NULL;
}

static const char *missing_setting(const struct sf_settings *set, unsigned int inv)
{
	static const char *const off[] = {
#define X(code, field, def, lo, hi, unit, kernel, doc) [code] = #field " is off",
		SF_SETTINGS(X)
#undef X
	};
	uint8_t setting = sf_invariants[inv].setting;
	uint64_t value = 1;

	if (setting != SF_SET_ANY)
		memcpy(&value, (const char *)set + sf_setting_by_code(setting)->offset,
		       sizeof(value));
	return value ? NULL : off[setting];
}

/* What nothing that the source can do has a rule for. */
static const char *promises_nothing(const struct sf_shadow *sh, unsigned int inv)
{
	if (inv == SF_INV_MEM_3 &&
	    !(sh->caps & (SF_CAP_KMALLOC | SF_CAP_CACHES | SF_CAP_PAGES | SF_CAP_EXACT |
			  SF_CAP_POOLS | SF_CAP_KVMALLOC | SF_CAP_REALLOC_ALIGN)))
		return "promises nothing to judge";
	return NULL;
}

static const char *missing(const struct sf_judge *j, unsigned int inv)
{
	const char *why = NULL;

	if (sf_invariants[inv].cost == SF_COST_BOOTS)
		return "judged over many boots (slabfuzz boots)";
	why = missing_cap(&j->sh, inv);
	if (!why)
		why = promises_nothing(&j->sh, inv);
	return why ? why : missing_setting(&j->sh.set, inv);
}

static void set_active(struct sf_judge *j)
{
	j->active = 0;
	j->missing = 0;
	for (unsigned int inv = 0; inv < SF_INV_COUNT; inv++) {
		if (j->report.opt.only && !has(j->report.opt.only, inv))
			continue;
		j->reason[inv] = missing(j, inv);
		if (j->reason[inv])
			j->missing |= sf_invariant_bit(inv);
		else
			j->active |= sf_invariant_bit(inv);
	}
	j->once = j->missing & once_a_run;
}

static void skip_all(struct sf_judge *j, sf_invariant_set set)
{
	for (unsigned int inv = 0; set; inv++, set >>= 1)
		if (set & 1)
			sf_skip(j, inv, j->reason[inv]);
}

/* HEAP */
void sf_rules_heap(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	set_active(j);
}

/* BEGIN, before the last run's misuse is forgotten. */
void sf_rules_begin(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	if (j->misuse.tainted)
		set_active(j);
	skip_all(j, j->once);
}

/* TAINT, before it is taken in: only the first of a run changes anything. */
void sf_rules_taint(struct sf_judge *j, const struct sf_event *ev)
{
	sf_invariant_set gone = j->active & ~about_misuse;

	(void)ev;
	if (j->misuse.tainted)
		return;
	for (unsigned int inv = 0; inv < SF_INV_COUNT; inv++)
		if (has(gone, inv))
			j->reason[inv] = SF_TAINTED;
	j->active &= about_misuse;
	j->missing |= gone;
	skip_all(j, gone & once_a_run);
}

#define CHECKED(inv, fn) j->report.count[SF_INV_##inv].checked += fn(j, ev)
/* All that are not skipped once a run are judged: nothing to look up for them. */
#define JUDGE(inv, fn)                                                              \
	if (!SF_ONCE_##inv || sf_judges(j, SF_INV_##inv))                           \
		CHECKED(inv, fn);
#define JUDGE_OR_SKIP(inv, fn)                                                      \
	if (sf_judges(j, SF_INV_##inv))                                             \
		CHECKED(inv, fn);                                                   \
	else if (!SF_ONCE_##inv && has(j->missing, SF_INV_##inv))                   \
		sf_skip(j, SF_INV_##inv, j->reason[SF_INV_##inv]);
#define TAKE_IN(fn) fn(j, ev);
#define ALWAYS_BIT(inv, fn) | (SF_ONCE_##inv ? 0 : BIT_OF(inv))
#define NO_BIT(fn)

/* As straight code: this is where the judge's time goes. */
#define X(id, member, doc)                                                          \
	static void run_##id(struct sf_judge *j, const struct sf_event *ev)         \
	{                                                                           \
		const sf_invariant_set all = 0 ON_##id(ALWAYS_BIT, NO_BIT);         \
										    \
		(void)ev;                                                           \
		if ((j->active & all) == all) {                                     \
			ON_##id(JUDGE, TAKE_IN)                                     \
			return;                                                     \
		}                                                                   \
		ON_##id(JUDGE_OR_SKIP, TAKE_IN)                                     \
	}
SF_EVENTS(X)
#undef X

/* A row that is listed nowhere would judge nothing, without a word. */
#define ROW_BIT(inv, fn) | BIT_OF(inv)
_Static_assert((0
#define X(id, member, doc) ON_##id(ROW_BIT, NO_BIT)
	SF_EVENTS(X)
#undef X
#define X(family, nr, cost, needs, setting, marks, statement, source)                             \
	| (SF_COST_##cost == SF_COST_BOOTS ? BIT_OF(family##_##nr) : 0)
	SF_INVARIANTS(X)
#undef X
	) == ((sf_invariant_set)1 << SF_INV_COUNT) - 1, "an invariant is listed under no event");

/* An event without a list is not even looked at. */
#define ONE_RULE(inv, fn) + 1
#define ONE_INTAKE(fn) + 1
static void (*const run[SF_EV_TYPES])(struct sf_judge *j, const struct sf_event *ev) = {
#define X(id, member, doc) [SF_EV_##id] = 0 ON_##id(ONE_RULE, ONE_INTAKE) ? run_##id : NULL,
	SF_EVENTS(X)
#undef X
};

/* Out of the way of the events that follow, which are most. */
__attribute__((noinline)) static void run_first(struct sf_judge *j, const struct sf_event *ev)
{
	sf_op_begin(j, ev);
	run[ev->type](j, ev);
}

void sf_judge_event(void *judge, const struct sf_event *ev)
{
	struct sf_judge *j = judge;
	unsigned int type = ev->type;

	if (type >= SF_EV_TYPES || !run[type])
		return;
	if (type == SF_EV_SNAP_END && !j->snap.open)
		return;
	if (ev->op != j->op.nr)
		run_first(j, ev);
	else
		run[type](j, ev);
}

struct sf_judge *sf_judge_create(const struct sf_judge_options *opt)
{
	size_t bytes = 0;
	struct sf_judge *j = sf_shadow_zalloc(1, sizeof(*j), &bytes);

	if (opt)
		j->report.opt = *opt;
	j->sh.bytes = bytes;
	j->op.nr = SF_NONE;
	j->op.left_id = SF_NONE;
	sf_settings_init(&j->sh.set);
	j->sh.design = sf_design_of(0);
	set_active(j);
	return j;
}

void sf_judge_destroy(struct sf_judge *j)
{
	if (!j)
		return;
	sf_shadow_free(&j->sh);
	sf_snap_free(&j->snap);
	free(j->leaving);
	sf_hardening_free(j);
	sf_needs_free(j);
	sf_movables_free(j);
	sf_places_free(j);
	sf_sheaves_free(j);
	sf_malloc_state_free(j);
	free(j->mapping);
	free(j);
}

const struct sf_oracle_count *sf_judge_counts(const struct sf_judge *j)
{
	return j->report.count;
}

void sf_judge_clear_counts(struct sf_judge *j)
{
	memset(j->report.count, 0, sizeof(j->report.count));
	memset(j->attack, 0, sizeof(j->attack));
	j->ledger = (struct sf_ledger){ 0 };
	j->ooms = (struct sf_ooms){ 0 };
}

const char *sf_judge_lacks(const struct sf_judge *j, enum sf_invariant inv)
{
	return has(j->missing, inv) ? j->reason[inv] : NULL;
}

const struct sf_ledger *sf_judge_ledger(const struct sf_judge *j)
{
	return &j->ledger;
}

const struct sf_reclaim_sums *sf_judge_reclaim(const struct sf_judge *j)
{
	return &j->sums;
}

const struct sf_ooms *sf_judge_ooms(const struct sf_judge *j)
{
	return &j->ooms;
}

const struct sf_attack_count *sf_judge_attacks(const struct sf_judge *j)
{
	return j->attack;
}

void sf_judge_memory(const struct sf_judge *j, size_t *bytes, size_t *live)
{
	*bytes = j->sh.bytes;
	*live = j->sh.live;
}
