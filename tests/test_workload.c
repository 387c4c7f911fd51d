// SPDX-License-Identifier: MIT
/*
 * test_workload.c - families of programs and views of memory: what parameters promise is in the
 * program, and what a snapshot holds is in the shapes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/measure/meminfo.h"
#include "../harness/generate/workload.h"

static unsigned int count(const struct sf_prog *p, enum sf_opcode code)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < p->nr_ops; i++)
		n += p->ops[i].code == code;
	return n;
}

static void make(struct sf_prog *p, const struct sf_workload_options *opt)
{
	assert_string_equal(sf_workloads[0].name, "dentry");
	sf_workloads[0].make(p, opt);
}

/* Every name of 40 bytes and more is an object of its own, of 25 bytes more than it. */
static void names_are_owned(void **state)
{
	struct sf_workload_options opt;
	struct sf_prog p;

	(void)state;
	sf_workload_defaults(&opt);
	opt.files = 500;
	opt.shortest = 39;
	opt.longest = 40;
	opt.negative = 100;
	sf_prog_init(&p);
	make(&p, &opt);
	assert_in_range(count(&p, SF_OP_OWNS), 150, 350);
	for (uint32_t i = 0; i < p.nr_ops; i++)
		if (p.ops[i].code == SF_OP_KMALLOC && p.ops[i].gfp & SF_GFP_RECLAIMABLE)
			assert_int_equal(p.ops[i].size, 65);
	assert_int_equal(count(&p, SF_OP_PIN), 0);
	sf_prog_free(&p);
}

static void short_names_are_not(void **state)
{
	struct sf_workload_options opt;
	struct sf_prog p;

	(void)state;
	sf_workload_defaults(&opt);
	opt.files = 200;
	opt.shortest = 8;
	opt.longest = 39;
	opt.negative = 0;
	opt.open = 0;
	opt.unlink = 0;
	sf_prog_init(&p);
	make(&p, &opt);
	assert_int_equal(count(&p, SF_OP_OWNS), 200); /* inodes */
	assert_int_equal(count(&p, SF_OP_CACHE_FREE), 0);
	sf_prog_free(&p);
}

/* A program is valid as it is: the fix-up has nothing to do. */
static void program_is_valid(void **state)
{
	struct sf_workload_options opt;
	struct sf_prog p, q;
	uint8_t *bytes;
	size_t len;

	(void)state;
	sf_workload_defaults(&opt);
	opt.rcu = 1;
	opt.files = 300;
	sf_prog_init(&p);
	sf_prog_init(&q);
	make(&p, &opt);
	assert_int_equal(count(&p, SF_OP_SHRINKER), 1);
	assert_true(count(&p, SF_OP_GRACE_PERIOD) > 4);
	len = sf_bytes_encode(&p, NULL, 0);
	bytes = malloc(len);
	assert_non_null(bytes);
	sf_bytes_encode(&p, bytes, len);
	sf_bytes_decode(&q, bytes, len, 0);
	assert_int_equal(sf_prog_fixup(&q), 0);
	assert_true(sf_prog_equal(&p, &q));
	free(bytes);
	sf_prog_free(&p);
	sf_prog_free(&q);
}

static void make_named(struct sf_prog *p, const char *name, const struct sf_workload_options *opt)
{
	const struct sf_workload *w = sf_workload_by_name(name);

	assert_non_null(w);
	assert_null(sf_workload_by_name("nonesuch"));
	sf_prog_init(p);
	w->make(p, opt);
}

/* What the text says is what was made. */
static void assert_valid(const struct sf_prog *p)
{
	struct sf_text_error err;
	struct sf_prog q;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	sf_text_write(p, out);
	fclose(out);
	sf_prog_init(&q);
	if (sf_text_parse(&q, text, len, &err))
		fail_msg("%u:%u: %s", err.line, err.col, err.text);
	assert_int_equal(sf_prog_fixup(&q), 0);
	assert_true(sf_prog_equal(p, &q));
	sf_prog_free(&q);
	free(text);
}

