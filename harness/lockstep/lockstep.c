// SPDX-License-Identifier: MIT
/*
 * lockstep.c - lockstep.h: steps all members, then holds each against the first. What runs another
 * program (relations.h), or elsewhere, has done all of it before.
 */
#include "lockstep.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "observe.h"
#include "room.h"

struct side {
	struct sf_lockstep *all;
	const struct sf_member *of;
	uint32_t nr;
	struct sf_exec *exec; /* NULL until the first program says what heap it wants */
	struct sf_tape *tape; /* in a worker, or under a relation; in place of exec */
	struct sf_related related; /* what its relation made of the program in hand */
	struct sf_outcome out; /* of the operation in hand */
	struct sf_settings set;
	struct sf_observer seen;
	bool over;            /* it blocked: it goes no further ... */
	bool gone;            /* ... in what was put in, as it may */
	bool moved;           /* the operation in hand was exchanged with a neighbour */
	bool scarce;          /* in this program a NULL of its may be for want of room */
};

/* The first member and another one. */
struct pair {
	sf_property_set claimed, may; /* both claim it; it may differ */
	sf_property_set ended;        /* in this program */
	bool diverged;                /* in this program */
	bool over;
	struct sf_compared count[SF_PROPERTY_COUNT];
};

struct sf_lockstep {
	struct sf_lockstep_options opt;
	uint32_t nr;
	uint64_t caps; /* of all */
	bool taped;    /* some have tapes, of programs that are whole */
	bool alone;    /* one allocator and its relations: nothing is left out */
	uint64_t reduced;
	struct side side[SF_MEMBERS_MAX];
	struct pair pair[SF_MEMBERS_MAX]; /* of 0 and this one; [0] is not used */
	bool differs; /* in this program ... */
	struct sf_difference first; /* ... here first */
	bool stopped; /* in the midst of this program */
	const struct sf_op *op; /* in hand, and its number among those that all carry out */
	uint32_t at;
	/* In workers: the program without what is left out, and which results are. */
	struct sf_prog reduced_to; /* its strings are another's */
	bool *lost;
	uint32_t nr_lost, cap_lost;
	char title[160], key[160];
};

const char *const sf_uncompared_names[SF_UNCOMPARED_COUNT] = {
#define X(id, name, doc) name,
	SF_UNCOMPARED(X)
#undef X
};

static void listen(void *ctx, const struct sf_event *ev)
{
	struct side *s = ctx;
	const struct sf_lockstep_options *opt = &s->all->opt;

	sf_observe_event(&s->seen, ev);
	if (opt->event)
		opt->event(opt->ctx, s->nr, ev);
}

static struct sf_tape *create_tape(const struct sf_member *m, const struct sf_lockstep_options *o)
{
	struct sf_tape_options opt = {
		.exec = o->exec, .here = true,
		.no_whole = sf_relation_reach(m->relation, m->allocator) & SF_PROP(WHOLE),
	};

	if (o->worker)
		opt = *o->worker;
	sf_relation_exec(m->relation, &opt.exec);
	return o->worker || m->relation ? sf_tape_create(m->allocator, &opt) : NULL;
}

/* Builds have one name, too: what it can do says that it is the first one. */
static bool is_same(const struct sf_members *members, uint32_t i)
{
	const struct sf_allocator *first = members->m[0].allocator, *a = members->m[i].allocator;

	return first->caps == a->caps && !strcmp(first->name, a->name);
}

/* Each but the first is that one under a relation. */
static bool is_alone(const struct sf_members *members)
{
	for (uint32_t i = 1; i < members->nr; i++)
		if (!members->m[i].relation || !is_same(members, i))
			return false;
	return true;
}

static bool can_relate(const struct sf_members *members, const struct sf_lockstep_options *opt,
		       struct sf_error *err)
{
	bool any = false, strange = false;

	for (uint32_t i = 0; i < members->nr; i++) {
		bool related = members->m[i].relation != SF_RELATION_NONE;

		any |= related;
		strange |= related && (!i || !is_same(members, i));
	}
	if (strange)
		snprintf(err->text, sizeof(err->text),
			 "relation=: the first member is that allocator, without a relation");
	else if (any && (opt->exec.walk_every || opt->exec.check_every))
		snprintf(err->text, sizeof(err->text),
			 "no snapshots every so many operations: related programs have others");
	else
		return true;
	return false;
}

