// SPDX-License-Identifier: Apache-2.0
// The new files of a bucket, found by listing it: of a trail, or of invocation logs that go to S3.
//
//     file_walk_begin, _add ...    the folders of a span of time: their names have the time
//     file_walk_step ...           one request: a page of a folder, or a file of it
//
// A folder is listed again as long as files may come into it. Files that were read before are known by the
// hashes of their names and not read again; after a restart they are, which changes nothing.
#ifndef NOWCAST_RUN_FILE_WALK_H
#define NOWCAST_RUN_FILE_WALK_H

#include "aws/call.h"
#include "aws/s3.h"
#include "base/map.h"

struct file_walk {
	struct arena arena;     // of the folders
	struct str bucket;
	struct walked_folder {
		struct str prefix, after; // keys after it; empty: all
	} *folders;
	int n, cap;
	int at;                 // folder in hand
	struct s3 page;         // of it
	size_t next;            // object of the page
	bool listed, more;      // the page is there; there is one after it
	struct map read[2];     // hashes of names; [1]: those before the last turn of the two
	int64_t turned_ms;
	int tries;              // that the file in hand failed
	int refused, gone;      // files of this span that could not be read, or were deleted before
	struct err why;         // of the first that was refused
};

void file_walk_release(struct file_walk *w);
void file_walk_begin(struct file_walk *w, struct str bucket);
void file_walk_add(struct file_walk *w, struct str prefix, struct str after); // copies

// `position_ms`: before it, no file is looked for again. Names that were read long before are forgotten.
void file_walk_forget(struct file_walk *w, int64_t position_ms, int64_t now_ms);

// `fn` gets a file; `path` is "s3://BUCKET/KEY". A file that is refused is left out and counted, and not
// known as read.
typedef void file_walk_fn(void *user, const char *path, struct str data);
enum aws_fault file_walk_step(struct file_walk *w, const struct aws_place *at, file_walk_fn *fn, void *user,
                              bool *ret_complete, struct err *err) NC_CHECK;

// A page of a listing of page->bucket, by the credentials of the place.
enum aws_fault file_walk_list(struct s3 *page, const struct aws_place *at, struct str prefix,
                              struct str after, bool folders, bool *ret_more, struct err *err) NC_CHECK;

#endif
