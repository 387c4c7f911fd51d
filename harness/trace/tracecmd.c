// SPDX-License-Identifier: MIT
/*
 * tracecmd.c - decodes trace.dat (trace-cmd record, trace-cmd extract) through libtracecmd.
 *
 * Records are merged over CPUs by time and decoded from their binary fields. Bit positions of gfp
 * flags are the recorded kernel's own: they are translated by the names in the event's format. The
 * library trusts what it is given, so this runs in the process that dat.c makes for it. Relies on
 * libtracecmd and libtraceevent; dat.c relies on it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

#ifdef SF_HAVE_TRACECMD
#include <trace-cmd.h>

#define SITE_MAX 256u

/*
 * SF_DAT_FIELDS(X): X(field in the record, name in the event's format)
 */
#define SF_DAT_FIELDS(X)           \
	X(ptr, "ptr")              \
	X(pfn, "pfn")              \
	X(order, "order")          \
	X(migratetype, "migratetype") \
	X(gfp, "gfp_flags")        \
	X(bytes_req, "bytes_req")  \
	X(bytes_alloc, "bytes_alloc") \
	X(accounted, "accounted")  \
	X(site, "call_site")       \
	X(page, "page")            \
	X(node, "node")            \
	X(cache, "name")

enum field {
#define X(field, name) F_##field,
	SF_DAT_FIELDS(X)
#undef X
	FIELDS,
};

#define NEED(f) (1u << F_##f)
#define NEED_OBJ (NEED(ptr) | NEED(bytes_req) | NEED(bytes_alloc) | NEED(gfp))

static const struct {
	const char *name;
	uint32_t need;
	uint8_t kind;
	bool node, batched;
} dat_events[] = {
	{ "kmalloc", NEED_OBJ, SF_TRACE_KMALLOC, false, false },
	{ "kmalloc_node", NEED_OBJ, SF_TRACE_KMALLOC, true, false },
	{ "kfree", NEED(ptr), SF_TRACE_KFREE, false, false },
	{ "kmem_cache_alloc", NEED_OBJ, SF_TRACE_CACHE_ALLOC, false, false },
	{ "kmem_cache_alloc_node", NEED_OBJ, SF_TRACE_CACHE_ALLOC, true, false },
	{ "kmem_cache_free", NEED(ptr), SF_TRACE_CACHE_FREE, false, false },
	/* Of pages, kernels to 3.18 have the descriptor for the frame. */
	{ "mm_page_alloc", NEED(order) | NEED(gfp), SF_TRACE_PAGE_ALLOC, false, false },
	{ "mm_page_free", NEED(order), SF_TRACE_PAGE_FREE, false, false },
	{ "mm_page_free_direct", NEED(order), SF_TRACE_PAGE_FREE, false, false },
	{ "mm_page_free_batched", 0, SF_TRACE_PAGE_FREE, false, true },
	{ "mm_pagevec_free", 0, SF_TRACE_PAGE_FREE, false, true },
};
#define EVENTS (sizeof(dat_events) / sizeof(dat_events[0]))

struct kind {
	int id;                          /* of the event in this file, -1: not recorded */
	struct tep_format_field *field[FIELDS];
	uint32_t gfp[64];                /* our bits for each bit of the recorded kernel */
	const char *name[64];            /* of those that mean nothing here */
	bool gfp_named;                  /* the format names its bits */
};

struct sf_tcmd {
	struct tracecmd_input *in;
	struct tep_handle *tep;
	char *name;
	int cpus;
	struct tep_record **head;        /* next of each CPU */
	struct kind kind[EVENTS];
	uint64_t nr;                     /* events read */
	bool started;
	char site[SITE_MAX], cache[SITE_MAX];
};

/* The flag list of a __print_flags() anywhere in a print format. */
static const struct tep_print_flag_sym *find_flags(const struct tep_print_arg *arg, int depth)
{
	const struct tep_print_flag_sym *f = NULL;

	for (; arg && !f && depth < 32; arg = arg->next) {
		if (arg->type == TEP_PRINT_FLAGS)
			return arg->flags.flags;
		if (arg->type == TEP_PRINT_OP) {
			f = find_flags(arg->op.left, depth + 1);
			if (!f)
				f = find_flags(arg->op.right, depth + 1);
		} else if (arg->type == TEP_PRINT_TYPE) {
			f = find_flags(arg->typecast.item, depth + 1);
		}
	}
	return f;
}

static void map_gfp(struct kind *k, const struct tep_event *ev)
{
	const struct tep_print_flag_sym *f = find_flags(ev->print_fmt.args, 0);

	for (; f; f = f->next) {
		char *end;
		unsigned long long v = strtoull(f->value, &end, 0);
		bool known;
		uint32_t bits = sf_tr_gfp_name(f->str, strlen(f->str), &known);

		/* Composites follow from their bits. */
		if (*end || !v || (v & (v - 1)))
			continue;
		k->gfp[__builtin_ctzll(v)] = bits;
		k->name[__builtin_ctzll(v)] = known ? NULL : f->str;
		k->gfp_named = true;
	}
}

