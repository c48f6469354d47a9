// SPDX-License-Identifier: Apache-2.0
// Whole files: read with a limit, and replaced so that no reader ever sees half of one.
#ifndef NOWCAST_BASE_FILE_H
#define NOWCAST_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

// Appends all of a file to `ret`. ERR_CONFIG: it cannot be read, or is larger than `max` bytes; nothing was
// appended then.
bool file_read(const char *path, size_t max, struct buf *ret, struct err *err) NC_CHECK;

// Writes all of `text`, however the kernel cuts it. On false errno says why, and part of it may be written.
bool file_write_all(int fd, struct str text) NC_CHECK;

// Writes beside the file, to the disk, then renames over it: a crash leaves the old file or the new one, and
// a reader that has the old one open keeps it. ERR_CONFIG.
bool file_replace(const char *path, struct str text, struct err *err) NC_CHECK;

#endif
