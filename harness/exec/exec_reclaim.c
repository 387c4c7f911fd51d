// SPDX-License-Identifier: MIT
/*
 * exec_reclaim.c - what goes without its user's call: reclaim, ownership, grace periods, migration;
 * memory cgroups, and failures as debugfs injects them.
 *
 * The allocator calls back in the midst of another operation (struct sf_user): each object that
 * goes is verified before, and emitted after. An object's id is its cookie. What a broken allocator
 * says of objects that are none, or are elsewhere, is emitted as it is: oracles judge it. Relies on
 * exec.c's tables; rows of SF_OPS lead here.
 */
#include "exec_internal.h"

/* The object that the allocator means, or NULL: it is dead, or at another address. */
static struct object *meant(struct sf_exec *x, uint32_t cookie, uint64_t addr)
{
	struct object *o = cookie < x->nr_objs ? &x->obj[cookie] : NULL;

	return o && o->alive && o->addr == addr ? o : NULL;
}

/* Its result stands for nothing from here on. */
static void forget_result(struct sf_exec *x, uint32_t id)
{
	struct slot *s = x_slot(x, x->obj[id].res);

	if (x_has_objects(s) && s->obj == id)
		*s = (struct slot){ 0 };
}

static void going(void *exec, uint32_t cookie, uint64_t addr, enum sf_free_how how)
{
	struct sf_exec *x = exec;

	if (meant(x, cookie, addr)) {
		x->leaving = x_free_event(x, cookie);
	} else {
		x->leaving = (struct sf_event){ .type = SF_EV_FREE, .cpu = x->cpu, .op = x->op };
		x->leaving.free = (struct sf_ev_free){ .id = cookie, .res = SF_NONE, .addr = addr,
						       .cache = SF_NONE, .bad = SF_GOOD,
						       .known = true };
	}
	x->leaving.free.how = (uint8_t)how;
}

static void gone(void *exec, uint32_t cookie, uint64_t addr, enum sf_status status)
{
	struct sf_exec *x = exec;
	bool known = meant(x, cookie, addr) != NULL;

	x->leaving.free.status = (uint8_t)status;
	x_emit(x, &x->leaving);
	if (!known)
		return;
	if (status == SF_NOTICED) {
		if (x->lab)
			x_lab_release(x, x->obj[cookie].res);
		return;
	}
	if (!x->obj[cookie].deferred)
		forget_result(x, cookie);
	x_object_drop(x, cookie);
}

static void deferred(void *exec, uint32_t cookie, uint64_t addr, enum sf_free_how how)
{
	struct sf_exec *x = exec;
	struct object *o = meant(x, cookie, addr);
	uint64_t verified = 0, bad = SF_GOOD;

	if (o) {
		bad = x_bad(x, o, o->size, &verified);
		o->deferred = true;
		forget_result(x, cookie);
	}
	X_EMIT(x, DEFER, defer, .id = cookie, .res = o ? o->res : SF_NONE, .addr = addr,
	       .how = (uint8_t)how, .bad = bad, .verified = verified);
}

static void moved(void *exec, uint32_t cookie, uint64_t from, uint64_t to)
{
	struct sf_exec *x = exec;
	struct object *o = meant(x, cookie, from);
	uint64_t verified = 0, bad = SF_GOOD;

	if (o) {
		o->addr = to;
		bad = x_bad(x, o, o->size, &verified);
	}
	X_EMIT(x, MIGRATE, migrate, .id = cookie, .from = from, .to = to, .bad = bad,
	       .verified = verified);
}

void x_user_open(struct sf_exec *x)
{
	x->user = (struct sf_user){ .going = going, .gone = gone, .deferred = deferred,
				    .moved = moved, .midst = x_pool_midst, .ctx = x };
	if (x->a->caps & (SF_CAP_RECLAIM | SF_CAP_RCU | SF_CAP_COMPACT | SF_CAP_POOLS))
		x->a->set_user(x->heap, &x->user);
}

void x_track(struct sf_exec *x, uint32_t id, bool lru)
{
	x->a->track(x->heap, x->obj[id].addr, id, lru);
	x->obj[id].tracked = true;
}

/* --- reclaim --- */

/* An object that reclaim can know of; else the operation is skipped. */
static uint32_t real_object(struct sf_exec *x, const struct sf_op *op, uint32_t res)
{
	uint32_t id;

	if (res == SF_NONE) {
		x_skip(x, op, SF_SKIP_NULL);
		return SF_NONE;
	}
	id = x_object_of(x, op, res);
	if (id == SF_NONE || x_is_real(x->obj[id].addr))
		return id;
	x_skip(x, op, SF_SKIP_NULL);
	return SF_NONE;
}

static void know(struct sf_exec *x, uint32_t id)
{
	if (!x->obj[id].tracked)
		x_track(x, id, false);
}

void exec_owns(struct sf_exec *x, const struct sf_op *op)
{
	uint32_t a, b;

	a = real_object(x, op, op->obj);
	b = a == SF_NONE ? SF_NONE : real_object(x, op, op->obj2);
	if (b == SF_NONE)
		return;
	/* Memory of a device goes with its device, and not otherwise. */
	if (x->obj[a].device != SF_NONE || x->obj[b].device != SF_NONE) {
		x_skip(x, op, SF_SKIP_REFUSED);
		return;
	}
	know(x, a);
	know(x, b);
	if (x->a->owns(x->heap, x->obj[a].addr, x->obj[b].addr))
		X_EMIT(x, OWNS, owns, .owner = a, .owned = b);
	else
		x_skip(x, op, SF_SKIP_REFUSED);
}

