// SPDX-License-Identifier: Apache-2.0
// Files to messages. gzip is recognised by its first bytes; a file may have several members. Text is read one
// line at a time (kcat -J, NDJSON, CloudTrail's one-line files), in memory bounded by message_bytes. A file
// that begins with an indented JSON value or with binary data is one message.
#ifndef NOWCAST_INGEST_FILES_H
#define NOWCAST_INGEST_FILES_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct files_message {
	const char *path;    // "-": standard input
	int64_t line;        // from 1; 0: the file as a whole
	struct str data;     // lives until the callback returns
	const char *broken;  // NULL, or why `data` is not the whole message (too large, gzip damaged): a fault
	bool too_large;
};

// Returning false ends the walk with the callback's error.
typedef bool files_message_fn(void *user, const struct files_message *m, struct err *err);

struct files_entry {
	char *path;
	int64_t bytes; // on disk; 0: not known
};

struct files {
	struct files_entry *entries; // in the order to read
	size_t n;
	int64_t bytes;               // of all entries
	int64_t bytes_read;          // so far, on disk
	// reading ends when it is not 0 (a signal handler sets it); NULL: never
	const volatile sig_atomic_t *stop;
};

// Lists files, and the files below folders in bytewise order of their paths, without names that begin with a
// dot. ERR_CONFIG names a path that does not exist.
bool files_list(struct files *f, char *const *paths, struct err *err) NC_CHECK;
void files_release(struct files *f);

// Reads one entry and calls `fn` for each message; an empty file has none. ERR_FATAL: the file cannot be
// opened or read, or `stop` was set.
bool files_read(struct files *f, size_t entry, size_t message_bytes, files_message_fn *fn, void *user,
                struct err *err) NC_CHECK;

#endif
