// SPDX-License-Identifier: MIT
/*
 * btf.c - btf.h: reads BTF with libbpf, and decides what contains a pointer as clang does
 * (clang/lib/CodeGen/CGExpr.cpp:typeContainsPointer).
 *
 * libbpf and libelf are made for files that a kernel or a compiler wrote; these need not be. So a
 * child reads, and leaves what it found in a file in memory, which the parent checks.
 */
#include "btf.h"

#include <stdio.h>

#ifndef SF_HAVE_LIBBPF

enum sf_btf_status sf_btf_read(const char *path, const char *base, struct sf_btf *out,
			       struct sf_error *err)
{
	(void)path;
	(void)base;
	(void)out;
	snprintf(err->text, sizeof(err->text),
		 "this build cannot read BTF: libbpf was missing (Debian: apt install libbpf-dev)");
	return SF_BTF_MISSING;
}

void sf_btf_free(struct sf_btf *b)
{
	(void)b;
}

#else

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"

#define DEPTH_MAX 200u         /* of arrays and structures in each other */
#define CHILD_SECONDS_MAX 30   /* of processor time */
#define LITTLE_ENDIAN_HERE (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

/* What the child leaves: this, then nr of struct wire, then the names, each with its final zero. */
struct head {
	uint32_t nr, empty;
	uint64_t names_len;
	struct sf_error err; /* why there is nothing, or empty */
};

struct wire {
	uint64_t size;
	uint32_t name;           /* offset in the names */
	uint8_t tag_len;         /* of "struct " or "union " */
	uint8_t anonymous, pointer, from_base;
};

/* ---- the child ---- */

enum knowledge {
	UNKNOWN,
	UNDER_WAY,
	WITHOUT,
	WITH,
};

struct reader {
	const struct btf *btf;
	uint32_t nr, nr_base;
	uint8_t *known;   /* enum knowledge, by type id */
	uint32_t *naming; /* id of the first typedef of an anonymous type, by type id */
	bool damaged;
	struct head head;
	FILE *types, *names;
};

static bool contains(struct reader *r, uint32_t id, unsigned int depth);

static const struct btf_type *type_at(struct reader *r, uint32_t id)
{
	const struct btf_type *t = id < r->nr ? btf__type_by_id(r->btf, id) : NULL;

	if (!t)
		r->damaged = true;
	return t;
}

static bool printable(const char *s)
{
	while ((unsigned char)*s >= ' ' && *s != 0x7f)
		s++;
	return !*s;
}

static const char *name_of(struct reader *r, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(r->btf, t->name_off);

	if (name && printable(name))
		return name;
	r->damaged = true;
	return "";
}

/* Through typedefs and qualifiers. NULL: there is no more to know, *pointer says what it is. */
static const struct btf_type *strip(struct reader *r, uint32_t *id, bool *pointer)
{
	for (uint32_t steps = 0; steps < r->nr; steps++) {
		const struct btf_type *t = type_at(r, *id);

		if (!t)
			return NULL;
		switch (btf_kind(t)) {
		case BTF_KIND_TYPEDEF:
			if (!strcmp(name_of(r, t), "uintptr_t")) {
				*pointer = true;
				return NULL;
			}
			break;
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			break;
		default:
			return t;
		}
		*id = t->type;
	}
	r->damaged = true; /* they lead round in a circle */
	return NULL;
}

static bool members_contain(struct reader *r, const struct btf_type *t, unsigned int depth)
{
	const struct btf_member *m = btf_members(t);

	for (uint32_t i = 0; i < btf_vlen(t) && !r->damaged; i++)
		if (contains(r, m[i].type, depth + 1))
			return true;
	return false;
}

