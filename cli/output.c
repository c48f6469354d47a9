// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/s3_put.h"

static bool fail(const struct output *o, int why, struct err *err)
{
	return err_set(err, ERR_CONFIG, "--out %s: %s%s", o->where, strerror(why),
	               why == ENOENT   ? ": make the folder first"
	               : why == ENOSPC ? ": make room, or name another place"
	               : why == EISDIR ? ": name a file in it"
	                               : "");
}

// What is put on S3 waits in a file without a name.
static bool open_unnamed(struct output *o, struct err *err)
{
	const char *folder = getenv("TMPDIR");
	struct buf path = BUF_INIT;
	buf_addf(&path, "%s/nowcast-out.XXXXXX", folder && *folder ? folder : "/tmp");
	o->fd = mkostemp(path.data, O_CLOEXEC);
	if (o->fd >= 0)
		unlink(path.data);
	else
		err_set(err, ERR_CONFIG, "--out %s: %s: %s: TMPDIR must be a folder that can be written to", o->where,
		        path.data, strerror(errno));
	buf_release(&path);
	return o->fd >= 0;
}

static bool folder_exists(const char *path)
{
	char *folder = xstrdup(str_of(path)), *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	bool exists = !slash || access(folder, F_OK) == 0;
	free(folder);
	return exists;
}

static bool open_where(struct output *o, struct err *err)
{
	struct s3_name name;
	struct stat st;
	o->s3 = str_starts(str_of(o->where), STR("s3://"));
	if (o->s3 && !s3_name_parse(&name, str_of(o->where)))
		return err_set(err, ERR_CONFIG, "--out %s: expected s3://BUCKET/KEY, the key being that of an object",
		               o->where);
	if (o->s3)
		return open_unnamed(o, err);
	bool exists = stat(o->where, &st) == 0;
	if (!*o->where || (exists && S_ISDIR(st.st_mode)))
		return fail(o, *o->where ? EISDIR : ENOENT, err);
	if (exists && !S_ISREG(st.st_mode)) {
		o->fd = open(o->where, O_WRONLY | O_CLOEXEC);
		return o->fd >= 0 || fail(o, errno, err);
	}
	if (!exists && errno == ENOENT && !folder_exists(o->where))
		return fail(o, ENOENT, err);
	if (!file_draft_open(&o->draft, o->where, err))
		return err_prefix(err, "--out");
	o->fd = o->draft.fd;
	return true;
}

bool output_begin(struct output *ret, const char *where, struct err *err)
{
	*ret = (struct output){.where = where, .draft = {.fd = -1}, .fd = -1, .stdout_fd = -1};
	if (!where || strcmp(where, "-") == 0)
		return true;
	if (!open_where(ret, err))
		return false;
	fflush(stdout);
	ret->stdout_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	return (ret->stdout_fd >= 0 && dup2(ret->fd, STDOUT_FILENO) >= 0) || fail(ret, errno, err);
}

// By the end of its name.
static const char *media_type(struct str key)
{
	return str_ends(key, STR(".csv"))    ? "text/csv; charset=utf-8"
	       : str_ends(key, STR(".html")) ? "text/html; charset=utf-8"
	       : str_ends(key, STR(".json")) ? "application/json"
	                                     : "text/plain; charset=utf-8";
}

static bool put_on_s3(const struct output *o, struct err *err)
{
	struct s3_name name;
	struct stat st;
	if (fstat(o->fd, &st) != 0 || !s3_name_parse(&name, str_of(o->where)))
		return fail(o, errno, err);
	size_t n = (size_t)st.st_size;
	void *data = n ? mmap(NULL, n, PROT_READ, MAP_PRIVATE, o->fd, 0) : NULL;
	if (data == MAP_FAILED)
		return fail(o, errno, err);
	bool good = s3_put(name, (struct str){data, n}, media_type(name.key), err) || err_prefix(err, "--out");
	if (n)
		munmap(data, n);
	return good;
}

static bool write_back(struct output *o, bool keep, struct err *err)
{
	errno = 0;
	bool good = (fflush(stdout) == 0 && !ferror(stdout)) || fail(o, errno ? errno : EIO, err);
	clearerr(stdout);
	if (o->stdout_fd >= 0) {
		(void)!dup2(o->stdout_fd, STDOUT_FILENO);
		close(o->stdout_fd);
	}
	if (!good || !keep)
		return good;
	if (o->draft.path)
		return file_draft_commit(&o->draft, err) || err_prefix(err, "--out");
	return !o->s3 || put_on_s3(o, err);
}

bool output_end(struct output *o, bool keep, struct err *err)
{
	if (o->fd < 0)
		return true;
	bool is_draft = o->draft.path != NULL, good = write_back(o, keep, err);
	if (!is_draft)
		close(o->fd);
	else if (o->draft.path)
		file_draft_drop(&o->draft);
	o->fd = -1;
	return good;
}
