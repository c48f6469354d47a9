// SPDX-License-Identifier: Apache-2.0
// An export on S3. The files that are needed are copied into a cache on disk, with the same paths as on S3.
//
//     s3_open      finds credentials, lists the objects, fetches the manifests
//     s3_fetch     fetches a data file, when export_find (reconcile/export.h) comes to it in the cache
//     s3_prune     keeps the cache small
//
// s3_open_prefix does so for objects of any kind.
//
// A cached file is used while its size and time are those of the listing. A download that breaks off is
// continued where it stopped; only a complete file gets its name. The bucket's Region is taken from S3's
// answers. Credentials are found again each half hour, and when S3 says that they have expired.
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

struct s3_name {
	struct str bucket, key;
};

// Called while a data file is fetched; `done`, `size`: bytes.
typedef void s3_progress(void *user, struct str key, int64_t done, int64_t size);

struct s3 {
	struct arena arena;
	struct credentials credentials;
	int64_t found_ms;            // when they were found, monotonic; 0: they are the caller's
	bool expired;                // S3 has said so of the last request
	char region[32];
	struct str bucket, prefix;   // prefix without a slash at its end
	struct str cache, folder;    // of all buckets, of this one
	int64_t opened_ms;
	struct s3_object *objects;   // below prefix, sorted by key
	size_t n, cap;
	int64_t fetched, fetched_bytes; // files downloaded by this run
	const struct s3_object *fetching; // the data file that is fetched now; NULL: none
	s3_progress *progress;
	void *user;
};

// `uri`: s3://BUCKET/PREFIX. `cache`: a folder, which is made if it is not there; "": the default one.
// `progress` may be NULL. ERR_CONFIG: no credentials, no permission, no such bucket; ERR_RETRY: no answer
// from S3. s3_close releases *s, on failure too.
bool s3_open(struct s3 *s, const char *uri, const char *cache, s3_progress *progress, void *user,
             struct err *err) NC_CHECK;
void s3_close(struct s3 *s);

// The same of any objects: s3://BUCKET/PREFIX, where PREFIX may be empty. No manifests are looked for.
bool s3_open_prefix(struct s3 *s, const char *uri, const char *cache, struct err *err) NC_CHECK;

// Once the files were read: makes the cache no larger than `max` bytes (aws/s3_cache.h).
void s3_prune(const struct s3 *s, int64_t max);

// Fetches the file with this path in the cache, unless it is there and current. ERR_SKIP: S3 has no such
// object.
bool s3_fetch(void *s3, struct str path, struct err *err) NC_CHECK;

// Appends an object, of at most 64 MiB, to `ret`, by credentials that are found already. `region`: where the
// bucket is taken to be; S3's answers correct it. ERR_SKIP: there is no such object. *ret_expired: they have
// expired (ERR_RETRY).
bool s3_read(const struct credentials *c, const char *region, struct s3_name object, struct buf *ret,
             bool *ret_expired, struct err *err) NC_CHECK;

// A page of the objects below `prefix` whose keys come after `after`, sorted; *ret_more: there are more,
// after the last of these. With `folders`: of the folders right below it, as objects whose keys end in a
// slash. It takes the place of what `page` had; its bucket, Region and credentials are set by the caller, and
// these stay the caller's. page->expired as in s3_read. What comes between two pages, with a name that was
// passed, is found by the next listing.
bool s3_list_page(struct s3 *page, struct str prefix, struct str after, bool folders, bool *ret_more,
                  struct err *err) NC_CHECK;
void s3_page_release(struct s3 *page);

#endif
