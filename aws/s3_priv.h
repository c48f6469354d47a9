// SPDX-License-Identifier: Apache-2.0
// What the listing of a bucket says, for s3.c, sqs.c and tests.
#ifndef NOWCAST_AWS_S3_PRIV_H
#define NOWCAST_AWS_S3_PRIV_H

#include "aws/s3.h"

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
