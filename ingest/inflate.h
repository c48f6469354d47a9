// SPDX-License-Identifier: Apache-2.0
// gzip to bytes: one or more members back to back (Firehose joins them so), with a bound on what comes out.
#ifndef NOWCAST_INGEST_INFLATE_H
#define NOWCAST_INGEST_INFLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

static inline bool inflate_is_gzip(struct str s)
{
	return s.len >= 2 && (unsigned char)s.p[0] == 0x1f && (unsigned char)s.p[1] == 0x8b;
}

// Appends what `in` holds to `out`, at most `max` bytes. ERR_SKIP if it is truncated, damaged, or larger;
// what was read until then stays in `out`. Bytes behind the last member that start no other one: zero padding
// is passed over, anything else is an error.
bool inflate_gzip(struct str in, size_t max, struct buf *out, struct err *err) NC_CHECK;

#endif
