// SPDX-License-Identifier: MIT
/*
 * where.c - functions by address, from the symbol table in the program's own file. A symbolizer
 * knows of inlined functions, too, but takes a process of its own and a second of its time, and may
 * be missing. Relies on ELF; survive.c and fuzz.c rely on it.
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

extern const char __executable_start[] __attribute__((weak)), etext[] __attribute__((weak));

/* The file stays mapped. */
static struct {
	bool read;
	uintptr_t base;
	const ElfW(Sym) *sym;
	size_t nr;
	const char *names;
	size_t names_size;
} program;

static int first_object(struct dl_phdr_info *info, size_t size, void *base)
{
	(void)size;
	*(uintptr_t *)base = info->dlpi_addr;
	return 1; /* the program itself */
}

static const void *in_file(const char *file, size_t size, uint64_t at, uint64_t bytes)
{
	return at <= size && bytes <= size - at ? file + at : NULL;
}

static void read_symbols(const char *file, size_t size)
{
	const ElfW(Ehdr) *e = in_file(file, size, 0, sizeof(*e));
	const ElfW(Shdr) *s, *names;

	if (!e || memcmp(e->e_ident, ELFMAG, SELFMAG))
		return;
	s = in_file(file, size, e->e_shoff, e->e_shnum * sizeof(*s));
	for (unsigned int i = 0; s && i < e->e_shnum; i++) {
		if (s[i].sh_type != SHT_SYMTAB || s[i].sh_link >= e->e_shnum)
			continue;
		names = &s[s[i].sh_link];
		program.names = in_file(file, size, names->sh_offset, names->sh_size);
		program.names_size = names->sh_size;
		program.sym = in_file(file, size, s[i].sh_offset, s[i].sh_size);
		program.nr = program.names && program.sym && program.names_size ?
				     s[i].sh_size / sizeof(*program.sym) : 0;
		if (program.nr && program.names[program.names_size - 1])
			program.nr = 0;
	}
}

void sf_where_setup(void)
{
	int fd;
	struct stat st;
	void *file;

	if (program.read)
		return;
	program.read = true;
	dl_iterate_phdr(first_object, &program.base);
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (!fstat(fd, &st) && st.st_size > 0) {
		file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (file != MAP_FAILED)
			read_symbols(file, (size_t)st.st_size);
	}
	close(fd);
}

/* NULL: it is in none. Of several names the strong one: memcpy() is also the sanitizer's. */
static const char *function_at(uintptr_t pc)
{
	uintptr_t at = pc - program.base;
	const char *weak = NULL;

	for (size_t i = 0; i < program.nr; i++) {
		const ElfW(Sym) *s = &program.sym[i];

		if ((s->st_info & 0xf) != STT_FUNC || at - s->st_value >= s->st_size ||
		    s->st_name >= program.names_size)
			continue;
		if (s->st_info >> 4 != STB_WEAK)
			return program.names + s->st_name;
		weak = program.names + s->st_name;
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
	uintptr_t start = (uintptr_t)__executable_start, end = (uintptr_t)etext;

	for (unsigned int i = 0; i < nr; i++) {
		const char *name;

		if (pc[i] < start || pc[i] >= end)
			continue;
		name = function_at(pc[i]);
		if (!program.nr) {
			snprintf(title, SF_CRASH_MAX, "ASan: %.*s at +%#lx", (int)len, kind,
				 (unsigned long)(pc[i] - start));
			return;
		}
		if (!name || is_passed_over(name))
			continue;
		/* What a compiler made of a function has its name and more behind a dot. */
		snprintf(title, SF_CRASH_MAX, "ASan: %.*s in %.*s", (int)len, kind,
			 (int)strcspn(name, "."), name);
		return;
	}
	snprintf(title, SF_CRASH_MAX, "ASan: %.*s at an unknown place", (int)len, kind);
}
