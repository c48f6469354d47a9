// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_read(const char *path, size_t max, struct buf *ret, struct err *err)
{
	char block[65536];
	size_t n, before = ret->len;
	FILE *f = fopen(path, "rbe");
	if (!f)
		return err_set(err, ERR_CONFIG, "cannot open %s: %s", path, strerror(errno));
	while ((n = fread(block, 1, sizeof block, f)) > 0 && ret->len - before <= max)
		buf_add(ret, block, n);
	bool good = !ferror(f), fits = ret->len - before <= max;
	int why = errno;
	fclose(f);
	if (good && fits)
		return true;
	if (ret->data) {
		ret->len = before;
		ret->data[before] = '\0';
	}
	return good ? err_set(err, ERR_CONFIG, "%s has more than %zu bytes", path, max)
	            : err_set(err, ERR_CONFIG, "cannot read %s: %s", path, strerror(why));
}

bool file_write_all(int fd, struct str text)
{
	while (text.len) {
		ssize_t n = write(fd, text.p, text.len);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			text = (struct str){text.p + n, text.len - (size_t)n};
	}
	return true;
}

// The file that takes the place of another one keeps its owner, group and mode: who could read it still can,
// and nobody else. Only root can give a file away; without that the group, if it may be, and the mode are
// kept all the same.
static bool keep_owner(int fd, const char *path)
{
	struct stat old;
	if (stat(path, &old) != 0)
		return errno == ENOENT;
	if (fchown(fd, old.st_uid, old.st_gid) != 0)
		(void)!fchown(fd, (uid_t)-1, old.st_gid); // a member of the group can keep that
	return fchmod(fd, old.st_mode & 07777) == 0;
}

bool file_draft_open(struct file_draft *ret, const char *path, struct err *err)
{
	struct buf beside = BUF_INIT;
	char *target = realpath(path, NULL); // a symbolic link stays one
	bool exists = target != NULL;
	if (!exists)
		target = xstrdup(str_of(path));
	buf_addf(&beside, "%s.new.%ld", target, (long)getpid());
	*ret = (struct file_draft){.path = target, .beside = beside.data, .fd = -1};
	unlink(ret->beside); // of a process of this number that was killed
	// never through a link that somebody else has put there
	ret->fd = open(ret->beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, exists ? 0600 : 0644);
	if (ret->fd >= 0 && keep_owner(ret->fd, path))
		return true;
	int why = errno;
	file_draft_drop(ret);
	return err_set(err, ERR_CONFIG, "cannot write %s: %s", path, strerror(why));
}

bool file_draft_commit(struct file_draft *d, struct err *err)
{
	bool good = fsync(d->fd) == 0;
	int why = errno;
	if (close(d->fd) != 0 && good) {
		good = false;
		why = errno;
	}
	if (good && rename(d->beside, d->path) != 0) {
		good = false;
		why = errno;
	}
	if (!good)
		err_set(err, ERR_CONFIG, "cannot write %s: %s", d->path, strerror(why));
	else
		d->beside[0] = '\0'; // it is there no more
	d->fd = -1;
	file_draft_drop(d);
	return good;
}

void file_draft_drop(struct file_draft *d)
{
	if (d->fd >= 0)
		close(d->fd);
	if (d->beside && *d->beside)
		unlink(d->beside);
	free(d->path);
	free(d->beside);
	*d = (struct file_draft){.fd = -1};
}

bool file_replace(const char *path, struct str text, struct err *err)
{
	struct file_draft d;
	if (!file_draft_open(&d, path, err))
		return false;
	if (file_write_all(d.fd, text))
		return file_draft_commit(&d, err);
	int why = errno;
	file_draft_drop(&d);
	return err_set(err, ERR_CONFIG, "cannot write %s: %s", path, strerror(why));
}