/* Clients have caches of their own, of sizes that are no powers of two. */
static void buffers_are_of_odd_sizes(void **state)
{
	struct sf_workload_options opt;
	struct sf_prog p;

	(void)state;
	sf_workload_defaults(&opt);
	opt.min_order = 9;
	make_named(&p, "buffers", &opt);
	assert_int_equal(count(&p, SF_OP_CACHE_CREATE), 4);
	for (uint32_t i = 0; i < p.nr_ops; i++)
		if (p.ops[i].code == SF_OP_CACHE_CREATE) {
			assert_true(p.ops[i].size & (p.ops[i].size - 1));
			assert_int_equal(p.ops[i].align, 4096);
			assert_int_equal(p.ops[i].cpu, 9);
		}
	assert_true(count(&p, SF_OP_CACHE_ALLOC) > 50);
	assert_int_equal(count(&p, SF_OP_CACHE_ALLOC), count(&p, SF_OP_CACHE_FREE));
	assert_true(count(&p, SF_OP_SHRINK) > 0);
	assert_true(count(&p, SF_OP_FREE_PAGES) > 100);
	assert_valid(&p);
	sf_prog_free(&p);
}

static void buffers_come_from_kmalloc(void **state)
{
	struct sf_workload_options opt;
	struct sf_prog p;

	(void)state;
	sf_workload_defaults(&opt);
	opt.size = 655360;
	opt.kmalloc = 1;
	opt.keep = 1;
	opt.noise = 0;
	opt.blocks = 20;
	make_named(&p, "buffers", &opt);
	assert_int_equal(count(&p, SF_OP_CACHE_CREATE), 0);
	assert_int_equal(count(&p, SF_OP_KMALLOC), 20);
	assert_int_equal(count(&p, SF_OP_ALLOC_PAGES), 0);
	for (uint32_t i = 0; i < p.nr_ops; i++)
		if (p.ops[i].code == SF_OP_KMALLOC)
			assert_int_equal(p.ops[i].size, 655360);
	assert_valid(&p);
	sf_prog_free(&p);
	opt.kmalloc = 2;
	make_named(&p, "buffers", &opt);
	assert_int_equal(count(&p, SF_OP_KVMALLOC), 20);
	assert_int_equal(count(&p, SF_OP_KVFREE), 20);
	assert_valid(&p);
	sf_prog_free(&p);
}

/* Every second reload is a whole policy: a new pool, and the old one goes. */
static void policies_are_sealed_and_reloaded(void **state)
{
	struct sf_workload_options opt;
	struct sf_prog p;

	(void)state;
	sf_workload_defaults(&opt);
	opt.rules = 64;
	opt.reloads = 5;
	make_named(&p, "policydb", &opt);
	assert_int_equal(count(&p, SF_OP_POOL_CREATE), 3);
	assert_int_equal(count(&p, SF_OP_POOL_PROTECT), 3);
	assert_int_equal(count(&p, SF_OP_POOL_DESTROY), 3);
	assert_int_equal(count(&p, SF_OP_PCALLOC), 3);
	assert_int_equal(count(&p, SF_OP_RARE_WRITE), 3 * 64 / 16);
	assert_int_equal(count(&p, SF_OP_WRITE), 3);
	assert_int_equal(count(&p, SF_OP_VERIFY), 6 * 2 * 4 * 64);
	assert_valid(&p);
	sf_prog_free(&p);
}

static void faults_are_told(void **state)
{
	struct sf_workload_options opt;

	(void)state;
	sf_workload_defaults(&opt);
	assert_null(sf_workload_fault(&opt));
	opt.longest = opt.shortest - 1;
	assert_non_null(sf_workload_fault(&opt));
}

static void emit(struct sf_meminfo *m, struct sf_event ev)
{
	sf_meminfo_event(m, &ev);
}

