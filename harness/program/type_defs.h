/* SPDX-License-Identifier: MIT */
/*
 * type_defs.h - the C types behind the type table: kernel-like shapes, with and without pointers.
 *
 * Private to types.c, and to the tests that have clang compile it and compare allocation tokens.
 * Relies on nothing but the compiler. Types are only ever appended (types.h).
 */
#ifndef SLABFUZZ_TYPE_DEFS_H
#define SLABFUZZ_TYPE_DEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_attribute)
#if __has_attribute(__counted_by__)
#define SF_COUNTED_BY(member) __attribute__((__counted_by__(member)))
#endif
#endif
#ifndef SF_COUNTED_BY
#define SF_COUNTED_BY(member)
#endif

/* As in the kernel: u64 is not unsigned long. */
typedef unsigned char u8;
typedef signed char s8;
typedef unsigned short u16;
typedef short s16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
typedef long long s64;
typedef unsigned int gfp_t;
typedef unsigned long pgoff_t;
typedef u64 phys_addr_t;
typedef u64 sector_t;
typedef unsigned short umode_t;
typedef uintptr_t handle_word_t;
typedef void (*work_func_t)(void *work);
typedef int (*notifier_fn_t)(void *nb, unsigned long action, void *data);

enum node_state { NODE_COLD, NODE_WARM, NODE_HOT };

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

struct rb_node {
	unsigned long rb_parent_color; /* a pointer in disguise: no pointer by type */
	struct rb_node *rb_right, *rb_left;
};

struct refcount {
	int refs;
};

struct spinlock {
	u32 val;
};

struct kuid {
	u32 val;
};

struct timestamp {
	s64 sec;
	u32 nsec;
};

struct kobject {
	const char *name;
	struct list_head entry;
	struct kobject *parent;
	struct refcount kref;
	unsigned int state_initialized : 1;
	unsigned int state_in_sysfs : 1;
};

struct cred {
	struct refcount usage;
	struct kuid uid, gid, suid, sgid, euid, egid;
	u32 securebits;
	u64 cap_inheritable, cap_permitted, cap_effective, cap_bset;
	void *security;
	struct user_ns *user_ns;
	struct rcu_head rcu;
};

struct qstr {
	union {
		struct {
			u32 hash;
			u32 len;
		};
		u64 hash_len;
	};
	const unsigned char *name;
};

struct dentry {
	u32 d_flags;
	u32 d_seq;
	struct hlist_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	unsigned char d_shortname[40];
	const struct dentry_operations *d_op;
	struct super_block *d_sb;
	unsigned long d_time;
	void *d_fsdata;
	struct spinlock d_lock;
	struct refcount d_count;
	struct list_head d_lru;
	struct hlist_node d_sib;
	struct hlist_head d_children;
};

/* The name of a dentry that does not fit into it. */
struct external_name {
	union {
		struct refcount count;
		struct rcu_head head;
	};
	unsigned char name[];
};

struct file {
	struct spinlock f_lock;
	u32 f_mode;
	const struct file_operations *f_op;
	void *f_mapping;
	void *private_data;
	struct inode *f_inode;
	u32 f_flags;
	u32 f_iocb_flags;
	const struct cred *f_cred;
	s64 f_pos;
};

struct file_operations {
	void *owner;
	s64 (*llseek)(struct file *file, s64 off, int whence);
	long (*read)(struct file *file, char *buf, size_t len, s64 *off);
	long (*write)(struct file *file, const char *buf, size_t len, s64 *off);
	int (*open)(struct inode *inode, struct file *file);
};

struct inode {
	umode_t i_mode;
	u16 i_opflags;
	struct kuid i_uid, i_gid;
	struct super_block *i_sb;
	u64 i_ino;
	s64 i_size;
	struct timestamp i_atime, i_mtime, i_ctime;
	struct list_head i_lru, i_sb_list;
	union {
		struct hlist_head i_dentry;
		struct rcu_head i_rcu;
	};
	void *i_private;
};