struct sf_lockstep *sf_lockstep_create(const struct sf_members *members,
				       const struct sf_lockstep_options *opt,
				       struct sf_error *err)
{
	struct sf_lockstep *l;

	if (members->nr < 2 || members->nr > SF_MEMBERS_MAX) {
		snprintf(err->text, sizeof(err->text), "%u members: 2 to %u can be compared",
			 members->nr, SF_MEMBERS_MAX);
		return NULL;
	}
	if (!can_relate(members, opt, err))
		return NULL;
	l = sf_zalloc(1, sizeof(*l));
	l->opt = *opt;
	l->nr = members->nr;
	l->caps = UINT64_MAX;
	for (uint32_t i = 0; i < l->nr; i++) {
		const struct sf_allocator *a = members->m[i].allocator;

		l->side[i].all = l;
		l->side[i].nr = i;
		l->side[i].of = &members->m[i];
		l->caps &= a->caps;
		l->pair[i].claimed = sf_properties_claimed(members->m[0].allocator, a);
		l->side[i].tape = create_tape(&members->m[i], opt);
		l->taped |= l->side[i].tape != NULL;
	}
	l->alone = is_alone(members);
	return l;
}

void sf_lockstep_destroy(struct sf_lockstep *l)
{
	for (uint32_t i = 0; i < l->nr; i++) {
		if (l->side[i].exec)
			sf_exec_destroy(l->side[i].exec);
		if (l->side[i].tape)
			sf_tape_free(l->side[i].tape);
		sf_observer_free(&l->side[i].seen);
		sf_related_free(&l->side[i].related);
	}
	l->reduced_to.strings = NULL;
	sf_prog_free(&l->reduced_to);
	free(l->lost);
	free(l);
}

static void reduce(const struct sf_lockstep *l, struct sf_settings *set)
{
	for (size_t i = 0; i < sf_setting_count; i++) {
		const struct sf_setting_info *info = &sf_setting_table[i];

		for (uint32_t m = 0; m < l->nr; m++)
			if (!(l->side[m].of->allocator->settings >> info->code & 1))
				*sf_setting_slot(set, info) = info->def;
	}
	sf_settings_fixup(set);
}

bool sf_lockstep_settings(const struct sf_lockstep *l, const struct sf_settings *of,
			  const struct sf_overrides *more, struct sf_settings *set,
			  struct sf_error *err)
{
	for (uint32_t i = 0; i < l->nr; i++) {
		const char *fault = NULL;

		set[i] = *of;
		reduce(l, &set[i]);
		if (more)
			fault = sf_overrides_apply(more, &set[i]);
		if (!fault)
			fault = sf_overrides_apply(&l->side[i].of->overrides, &set[i]);
		if (!fault)
			continue;
		snprintf(err->text, sizeof(err->text), "%.60s: %.130s", l->side[i].of->label,
			 fault);
		return false;
	}
	return true;
}

static bool open_side(struct side *s, const struct sf_settings *set, struct sf_error *err)
{
	const struct sf_allocator *a = s->of->allocator;

	if (s->tape) {
		sf_tape_renew(s->tape);
		s->set = *set;
		return true;
	}
	if (!s->exec)
		s->exec = sf_exec_create(a, set, &s->all->opt.exec, listen, s, err);
	else if (!sf_exec_open(s->exec, a, set, err))
		return false;
	s->set = *set;
	return s->exec;
}

bool sf_lockstep_open(struct sf_lockstep *l, const struct sf_settings *set, struct sf_error *err)
{
	for (uint32_t i = 0; i < l->nr; i++)
		if (!open_side(&l->side[i], &set[i], err))
			return false;
	return true;
}

/* The heaps that this program wants. */
static bool open_heaps(struct sf_lockstep *l, const struct sf_settings *set, struct sf_error *err)
{
	for (uint32_t i = 0; i < l->nr; i++) {
		struct side *s = &l->side[i];

		if ((s->exec || s->tape) && !memcmp(&s->set, &set[i], sizeof(s->set)))
			continue;
		if (!open_side(s, &set[i], err))
			return false;
	}
	return true;
}

