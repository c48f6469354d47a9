// SPDX-License-Identifier: Apache-2.0
// An export on S3, copied as far as it is needed into a cache on disk, laid out as on S3.
//
//     s3_open (credentials, listing, manifests) -> export_find on the cache, which asks s3_fetch for each data file it names
//
// A file of the cache is taken as it is while its size and time are those of the listing. A download that
// breaks off is continued where it stopped; only a whole file gets its name. The bucket's Region is found out
// by asking.
#ifndef NOWCAST_AWS_S3_H
#define NOWCAST_AWS_S3_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "base/arena.h"
#include "base/err.h"

struct s3_object {
	struct str key;
	int64_t size, modified_ms;
};

// Told while a data file is fetched: how much of it has come, in bytes.
typedef void s3_tell(void *user, struct str key, int64_t done, int64_t size);

struct s3 {
	struct arena arena;
	struct credentials credentials;
	char region[32];
	struct str bucket, prefix;   // prefix without a slash at its end
	struct str cache, folder;    // of all buckets, of this one
	int64_t opened_ms;
	struct s3_object *objects;   // below prefix, sorted by key
	size_t n, cap;
	int64_t fetched, fetched_bytes; // files downloaded by this run
	const struct s3_object *fetching; // NULL: nothing that is worth telling
	s3_tell *tell;
	void *user;
};

// `uri`: s3://BUCKET/PREFIX. `cache`: a folder; made if need be. `tell` may be NULL. ERR_CONFIG: no
// credentials, no permission, no such bucket; ERR_RETRY: S3 is away.
bool s3_open(struct s3 *s, const char *uri, const char *cache, s3_tell *tell, void *user,
             struct err *err) NC_CHECK;
void s3_close(struct s3 *s);

// Once the files were read: makes the cache no larger than `max` bytes (aws/s3_cache.h).
void s3_prune(const struct s3 *s, int64_t max);

// Sees to it that a file of the cache, by its path there, is what S3 has. ERR_SKIP: S3 has no such object.
bool s3_fetch(void *s3, struct str path, struct err *err) NC_CHECK;

#endif