struct sk_buff {
	union {
		struct {
			struct sk_buff *next, *prev;
			union {
				void *dev;
				unsigned long dev_scratch;
			};
		};
		struct rb_node rbnode;
		struct list_head list;
	};
	void *sk;
	char cb[48] __attribute__((aligned(8)));
	unsigned int len, data_len;
	u16 mac_len, hdr_len;
	u8 cloned : 1, nohdr : 1, fclone : 2, peeked : 1;
	u32 tail, end;
	unsigned char *head, *data;
	unsigned int truesize;
	struct refcount users;
};

struct msg_msg {
	struct list_head m_list;
	long m_type;
	size_t m_ts;
	struct msg_msgseg *next;
	void *security;
};

struct msg_msgseg {
	struct msg_msgseg *next;
};

struct pipe_buffer {
	void *page;
	unsigned int offset, len;
	const void *ops;
	unsigned int flags;
	unsigned long private;
};

struct tty_buffer {
	struct tty_buffer *next;
	unsigned int used, size, commit, lookahead, read;
	bool flags;
	u8 data[] __attribute__((aligned(sizeof(unsigned long))));
};

struct work {
	unsigned long data;
	struct list_head entry;
	work_func_t func;
};

struct timer {
	struct hlist_node entry;
	unsigned long expires;
	void (*function)(struct timer *timer);
	u32 flags;
};

struct seq_file {
	char *buf;
	size_t size, from, count, pad_until;
	s64 index, read_pos;
	const struct seq_operations *op;
	int poll_event;
	const struct file *file;
	void *private;
};

struct seq_operations {
	void *(*start)(struct seq_file *m, s64 *pos);
	void (*stop)(struct seq_file *m, void *v);
	void *(*next)(struct seq_file *m, void *v, s64 *pos);
	int (*show)(struct seq_file *m, void *v);
};

struct vm_area {
	unsigned long vm_start, vm_end;
	void *vm_mm;
	unsigned long vm_flags;
	pgoff_t vm_pgoff;
	struct file *vm_file;
	struct rb_node rb;
};

/* Without pointers. */
struct stat_counters {
	u64 packets, bytes, errors, dropped;
};

struct extent {
	u32 block;
	u16 len;
	u16 start_hi;
	u32 start_lo;
};

struct extent_header {
	u16 magic, entries, max, depth;
	u32 generation;
	struct extent extent[4];
};

struct disk_inode {
	u16 mode, uid_lo;
	u32 size_lo, atime, ctime, mtime, dtime;
	u16 gid_lo, links;
	u32 blocks[15];
	struct extent_header header;
};

struct ether_header {
	u8 dest[6], source[6];
	u16 proto;
} __attribute__((packed));

struct tcp_options {
	u16 mss;
	u8 wscale : 4, sack : 1, tstamp : 1, ecn : 2;
	u32 ts_recent, ts_val;
} __attribute__((packed));

struct bit_flags {
	u32 dirty : 1, locked : 1, uptodate : 1, order : 4, zone : 3, node : 6;
};

struct acl_entry {
	s16 tag;
	u16 perm;
	union {
		struct kuid uid;
		u32 gid;
	};
};

struct posix_acl {
	struct refcount refcount;
	u32 count;
	struct acl_entry entries[] SF_COUNTED_BY(count);
};

struct key_payload {
	u16 datalen;
	u8 data[] SF_COUNTED_BY(datalen);
};

struct short_label {
	u8 len;
	char text[] SF_COUNTED_BY(len);
};

struct bitmap {
	size_t nbits;
	unsigned long words[];
};

struct sample_ring {
	u64 head, tail;
	u64 nr;
	u64 samples[] SF_COUNTED_BY(nr);
};

struct grid {
	u32 rows, cols;
	s32 cell[8][8];
};

struct fpu_state {
	u8 xmm[16][16];
	u32 mxcsr;
	double st[8];
} __attribute__((aligned(64)));

struct ida_chunk {
	unsigned long bitmap[16];
};

struct disk_name {
	u32 inode;
	u16 rec_len;
	u8 name_len, file_type;
	char name[255];
};

struct sock_filter {
	u16 code;
	u8 jt, jf;
	u32 k;
};

