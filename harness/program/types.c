// SPDX-License-Identifier: MIT
/*
 * types.c - the type table: one line a type, sizes from the compiler.
 *
 * Relies on type_defs.h. The pointer column and the canonical names are by hand: they say what
 * clang's allocation tokens must be, and the test asks clang. Programs, the executor and the
 * allocators' typed partitions rely on it. Lines are only ever appended: their numbers are in
 * saved inputs.
 */
#include "types.h"

#include <string.h>

#include "type_defs.h"

/* A type of its own, as in the kernel: the table needs its name, not what a macro makes of it. */
#undef bool
typedef _Bool bool;

#define PTR true
#define DATA false

/*
 * SF_TYPES(T, F, C): T(type, canonical name, pointer), F(…, flexible array), C(…, flexible
 * array, its counter)
 */
#define SF_TYPES(T, F, C)                                                      \
	T(char, "char", DATA)                                                  \
	T(s8, "signed char", DATA)                                             \
	T(u8, "unsigned char", DATA)                                           \
	T(short, "short", DATA)                                                \
	T(u16, "unsigned short", DATA)                                         \
	T(int, "int", DATA)                                                    \
	T(u32, "unsigned int", DATA)                                           \
	T(long, "long", DATA)                                                  \
	T(unsigned long, "unsigned long", DATA)                                \
	T(s64, "long long", DATA)                                              \
	T(u64, "unsigned long long", DATA)                                     \
	T(bool, "_Bool", DATA)                                                 \
	T(gfp_t, "unsigned int", DATA)                                         \
	T(pgoff_t, "unsigned long", DATA)                                      \
	T(phys_addr_t, "unsigned long long", DATA)                             \
	T(uintptr_t, "unsigned long", PTR)                                     \
	T(handle_word_t, "unsigned long", PTR)                                 \
	T(enum node_state, "node_state", DATA)                                 \
	T(double, "double", DATA)                                              \
	T(char[32], "char[32]", DATA)                                          \
	T(char[64], "char[64]", DATA)                                          \
	T(u8[256], "unsigned char[256]", DATA)                                 \
	T(u64[16], "unsigned long long[16]", DATA)                             \
	T(int[10], "int[10]", DATA)                                            \
	T(struct extent[4], "extent[4]", DATA)                                 \
	T(void *, "void *", PTR)                                               \
	T(void *[4], "void *[4]", PTR)                                         \
	T(char *[16], "char *[16]", PTR)                                       \
	T(struct cred *, "cred *", PTR)                                        \
	T(struct io_vector[8], "io_vector[8]", PTR)                            \
	T(work_func_t, "void (*)(void *)", PTR)                                \
	T(notifier_fn_t, "int (*)(void *, unsigned long, void *)", PTR)        \
	T(struct list_head, "list_head", PTR)                                  \
	T(struct hlist_node, "hlist_node", PTR)                                \
	T(struct hlist_head, "hlist_head", PTR)                                \
	T(struct rcu_head, "rcu_head", PTR)                                    \
	T(struct rb_node, "rb_node", PTR)                                      \
	T(struct refcount, "refcount", DATA)                                   \
	T(struct spinlock, "spinlock", DATA)                                   \
	T(struct timestamp, "timestamp", DATA)                                 \
	T(struct kobject, "kobject", PTR)                                      \
	T(struct cred, "cred", PTR)                                            \
	T(const struct cred, "const cred", PTR)                                \
	T(struct qstr, "qstr", PTR)                                            \
	T(struct dentry, "dentry", PTR)                                        \
	F(struct external_name, "external_name", PTR, name)                    \
	T(struct file, "file", PTR)                                            \
	T(struct file_operations, "file_operations", PTR)                      \
	T(const struct file_operations, "const file_operations", PTR)          \
	T(struct inode, "inode", PTR)                                          \
	T(struct sk_buff, "sk_buff", PTR)                                      \
	T(struct msg_msg, "msg_msg", PTR)                                      \
	T(struct msg_msgseg, "msg_msgseg", PTR)                                \
	T(struct pipe_buffer, "pipe_buffer", PTR)                              \
	F(struct tty_buffer, "tty_buffer", PTR, data)                          \
	T(struct work, "work", PTR)                                            \
	T(struct timer, "timer", PTR)                                          \
	T(struct seq_file, "seq_file", PTR)                                    \
	T(struct seq_operations, "seq_operations", PTR)                        \
	T(struct vm_area, "vm_area", PTR)                                      \
	T(struct stat_counters, "stat_counters", DATA)                         \
	T(const struct stat_counters, "const stat_counters", DATA)             \
	T(struct extent, "extent", DATA)                                       \
	T(struct extent_header, "extent_header", DATA)                         \
	T(struct disk_inode, "disk_inode", DATA)                               \
	T(struct ether_header, "ether_header", DATA)                           \
	T(struct tcp_options, "tcp_options", DATA)                             \
	T(struct bit_flags, "bit_flags", DATA)                                 \
	T(struct acl_entry, "acl_entry", DATA)                                 \
	C(struct posix_acl, "posix_acl", DATA, entries, count)                 \
	C(struct key_payload, "key_payload", DATA, data, datalen)              \
	C(struct short_label, "short_label", DATA, text, len)                  \
	F(struct bitmap, "bitmap", DATA, words)                                \
	C(struct sample_ring, "sample_ring", DATA, samples, nr)                \
	T(struct grid, "grid", DATA)                                           \
	T(struct fpu_state, "fpu_state", DATA)                                 \
	T(struct ida_chunk, "ida_chunk", DATA)                                 \
	T(struct disk_name, "disk_name", DATA)                                 \
	T(struct sock_filter, "sock_filter", DATA)                             \
	C(struct fprog, "fprog", DATA, insns, len)                             \
	T(struct state_record, "state_record", DATA)                           \
	T(union ktime_value, "ktime_value", DATA)                              \
	T(struct with_uintptr, "with_uintptr", PTR)                            \
	T(struct with_handle_word, "with_handle_word", PTR)                    \
	T(struct hidden_long, "hidden_long", DATA)                             \
	T(struct ops_table, "ops_table", PTR)                                  \
	T(struct notifier, "notifier", PTR)                                    \
	C(struct fdtable, "fdtable", PTR, fd, max_fds)                         \
	F(struct page_vector, "page_vector", PTR, pages)                       \
	T(struct scatter_entry, "scatter_entry", PTR)                          \
	C(struct scatter_table, "scatter_table", PTR, entry, nents)            \
	T(struct io_vector, "io_vector", PTR)                                  \
	C(struct io_batch, "io_batch", PTR, vec, nr)                           \
	T(union payload, "payload", PTR)                                       \
	T(union small_value, "small_value", DATA)                              \
	T(struct radix_node, "radix_node", PTR)                                \
	T(struct nested_data, "nested_data", DATA)                             \
	T(struct nested_pointer, "nested_pointer", PTR)                        \
	T(struct array_of_records, "array_of_records", PTR)                    \
	T(struct packed_pointer, "packed_pointer", PTR)                        \
	T(struct opaque_owner, "opaque_owner", PTR)                            \
	T(struct atomic_words, "atomic_words", DATA)                           \
	T(struct bus_request, "bus_request", DATA)                             \
	T(struct big_buffer, "big_buffer", DATA)                               \
	T(struct just_over_page, "just_over_page", DATA)                       \
	T(struct huge_table, "huge_table", DATA)                               \
	T(struct one_byte, "one_byte", DATA)                                   \
	T(struct odd_size, "odd_size", DATA)                                   \
	F(struct devres, "devres", PTR, data)                                  \
	C(struct dma_ring, "dma_ring", DATA, desc, nr)                         \
	C(struct message_log, "message_log", DATA, entry, nr)                  \
	C(struct route_table, "route_table", PTR, via, nr)                     \
	T(struct percpu_slot, "percpu_slot", PTR)                              \
	T(struct atomic_link, "atomic_link", DATA)

