/* SPDX-License-Identifier: MIT */
/*
 * btf.h - the structures of a real kernel, from its BTF (BPF Type Format): what allocation tokens
 * need to know of them. Relies on libbpf, and says so where it was built without; `slabfuzz types`
 * relies on it.
 */
#ifndef SLABFUZZ_BTF_H
#define SLABFUZZ_BTF_H

#include "../../allocators/allocator.h"

struct sf_btf_type {
	const char *name;      /* as C spells it; "(anonymous)" if it cannot */
	const char *canonical; /* the name that clang hashes; NULL: anonymous */
	uint64_t size;         /* not 0 */
	bool pointer;          /* by clang's rules; what is _Atomic BTF does not tell */
	bool from_base;
};

struct sf_btf {
	struct sf_btf_type *type; /* in the file's order, those of the base first */
	uint32_t nr;
	uint32_t empty;           /* left out: of no size */
	void *map;                /* where names are */
	size_t map_len;
};

enum sf_btf_status {
	SF_BTF_OK,
	SF_BTF_BAD,     /* not BTF, or damaged */
	SF_BTF_MISSING, /* built without libbpf */
};

/*
 * All structs and unions of a file: raw BTF (/sys/kernel/btf/vmlinux) or an ELF file with a .BTF
 * section. Anonymous ones have the name of the first typedef of them, as for clang, or none.
 * `base`: the kernel's own, for a module's; NULL: none. Not SF_BTF_OK: one line in `err`, nothing
 * to free. Crash and chatter of the library stay in a process of their own.
 */
enum sf_btf_status sf_btf_read(const char *path, const char *base, struct sf_btf *out,
			       struct sf_error *err);
void sf_btf_free(struct sf_btf *b);

#endif