static char *printed(const struct sf_meminfo *m,
		     void (*print)(const struct sf_meminfo *m, FILE *out))
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	print(m, out);
	fclose(out);
	return text;
}

static void snapshot(struct sf_meminfo *m)
{
	struct sf_settings set;

	sf_settings_init(&set);
	emit(m, (struct sf_event){ .type = SF_EV_HEAP, .heap = { .settings = &set } });
	emit(m, (struct sf_event){ .type = SF_EV_BEGIN });
	emit(m, (struct sf_event){ .type = SF_EV_MAP, .map = { .pages = 3 } });
	emit(m, (struct sf_event){ .type = SF_EV_MAP, .map = { .pages = 2 } });
	emit(m, (struct sf_event){ .type = SF_EV_UNMAP, .map = { .pages = 3 } });
	emit(m, (struct sf_event){ .type = SF_EV_SNAP_BEGIN, .snap = { .managed = 2000 } });
	emit(m, (struct sf_event){ .type = SF_EV_SNAP_BLOCK,
				   .snapblock = { .order = 3, .list = SF_MIGRATE_MOVABLE } });
	emit(m, (struct sf_event){ .type = SF_EV_SNAP_BLOCK,
				   .snapblock = { .order = 3, .list = SF_MIGRATE_RECLAIMABLE } });
	emit(m, (struct sf_event){ .type = SF_EV_SNAP_PAGEBLOCK,
				   .snappb = { .migratetype = SF_MIGRATE_RECLAIMABLE } });
	emit(m, (struct sf_event){ .type = SF_EV_SNAP_COUNTERS,
				   .counters = { .nr_free_pages = 16, .nr_slab_reclaimable = 5,
						 .nr_slab_unreclaimable = 7, .mem_available = 11,
						 .nr_kernel_misc_reclaimable = 2 } });
}

static void shapes_of_memory(void **state)
{
	struct sf_meminfo m = { 0 };
	char *text;

	(void)state;
	snapshot(&m);
	assert_true(m.complete);
	text = printed(&m, sf_meminfo_meminfo);
	assert_string_equal(text, "MemTotal:           8000 kB\nMemFree:              64 kB\n"
				  "MemAvailable:         44 kB\nKReclaimable:         28 kB\n"
				  "Slab:                 48 kB\nSReclaimable:         20 kB\n"
				  "SUnreclaim:           28 kB\nVmallocUsed:           8 kB\n");
	free(text);
	text = printed(&m, sf_meminfo_buddyinfo);
	assert_string_equal(text, "Node 0, zone   Normal      0      0      0      2      0      0 "
				  "     0      0      0      0      0 \n");
	free(text);
	assert_int_equal(sf_meminfo_blocks(&m, SF_MIGRATE_MOVABLE), 3);
	assert_int_equal(sf_meminfo_blocks(&m, SF_MIGRATE_RECLAIMABLE), 1);
	text = printed(&m, sf_meminfo_vmstat);
	assert_non_null(strstr(text, "nr_kernel_misc_reclaimable 2\n"));
	free(text);
	text = printed(&m, sf_meminfo_pagetypeinfo);
	assert_non_null(strstr(text, "type  Reclaimable      0      0      0      1 "));
	free(text);
	/* the next snapshot begins at nothing */
	emit(&m, (struct sf_event){ .type = SF_EV_SNAP_BEGIN, .snap = { .managed = 2000 } });
	assert_false(m.complete);
	assert_int_equal(sf_meminfo_free(&m, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_owned),
		cmocka_unit_test(short_names_are_not),
		cmocka_unit_test(program_is_valid),
		cmocka_unit_test(buffers_are_of_odd_sizes),
		cmocka_unit_test(buffers_come_from_kmalloc),
		cmocka_unit_test(policies_are_sealed_and_reloaded),
		cmocka_unit_test(faults_are_told),
		cmocka_unit_test(shapes_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
