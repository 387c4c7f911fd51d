// SPDX-License-Identifier: MIT
/*
 * user_contents.c - patterns in memory of this process. Relies on allocator.h alone; the reference
 * and the adapters rely on it. An object may begin at any address, so words go through memcpy().
 */
#include "user_contents.h"

#include <pthread.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	ZERO_WHOLE = 1 << 16, /* bytes up to which zeroes are looked for everywhere */
	ZERO_EDGE = 4096,     /* ... and beyond: at both ends, and from some points between on */
	ZERO_POINT = 64,
	ZERO_POINTS = 64,
};

/* Bytes [off, off + n) of the pattern; `off` is a multiple of 8. */
static void fill_range(unsigned char *p, uint64_t off, uint64_t n, uint64_t key)
{
	uint64_t word, i = off / 8;

	for (p += off; n >= 8; n -= 8, p += 8) {
		word = sf_pattern(key, i++);
		memcpy(p, &word, 8);
	}
	word = sf_pattern(key, i);
	for (; n; n--, word >>= 8)
		*p++ = (unsigned char)word;
}

static uint64_t verify_range(const unsigned char *p, uint64_t off, uint64_t n, uint64_t key)
{
	uint64_t end = off + n, word;

	for (; off + 8 <= end; off += 8) {
		memcpy(&word, p + off, 8);
		word ^= sf_pattern(key, off / 8);
		if (word)
			return off + (uint64_t)__builtin_ctzll(word) / 8;
	}
	word = sf_pattern(key, off / 8);
	for (; off < end; off++, word >>= 8)
		if (p[off] != (unsigned char)word)
			return off;
	return SF_GOOD;
}

static uint64_t sparse_step(uint64_t size)
{
	return (size / SF_SPARSE_POINTS + SF_PAGE_SIZE - 1) / SF_PAGE_SIZE * SF_PAGE_SIZE;
}

/* A multiple of 8, so that words of the last edge and of the middle coincide. */
static uint64_t last_edge(uint64_t size)
{
	return (size - SF_SPARSE_EDGE) & ~7ull;
}

void user_fill(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key, enum sf_contents how)
{
	unsigned char *p = (unsigned char *)(uintptr_t)addr;
	uint64_t step, last;

	(void)h;
	if (how == SF_CONTENTS_WHOLE || size <= SF_SPARSE_MIN) {
		fill_range(p, 0, size, key);
		return;
	}
	step = sparse_step(size);
	last = last_edge(size);
	fill_range(p, 0, SF_SPARSE_EDGE, key);
	for (uint64_t off = step; off + 8 <= last; off += step)
		fill_range(p, off, 8, key);
	fill_range(p, last, size - last, key);
}

uint64_t user_verify(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		     enum sf_contents how)
{
	const unsigned char *p = (const unsigned char *)(uintptr_t)addr;
	uint64_t step, last, bad;

	(void)h;
	if (how == SF_CONTENTS_WHOLE || size <= SF_SPARSE_MIN)
		return verify_range(p, 0, size, key);
	step = sparse_step(size);
	last = last_edge(size);
	bad = verify_range(p, 0, SF_SPARSE_EDGE, key);
	for (uint64_t off = step; bad == SF_GOOD && off + 8 <= last; off += step)
		bad = verify_range(p, off, 8, key);
	return bad == SF_GOOD ? verify_range(p, last, size - last, key) : bad;
}

static uint64_t zeroed_range(const unsigned char *p, uint64_t from, uint64_t to)
{
	uint64_t word;

	for (; from + 8 <= to; from += 8) {
		memcpy(&word, p + from, 8);
		if (word)
			return from + (uint64_t)__builtin_ctzll(word) / 8;
	}
	for (; from < to; from++)
		if (p[from])
			return from;
	return SF_GOOD;
}

uint64_t user_zeroed(struct sf_heap *h, uint64_t addr, uint64_t from, uint64_t to,
		     enum sf_contents how)
{
	const unsigned char *p = (const unsigned char *)(uintptr_t)addr;
	uint64_t step = (to - from) / ZERO_POINTS, bad;

	(void)h;
	if (how == SF_CONTENTS_WHOLE || to - from <= ZERO_WHOLE)
		return zeroed_range(p, from, to);
	bad = zeroed_range(p, from, from + ZERO_EDGE);
	for (uint64_t at = from + step; bad == SF_GOOD && at + ZERO_POINT <= to; at += step)
		bad = zeroed_range(p, at, at + ZERO_POINT);
	return bad == SF_GOOD ? zeroed_range(p, to - ZERO_EDGE, to) : bad;
}

/* --- from outside --- */

/* This process, 0: to be asked for. It is another one in a child. */
static pid_t self;

static void forget_self(void)
{
	self = 0;
}

static pid_t know_self(void)
{
	static bool watched;

	if (!watched)
		watched = !pthread_atfork(NULL, NULL, forget_self);
	if (!watched)
		return getpid();
	if (!self)
		self = getpid();
	return self;
}

typedef ssize_t (*mover)(pid_t pid, const struct iovec *local, unsigned long nr_local,
			 const struct iovec *remote, unsigned long nr_remote, unsigned long flags);

/* Page by page: the call stops at what it cannot do, but counts whole vectors only. */
static uint64_t move(mover call, uint64_t addr, void *here, uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		uint64_t n = SF_PAGE_SIZE - (addr + done) % SF_PAGE_SIZE;
		struct iovec local = { (char *)here + done, n < len - done ? n : len - done };
		struct iovec remote = { (void *)(uintptr_t)(addr + done), local.iov_len };

		if (call(know_self(), &local, 1, &remote, 1, 0) != (ssize_t)local.iov_len)
			break;
		done += local.iov_len;
	}
	return done;
}

uint64_t user_peek(struct sf_heap *h, uint64_t addr, void *to, uint64_t len)
{
	(void)h;
	return move(process_vm_readv, addr, to, len);
}

uint64_t user_poke(struct sf_heap *h, uint64_t addr, const void *from, uint64_t len)
{
	(void)h;
	return move(process_vm_writev, addr, (void *)(uintptr_t)from, len);
}

bool user_can_peek(void)
{
	uint64_t word = 1, copy = 0;

	return user_peek(NULL, (uintptr_t)&word, &copy, sizeof(copy)) == sizeof(copy) && copy &&
	       user_poke(NULL, (uintptr_t)&word, &copy, sizeof(copy)) == sizeof(copy);
}