#define ENTRY(T, canon, ptr)                                                        \
	.name = #T, .canonical = (canon), .size = sizeof(T), .align = _Alignof(T),  \
	.pointer = (ptr)
#define FLEX(T, canon, ptr, array)                                                  \
	ENTRY(T, canon, ptr), .flex_elem = sizeof(((T *)0)->array[0]),              \
	.flex_offset = offsetof(T, array)
#define PLAIN_LINE(T, canon, ptr) { ENTRY(T, canon, ptr) },
#define FLEX_LINE(T, canon, ptr, array) { FLEX(T, canon, ptr, array) },
#define COUNTED_LINE(T, canon, ptr, array, nr)                                      \
	{ FLEX(T, canon, ptr, array), .counter = sizeof(((T *)0)->nr),  \
	  .counter_offset = offsetof(T, nr) },

const struct sf_type sf_types[] = {
	{ .name = "", .canonical = "" },
	SF_TYPES(PLAIN_LINE, FLEX_LINE, COUNTED_LINE)
};

const uint32_t sf_type_count = sizeof(sf_types) / sizeof(sf_types[0]);

#define NAME_LENGTH(T, ...) sizeof(#T) - 1,

const struct sf_type *sf_type_by_name(const char *name, size_t len)
{
	static const uint8_t length[] = { 0, SF_TYPES(NAME_LENGTH, NAME_LENGTH, NAME_LENGTH) };

	for (uint32_t i = 1; i < sf_type_count; i++)
		if (length[i] == len && !memcmp(sf_types[i].name, name, len))
			return &sf_types[i];
	return NULL;
}
