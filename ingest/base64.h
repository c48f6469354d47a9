// SPDX-License-Identifier: Apache-2.0
// base64 (RFC 4648, both alphabets) to bytes. Line breaks are skipped; padding may be missing.
#ifndef NOWCAST_INGEST_BASE64_H
#define NOWCAST_INGEST_BASE64_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

extern const uint8_t base64_values[256]; // of a digit, plus one; 0: it is none

// The value of a digit, 0 to 63; 255: it is none.
static inline uint8_t base64_digit(char c)
{
	return (uint8_t)(base64_values[(unsigned char)c] - 1);
}

// Whether every byte may be part of base64 text, and there are at least four digits. Prose of letters is,
// too.
bool base64_plausible(struct str s);

// Appends the decoded `in` to `out`. ERR_SKIP names the first bad byte.
bool base64_decode(struct str in, struct buf *out, struct err *err) NC_CHECK;

#endif
