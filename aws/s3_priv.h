// SPDX-License-Identifier: Apache-2.0
// What the listing of a bucket says, and a request, for s3.c, s3_put.c, sqs.c and tests.
#ifndef NOWCAST_AWS_S3_PRIV_H
#define NOWCAST_AWS_S3_PRIV_H

#include <stdio.h>

#include "aws/s3.h"

struct s3_ask {
	const char *tail;   // what follows the bucket in the URL, encoded
	const char *what;   // it is, for messages: "the listing"
	FILE *file;         // the body is appended to it, from the byte at which it ends; NULL: to the answer
	struct str body;    // to be put there; STR_NONE: something is read
	const char *header; // one more; NULL: none
};

// Repeats a request after 5xx and broken connections, and in the Region that S3 names. *ret is released by
// the caller if true is returned.
bool s3_request(struct s3 *s, const struct s3_ask *q, struct http_client_answer *ret,
                struct err *err) NC_CHECK;

// Sets credentials and Region of *s as the AWS SDKs find them. ERR_CONFIG: there are none.
bool s3_find_credentials(struct s3 *s, struct err *err) NC_CHECK;

// Adds the objects of a page of ListObjectsV2, whose keys are percent-encoded. One without a size and a time
// that can be read is left out.
void s3_add_objects(struct s3 *s, struct str xml);

// The key of an object as listings (encoding-type=url) and notifications write it: percent-encoded, with +
// for a blank. In `a`.
struct str s3_decode_key(struct arena *a, struct str key);

// Whether a key is a path below the cache: it has neither `.` nor `..` among its parts, and no NUL, at which
// the path would end early.
bool s3_key_is_plain(struct str key);

#endif
