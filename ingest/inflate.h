// SPDX-License-Identifier: Apache-2.0
// gzip (RFC 1952) to bytes: one or more members back to back, as Firehose joins them, with a limit on the
// output.
#ifndef NOWCAST_INGEST_INFLATE_H
#define NOWCAST_INGEST_INFLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

static inline bool inflate_is_gzip(struct str s)
{
	return s.len >= 2 && (unsigned char)s.p[0] == 0x1f && (unsigned char)s.p[1] == 0x8b;
}

// Appends the inflated `in` to `out`, at most `max` bytes. ERR_SKIP: it is truncated, damaged or larger; the
// bytes until then stay in `out`. After the last member, zero bytes are skipped; any other byte is an error.
bool inflate_gzip(struct str in, size_t max, struct buf *out, struct err *err) NC_CHECK;

// Appends the library and its version, as it is loaded: "zlib 1.2.13".
void inflate_library(struct buf *out);

#endif
