// SPDX-License-Identifier: MIT
/*
 * unpack.c - unpack.h on zlib, liblzma and libzstd, as far as the build has them.
 *
 * Files of several members, as logrotate and parallel compressors make them, are read to the end.
 */
#include <stdlib.h>
#include <string.h>

#include "unpack.h"

#ifdef SF_HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef SF_HAVE_LZMA
#include <lzma.h>
#define LZMA_BYTES_MAX (256ull << 20) /* what a decoder may take: the largest dictionary of xz -9 */
#endif
#ifdef SF_HAVE_ZSTD
#include <zstd.h>
#endif

struct sf_unpack {
	enum sf_packing kind;
	bool between; /* at the end of a member: the file may end here */
	bool early;   /* it ended elsewhere */
#ifdef SF_HAVE_ZLIB
	z_stream gzip;
#endif
#ifdef SF_HAVE_LZMA
	lzma_stream xz;
#endif
#ifdef SF_HAVE_ZSTD
	ZSTD_DStream *zstd;
#endif
};

enum sf_packing sf_packing_of(const uint8_t *head, size_t len)
{
	static const struct {
		uint8_t magic[SF_PACKING_MAGIC], len, kind;
	} known[] = {
		{ { 0x1f, 0x8b, 8 }, 3, SF_GZIP },
		{ { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, SF_XZ },
		{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, SF_ZSTD },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (len >= known[i].len && !memcmp(head, known[i].magic, known[i].len))
			return known[i].kind;
	return SF_PLAIN;
}

#ifndef SF_HAVE_ZLIB
#define NO_ZLIB "gzip data, and this build has no zlib (Debian: zlib1g-dev)"
#else
#define NO_ZLIB NULL
#endif
#ifndef SF_HAVE_LZMA
#define NO_LZMA "xz data, and this build has no liblzma (Debian: liblzma-dev)"
#else
#define NO_LZMA NULL
#endif
#ifndef SF_HAVE_ZSTD
#define NO_ZSTD "zstd data, and this build has no libzstd (Debian: libzstd-dev)"
#else
#define NO_ZSTD NULL
#endif

static const char *const missing[] = {
	[SF_PLAIN] = NULL,
	[SF_GZIP] = NO_ZLIB,
	[SF_XZ] = NO_LZMA,
	[SF_ZSTD] = NO_ZSTD,
};

static bool begin(struct sf_unpack *u)
{
	u->between = u->early = false;
#ifdef SF_HAVE_ZLIB
	if (u->kind == SF_GZIP)
		return inflateInit2(&u->gzip, 15 + 16) == Z_OK;
#endif
#ifdef SF_HAVE_LZMA
	if (u->kind == SF_XZ)
		return lzma_stream_decoder(&u->xz, LZMA_BYTES_MAX, LZMA_CONCATENATED) == LZMA_OK;
#endif
#ifdef SF_HAVE_ZSTD
	if (u->kind == SF_ZSTD) {
		if (!u->zstd)
			u->zstd = ZSTD_createDStream();
		return u->zstd && !ZSTD_isError(ZSTD_initDStream(u->zstd));
	}
#endif
	return false;
}

static void finish(struct sf_unpack *u)
{
	(void)u;
#ifdef SF_HAVE_ZLIB
	if (u->kind == SF_GZIP)
		inflateEnd(&u->gzip);
#endif
#ifdef SF_HAVE_LZMA
	if (u->kind == SF_XZ)
		lzma_end(&u->xz);
#endif
}

struct sf_unpack *sf_unpack_create(enum sf_packing kind, const char *name, struct sf_error *err,
				   int *exit_code)
{
	struct sf_unpack *u;

	if (missing[kind]) {
		*exit_code = 3;
		sf_tr_error(err, name, 0, "%s", missing[kind]);
		return NULL;
	}
	u = sf_tr_alloc(sizeof(*u));
	memset(u, 0, sizeof(*u));
	u->kind = kind;
	if (begin(u))
		return u;
	sf_tr_error(err, name, 0, "out of memory");
	sf_unpack_destroy(u);
	return NULL;
}

void sf_unpack_destroy(struct sf_unpack *u)
{
	if (!u)
		return;
	finish(u);
#ifdef SF_HAVE_ZSTD
	ZSTD_freeDStream(u->zstd);
#endif
	free(u);
}

void sf_unpack_rewind(struct sf_unpack *u)
{
	finish(u);
	begin(u);
}

#ifdef SF_HAVE_ZLIB
static int gunzip(struct sf_unpack *u, struct sf_unpack_step *s, const char *name,
		  struct sf_error *err)
{
	int r;

	if (u->between && s->in_len) {
		/* Zeros behind the last member are padding. */
		while (s->in_len && !*s->in) {
			s->in++;
			s->in_len--;
		}
		if (!s->in_len)
			return 0;
		inflateReset(&u->gzip);
		u->between = false;
	}
	if (u->between)
		return 0;
	u->gzip.next_in = (uint8_t *)(uintptr_t)s->in;
	u->gzip.avail_in = (uInt)s->in_len;
	u->gzip.next_out = s->out;
	u->gzip.avail_out = (uInt)s->out_len;
	r = inflate(&u->gzip, Z_NO_FLUSH);
	s->in = u->gzip.next_in;
	s->in_len = u->gzip.avail_in;
	s->out = u->gzip.next_out;
	s->out_len = u->gzip.avail_out;
	u->between = r == Z_STREAM_END;
	if (r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR)
		return 0;
	return sf_tr_error(err, name, 0, "broken gzip data: %s",
			   u->gzip.msg ? u->gzip.msg : "out of memory");
}
#endif

#ifdef SF_HAVE_LZMA
static int unxz(struct sf_unpack *u, struct sf_unpack_step *s, const char *name,
		struct sf_error *err)
{
	lzma_ret r;

	u->xz.next_in = s->in;
	u->xz.avail_in = s->in_len;
	u->xz.next_out = s->out;
	u->xz.avail_out = s->out_len;
	r = lzma_code(&u->xz, s->last ? LZMA_FINISH : LZMA_RUN);
	s->in = u->xz.next_in;
	s->in_len = u->xz.avail_in;
	s->out = u->xz.next_out;
	s->out_len = u->xz.avail_out;
	u->between = r == LZMA_STREAM_END;
	if (r == LZMA_OK || r == LZMA_STREAM_END || r == LZMA_BUF_ERROR)
		return 0;
	return sf_tr_error(err, name, 0, "broken xz data: %s",
			   r == LZMA_MEMLIMIT_ERROR ? "its dictionary is larger than 256 MiB" :
			   r == LZMA_MEM_ERROR ? "out of memory" : "damaged");
}
#endif

#ifdef SF_HAVE_ZSTD
static int unzstd(struct sf_unpack *u, struct sf_unpack_step *s, const char *name,
		  struct sf_error *err)
{
	ZSTD_outBuffer out = { s->out, s->out_len, 0 };
	ZSTD_inBuffer in = { s->in, s->in_len, 0 };
	size_t left;

	if (u->between && !s->in_len)
		return 0;
	left = ZSTD_decompressStream(u->zstd, &out, &in);
	if (ZSTD_isError(left))
		return sf_tr_error(err, name, 0, "broken zstd data: %s", ZSTD_getErrorName(left));
	s->in += in.pos;
	s->in_len -= in.pos;
	s->out += out.pos;
	s->out_len -= out.pos;
	u->between = left == 0;
	return 0;
}
#endif

static int decode(struct sf_unpack *u, struct sf_unpack_step *step, const char *name,
		  struct sf_error *err)
{
	(void)step;
	switch (u->kind) {
#ifdef SF_HAVE_ZLIB
	case SF_GZIP:
		return gunzip(u, step, name, err);
#endif
#ifdef SF_HAVE_LZMA
	case SF_XZ:
		return unxz(u, step, name, err);
#endif
#ifdef SF_HAVE_ZSTD
	case SF_ZSTD:
		return unzstd(u, step, name, err);
#endif
	default:
		return sf_tr_error(err, name, 0, "cannot be unpacked");
	}
}

int sf_unpack(struct sf_unpack *u, struct sf_unpack_step *step, const char *name,
	      struct sf_error *err)
{
	size_t in = step->in_len, out = step->out_len;

	if (decode(u, step, name, err))
		return -1;
	/* What could be unpacked is as good as ever. */
	if (step->last && !u->between && in == step->in_len && out == step->out_len)
		u->early = true;
	return 0;
}

const char *sf_unpack_early(const struct sf_unpack *u)
{
	static const char *const kinds[] = {
		[SF_PLAIN] = "plain", [SF_GZIP] = "gzip", [SF_XZ] = "xz", [SF_ZSTD] = "zstd",
	};

	return u && u->early ? kinds[u->kind] : NULL;
}