static void begin(struct sf_lockstep *l, const char *name)
{
	struct side *first = &l->side[0];

	l->stopped = l->differs = false;
	l->side[0].seen.whole = false;
	for (uint32_t i = 0; i < l->nr; i++) {
		struct side *s = &l->side[i];
		struct pair *p = &l->pair[i];

		s->over = s->gone = s->moved = s->scarce = false;
		sf_observe_begin(&s->seen);
		if (s->exec)
			sf_exec_begin(s->exec, name);
		p->may = sf_may_differ(first->of->allocator, &first->set, s->of->allocator,
				       &s->set,
				       sf_relation_reach(s->of->relation, s->of->allocator));
		p->ended = 0;
		p->diverged = p->over = false;
		s->seen.whole = i && !(p->may & SF_PROP(WHOLE));
		first->seen.whole |= s->seen.whole;
	}
}

/* The value that differs; one behind the end of a list has the name of the other's. */
static const char *value_name(const struct sf_observer *a, const struct sf_observer *b,
			      enum sf_property p, uint32_t index)
{
	const struct sf_seen *longer = index < a->seen[p].nr ? &a->seen[p] : &b->seen[p];

	return longer->v[index].what;
}

/* A value without its numbers: "N", "kmalloc-N". */
static void put_value(char buf[40], const char *value)
{
	size_t n = 0;

	for (; *value && n < 39; value++) {
		if (!isdigit((unsigned char)*value))
			buf[n++] = *value;
		else if (!n || buf[n - 1] != 'N')
			buf[n++] = 'N';
	}
	buf[n] = 0;
}

static void put_titles(struct sf_lockstep *l, const struct sf_divergence *d, const char *after)
{
	const char *a = l->side[d->a].of->label, *b = l->side[d->b].of->label;
	const char *name = sf_properties[d->property].name;
	char a_key[40], b_key[40];

	put_value(a_key, d->a_has);
	put_value(b_key, d->b_has);
	if (l->side[d->b].of->relation) {
		b = sf_relations[l->side[d->b].of->relation].name;
		snprintf(l->title, sizeof(l->title), "relation %s: %s: %s, %s after %s", b, name,
			 d->a_has, d->b_has, after);
		snprintf(l->key, sizeof(l->key), "relation %s: %s: %s, %s after %s", b, name,
			 a_key, b_key, after);
		return;
	}
	snprintf(l->title, sizeof(l->title), "diff %s: %s %s, %s %s after %s", name, a, d->a_has, b,
		 d->b_has, after);
	snprintf(l->key, sizeof(l->key), "diff %s: %s %s, %s %s after %s", name, a, a_key, b,
		 b_key, after);
}

static void diverge(struct sf_lockstep *l, uint32_t b, enum sf_property p, uint32_t index,
		    const struct sf_op *op, uint32_t nr)
{
	const struct sf_observer *x = &l->side[0].seen, *y = &l->side[b].seen;
	struct pair *pair = &l->pair[b];
	char a_buf[40], b_buf[40];
	struct sf_divergence d = {
		.op = nr, .property = (uint8_t)p, .a = 0, .b = b,
		.what = value_name(x, y, p, index),
		.a_has = sf_value_text(&x->seen[p], index, a_buf),
		.b_has = sf_value_text(&y->seen[p], index, b_buf),
		.consequence = pair->diverged, .title = l->title, .key = l->key,
	};

	put_titles(l, &d, op ? sf_op_table[op->code].name : "the end");
	if (!l->differs)
		l->first = (struct sf_difference){ .property = (uint8_t)p, .b = b };
	l->differs = pair->diverged = true;
	pair->count[p].diverged++;
	pair->ended |= (sf_property_set)1 << p;
	/* Elsewhere means elsewhere from now on; and what one has and the other has not ... */
	if (sf_properties[p].group == SF_GROUP_LAYOUT || p == SF_PROP_RESULT)
		pair->ended |= sf_property_group(SF_GROUP_LAYOUT);
	if (p == SF_PROP_RESULT)
		pair->ended |= SF_ROOM;
	if (l->opt.diverged)
		l->opt.diverged(l->opt.ctx, &d);
}

/*
 * Two builds of one allocator have the same room. Where half of it is more than all that was asked
 * for, freed or not, none can be short of it, wherever its objects lie.
 */
static bool is_roomy(const struct sf_lockstep *l, uint32_t b)
{
	const struct side *side[2] = { &l->side[0], &l->side[b] };

	if (!sf_same_room(side[0]->of->allocator, side[1]->of->allocator))
		return false;
	for (int i = 0; i < 2; i++) {
		const struct sf_observer *seen = &side[i]->seen;

		if (seen->asked + seen->asking > side[i]->set.pages * SF_PAGE_SIZE / 2)
			return false;
	}
	return true;
}

