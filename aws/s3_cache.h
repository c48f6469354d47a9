// SPDX-License-Identifier: Apache-2.0
// The folder of the files fetched from S3, kept small: the least recently used are deleted first.
//
// A file's time of access is when a run last used it, set by s3_cache_touch (many file systems do not keep
// it); its time of modification is S3's. Files used within the last hour stay, since another run may be
// reading them. Those of the run that prunes are deleted last: a bill that is larger than the limit is
// fetched again each time.
#ifndef NOWCAST_AWS_S3_CACHE_H
#define NOWCAST_AWS_S3_CACHE_H

#include <stdbool.h>
#include <stdint.h>

// Notes that a file is used now.
void s3_cache_touch(const char *path);

// Deletes files of exports (those below a folder BILLING_PERIOD=..., nothing else that may be in `root`)
// until the rest is at most `max` bytes, and folders that became empty. Files used at `since_ms` or later are
// the caller's own. Returns how many bytes were deleted.
int64_t s3_cache_prune(const char *root, int64_t max, int64_t since_ms, int64_t now_ms);

#endif
