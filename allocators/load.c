// SPDX-License-Identifier: MIT
/*
 * load.c - load.h, on top of the dynamic loader. What is no shared object for this machine is told
 * from its ELF header, before the loader is asked.
 */
#include "load.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/grow.h"

enum {
	LOADING_SECONDS = 20,
	LOADED = 77, /* exit status of the child that tries: none that anybody means */
};

struct load {
	void *handle;
	struct link_map *map;
	struct load *next;
};

/* For ever: what is opened stays, and whoever looks for leaks finds it. */
static struct load *loads;

static bool refuse(struct sf_error *err, const char *path, const char *why)
{
	snprintf(err->text, sizeof(err->text), "%.90s: %.100s", path, why);
	return false;
}

static ElfW(Half) this_machine(void)
{
	ElfW(Ehdr) own = { 0 };
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, &own, sizeof(own)) != (ssize_t)sizeof(own))
		own.e_machine = EM_NONE;
	if (fd >= 0)
		close(fd);
	return own.e_machine;
}

static bool check_header(const char *path, const ElfW(Ehdr) *e, size_t len, struct sf_error *err)
{
	if (len < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0)
		return refuse(err, path, "not a shared object (no ELF header)");
	if (e->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
		return refuse(err, path, "built for another machine (32 or 64 bits)");
	if (e->e_machine != this_machine() && this_machine() != EM_NONE)
		return refuse(err, path, "built for another machine");
	if (e->e_type != ET_DYN)
		return refuse(err, path, "not a shared object (link it with -shared)");
	return true;
}

/* Without a slash the loader looks for it, where it looks. */
static bool check_file(const char *path, struct sf_error *err)
{
	ElfW(Ehdr) e;
	ssize_t got;
	int fd;

	if (!strchr(path, '/'))
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refuse(err, path, strerror(errno));
	got = read(fd, &e, sizeof(e));
	if (got < 0)
		refuse(err, path, strerror(errno));
	close(fd);
	return got >= 0 && check_header(path, &e, (size_t)got, err);
}

/* What the loader says begins with the path, as often as not. */
static void loader_error(const char *path, struct sf_error *err)
{
	static const char *const of_sanitizers[] = { ": __asan_", ": __ubsan_", ": __sanitizer_" };
	const char *why = dlerror();
	size_t len = strlen(path);

	for (size_t i = 0; why && i < sizeof(of_sanitizers) / sizeof(of_sanitizers[0]); i++) {
		if (strstr(why, of_sanitizers[i])) {
			refuse(err, path, SF_LOAD_SANITIZERS);
			return;
		}
	}
	why = why ? why : "cannot be loaded";
	if (!strncmp(why, path, len) && !strncmp(why + len, ": ", 2))
		why += len + 2;
	refuse(err, path, why);
}

/* There in programs with AddressSanitizer. */
extern void __asan_init(void) __attribute__((weak));

/*
 * A namespace of its own. With AddressSanitizer loaders crash on libraries that bring a malloc()
 * for one (glibc's takes an error of one libc to the free() of another): then at least its own
 * symbols come first. The C library itself is there once in each namespace.
 */
static void *open_apart(const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	if (__asan_init && strncmp(name, "libc.so", 7) != 0)
		return dlmopen(LM_ID_BASE, path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	return dlmopen(LM_ID_NEWLM, path, RTLD_NOW | RTLD_LOCAL);
}

static void *open_object(const char *path, bool apart)
{
	void *handle = apart ? open_apart(path) : NULL;

	return handle ? handle : dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/* In the child: how this process would fare. What the loader says is said by the parent. */
static void try_child(const char *path, bool apart)
{
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGALRM };
	const struct rlimit none = { 0 };
	int fd = open("/dev/null", O_WRONLY);

	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		signal(deadly[i], SIG_DFL);
	setrlimit(RLIMIT_CORE, &none);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	alarm(LOADING_SECONDS);
	open_object(path, apart);
	_exit(LOADED);
}

/*
 * Constructors run while an object is loaded, and the loader believes what headers say: who
 * crashes, hangs or calls exit() there does it in a child first, and not in a command that seems to
 * succeed.
 */
static bool try_loading(const char *path, bool apart, struct sf_error *err)
{
	char why[100];
	int status;
	pid_t child = fork();

	if (!child)
		try_child(path, apart);
	if (child < 0)
		return true;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return true;
	if (WIFEXITED(status) && WEXITSTATUS(status) == LOADED)
		return true;
	if (WIFEXITED(status))
		snprintf(why, sizeof(why), "calls exit(%d) when it is loaded", WEXITSTATUS(status));
	else if (WTERMSIG(status) == SIGALRM)
		snprintf(why, sizeof(why), "hangs when it is loaded (%d s)", LOADING_SECONDS);
	else
		snprintf(why, sizeof(why), "crashes when it is loaded (%s)",
			 strsignal(WTERMSIG(status)));
	return refuse(err, path, why);
}

struct load *load_open(const char *path, bool apart, struct sf_error *err)
{
	struct load l = { .handle = NULL }, *kept;
	char here[PATH_MAX];

	/* What is here need not be looked for. */
	if (!strchr(path, '/') && !access(path, R_OK)) {
		snprintf(here, sizeof(here), "./%s", path);
		path = here;
	}
	if (!check_file(path, err) || !try_loading(path, apart, err))
		return NULL;
	l.handle = open_object(path, apart);
	if (!l.handle || dlinfo(l.handle, RTLD_DI_LINKMAP, &l.map)) {
		loader_error(path, err);
		return NULL;
	}
	kept = sf_zalloc(1, sizeof(*kept));
	*kept = l;
	kept->next = loads;
	loads = kept;
	return kept;
}

void *load_symbol_any(const struct load *l, const char *name)
{
	return dlsym(l->handle, name);
}

void *load_symbol(const struct load *l, const char *name)
{
	void *p = dlsym(l->handle, name);
	struct link_map *of = NULL;
	Dl_info info;

	if (!p || !dladdr1(p, &info, (void **)&of, RTLD_DL_LINKMAP))
		return NULL;
	return of == l->map ? p : NULL;
}

uint64_t load_symbol_size(const struct load *l, const void *symbol)
{
	const ElfW(Sym) *sym = NULL;
	Dl_info info;

	(void)l;
	if (!dladdr1(symbol, &info, (void **)&sym, RTLD_DL_SYMENT) || !sym ||
	    info.dli_saddr != symbol)
		return 0;
	return sym->st_size;
}

/* Of the main namespace: an object in one of its own has its symbols from load_symbol(). */
static int in_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t *p = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];

		if (h->p_type == PT_LOAD && h->p_flags & PF_X &&
		    *p - (info->dlpi_addr + h->p_vaddr) < h->p_memsz)
			return 1;
	}
	return 0;
}

bool load_callable(const void *p)
{
	uintptr_t at = (uintptr_t)p;

	return dl_iterate_phdr(in_code, &at) != 0;
}

const char *load_path(const struct load *l)
{
	return l->map->l_name;
}
