// SPDX-License-Identifier: Apache-2.0
// A record as one line of text, for tests and for people: its kind, then name=value for each field that is
// known, in a fixed order. Spaces, backslashes and bytes that are not printable ASCII are written as \xNN.
#ifndef NOWCAST_INGEST_DESCRIBE_H
#define NOWCAST_INGEST_DESCRIBE_H

#include "base/buf.h"
#include "ingest/record.h"

void record_describe(const struct record *r, struct buf *out); // appends, without a newline

#endif