/* In a worker: a fresh one is asked. Once it had none, it may have had none again. */
static bool had_room(struct sf_lockstep *l, struct side *mine, const struct side *other)
{
	if (!l->opt.worker || l->alone || !mine->tape || !other->tape || mine->scarce ||
	    mine->of->relation || other->of->relation || !l->op)
		return false;
	if (!sf_room_had(mine->of->allocator, l->opt.worker, &mine->set, &l->reduced_to, l->at,
			 other->tape))
		mine->scarce = true;
	return !mine->scarce;
}

/* What does not fit in a counter is refused by who has counters. */
static bool is_counters(const struct sf_lockstep *l, uint32_t b)
{
	uint64_t differ = l->side[0].of->allocator->caps ^ l->side[b].of->allocator->caps;

	return l->op && sf_op_table[l->op->code].flags & SF_OPF_FLEX && differ & SF_CAP_FLEX;
}

/*
 * Results that differ are legal where one of them may have less room, and its NULL has a reason
 * that it told of, or it tells nothing.
 */
static bool short_of_room(struct sf_lockstep *l, uint32_t b)
{
	struct side *side[2] = { &l->side[0], &l->side[b] };

	/* A setting says who gets what. */
	if (l->pair[b].may & SF_PROP(RESULT) || is_counters(l, b))
		return true;
	/* INDEX: who had to move (krealloc_node_align()) can fail. */
	if (!(l->pair[b].may & (SF_PROP(PLACE) | SF_PROP(INDEX))))
		return false;
	for (int i = 0; i < 2; i++) {
		const struct sf_outcome *mine = &side[i]->out;
		const struct sf_outcome *other = &side[!i]->out;

		if (mine->status != SF_NULL && mine->status != SF_BLOCKED)
			continue;
		if (other->status == mine->status)
			continue;
		return side[i]->seen.short_of_memory ||
		       (!(side[i]->of->allocator->caps & SF_CAP_TRACE) && !is_roomy(l, b) &&
			!had_room(l, side[i], side[!i]));
	}
	/* How far a bulk got, or what was noticed: neither is a NULL with a reason. */
	return l->pair[b].may & SF_PROP(PLACE);
}

/* Everything that hangs on what one has and the other has not. */
static void part(struct pair *pair)
{
	pair->ended |= sf_property_group(SF_GROUP_LAYOUT) | SF_ROOM;
}

static void skip(struct pair *pair, enum sf_uncompared why)
{
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++)
		pair->count[p].skipped[why]++;
}

static void hold_property(struct sf_lockstep *l, uint32_t b, enum sf_property p,
			  const struct sf_op *op, uint32_t nr)
{
	const struct sf_observer *x = &l->side[0].seen, *y = &l->side[b].seen;
	sf_property_set bit = (sf_property_set)1 << p;
	struct pair *pair = &l->pair[b];
	struct sf_compared *count = &pair->count[p];
	uint32_t index;

	if (!x->seen[p].nr && !y->seen[p].nr)
		return;
	if (!(pair->claimed & bit)) {
		count->skipped[SF_UNCOMPARED_CLAIM]++;
		return;
	}
	if (pair->ended & bit) {
		count->skipped[SF_UNCOMPARED_ENDED]++;
		return;
	}
	if (p == SF_PROP_LIVE && l->side[b].moved) {
		count->skipped[SF_UNCOMPARED_DIFFER]++;
		return;
	}
	/* Who has less room is looked at where it shows (parted()). */
	if (p != SF_PROP_RESULT && pair->may & bit) {
		count->skipped[SF_UNCOMPARED_DIFFER]++;
		return;
	}
	index = sf_observed_differ(x, y, p);
	if (index == UINT32_MAX)
		count->compared++;
	else
		diverge(l, b, p, index, op, nr);
}

/* An injected failure hit one of them, or both, but not in the same attempt. */
static bool chance_parts(const struct sf_observer *x, const struct sf_observer *y)
{
	return x->faults != y->faults ||
	       (x->faults && sf_observed_differ(x, y, SF_PROP_EVENTS) != UINT32_MAX);
}

/*
 * Did they part here, and legally? One did not carry the operation out, or had no room for it; or
 * an object had to move in one alone, for its index is another (krealloc_node_align()); or chance
 * made it fail in one alone, and they draw differently.
 */
