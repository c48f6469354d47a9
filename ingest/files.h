// SPDX-License-Identifier: Apache-2.0
// Files to messages. Gzip is recognised by its first bytes, several members in one file included. Text is
// read a line at a time (kcat -J, NDJSON, CloudTrail's one-line files), streaming, in memory bounded by
// message_bytes; a file that begins with an indented JSON value or with binary data is one message.
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
	const char *broken;  // NULL, or why `data` is not all of the message (too large, gzip damaged): a fault
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
	// once it is not 0, as a signal's handler sets it, reading ends; NULL: nothing ends it
	const volatile sig_atomic_t *stop;
};

// Lists files, and what is below folders in bytewise order of their paths; names that begin with a dot are
// left out. ERR_CONFIG names a path that is not there.
bool files_list(struct files *f, char *const *paths, struct err *err) NC_CHECK;
void files_release(struct files *f);

// Reads one entry; files with no byte in them are no message. ERR_FATAL when it cannot be opened or read, or
// was stopped.
bool files_read(struct files *f, size_t entry, size_t message_bytes, files_message_fn *fn, void *user,
                struct err *err) NC_CHECK;

#endif