static bool contains(struct reader *r, uint32_t id, unsigned int depth)
{
	bool pointer = false;
	const struct btf_type *t = strip(r, &id, &pointer);

	if (!t)
		return pointer;
	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
		return true;
	case BTF_KIND_ARRAY:
		if (depth <= DEPTH_MAX)
			return contains(r, btf_array(t)->type, depth + 1);
		r->damaged = true;
		return false;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		break;
	default:
		return false;
	}
	/* No type holds itself, and no compiler takes such depths. */
	if (r->known[id] == UNDER_WAY || depth > DEPTH_MAX)
		r->damaged = true;
	if (r->known[id] == UNKNOWN && !r->damaged) {
		r->known[id] = UNDER_WAY;
		r->known[id] = members_contain(r, t, depth) ? WITH : WITHOUT;
	}
	return r->known[id] == WITH;
}

static bool is_record(const struct btf_type *t)
{
	return btf_is_struct(t) || btf_is_union(t);
}

static void note_typedef(struct reader *r, uint32_t id, const struct btf_type *t)
{
	const struct btf_type *of = type_at(r, t->type);

	if (!*name_of(r, t))
		r->damaged = true;
	if (of && is_record(of) && !r->naming[t->type] && !*name_of(r, of))
		r->naming[t->type] = id;
}

static void add(struct reader *r, uint32_t id, const struct btf_type *t)
{
	struct wire w = { .size = t->size, .name = (uint32_t)r->head.names_len,
			  .from_base = id < r->nr_base };
	const char *tag = btf_is_union(t) ? "union " : "struct ", *name = name_of(r, t);
	int len;

	if (!w.size) {
		r->head.empty++;
		return;
	}
	if (!*name) {
		tag = "";
		w.anonymous = !r->naming[id];
		name = w.anonymous ? "(anonymous)" :
				     name_of(r, btf__type_by_id(r->btf, r->naming[id]));
	}
	w.pointer = contains(r, id, 0);
	w.tag_len = (uint8_t)strlen(tag);
	len = fprintf(r->names, "%s%s%c", tag, name, '\0');
	if (len < 0 || fwrite(&w, sizeof(w), 1, r->types) != 1)
		_exit(1);
	r->head.names_len += (uint64_t)len;
	r->head.nr++;
}

static void collect(struct reader *r)
{
	const struct btf_type *t;

	r->known = calloc(r->nr, sizeof(*r->known));
	r->naming = calloc(r->nr, sizeof(*r->naming));
	if (!r->known || !r->naming)
		_exit(1);
	for (uint32_t id = 1; id < r->nr; id++) {
		t = type_at(r, id);
		if (t && btf_is_typedef(t))
			note_typedef(r, id, t);
	}
	for (uint32_t id = 1; id < r->nr && !r->damaged; id++) {
		t = type_at(r, id);
		if (t && is_record(t))
			add(r, id, t);
	}
}

/* NULL: it may be BTF. Not left to the library, which would block, or cannot say why it refuses. */
static const char *unfit(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unsigned char id[EI_NIDENT] = { 0 };
	struct stat st;
	uint16_t magic;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	n = read(fd, id, sizeof(id));
	close(fd);
	if (n <= 0)
		return n ? strerror(errno) : "empty";
	memcpy(&magic, id, sizeof(magic));
	if (magic == __builtin_bswap16(BTF_MAGIC) ||
	    (!memcmp(id, ELFMAG, SELFMAG) &&
	     id[EI_DATA] != (LITTLE_ENDIAN_HERE ? ELFDATA2LSB : ELFDATA2MSB)))
		return "of the other byte order than this machine";
	return NULL;
}

static struct btf *load(const char *path, struct btf *base, struct sf_error *err)
{
	const char *fault = unfit(path);
	struct btf *btf = fault ? NULL : btf__parse_split(path, base);
	enum btf_endianness here = LITTLE_ENDIAN_HERE ? BTF_LITTLE_ENDIAN : BTF_BIG_ENDIAN;

	if (btf && btf__endianness(btf) == here)
		return btf;
	if (btf)
		fault = "of the other byte order than this machine";
	else if (!fault)
		fault = errno == ENODATA || errno == ENOENT ? "no .BTF section" :
			base ? "not BTF, or damaged" :
			       "not BTF, or damaged, or a module's (which needs the kernel's base)";
	snprintf(err->text, sizeof(err->text), "%.100s: %.90s", path, fault);
	return NULL;
}

