// SPDX-License-Identifier: MIT
/*
 * exec_device.c - memory that belongs to a device and dies with it: drivers/base/devres.c, as a
 * user of the allocator.
 *
 * The allocator sees kmalloc() of a struct devres with the memory behind it, from one call site and
 * of one type whatever the driver asked for; so do events. Relies on exec_ops.c; a device's objects
 * are a list from its result, the one allocated last in front.
 */
#include "exec_internal.h"

#define ALLOC_DR 65535 /* the call site: alloc_dr() is where all of it is allocated */

void exec_device_register(struct sf_exec *x, const struct sf_op *op)
{
	*x_slot(x, op->res) = (struct slot){ .kind = SF_RES_DEVICE, .obj = SF_NONE };
}

/* --- the list of a device --- */

static void adopt(struct sf_exec *x, uint32_t device, uint32_t id)
{
	struct slot *d = x_slot(x, device);

	x->obj[id].device = device;
	x->obj[id].next = d->obj;
	d->obj = id;
}

/* What refers to an object in its device's list. */
static uint32_t *link_to(struct sf_exec *x, uint32_t id)
{
	uint32_t *link = &x_slot(x, x->obj[id].device)->obj;

	while (*link != id && *link != SF_NONE)
		link = &x->obj[*link].next;
	return link;
}

void x_device_forget(struct sf_exec *x, uint32_t id)
{
	uint32_t *link = link_to(x, id);

	if (*link == id)
		*link = x->obj[id].next;
	x->obj[id].next = x->obj[id].device = SF_NONE;
}

/* replace_dr(): the new one is released when the old one would have been. */
static void replace(struct sf_exec *x, uint32_t old, uint32_t id)
{
	uint32_t *link = link_to(x, old);

	if (*link != old)
		return;
	*link = id;
	x->obj[id].next = x->obj[old].next;
	x->obj[id].device = x->obj[old].device;
	x->obj[old].next = x->obj[old].device = SF_NONE;
}

/* --- allocations --- */

/* alloc_dr(): what is asked of the allocator, size apart. */
static struct alloc_record devres(const struct sf_exec *x, const struct sf_op *op)
{
	struct alloc_record ar = x_record(x, op, SF_API_KMALLOC);

	ar.rq.type = x->devres;
	ar.rq.token = x->token[x->devres];
	ar.rq.site = ALLOC_DR;
	ar.forced = false;
	return ar;
}

/* The object's id. Nothing at all, and more than there can be, is not asked of the allocator. */
static uint32_t allocate(struct sf_exec *x, const struct sf_op *op, uint64_t n, uint64_t size)
{
	struct alloc_record ar = devres(x, op);
	struct sf_result rs = { .status = SF_NULL };
	uint64_t bytes;
	uint32_t id;

	if (__builtin_mul_overflow(n, size, &bytes) ||
	    __builtin_add_overflow(bytes, sf_types[x->devres].size, &ar.elem)) {
		ar.overflow = true;
		ar.n = n;
		ar.elem = size;
		ar.size = UINT64_MAX;
	} else if (bytes) {
		return x_alloc(x, op, &ar);
	} else {
		ar.elem = 0;
		rs = (struct sf_result){ .status = SF_OK, .addr = SF_ZERO_SIZE_PTR };
	}
	id = x_allocated(x, op, &ar, &rs);
	x_result(x, op, id);
	return id;
}

static void allocate_for(struct sf_exec *x, const struct sf_op *op, uint64_t n, uint64_t size)
{
	uint32_t id;

	if (!x_slot_of(x, op, op->cache, SF_RES_DEVICE))
		return;
	id = allocate(x, op, n, size);
	if (id != SF_NONE)
		adopt(x, op->cache, id);
}

void exec_devm_kmalloc(struct sf_exec *x, const struct sf_op *op)
{
	allocate_for(x, op, 1, op->size);
}

void exec_devm_kmalloc_array(struct sf_exec *x, const struct sf_op *op)
{
	allocate_for(x, op, op->n, op->size);
}

/* --- resizing --- */

/* The size that fits where the object is, the header included; 0: it must move. */
static uint64_t fits(struct sf_exec *x, const struct object *o, uint64_t size)
{
	uint64_t total, room = o->size;

	if (!x_is_real(o->addr) || !x_has(x, SF_CAP_REALLOC) ||
	    __builtin_add_overflow(size, sf_types[x->devres].size, &total))
		return 0;
	if (x_has(x, SF_CAP_USABLE))
		room = x->a->usable(x->heap, o->addr);
	return total <= room ? total : 0;
}

/*
 * The allocator is asked, though devres does not ask it: only so does it know how much of the slot
 * is in use. What there is more than before stays as it is, whatever __GFP_ZERO says.
 */
static void resize(struct sf_exec *x, const struct sf_op *op, uint64_t total)
{
	struct alloc_record ar = devres(x, op);

	ar.elem = total;
	ar.rq.gfp &= ~SF_GFP_ZERO;
	x_realloc(x, op, &ar);
}

void exec_devm_krealloc(struct sf_exec *x, const struct sf_op *op)
{
	uint32_t old, id;
	uint64_t total;

	if (!x_slot_of(x, op, op->cache, SF_RES_DEVICE))
		return;
	if (op->obj == SF_NONE) {
		allocate_for(x, op, 1, op->size);
		return;
	}
	old = x_object_of(x, op, op->obj);
	if (old == SF_NONE)
		return;
	total = op->size ? fits(x, &x->obj[old], op->size) : 0;
	if (total) {
		resize(x, op, total);
		return;
	}
	id = allocate(x, op, 1, op->size);
	if (id == SF_NONE)
		return;
	if (x->obj[old].device != SF_NONE && x_is_real(x->obj[id].addr) &&
	    x_is_real(x->obj[old].addr))
		replace(x, old, id);
	else
		adopt(x, op->cache, id);
	if (x_free_object(x, old, SF_KFREE))
		*x_slot(x, op->obj) = (struct slot){ 0 };
}

/* --- the end --- */

void exec_devm_kfree(struct sf_exec *x, const struct sf_op *op)
{
	uint32_t id;

	if (!x_slot_of(x, op, op->cache, SF_RES_DEVICE))
		return;
	id = x_object_or_skip(x, op);
	if (id == SF_NONE)
		return;
	if (x_free_object(x, id, SF_KFREE))
		*x_slot(x, op->obj) = (struct slot){ 0 };
}

/* devres_release_all(): the last one first. */
void x_device_release(struct sf_exec *x, uint32_t device)
{
	uint32_t id;

	while ((id = x_slot(x, device)->obj) != SF_NONE) {
		struct slot *s = x_slot(x, x->obj[id].res);

		if (!x_free_object(x, id, SF_KFREE))
			x_device_forget(x, id);
		else if (x_has_objects(s) && s->obj == id)
			*s = (struct slot){ 0 };
	}
	*x_slot(x, device) = (struct slot){ 0 };
}

void exec_device_unregister(struct sf_exec *x, const struct sf_op *op)
{
	if (x_slot_of(x, op, op->cache, SF_RES_DEVICE))
		x_device_release(x, op->cache);
}
