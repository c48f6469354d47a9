// SPDX-License-Identifier: Apache-2.0
// What calls add to the sums of their cells, as store/calls.lua counts it: apply.lua takes these sums if it
// has met none of the calls before, as in most batches, and need not count call by call then. Both follow
// store/evidence.h; tests/unit/call_sums_test.c compares them.
#ifndef NOWCAST_STORE_CALL_SUMS_H
#define NOWCAST_STORE_CALL_SUMS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "store/evidence.h"

enum {
	// calls, failed calls, calls of which only the start is known, the sixths of the minute in which these
	// began, counted from 1; of each token kind the calls whose tokens are exact, and those tokens
	CALL_SUMS = 4 + 2 * TOKEN_KINDS,
	CALL_SUMS_EXACT = 4,
	// as far as the time in evidence, the first sixth of the minute; rate class; id of the metadata; second
	CALL_SUMS_KEY = EVIDENCE_AT_FLAGS + 1 + (EVIDENCE_META - 1) + EVIDENCE_TOKENS,
	CALL_SUMS_BYTES = 6, // of a sum as it is sent
};

struct call_sum {
	uint8_t key_size;
	uint8_t key[CALL_SUMS_KEY]; // of the sums, as in store/calls.lua
	int64_t v[CALL_SUMS];
};

struct call_sums {
	struct call_sum *list;
	int32_t n, cap;
	int32_t unjoined; // pieces of evidence that are no calls yet, and in no sum
	struct map index; // hash of a key -> its place in the list
};

void call_sums_clear(struct call_sums *s);
void call_sums_release(struct call_sums *s);

// Adds `times` calls of that evidence.
void call_sums_add(struct call_sums *s, const struct evidence *e, int64_t times);

// Appends: 2 bytes, how many are unjoined; of each key: its length, 1 byte; the key; how many sums there are
// up to the last that is not zero, 1 byte; these, CALL_SUMS_BYTES each, the highest byte first.
void call_sums_write(const struct call_sums *s, struct buf *out);

#endif
