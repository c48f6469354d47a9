// SPDX-License-Identifier: Apache-2.0
// The folder of what was fetched from S3, kept small: what was not used for longest goes first.
//
// A file's time of access is when a run last used it, set by hand (many file systems do not keep it); its
// time of modification is S3's. Files used within the last hour stay, since another run may be reading them,
// but for those of the run that prunes, which go last: a bill that is larger than the bound is fetched anew
// each time.
#ifndef NOWCAST_AWS_S3_CACHE_H
#define NOWCAST_AWS_S3_CACHE_H

#include <stdbool.h>
#include <stdint.h>

// Notes that a file is used now.
void cache_used(const char *path);

// Deletes files of exports (those below some BILLING_PERIOD=, nothing else that may lie in the folder) until
// what is left of them is at most `max` bytes, and folders that became empty. Files used at `since_ms` or
// later are the caller's own. Returns how many bytes went.
int64_t cache_prune(const char *root, int64_t max, int64_t since_ms, int64_t now_ms);

#endif