static uint32_t translate_gfp(const struct kind *k, uint64_t gfp, struct sf_tr_notes *notes)
{
	uint32_t out = 0;

	if (!k->gfp_named)
		return sf_tr_gfp_raw(gfp, notes);
	for (; gfp; gfp &= gfp - 1) {
		unsigned int bit = (unsigned int)__builtin_ctzll(gfp);

		out |= k->gfp[bit];
		if (!k->name[bit])
			continue;
		notes->unknown_gfp++;
		sf_tr_tally(&notes->heard->gfp, k->name[bit], strlen(k->name[bit]));
	}
	return out;
}

static int find_events(struct sf_tcmd *d, struct sf_error *err)
{
	static const char *const names[FIELDS] = {
#define X(field, name) name,
		SF_DAT_FIELDS(X)
#undef X
	};
	unsigned int found = 0;

	for (size_t i = 0; i < EVENTS; i++) {
		struct kind *k = &d->kind[i];
		struct tep_event *ev = tep_find_event_by_name(d->tep, "kmem", dat_events[i].name);

		k->id = -1;
		if (!ev)
			continue;
		for (int f = 0; f < FIELDS; f++) {
			k->field[f] = tep_find_field(ev, names[f]);
			if (!k->field[f] && (dat_events[i].need >> f & 1))
				return sf_tr_error(err, d->name, 0, "kmem:%s has no field %s",
						   dat_events[i].name, names[f]);
		}
		k->id = ev->id;
		map_gfp(k, ev);
		found++;
	}
	return found ? 0 : sf_tr_error(err, d->name, 0, "its kernel's kmem events are not in it: "
				       "no memory event was recorded (trace-cmd record -e kmem)");
}

struct sf_tcmd *sf_tcmd_open(int fd, const char *name, struct sf_error *err)
{
	struct sf_tcmd *d = sf_tr_alloc(sizeof(*d));

	memset(d, 0, sizeof(*d));
	d->name = strcpy(sf_tr_alloc(strlen(name) + 1), name);
	/* What goes wrong is said once, by us. */
	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	d->in = tracecmd_open_fd(fd, TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!d->in) {
		close(fd);
		sf_tr_error(err, name, 0,
			    "libtracecmd cannot read it: broken, or of a newer version");
		goto fail;
	}
	d->tep = tracecmd_get_tep(d->in);
	d->cpus = tep_get_cpus(d->tep);
	if (d->cpus < 1 || d->cpus > (int)SF_TR_CPU_MAX + 1) {
		sf_tr_error(err, name, 0, "number of CPUs out of range");
		goto fail;
	}
	d->head = calloc((size_t)d->cpus, sizeof(struct tep_record *));
	if (!d->head) {
		sf_tr_error(err, name, 0, "out of memory");
		goto fail;
	}
	if (!find_events(d, err))
		return d;
fail:
	sf_tcmd_close(d);
	return NULL;
}

static void drop_heads(struct sf_tcmd *d)
{
	for (int cpu = 0; d->head && cpu < d->cpus; cpu++) {
		if (d->head[cpu])
			tracecmd_free_record(d->head[cpu]);
		d->head[cpu] = NULL;
	}
}

void sf_tcmd_close(struct sf_tcmd *d)
{
	if (!d)
		return;
	drop_heads(d);
	free(d->head);
	if (d->in)
		tracecmd_close(d->in);
	free(d->name);
	free(d);
}

/* The earliest event of any CPU, the caller's to free. */
static struct tep_record *next_record(struct sf_tcmd *d)
{
	struct tep_record *rec = NULL;
	int best = -1;

	for (int cpu = 0; !d->started && cpu < d->cpus; cpu++)
		d->head[cpu] = tracecmd_read_cpu_first(d->in, cpu);
	d->started = true;
	for (int cpu = 0; cpu < d->cpus; cpu++)
		if (d->head[cpu] && (best < 0 || d->head[cpu]->ts < d->head[best]->ts))
			best = cpu;
	if (best >= 0) {
		rec = d->head[best];
		d->head[best] = tracecmd_read_data(d->in, best);
	}
	return rec;
}

static bool number(const struct kind *k, enum field f, const struct tep_record *rec,
		   unsigned long long *v)
{
	struct tep_format_field *field = k->field[f];

	*v = 0;
	if (!field)
		return true;
	if (field->offset < 0 || field->size < 0 || field->offset + field->size > rec->size)
		return false;
	return !tep_read_number_field(field, rec->data, v);
}

/* A string of the record: an offset and a length, or an array. */
static bool text(const struct kind *k, enum field f, const struct tep_record *rec, char *out,
		 size_t cap)
{
	const struct tep_format_field *field = k->field[f];
	unsigned long long at, len;

	*out = '\0';
	if (!field)
		return true;
	at = (unsigned long long)field->offset;
	len = (unsigned long long)field->size;
	if (field->flags & TEP_FIELD_IS_DYNAMIC) {
		unsigned long long loc;

		if (!number(k, f, rec, &loc))
			return false;
		at = loc & 0xffff;
		len = loc >> 16 & 0xffff;
	}
	if (at + len > (unsigned long long)rec->size)
		return false;
	if (len >= cap)
		len = cap - 1;
	memcpy(out, (const char *)rec->data + at, len);
	out[len] = '\0';
	return true;
}