struct fprog {
	u16 len;
	struct sock_filter insns[] SF_COUNTED_BY(len);
};

struct state_record {
	enum node_state state;
	s64 since;
	bool valid;
};

union ktime_value {
	s64 ns;
	struct {
		s32 lo, hi;
	} parts;
};

/* With pointers, in less obvious places. */
struct with_uintptr {
	u32 kind;
	uintptr_t cookie;
};

struct with_handle_word {
	handle_word_t word;
	u32 len;
};

struct hidden_long {
	unsigned long address;
	intptr_t offset;
};

struct ops_table {
	int (*probe)(void *dev);
	void (*remove)(void *dev);
	int (*ioctl)(void *dev, unsigned int cmd, unsigned long arg);
};

struct notifier {
	notifier_fn_t call;
	struct notifier *next;
	int priority;
};

struct fdtable {
	unsigned int max_fds;
	unsigned long *open_fds;
	struct rcu_head rcu;
	struct file *fd[] SF_COUNTED_BY(max_fds);
};

struct page_vector {
	unsigned int nr;
	void *pages[];
};

struct scatter_entry {
	void *page;
	unsigned int offset, length;
	phys_addr_t dma;
};

struct scatter_table {
	struct list_head chain;
	u8 nents;
	struct scatter_entry entry[] SF_COUNTED_BY(nents);
};

struct io_vector {
	void *base;
	size_t len;
};

struct io_batch {
	u64 nr;
	struct io_vector vec[] SF_COUNTED_BY(nr);
};

union payload {
	void *data[4];
	struct rcu_head rcu;
	u64 words[4];
};

union small_value {
	u64 wide;
	u8 bytes[8];
	float real;
};

struct radix_node {
	u8 shift, offset, count, nr_values;
	struct radix_node *parent;
	union {
		struct list_head private_list;
		struct rcu_head rcu;
	};
	void *slots[64];
	unsigned long tags[3][1];
};

struct nested_data {
	struct extent first;
	struct stat_counters stats[3];
};

struct nested_pointer {
	u32 id;
	struct {
		u16 a, b;
		struct qstr name;
	} inner;
};

struct array_of_records {
	u32 nr;
	struct io_vector vec[6];
};

struct packed_pointer {
	u8 tag;
	void *target;
} __attribute__((packed));

struct opaque_owner {
	struct never_defined *impl;
	u64 generation;
};

struct atomic_words {
	_Atomic long count;
	_Atomic u32 seq;
};

struct bus_request {
	sector_t sector;
	u32 nr_sectors;
	gfp_t gfp;
	u8 cdb[16];
	u8 sense[96];
};

struct big_buffer {
	u32 used;
	u8 data[4092];
};

struct just_over_page {
	u64 header;
	u8 data[4096];
};

struct huge_table {
	u64 slot[2048];
};

struct one_byte {
	u8 value;
};

struct odd_size {
	u8 bytes[97];
};

/* In front of each object of a device (drivers/base/devres.c). */
struct devres {
	struct {
		struct list_head entry;
		void (*release)(void *dev, void *node);
		void (*free_node)(void *node);
		const char *name;
		size_t size;
	} node;
	void (*release)(void *dev, void *res);
	u8 data[] __attribute__((aligned(8)));
};

/* Aligned more than the size classes promise for many of its lengths. */
struct dma_ring {
	u32 head, tail;
	u32 nr;
	u64 desc[] SF_COUNTED_BY(nr);
} __attribute__((aligned(64)));

/* Counters that are soon too small. */
struct message_log {
	u8 level, nr;
	struct {
		u64 when;
		char text[292];
	} entry[] SF_COUNTED_BY(nr);
};

struct route_table {
	u16 metric, nr;
	struct {
		void *dev;
		u32 gateway, mask;
	} via[] SF_COUNTED_BY(nr);
};

struct percpu_slot {
	struct list_head queue;
	u64 depth;
} __attribute__((aligned(64)));

/* clang sees no pointer here. */
struct atomic_link {
	_Atomic(void *) next;
	u32 tag;
};

#endif
