// SPDX-License-Identifier: Apache-2.0
// A file of a test, whole.
#ifndef NOWCAST_TESTS_SUPPORT_SLURP_H
#define NOWCAST_TESTS_SUPPORT_SLURP_H

#include "base/file.h"
#include "tests/tap.h"

// Appends the file to `ret`; false if it is not here.
static inline bool slurp(const char *path, struct buf *ret)
{
	struct err ignored = ERR_INIT;
	return file_read(path, (size_t)1 << 30, ret, &ignored);
}

// The same; a file that is not here is a failed test.
static inline bool must_slurp(const char *path, struct buf *ret)
{
	return slurp(path, ret) || ok(false, "%s can be read", path);
}

#endif
