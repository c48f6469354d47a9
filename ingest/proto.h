// SPDX-License-Identifier: Apache-2.0
// As much of protobuf's wire format as OpenTelemetry's messages need. A message is a slice, proto_next walks
// it, and every read is bounded by its slice.
#ifndef NOWCAST_INGEST_PROTO_H
#define NOWCAST_INGEST_PROTO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

struct proto_field {
	uint32_t number;
	enum wire wire;
	uint64_t word;    // VARINT, FIXED64, FIXED32
	struct str bytes; // BYTES
};

// Reads from the start of *in and moves *in behind it.
bool proto_varint(struct str *in, uint64_t *ret);
bool proto_bytes(struct str *in, struct str *ret); // a length, and so many bytes

// The next field. 1: a field; 0: the message is at its end; -1: it is broken.
int proto_next(struct str *in, struct proto_field *f);

static inline bool proto_is_bytes(const struct proto_field *f, uint32_t number)
{
	return f->number == number && f->wire == BYTES;
}

#endif
