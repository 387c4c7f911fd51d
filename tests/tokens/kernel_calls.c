// SPDX-License-Identifier: MIT
/*
 * kernel_calls.c - the kernel's calls as clang 22 compiles them: the token that the compiler infers
 * for each call is the one of its event, and that of the type table.
 *
 * Compiled by clang 22 with -falloc-token-max=16 and linked with the library, by
 * tests/e2e_tokens.sh; speaks TAP. Types come from harness/program/type_defs.h: of those names the
 * table has these.
 */
#include <stdio.h>
#include <string.h>

#include "../../harness/exec/kernel.h"
#include "../../harness/program/token.h"
#include "../../harness/program/type_defs.h"

/* The last allocation that was told. */
static struct sf_ev_alloc told;

static void on_event(void *ctx, const struct sf_event *ev)
{
	(void)ctx;
	if (ev->type == SF_EV_ALLOC || ev->type == SF_EV_REALLOC)
		told = ev->alloc;
}

static uint32_t number_of(const char *type)
{
	/* In C11 bool is a macro, and the words of these rows are expanded ones. */
	if (!strcmp(type, "_Bool"))
		type = "bool";
	return sf_type_index(sf_type_by_name(type, strlen(type)));
}

static unsigned int tests, wrong;

static void check(const char *call, const void *p, int due)
{
	int good = p && told.addr && told.forced && told.token == due;

	wrong += !good;
	printf("%sok %u - %s: token %u\n", good ? "" : "not ", ++tests, call, told.token);
	if (!good)
		printf("# due: token %d; %s, %s\n", due, p ? "not NULL" : "NULL",
		       told.forced ? "from the compiler" : "not from the compiler");
	memset(&told, 0, sizeof(told));
	kvfree(p);
}

static int due(const char *type)
{
	uint32_t number = number_of(type);

	if (!number)
		printf("# the table has no %s\n", type);
	return number ? sf_type_token(number) : -1;
}

/* TYPES(X): X(type) of the table. */
#define TYPES(X)                                                                              \
	X(char) X(s8) X(u8) X(short) X(u16) X(int) X(u32) X(long) X(unsigned long) X(s64)     \
	X(u64) X(bool) X(gfp_t) X(uintptr_t) X(handle_word_t) X(enum node_state) X(double)    \
	X(char[32]) X(u8[256]) X(int[10]) X(struct extent[4]) X(void *) X(void *[4])          \
	X(char *[16]) X(struct cred *) X(struct io_vector[8]) X(work_func_t)                  \
	X(notifier_fn_t) X(struct list_head) X(struct rcu_head) X(struct rb_node)             \
	X(struct kobject) X(struct cred) X(const struct cred) X(struct qstr)                  \
	X(struct dentry) X(struct external_name) X(struct file) X(struct inode)               \
	X(struct sk_buff) X(struct msg_msg) X(struct tty_buffer) X(struct stat_counters)      \
	X(const struct stat_counters) X(struct extent) X(struct disk_inode)                   \
	X(struct ether_header) X(struct posix_acl) X(struct fpu_state) X(union ktime_value)   \
	X(struct with_uintptr) X(struct hidden_long) X(struct scatter_table)                  \
	X(union payload) X(struct big_buffer) X(struct dma_ring) X(struct atomic_link)

/* Each type through calls that name it, and one that has its size. */
static void check_types(void)
{
#define X(T)                                                                     \
	check("kmalloc_obj(" #T ")", kmalloc_obj(T), due(#T));                   \
	check("kvzalloc_objs(" #T ")", kvzalloc_objs(T, 3, GFP_ATOMIC), due(#T));\
	check("kzalloc(sizeof(" #T "))", kzalloc(sizeof(T), GFP_KERNEL), due(#T));
	TYPES(X)
#undef X
}

static void check_flexible(void)
{
	size_t n = tests % 100;

#define FLEX(T, member)                                                                   \
	check("kmalloc_flex(" #T ")", kmalloc_flex(T, member, n), due(#T));               \
	check("kvzalloc_flex(" #T ")", kvzalloc_flex(T, member, 3, GFP_KERNEL), due(#T)); \
	check("kmalloc(struct_size_t(" #T ", 4))",                                        \
	      kmalloc(struct_size_t(T, member, 4), GFP_KERNEL), due(#T))
	FLEX(struct posix_acl, entries);
	FLEX(struct key_payload, data);
	FLEX(struct bitmap, words);
	FLEX(struct fprog, insns);
	FLEX(struct fdtable, fd);
	FLEX(struct page_vector, pages);
	FLEX(struct scatter_table, entry);
	FLEX(struct io_batch, vec);
#undef FLEX
}

/* Every call that takes a size, once with a type that has pointers and once with one without. */
static void check_calls(void)
{
	kmem_buckets *set = kmem_buckets_create("set", 0, 0, 0, NULL);
	struct cred *c = NULL;
	struct extent *e = NULL;
	size_t n = 4;

#define CALL(type, call) check(#call, call, due(type))
	CALL("struct cred", kmalloc(sizeof(*c), GFP_KERNEL));
	CALL("struct extent", kmalloc(n * sizeof(*e), GFP_KERNEL));
	CALL("struct cred", kmalloc_array(n, sizeof(struct cred), GFP_KERNEL));
	CALL("struct extent", kcalloc(n, sizeof(*e), GFP_KERNEL));
	CALL("struct cred", kmalloc_node(sizeof(*c), GFP_KERNEL, NUMA_NO_NODE));
	CALL("struct extent", kzalloc_node(sizeof(*e), GFP_KERNEL, NUMA_NO_NODE));
	CALL("struct cred", kmalloc_nolock(sizeof(*c), 0, NUMA_NO_NODE));
	CALL("struct extent", krealloc(kmalloc(8, GFP_KERNEL), sizeof(*e), GFP_KERNEL));
	CALL("struct cred", krealloc_array(NULL, n, sizeof(*c), GFP_KERNEL));
	CALL("struct extent", kvmalloc(sizeof(*e), GFP_KERNEL));
	CALL("struct cred", kvzalloc(sizeof(*c), GFP_KERNEL));
	CALL("struct extent", kvmalloc_array(n, sizeof(*e), GFP_KERNEL));
	CALL("struct cred", kvcalloc(n, sizeof(*c), GFP_KERNEL));
	CALL("struct extent", kvrealloc(NULL, sizeof(*e), GFP_KERNEL));
	CALL("struct cred", kmem_buckets_alloc(set, sizeof(*c), GFP_KERNEL));
	CALL("struct extent", kmem_buckets_valloc(set, sizeof(*e), GFP_KERNEL));
	CALL("struct cred", kmalloc_obj(*c));
	CALL("struct extent", kzalloc_objs(*e, n));
	/* By what it becomes. */
	CALL("struct cred", c = kmalloc(n, GFP_KERNEL));
	CALL("struct extent", e = kmalloc_node(n, GFP_KERNEL, NUMA_NO_NODE));
#undef CALL
}

int main(void)
{
	const struct sf_kernel_options opt = { .allocator = &sf_typed, .emit = on_event };
	struct sf_kernel_counts counts;
	struct sf_error err;
	struct sf_kernel *k = sf_kernel_open(&opt, &err);

	if (!k) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	sf_kernel_bind(k);
	check_types();
	check_flexible();
	check_calls();
	sf_kernel_counts(k, &counts);
	wrong += counts.live || counts.refused;
	sf_kernel_close(k);
	printf("1..%u\n", tests);
	return wrong != 0;
}