/*
 * A distilled base (the .BTF.base of a module, scripts/Makefile.btf) has the kernel's structures by
 * name and size only: nothing is known of what is in them.
 */
static bool is_distilled(const struct btf *btf)
{
	bool sized = false;

	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!t || !is_record(t))
			continue;
		if (btf_vlen(t))
			return false;
		sized = sized || t->size;
	}
	return sized;
}

static bool read_at(int fd, void *to, size_t len, uint64_t at)
{
	return at <= INT64_MAX && pread(fd, to, len, (off_t)at) == (ssize_t)len;
}

/* Whether an ELF file of this machine's kind has a section of that name; damage has none. */
static bool has_section(const char *path, const char *name)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	Elf64_Shdr names, s;
	Elf64_Ehdr h;
	bool found = false;

	if (fd < 0)
		return false;
	if (read_at(fd, &h, sizeof(h), 0) && !memcmp(h.e_ident, ELFMAG, SELFMAG) &&
	    h.e_ident[EI_CLASS] == ELFCLASS64 && h.e_shentsize == sizeof(s) &&
	    h.e_shstrndx < h.e_shnum &&
	    read_at(fd, &names, sizeof(names), h.e_shoff + h.e_shstrndx * sizeof(s)))
		for (uint32_t i = 0; i < h.e_shnum && !found; i++)
			found = read_at(fd, &s, sizeof(s), h.e_shoff + i * sizeof(s)) &&
				read_at(fd, text, strlen(name) + 1, names.sh_offset + s.sh_name) &&
				!strcmp(text, name);
	close(fd);
	return found;
}

/* NULL: the base is what the module's types refer to. */
static const char *unfit_base(const struct btf *kernel, const char *path)
{
	if (is_distilled(kernel))
		return "a distilled base, without members: the kernel's whole BTF is needed "
		       "(/sys/kernel/btf/vmlinux)";
	/* From 1.5 on the library finds the kernel's types for those of the module's own base. */
	if (libbpf_major_version() == 1 && libbpf_minor_version() < 5 &&
	    has_section(path, ".BTF.base"))
		return "is not the base of that module, which has a distilled one (.BTF.base): "
		       "needs libbpf 1.5";
	return NULL;
}

static void read_types(struct reader *r, const char *path, const char *base)
{
	struct sf_error *err = &r->head.err;
	struct btf *kernel = base ? load(base, NULL, err) : NULL;

	const char *fault = kernel ? unfit_base(kernel, path) : NULL;

	if (fault)
		snprintf(err->text, sizeof(err->text), "%.100s: %s", base, fault);
	if (fault || (base && !kernel))
		return;
	r->btf = load(path, kernel, err);
	if (!r->btf)
		return;
	r->nr = btf__type_cnt(r->btf);
	r->nr_base = kernel ? btf__type_cnt(kernel) : 0;
	collect(r);
	if (r->damaged)
		snprintf(err->text, sizeof(err->text), "%.150s: damaged BTF", path);
	else if (!base && is_distilled(r->btf))
		snprintf(err->text, sizeof(err->text), "%.100s: a distilled base, without members: "
			 "nothing to say of its structures", path);
	else if (!r->head.nr)
		snprintf(err->text, sizeof(err->text), "%.150s: no structure in its BTF", path);
}

/* The libraries explain themselves on stderr: we do, once. */
static void be_silent(void)
{
	int null = open("/dev/null", O_RDWR);

	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
}

__attribute__((noreturn)) static void child(int to, const char *path, const char *base)
{
	const struct rlimit none = { 0, 0 }, cpu = { CHILD_SECONDS_MAX, CHILD_SECONDS_MAX };
	char *types = NULL, *names = NULL;
	size_t types_len = 0, names_len = 0;
	struct reader r = { .types = open_memstream(&types, &types_len),
			    .names = open_memstream(&names, &names_len) };
	FILE *out = fdopen(to, "w");

	be_silent();
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_CPU, &cpu);
	if (!r.types || !r.names || !out)
		_exit(1);
	read_types(&r, path, base);
	if (fclose(r.types) || fclose(r.names))
		_exit(1);
	if (fwrite(&r.head, sizeof(r.head), 1, out) != 1 ||
	    fwrite(types, 1, types_len, out) != types_len ||
	    fwrite(names, 1, names_len, out) != names_len || fclose(out))
		_exit(1);
	_exit(0);
}

