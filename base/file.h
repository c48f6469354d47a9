// SPDX-License-Identifier: Apache-2.0
// Whole files: read with a size limit, and replaced atomically.
#ifndef NOWCAST_BASE_FILE_H
#define NOWCAST_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

// Appends a file to `ret`. ERR_CONFIG: it cannot be read, or is larger than `max` bytes; `ret` is then
// unchanged.
bool file_read(const char *path, size_t max, struct buf *ret, struct err *err) NC_CHECK;

// Writes all of `text`, in as many writes as it takes. False: errno says why; a part may be written.
bool file_write_all(int fd, struct str text) NC_CHECK;

// Writes a new file beside the old one, syncs it to disk and renames it over the old one. A crash leaves the
// old file or the new one; a reader that has the old file open keeps it. Mode, owner and group stay, and a
// symbolic link still names the file. ERR_CONFIG.
bool file_replace(const char *path, struct str text, struct err *err) NC_CHECK;

// The same in steps: what is written to `fd` takes the place of the file at its commit. Both
// file_draft_commit and file_draft_drop end it.
struct file_draft {
	char *path, *beside; // the file itself, behind links; the new one
	int fd;
};
bool file_draft_open(struct file_draft *ret, const char *path, struct err *err) NC_CHECK;
bool file_draft_commit(struct file_draft *d, struct err *err) NC_CHECK;
void file_draft_drop(struct file_draft *d);

#endif
