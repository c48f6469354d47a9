// SPDX-License-Identifier: Apache-2.0
// The flag --out of the subcommands that read: what they print goes to a file or to S3 instead of the
// terminal.
//
//     output_begin    stdout becomes a new file, beside the one that is named or, for S3, in TMPDIR
//     output_end      it takes the place of the named one, or is put on S3; or it is dropped
//
// A reader of the file or the object sees the old one or the whole new one. What is no file (a pipe, a
// device) is written to as it is.
#ifndef NOWCAST_CLI_OUTPUT_H
#define NOWCAST_CLI_OUTPUT_H

#include "base/err.h"
#include "base/file.h"

struct output {
	const char *where;       // as it was given; NULL: nothing was
	struct file_draft draft; // of a file
	int fd;                  // what stdout writes to; -1: it is that of the program
	int stdout_fd;           // that of the program
	bool s3;
};

// `where`: a path, s3://BUCKET/KEY, or "-": stdout stays. ERR_CONFIG: it cannot be written there.
bool output_begin(struct output *ret, const char *where, struct err *err) NC_CHECK;

// Stdout is that of the program again. `keep`: the subcommand has worked. Errors as of file_replace and
// s3_put.
bool output_end(struct output *o, bool keep, struct err *err) NC_CHECK;

#endif
