// SPDX-License-Identifier: MIT
/*
 * where.c - functions by address, from the symbol tables of the program's file and of what was
 * loaded into it: an allocator's library, a plug-in. A symbolizer knows of inlined functions, too,
 * but takes a process of its own and a second of its time, and may be missing. Relies on ELF;
 * survive.c and fuzz.c rely on it.
 */
#include "where.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OBJECTS_MAX = 16 };

/* A file that is mapped and run. */
struct object {
	uintptr_t base, start, end; /* what its addresses count from; its code */
	char name[40];              /* "": the program */
	const ElfW(Sym) *sym;       /* its file stays mapped */
	size_t nr;
	const char *names;
	size_t names_size;
};

static struct object objects[OBJECTS_MAX];
static unsigned int nr_objects;

static const void *in_file(const char *file, size_t size, uint64_t at, uint64_t bytes)
{
	return at <= size && bytes <= size - at ? file + at : NULL;
}

/* The table of all symbols; in a file without one that of what it exports. */
static void read_symbols(struct object *o, const char *file, size_t size)
{
	const ElfW(Ehdr) *e = in_file(file, size, 0, sizeof(*e));
	const ElfW(Shdr) *s, *names;

	if (!e || memcmp(e->e_ident, ELFMAG, SELFMAG))
		return;
	s = in_file(file, size, e->e_shoff, e->e_shnum * sizeof(*s));
	for (unsigned int i = 0; s && i < e->e_shnum; i++) {
		if ((s[i].sh_type != SHT_SYMTAB && (s[i].sh_type != SHT_DYNSYM || o->nr)) ||
		    s[i].sh_link >= e->e_shnum)
			continue;
		names = &s[s[i].sh_link];
		o->names = in_file(file, size, names->sh_offset, names->sh_size);
		o->names_size = names->sh_size;
		o->sym = in_file(file, size, s[i].sh_offset, s[i].sh_size);
		o->nr = o->names && o->sym && o->names_size && !o->names[o->names_size - 1] ?
				s[i].sh_size / sizeof(*o->sym) : 0;
	}
}

static void read_file(struct object *o, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *file;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && st.st_size > 0) {
		file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (file != MAP_FAILED)
			read_symbols(o, file, (size_t)st.st_size);
	}
	close(fd);
}

/* What allocators and harness stand on: a crash there is about who called it. */
static bool is_system(const char *path)
{
	static const char *const names[] = {
		"libc.so", "libc-", "libm.so", "libpthread", "ld-linux", "ld-musl", "libgcc_s",
		"libstdc++", "linux-vdso", "libasan", "libubsan", "libclang_rt",
	};
	const char *slash = strrchr(path, '/');

	path = slash ? slash + 1 : path;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(path, names[i], strlen(names[i])))
			return true;
	return false;
}

static bool is_known(const struct dl_phdr_info *info)
{
	for (unsigned int i = 0; i < nr_objects; i++)
		if (objects[i].base == info->dlpi_addr)
			return true;
	return false;
}

/* The program comes first. */
static int take_object(struct dl_phdr_info *info, size_t size, void *unused)
{
	struct object *o = &objects[nr_objects];
	const char *slash = strrchr(info->dlpi_name, '/');

	(void)size;
	(void)unused;
	if (nr_objects == OBJECTS_MAX || is_known(info) || is_system(info->dlpi_name))
		return 0;
	*o = (struct object){ .base = info->dlpi_addr };
	for (unsigned int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t from = o->base + p->p_vaddr;

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		o->start = !o->start || from < o->start ? from : o->start;
		o->end = from + p->p_memsz > o->end ? from + p->p_memsz : o->end;
	}
	if (!o->end)
		return 0;
	if (nr_objects)
		snprintf(o->name, sizeof(o->name), "%s", slash ? slash + 1 : info->dlpi_name);
	read_file(o, nr_objects ? info->dlpi_name : "/proc/self/exe");
	nr_objects++;
	return 0;
}

void sf_where_setup(void)
{
	dl_iterate_phdr(take_object, NULL);
}

/* NULL: it is in none that is of interest. */
static const struct object *object_at(uintptr_t pc)
{
	for (const struct object *o = objects; o < objects + nr_objects; o++)
		if (pc >= o->start && pc < o->end)
			return o;
	return NULL;
}

/* NULL: it is in none. Of several names the strong one: memcpy() is also the sanitizer's. */
static const char *function_at(const struct object *o, uintptr_t pc)
{
	uintptr_t at = pc - o->base;
	const char *weak = NULL;

	for (size_t i = 0; i < o->nr; i++) {
		const ElfW(Sym) *s = &o->sym[i];

		if ((s->st_info & 0xf) != STT_FUNC || at - s->st_value >= s->st_size ||
		    s->st_name >= o->names_size)
			continue;
		if (s->st_info >> 4 != STB_WEAK)
			return o->names + s->st_name;
		weak = o->names + s->st_name;
	}
	return weak;
}

/* Not the function that it is about: the sanitizer's, or how an assertion fails. */
static bool is_passed_over(const char *name)
{
	static const char *const begins[] = {
		"__asan", "__interceptor", "___interceptor", "__sanitizer", "__ubsan",
		"_ZN6__asan", "_ZN11__sanitizer", "heap_assert_failed", "on_crash",
	};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return false;
}

void sf_where_title(const char *kind, size_t len, const uintptr_t *pc, unsigned int nr,
		    char title[SF_CRASH_MAX])
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct object *o = object_at(pc[i]);
		const char *name = o ? function_at(o, pc[i]) : NULL;

		if (name ? is_passed_over(name) : !o || (o->nr && !*o->name))
			continue;
		if (name)
			/* A compiler's copy of a function has its name and more behind a dot. */
			snprintf(title, SF_CRASH_MAX, "ASan: %.*s in %.*s", (int)len, kind,
				 (int)strcspn(name, "."), name);
		else
			snprintf(title, SF_CRASH_MAX, "ASan: %.*s at %s+%#lx", (int)len, kind,
				 o->name, (unsigned long)(pc[i] - o->base));
		return;
	}
	snprintf(title, SF_CRASH_MAX, "ASan: %.*s at an unknown place", (int)len, kind);
}
