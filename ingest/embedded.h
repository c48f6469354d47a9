// SPDX-License-Identifier: Apache-2.0
// JSON, base64 and gzip within binary messages: a string of Avro, Protobuf, MessagePack, CBOR or Thrift, or
// all that follows the head that a schema registry's serialiser writes. The length that stands in front has
// to be that of the contents. So a value that is quoted within a longer string is not found. A string may
// hold several values of JSON, one after another.
#ifndef NOWCAST_INGEST_EMBEDDED_H
#define NOWCAST_INGEST_EMBEDDED_H

#include <stdbool.h>

#include "base/str.h"

struct embedded {
	struct str whole;
	size_t at;          // what is before it was looked at
	size_t scan_left;   // bytes that may still be read in search of the ends of values
	struct str unended; // JSON that begins behind the values of a string and does not end, or STR_NONE
	struct str loose;   // the longest text of base64 that no length stands in front of, or STR_NONE
};

struct embedded embedded_begin(struct str bytes);

// The next contents: values of JSON, a text of base64, or gzip.
bool embedded_next(struct embedded *e, struct str *ret);

#endif