static const char *symbol(struct sf_tcmd *d, unsigned long long addr)
{
	const char *fn = tep_find_function(d->tep, addr);

	if (!fn)
		snprintf(d->site, sizeof(d->site), "0x%llx", addr);
	else
		snprintf(d->site, sizeof(d->site), "%.200s+0x%llx", fn,
			 addr - tep_find_function_address(d->tep, addr));
	return d->site;
}

static const char *check(const struct sf_trace_record *rec, unsigned long long order,
			 unsigned long long type)
{
	if (order > SF_TR_ORDER_MAX)
		return "order out of range";
	if (type > 15)
		return "migratetype out of range";
	if (rec->pfn != SF_NO_PFN && rec->pfn > SF_TR_PFN_MAX)
		return "pfn out of range";
	if (rec->ptr && (rec->kind == SF_TRACE_KMALLOC || rec->kind == SF_TRACE_CACHE_ALLOC) &&
	    (rec->bytes_alloc > SF_TR_BYTES_MAX || rec->bytes_req > SF_TR_BYTES_MAX))
		return "bytes out of range";
	return NULL;
}

/* A damaged event: counted, the first one kept to be reported. */
static int lose(const struct sf_tcmd *d, enum sf_tr_damage damage, const char *why,
		struct sf_tr_notes *notes)
{
	notes->damage[damage]++;
	if (!notes->heard->damage_line) {
		notes->heard->damage_line = d->nr;
		snprintf(notes->heard->damage_why, SF_TR_WHY_MAX, "%s", why);
	}
	return 0;
}

/* 1: a record; 0: one that cannot be read. */
static int decode(struct sf_tcmd *d, size_t event, struct tep_record *r,
		  struct sf_trace_record *rec, struct sf_tr_notes *notes)
{
	const struct kind *k = &d->kind[event];
	unsigned long long v[FIELDS];
	const char *bad = NULL;

	for (int f = 0; f < FIELDS; f++)
		if (f != F_cache && !number(k, (enum field)f, r, &v[f]))
			bad = "cut off";
	if (!text(k, F_cache, r, d->cache, sizeof(d->cache)))
		bad = "cut off";
	if (bad)
		return lose(d, SF_TR_CUT, "an event is shorter than its format says", notes);
	memset(rec, 0, sizeof(*rec));
	rec->kind = dat_events[event].kind;
	rec->node = dat_events[event].node || k->field[F_node];
	rec->batched = dat_events[event].batched;
	rec->line = d->nr;
	rec->cpu = (uint32_t)r->cpu;
	rec->pid = tep_data_pid(d->tep, r);
	rec->comm = tep_data_comm_from_pid(d->tep, rec->pid);
	rec->time_ns = r->ts;
	rec->ptr = v[F_ptr];
	rec->pfn = v[F_pfn];
	rec->page = v[F_page];
	rec->bytes_req = v[F_bytes_req];
	rec->bytes_alloc = v[F_bytes_alloc];
	rec->order = (uint8_t)v[F_order];
	rec->migratetype = (uint8_t)v[F_migratetype];
	rec->gfp = translate_gfp(k, v[F_gfp], notes);
	rec->accounted = k->field[F_accounted] ? v[F_accounted] != 0 :
						 (rec->gfp & SF_GFP_ACCOUNT) != 0;
	rec->site = k->field[F_site] ? symbol(d, v[F_site]) : "";
	rec->cache = d->cache;
	if (rec->kind == SF_TRACE_PAGE_ALLOC || rec->kind == SF_TRACE_PAGE_FREE)
		sf_tr_page_frame(rec, k->field[F_pfn], k->field[F_page]);
	bad = check(rec, v[F_order], v[F_migratetype]);
	return bad ? lose(d, SF_TR_BAD, bad, notes) : 1;
}

static void note_other(struct sf_tcmd *d, int type, struct sf_tr_notes *notes)
{
	struct tep_event *ev = tep_find_event(d->tep, type);
	const char *name = ev && ev->name ? ev->name : "(unnamed)";

	notes->foreign++;
	notes->other_events++;
	sf_tr_tally(&notes->heard->events, name, strlen(name));
}

int sf_tcmd_read(struct sf_tcmd *d, struct sf_trace_record *rec, struct sf_tr_notes *notes,
		struct sf_error *err)
{
	struct tep_record *r;

	(void)err;
	notes->cpus = (uint32_t)d->cpus;
	while ((r = next_record(d))) {
		int type = tep_data_type(d->tep, r), ret = 0;
		size_t i;

		d->nr++;
		if (r->missed_events)
			notes->lost += r->missed_events > 0 ? (uint64_t)r->missed_events : 1;
		for (i = 0; i < EVENTS && d->kind[i].id != type; i++)
			;
		if (i < EVENTS)
			ret = decode(d, i, r, rec, notes);
		else
			note_other(d, type, notes);
		tracecmd_free_record(r);
		if (ret)
			return ret;
	}
	return 0;
}

#endif