static bool parted(struct sf_lockstep *l, uint32_t b, const struct sf_op *op)
{
	const struct side *x = &l->side[0], *y = &l->side[b];
	struct pair *pair = &l->pair[b];
	/* Who makes no effort has what lies ready, and nobody says that nothing did. */
	bool effortless = op && op->code == SF_OP_KMALLOC_NOLOCK && pair->may & SF_PROP(PLACE);

	if (op && x->out.skipped != y->out.skipped)
		return true;
	/* A slab of an order that per-CPU lists have: made by who had none with a free object. */
	if (effortless && sf_observed_differ(&x->seen, &y->seen, SF_PROP_SLAB) != UINT32_MAX)
		pair->ended |= SF_PROP(SLAB);
	if (pair->may & SF_PROP(INDEX) &&
	    (x->seen.moved != y->seen.moved || chance_parts(&x->seen, &y->seen))) {
		pair->ended |= sf_property_group(SF_GROUP_CHOICE);
		return true;
	}
	return op && sf_observed_differ(&x->seen, &y->seen, SF_PROP_RESULT) != UINT32_MAX &&
	       (effortless || short_of_room(l, b));
}

/* What one has and the other has not is looked at by a check, and freed with its owner. */
static bool is_of_all(const struct sf_op *op)
{
	return !op || op->code == SF_OP_CHECK || sf_op_table[op->code].flags & SF_OPF_ENDS;
}

/* No want of room explains it. */
static bool is_no_result(const struct sf_observer *o)
{
	return sf_observed_crash(o) || sf_observed_nowhere(o);
}

/*
 * A crash of one of them alone is no NULL for want of room: it differs, whatever may differ and
 * has ended, unless misuse or a real difference came before. So does an address of nothing.
 */
static bool hold_crash(struct sf_lockstep *l, uint32_t b, const struct sf_op *op, uint32_t nr)
{
	const struct sf_observer *x = &l->side[0].seen, *y = &l->side[b].seen;
	struct pair *pair = &l->pair[b];
	uint32_t index;

	if (!is_no_result(x) && !is_no_result(y))
		return false;
	index = sf_observed_differ(x, y, SF_PROP_RESULT);
	if (index == UINT32_MAX || pair->ended == ~(sf_property_set)0)
		return false;
	if (pair->diverged && pair->ended & SF_PROP(RESULT))
		return false;
	diverge(l, b, SF_PROP_RESULT, index, op, nr);
	return true;
}

static void hold_pair(struct sf_lockstep *l, uint32_t b, const struct sf_op *op, uint32_t nr)
{
	struct pair *pair = &l->pair[b];
	const struct side *x = &l->side[0], *y = &l->side[b];

	pair->over = x->over || y->over;
	if (y->gone) {
		skip(pair, SF_UNCOMPARED_OPERATION);
		return;
	}
	/* What a misuse reaches is as different as they are. */
	if (pair->may && (x->seen.tainted || y->seen.tainted))
		pair->ended = ~(sf_property_set)0;
	if (pair->may & SF_PROP(PLACE) && (x->seen.was_short || y->seen.was_short))
		pair->ended |= SF_ROOM;
	if (hold_crash(l, b, op, nr))
		return;
	if (parted(l, b, op)) {
		skip(pair, SF_UNCOMPARED_OPERATION);
		part(pair);
		return;
	}
	if (pair->ended & SF_PROP(LIVE) && is_of_all(op)) {
		skip(pair, SF_UNCOMPARED_ENDED);
		return;
	}
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++)
		hold_property(l, b, (enum sf_property)p, op, nr);
}

static void hold(struct sf_lockstep *l, const struct sf_op *op, uint32_t nr)
{
	for (uint32_t b = 1; b < l->nr && !l->stopped; b++)
		if (!l->pair[b].over)
			hold_pair(l, b, op, nr);
}

static void see_live(struct side *s)
{
	struct sf_exec_counts counts;

	sf_exec_counts(s->exec, &counts);
	sf_observe_value(&s->seen, SF_PROP_LIVE, "objects", counts.live);
}

/*
 * Its tape ends before operation `at`, in one that was put in. A crash there is shown where the
 * next operation is; blocked, or refused by ending the process as its traits allow, it is gone.
 */
