// SPDX-License-Identifier: Apache-2.0
#include "ingest/dead_letter_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"

enum { FREE_MIN = 1 << 20 }; // bytes; a disk with less counts as full

static bool check_folder(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	struct buf folder = BUF_INIT;
	struct statvfs disk;
	bool good = true;
	if (slash)
		buf_add(&folder, path, slash == path ? 1 : (size_t)(slash - path));
	else
		buf_addc(&folder, '.');
	if (access(path, F_OK) != 0 && access(folder.data, W_OK | X_OK) != 0)
		good = err_set(err, ERR_RETRY, "dead_letter.file %s: cannot write to its folder: %s", path,
		               strerror(errno));
	else if (statvfs(folder.data, &disk) == 0 && disk.f_bavail * disk.f_frsize < FREE_MIN)
		good = err_set(err, ERR_RETRY, "dead_letter.file %s: its disk is full", path);
	buf_release(&folder);
	return good;
}

bool dead_letter_file_check(const char *path, int64_t max, struct err *err)
{
	struct stat st;
	if (stat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode)) // a pipe, a terminal
			return true;
		if (access(path, W_OK) != 0)
			return err_set(err, ERR_RETRY, "dead_letter.file %s: cannot write: %s", path, strerror(errno));
		if (st.st_size >= max)
			return err_set(
				err, ERR_RETRY,
				"dead_letter.file %s has %lld bytes, of dead_letter.file.max = %lld: further letters are only logged. Rename "
				"it, replay it after a fix (`nowcast replay`), and delete it",
				path, (long long)st.st_size, (long long)max);
	}
	return check_folder(path, err);
}
