// SPDX-License-Identifier: MIT
/*
 * files.c - files.h.
 */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"

char *sf_path(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		sf_out_of_memory();
	va_end(ap);
	return s;
}

bool sf_make_folder(const char *path)
{
	char *part = sf_path("%s", path);
	bool fine = true;

	for (char *s = part + 1; fine && *s; s++) {
		if (*s != '/')
			continue;
		*s = 0;
		fine = !mkdir(part, 0777) || errno == EEXIST;
		*s = '/';
	}
	fine = fine && (!mkdir(part, 0777) || errno == EEXIST);
	free(part);
	if (fine && access(path, R_OK | W_OK | X_OK))
		fine = false;
	return fine;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)flag;
	(void)where;
	remove(path);
	return 0;
}

void sf_remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

char *sf_read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	size_t cap = 4096, n = 0, got;
	char *data;
	bool bad;

	if (!f)
		return NULL;
	data = sf_grow(NULL, cap + 1, 1);
	while ((got = fread(data + n, 1, cap - n, f)) > 0) {
		n += got;
		if (n == cap)
			data = sf_grow(data, (cap *= 2) + 1, 1);
	}
	bad = ferror(f);
	fclose(f);
	data[n] = 0;
	if (len)
		*len = n;
	if (!bad)
		return data;
	free(data);
	errno = EIO;
	return NULL;
}

bool sf_write_file(const char *path, const void *data, size_t len)
{
	char *temp = sf_path("%s.%ld.tmp", path, (long)getpid());
	FILE *f = fopen(temp, "wb");
	bool fine = f && fwrite(data, 1, len, f) == len && !fflush(f) && !fsync(fileno(f));

	if (f && fclose(f))
		fine = false;
	fine = fine && !rename(temp, path);
	if (!fine && f)
		unlink(temp);
	free(temp);
	return fine;
}

bool sf_copy_file(const char *from, const char *to)
{
	size_t len;
	char *data = sf_read_file(from, &len);
	bool fine = data && sf_write_file(to, data, len);

	free(data);
	return fine;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **sf_list_files(const char *folder, size_t *nr)
{
	DIR *dir = opendir(folder);
	char **names = sf_grow(NULL, 1, sizeof(char *));
	size_t n = 0, cap = 1;
	struct dirent *e;
	struct stat st;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || fstatat(dirfd(dir), e->d_name, &st, 0) ||
		    !S_ISREG(st.st_mode))
			continue;
		if (n + 1 == cap)
			names = sf_grow(names, cap *= 2, sizeof(char *));
		names[n++] = sf_path("%s", e->d_name);
	}
	if (dir)
		closedir(dir);
	qsort(names, n, sizeof(char *), by_name);
	names[n] = NULL;
	if (nr)
		*nr = n;
	return names;
}

void sf_free_names(char **names)
{
	for (char **s = names; *s; s++)
		free(*s);
	free(names);
}

size_t sf_count_files(const char *folder)
{
	size_t nr;

	sf_free_names(sf_list_files(folder, &nr));
	return nr;
}

struct timespec sf_file_time(const char *folder)
{
	char *path = sf_path("%s/.now.%ld", folder, (long)getpid());
	struct timespec t = { 0 };
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0 && write(fd, "", 1) == 1 && !fstat(fd, &st))
		t = st.st_mtim;
	if (fd >= 0)
		close(fd);
	unlink(path);
	free(path);
	return t;
}

bool sf_file_since(const char *path, const struct timespec *since)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	return st.st_mtim.tv_sec > since->tv_sec ||
	       (st.st_mtim.tv_sec == since->tv_sec && st.st_mtim.tv_nsec >= since->tv_nsec);
}

void *sf_map_file(const char *path, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), all = (size + page - 1) / page * page;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644), error;
	void *p = MAP_FAILED, *room = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (!ftruncate(fd, (off_t)size))
		room = mmap(NULL, all + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room != MAP_FAILED)
		p = mmap((char *)room + page, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 fd, 0);
	error = errno;
	close(fd);
	errno = error;
	return p == MAP_FAILED ? NULL : p;
}