static void play_last(struct side *s)
{
	static const struct sf_value none;
	const struct sf_seen *result = &s->seen.seen[SF_PROP_RESULT];
	const struct sf_value *last = &none;
	uint32_t steps = sf_tape_steps(s->tape);

	if (steps)
		sf_tape_play(s->tape, steps - 1, &s->seen, &s->out);
	if (result->nr)
		last = &result->v[result->nr - 1];
	s->gone = !last->what || strcmp(last->what, "crash");
}

static bool play_side(struct side *s, uint32_t at)
{
	if (s->of->relation && at != SF_NONE) {
		s->moved = sf_related_moved(&s->related, at);
		at = s->related.at[at];
		if (at >= sf_tape_steps(s->tape)) {
			play_last(s);
			return false;
		}
	}
	return sf_tape_play(s->tape, at, &s->seen, &s->out);
}

/* `at`: its number among those that all can carry out. False: the member goes no further. */
static bool step_side(struct side *s, const struct sf_prog *p, uint32_t nr, uint32_t at)
{
	bool going;

	if (s->tape)
		return play_side(s, at);
	going = sf_exec_step(s->exec, &p->ops[nr], p->strings);
	s->out = *sf_exec_outcome(s->exec);
	see_live(s);
	return going;
}

static void step(struct sf_lockstep *l, const struct sf_prog *p, uint32_t nr, uint32_t at)
{
	l->op = &p->ops[nr];
	l->at = at;
	for (uint32_t i = 0; i < l->nr; i++) {
		struct side *s = &l->side[i];

		sf_observe_begin(&s->seen);
		if (!s->over && !l->stopped)
			s->over = !step_side(s, p, nr, at);
	}
	hold(l, &p->ops[nr], nr);
}

static bool goes_on(const struct sf_lockstep *l)
{
	for (uint32_t b = 1; b < l->nr && !l->stopped; b++)
		if (!l->pair[b].over)
			return true;
	return false;
}

static void end(struct sf_lockstep *l)
{
	for (uint32_t i = 0; i < l->nr && !l->stopped; i++) {
		struct side *s = &l->side[i];

		sf_observe_begin(&s->seen);
		if (s->tape)
			play_side(s, SF_NONE);
		else
			sf_exec_end(s->exec);
	}
	l->op = NULL;
	hold(l, NULL, SF_NONE);
}

/* References of an operation are in these members, where its row has an argument that is one. */
static bool refers(const struct sf_op *op, bool (*is)(const struct sf_lockstep *l, uint32_t res),
		   const struct sf_lockstep *l)
{
	static const size_t at[SF_ARG_KINDS] = {
#define X(kind, field, width, doc) [SF_ARG_##kind] = offsetof(struct sf_op, field),
		SF_ARGS(X)
#undef X
	};
	const struct sf_arg_info *a = sf_op_table[op->code].arg;

	for (; a->kind != SF_ARG_END; a++) {
		if ((at[a->kind] == offsetof(struct sf_op, obj) && is(l, op->obj)) ||
		    (at[a->kind] == offsetof(struct sf_op, obj2) && is(l, op->obj2)) ||
		    (at[a->kind] == offsetof(struct sf_op, cache) && is(l, op->cache)))
			return true;
	}
	return false;
}

static bool is_lost(const struct sf_lockstep *l, uint32_t res)
{
	return res < l->nr_lost && l->lost[res];
}

/* One of them cannot carry it out; or it is about what such an operation would have given. */
static bool is_left_out(struct sf_lockstep *l, const struct sf_op *op)
{
	bool out = sf_exec_needs(op->code) & ~l->caps;

	if (l->alone)
		return false;
	/* Processes of their own get whole programs, which must be sound. */
	if (!l->taped)
		return out;
	out = out || refers(op, is_lost, l);
	if (op->res == SF_NONE || sf_op_table[op->code].res == SF_RES_NONE)
		return out;
	while (l->nr_lost <= op->res) {
		SF_GROW(l->lost, l->nr_lost, l->cap_lost);
		l->lost[l->nr_lost++] = false;
	}
	l->lost[op->res] = out;
	return out;
}

/* What a side makes of it, all at once. */
static bool record_side(struct side *s, const struct sf_prog *p, const char *name,
			struct sf_error *err)
{
	const struct sf_relation_info *r = &sf_relations[s->of->relation];
	uint32_t rounds = 1;

	if (s->of->relation) {
		if (!r->make(p, s->of->allocator, &s->related, err))
			return false;
		p = &s->related.prog;
		rounds = r->rounds;
	}
	while (rounds--)
		if (!sf_tape_record(s->tape, p, name, &s->set, err))
			return false;
	return true;
}