static void set_pin(struct sf_exec *x, uint32_t id, bool on)
{
	know(x, id);
	x->a->pin(x->heap, x->obj[id].addr, on);
	x->obj[id].pinned = on;
	X_EMIT(x, PIN, pin, .id = id, .on = on);
}

void exec_pin(struct sf_exec *x, const struct sf_op *op)
{
	uint32_t id = real_object(x, op, op->obj);

	if (id != SF_NONE)
		set_pin(x, id, op->code == SF_OP_PIN);
}

/* While its user works on it, nothing else may take it. */
bool x_hold(struct sf_exec *x, uint32_t id)
{
	if (!x->obj[id].tracked || x->obj[id].pinned || !x_has(x, SF_CAP_RECLAIM))
		return false;
	x->a->pin(x->heap, x->obj[id].addr, true);
	return true;
}

void exec_shrinker(struct sf_exec *x, const struct sf_op *op)
{
	const struct sf_shrinker how = { .seeks = op->order, .batch = op->count, .rcu = op->flag };
	const struct slot *s;

	s = x_slot_of(x, op, op->cache, SF_RES_CACHE);
	if (s && s->flags & SF_SLAB_RECLAIM_ACCOUNT)
		x->a->shrinker(x->heap, s->cache, &how);
	else if (s)
		x_skip(x, op, SF_SKIP_REFUSED);
}

void exec_shrink_all(struct sf_exec *x, const struct sf_op *op)
{
	x->out.ret = (int64_t)x->a->shrink(x->heap, op->n);
}

void exec_kswapd(struct sf_exec *x, const struct sf_op *op)
{
	(void)op;
	x->a->kswapd(x->heap);
}

void exec_compact(struct sf_exec *x, const struct sf_op *op)
{
	(void)op;
	x->a->compact(x->heap);
}

/* --- grace periods --- */

void exec_kfree_rcu(struct sf_exec *x, const struct sf_op *op)
{
	struct sf_result rs = { .status = SF_OK };
	const struct object *o;
	uint64_t addr;
	uint32_t id;

	if (op->obj == SF_NONE)
		return; /* include/linux/rcupdate.h: nothing is queued */
	id = real_object(x, op, op->obj);
	if (id == SF_NONE)
		return;
	know(x, id);
	addr = x->obj[id].addr;
	x->a->free(x->heap, addr, SF_KFREE_RCU, &rs);
	x->out.status = rs.status;
	o = meant(x, id, addr);
	if (o && !o->deferred && rs.status == SF_OK)
		deferred(x, id, addr, SF_KFREE_RCU); /* its user has let go, whoever forgets it */
}

void exec_grace_period(struct sf_exec *x, const struct sf_op *op)
{
	(void)op;
	x->a->grace_period(x->heap);
}

void exec_rcu_barrier(struct sf_exec *x, const struct sf_op *op)
{
	(void)op;
	x->a->rcu_barrier(x->heap);
}

/* --- groups --- */

/* The group of a reference, SF_NONE: the root. False: it is gone, and the operation is skipped. */
static bool group_of(struct sf_exec *x, const struct sf_op *op, uint32_t *group)
{
	const struct slot *s;

	*group = SF_NONE;
	if (op->obj2 == SF_NONE)
		return true;
	s = x_slot_of(x, op, op->obj2, SF_RES_MEMCG);
	if (s)
		*group = s->cache;
	return s != NULL;
}

void exec_memcg_create(struct sf_exec *x, const struct sf_op *op)
{
	uint64_t max = op->size ? op->size : UINT64_MAX;
	uint32_t parent, id;

	if (!group_of(x, op, &parent))
		return;
	id = x->a->memcg_create(x->heap, parent, max);
	x->out.status = id == SF_NONE ? SF_NULL : SF_OK;
	X_EMIT(x, MEMCG, memcg, .act = SF_MEMCG_CREATE, .status = x->out.status, .id = id,
	       .parent = parent, .max = max);
	*x_slot(x, op->res) = (struct slot){ .kind = id == SF_NONE ? SF_RES_NONE : SF_RES_MEMCG,
					     .cache = id, .obj = SF_NONE };
}

void exec_memcg_set(struct sf_exec *x, const struct sf_op *op)
{
	uint32_t id;

	if (!group_of(x, op, &id))
		return;
	x->a->memcg_set(x->heap, id);
	X_EMIT(x, MEMCG, memcg, .act = SF_MEMCG_SET, .status = SF_OK, .id = id, .parent = SF_NONE);
}

void exec_memcg_destroy(struct sf_exec *x, const struct sf_op *op)
{
	uint32_t id;

	if (op->obj2 == SF_NONE) {
		x_skip(x, op, SF_SKIP_NULL);
		return;
	}
	if (!group_of(x, op, &id))
		return;
	x->out.status = (uint8_t)x->a->memcg_destroy(x->heap, id);
	X_EMIT(x, MEMCG, memcg, .act = SF_MEMCG_DESTROY, .status = x->out.status, .id = id,
	       .parent = SF_NONE);
	if (x->out.status == SF_OK)
		*x_slot(x, op->obj2) = (struct slot){ 0 };
}

/* --- failures, overcommit --- */

void exec_fault_attr(struct sf_exec *x, const struct sf_op *op)
{
	const struct sf_fault_attr attr = { .probability = op->cpu, .interval = op->count,
					    .times = op->n, .space = op->size,
					    .min_order = op->order, .wait = op->flag };

	x->a->fault_attr(x->heap, op->fault, &attr);
}

void exec_vm_enough_memory(struct sf_exec *x, const struct sf_op *op)
{
	x->out.status = (uint8_t)x->a->vm_enough_memory(x->heap, op->n);
	X_EMIT(x, ASK, ask, .pages = op->n, .status = x->out.status);
}
