// SPDX-License-Identifier: MIT
/*
 * output.c - output.h: a temporary file in the same folder, fsync, rename.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "output.h"

static void release(struct sf_out *o)
{
	free(o->path);
	free(o->temp);
	*o = (struct sf_out){ 0 };
}

static int refuse(struct sf_out *o, const char *path)
{
	int status = sf_bad("%s: %s", path, strerror(errno));

	sf_out_abort(o);
	return status;
}

/*
 * "-", or a name like /dev/stdout for what standard output goes to: replacing that would lose it.
 */
static bool is_stdout(const char *path)
{
	struct stat a, b;

	if (!strcmp(path, "-"))
		return true;
	return !stat(path, &a) && !fstat(STDOUT_FILENO, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int sf_out_open(struct sf_out *o, const char *path)
{
	struct stat st;
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	*o = (struct sf_out){ 0 };
	if (is_stdout(path)) {
		o->file = stdout;
		o->path = sf_strdup(path);
		return 0;
	}
	/* A link is followed, so that the file behind it is replaced and not the link. */
	o->path = realpath(path, NULL);
	if (!o->path)
		o->path = sf_strdup(path);
	if (!stat(o->path, &st) && !S_ISREG(st.st_mode)) {
		o->file = fopen(o->path, "w");
		return o->file ? 0 : refuse(o, path);
	}
	o->temp = sf_sprintf("%s.XXXXXX", o->path);
	fd = mkstemp(o->temp);
	if (fd < 0) {
		free(o->temp);
		o->temp = NULL;
		return refuse(o, path);
	}
	fchmod(fd, 0666 & ~mask);
	o->file = fdopen(fd, "w");
	if (!o->file) {
		close(fd);
		return refuse(o, path);
	}
	return 0;
}

int sf_out_commit(struct sf_out *o)
{
	bool failed;
	FILE *f = o->file;

	if (f == stdout) {
		/* main() flushes it, and reports what went wrong. */
		release(o);
		return 0;
	}
	/* After a failed write errno is still its own: what fills a file calls nothing else. */
	failed = ferror(f) || fflush(f);
	if (failed && !errno)
		errno = EIO;
	if (!failed && o->temp)
		failed = fsync(fileno(f));
	if (failed)
		return refuse(o, o->path);
	o->file = NULL;
	if (fclose(f) || (o->temp && rename(o->temp, o->path)))
		return refuse(o, o->path);
	release(o);
	return 0;
}

void sf_out_abort(struct sf_out *o)
{
	if (o->file && o->file != stdout)
		fclose(o->file);
	if (o->temp)
		unlink(o->temp);
	release(o);
}
