/* SPDX-License-Identifier: MIT */
/*
 * files.h - the few things that a run of an engine does with folders and whole files (files.c).
 * Relies on the operating system alone. Whatever returns bool leaves the reason in errno.
 */
#ifndef SLABFUZZ_FILES_H
#define SLABFUZZ_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Formatted; never NULL; to be freed. */
char *sf_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The folder, and those that it is in, unless they are there. */
bool sf_make_folder(const char *path);
void sf_remove_tree(const char *path);

/* Whole files; a NUL is behind the last byte. NULL: it cannot be read. */
char *sf_read_file(const char *path, size_t *len);
/* Temporary file, fsync, rename. */
bool sf_write_file(const char *path, const void *data, size_t len);
bool sf_copy_file(const char *from, const char *to);
/*
 * A file of `size` bytes, made if need be, mapped and shared; NULL: it cannot be had. Between pages
 * that nothing may touch: who writes over all that lies behind an object does not get to it.
 */
void *sf_map_file(const char *path, size_t size);

/*
 * Names of the plain files in a folder, without those that begin with a dot, in order; ends with
 * NULL; nr may be NULL. An unreadable folder is an empty one.
 */
char **sf_list_files(const char *folder, size_t *nr);
void sf_free_names(char **names);
size_t sf_count_files(const char *folder);

/* The time that files get which are written now: the file system's, not the clock's. */
struct timespec sf_file_time(const char *folder);
/* It was written, or met again, after that. */
bool sf_file_since(const char *path, const struct timespec *since);

#endif
