// SPDX-License-Identifier: Apache-2.0
// JSON within binary messages: a string of Avro, Protobuf, MessagePack, CBOR or Thrift, or all that follows
// the head that a schema registry's serialiser writes. The length that stands in front of the value has to be
// the value's own. So a value that is quoted within a longer string is not found.
#ifndef NOWCAST_INGEST_EMBEDDED_H
#define NOWCAST_INGEST_EMBEDDED_H

#include <stdbool.h>

#include "base/str.h"

struct embedded {
	struct str whole;
	size_t at;        // what is before it was looked at
	size_t scan_left; // bytes that may still be read in search of the ends of values
};

struct embedded embedded_begin(struct str bytes);
bool embedded_next(struct embedded *e, struct str *ret);

#endif