/* ---- the parent ---- */

static enum sf_btf_status refused(struct sf_error *err, const char *path, const char *why)
{
	snprintf(err->text, sizeof(err->text), "%.100s: %.90s", path, why);
	return SF_BTF_BAD;
}

/* NULL, or why there is nothing to read in `fd`. */
static const char *run_child(int fd, const char *path, const char *base)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return strerror(errno);
	if (!pid)
		child(fd, path, base);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return strerror(errno);
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		return "damaged: libbpf wants too much to read it";
	return WIFEXITED(status) && !WEXITSTATUS(status) ? NULL :
							   "damaged: libbpf crashed reading it";
}

/* A child that was led astray may have left anything. */
static bool sane(const struct head *h, size_t len)
{
	const struct wire *w = (const void *)(h + 1);
	const char *names;

	if (len < sizeof(*h) || h->names_len > len ||
	    len != sizeof(*h) + h->nr * sizeof(*w) + h->names_len)
		return false;
	if (!memchr(h->err.text, '\0', sizeof(h->err.text)))
		return false;
	names = (const char *)(w + h->nr);
	if (h->nr && (!h->names_len || names[h->names_len - 1]))
		return false;
	for (uint32_t i = 0; i < h->nr; i++)
		if (w[i].name >= h->names_len || w[i].tag_len > h->names_len - w[i].name)
			return false;
	return true;
}

static void take(const struct head *h, struct sf_btf *out)
{
	const struct wire *w = (const void *)(h + 1);
	const char *names = (const char *)(w + h->nr);

	out->type = sf_zalloc(h->nr, sizeof(*out->type));
	out->nr = h->nr;
	out->empty = h->empty;
	for (uint32_t i = 0; i < h->nr; i++) {
		const char *name = names + w[i].name;

		out->type[i] = (struct sf_btf_type){
			.name = name, .canonical = w[i].anonymous ? NULL : name + w[i].tag_len,
			.size = w[i].size, .pointer = w[i].pointer, .from_base = w[i].from_base,
		};
	}
}

static enum sf_btf_status take_file(int fd, const char *path, struct sf_btf *out,
				    struct sf_error *err)
{
	const struct head *h;
	struct stat st;

	if (fstat(fd, &st))
		return refused(err, path, strerror(errno));
	out->map_len = (size_t)st.st_size;
	out->map = mmap(NULL, out->map_len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (out->map == MAP_FAILED) {
		*out = (struct sf_btf){ 0 };
		return refused(err, path, "damaged: libbpf went astray in it");
	}
	h = out->map;
	if (!sane(h, out->map_len)) {
		sf_btf_free(out);
		return refused(err, path, "damaged: libbpf went astray in it");
	}
	if (*h->err.text) {
		*err = h->err;
		sf_btf_free(out);
		return SF_BTF_BAD;
	}
	take(h, out);
	return SF_BTF_OK;
}

enum sf_btf_status sf_btf_read(const char *path, const char *base, struct sf_btf *out,
			       struct sf_error *err)
{
	int fd = memfd_create("slabfuzz-btf", MFD_CLOEXEC);
	enum sf_btf_status status;
	const char *fault;

	*out = (struct sf_btf){ 0 };
	if (fd < 0)
		return refused(err, path, strerror(errno));
	fault = run_child(fd, path, base);
	status = fault ? refused(err, path, fault) : take_file(fd, path, out, err);
	close(fd);
	return status;
}

void sf_btf_free(struct sf_btf *b)
{
	free(b->type);
	if (b->map)
		munmap(b->map, b->map_len);
	*b = (struct sf_btf){ 0 };
}

#endif