/* The program without what is left out. False with one line in `err`: there is no such one. */
static bool reduce_program(struct sf_lockstep *l, const struct sf_prog *p, struct sf_error *err)
{
	struct sf_prog *r = &l->reduced_to;
	uint32_t dropped = 0;

	r->settings = p->settings;
	r->nr_ops = l->nr_lost = 0;
	r->nr_res = p->nr_res;
	r->strings = p->strings;
	r->nr_strings = p->nr_strings;
	for (uint32_t nr = 0; nr < p->nr_ops; nr++) {
		if (is_left_out(l, &p->ops[nr]))
			continue;
		SF_GROW(r->ops, r->nr_ops, r->cap_ops);
		r->ops[r->nr_ops++] = p->ops[nr];
	}
	if (r->nr_ops < p->nr_ops)
		dropped = sf_prog_fixup(r);
	if (dropped) {
		snprintf(err->text, sizeof(err->text),
			 "%u operations hang on others that not all members can carry out",
			 dropped);
		return false;
	}
	l->nr_lost = 0;
	return true;
}

/* All of it at once. False: no heap, or no such program can be. */
static bool record(struct sf_lockstep *l, const struct sf_prog *p, const char *name,
		   struct sf_error *err)
{
	if (!l->taped)
		return true;
	if (!l->alone && !reduce_program(l, p, err))
		return false;
	for (uint32_t i = 0; i < l->nr; i++)
		if (l->side[i].tape &&
		    !record_side(&l->side[i], l->alone ? p : &l->reduced_to, name, err))
			return false;
	return true;
}

int64_t sf_lockstep_run(struct sf_lockstep *l, const struct sf_prog *p, const char *name,
			const struct sf_settings *set, struct sf_error *err)
{
	int64_t done = 0;

	if (!open_heaps(l, set, err) || !record(l, p, name, err))
		return -1;
	begin(l, name);
	for (uint32_t nr = 0; nr < p->nr_ops && goes_on(l); nr++) {
		if (is_left_out(l, &p->ops[nr])) {
			l->reduced++;
			continue;
		}
		step(l, p, nr, (uint32_t)done);
		done++;
	}
	end(l);
	return done;
}

bool sf_lockstep_first(const struct sf_lockstep *l, struct sf_difference *d)
{
	*d = l->first;
	return l->differs;
}

bool sf_lockstep_keeps(struct sf_lockstep *l, const struct sf_prog *p,
		       const struct sf_overrides *more, const struct sf_difference *d)
{
	struct sf_settings set[SF_MEMBERS_MAX];
	struct sf_error err;

	return sf_lockstep_settings(l, &p->settings, more, set, &err) &&
	       sf_lockstep_run(l, p, NULL, set, &err) >= 0 && l->differs &&
	       l->first.property == d->property && l->first.a == d->a && l->first.b == d->b;
}

void sf_lockstep_stop(struct sf_lockstep *l)
{
	l->stopped = true;
	for (uint32_t i = 0; i < l->nr; i++)
		if (l->side[i].exec)
			sf_exec_stop(l->side[i].exec);
}

void sf_lockstep_set_end(struct sf_lockstep *l, enum sf_end how)
{
	l->opt.exec.end = (uint8_t)how;
	for (uint32_t i = 0; i < l->nr; i++) {
		if (l->side[i].exec)
			sf_exec_set_end(l->side[i].exec, how);
		if (l->side[i].tape)
			sf_tape_set_end(l->side[i].tape, how);
	}
}

const struct sf_compared *sf_lockstep_counts(const struct sf_lockstep *l, uint32_t b,
					     enum sf_property p)
{
	return b && b < l->nr ? &l->pair[b].count[p] : NULL;
}

void sf_lockstep_totals(const struct sf_lockstep *l, uint64_t *compared, uint64_t *skipped)
{
	*compared = *skipped = 0;
	for (uint32_t b = 1; b < l->nr; b++) {
		for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++) {
			const struct sf_compared *c = &l->pair[b].count[p];

			*compared += c->compared + c->diverged;
			for (unsigned int r = 0; r < SF_UNCOMPARED_COUNT; r++)
				*skipped += c->skipped[r];
		}
	}
}

uint64_t sf_lockstep_reduced(const struct sf_lockstep *l)
{
	return l->reduced;
}
