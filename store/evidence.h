// SPDX-License-Identifier: Apache-2.0
// What is known of one call, as a string of bytes: the value of its entry in Redis, joined there by
// apply.lua.
//
//     offset  0   8   model id    (hash of the model key)
//             8   8   caller id   (hash of who called)
//            16   4   minute      (big-endian, since the epoch)
//            20   1   source << 4 | streaming << 1 | failed
//            21   1   rank of the tier << 6 | tier << 3 | timing: how well the minute is known, EVIDENCE_TIMING_*
//            22  5n   tokens, by kind: kind << 4 | rank, then the count (32 bits, big-endian)
//
// Four parts are joined apart: who (bytes 20, 0-15), when (timing, 16-19), the service tier (the upper bits
// of 21), and each token kind. In each the larger first byte wins, and among equals the larger bytes, so that
// the join is commutative, associative and idempotent. A tier of rank 0 is that of which no record tells: the
// standard one.
#ifndef NOWCAST_STORE_EVIDENCE_H
#define NOWCAST_STORE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/record.h"

enum {
	// 90 random bits of a UUID, or as much of a hash: two calls of one bucket will not share them
	EVIDENCE_ID = 12,
	EVIDENCE_HEAD = 22,
	EVIDENCE_MAX = EVIDENCE_HEAD + 5 * TOKEN_KINDS,

	// a stream's start; its metric lands when it ends. apply.lua knows this number
	EVIDENCE_TIMING_START = 1,
	EVIDENCE_TIMING_LOG = 2,     // an invocation log's timestamp
	EVIDENCE_TIMING_END = 3,     // the call's end
	EVIDENCE_TIMING_AMENDED = 4,

	EVIDENCE_TRAIL = 1,   // rank of tokens, and of the tier: CloudTrail's, ...
	EVIDENCE_LOG = 2,     // ... which knows less than the log, ...
	EVIDENCE_AMENDED = 3, // ... unless it was corrected
};

struct evidence {
	uint8_t id[EVIDENCE_ID]; // of the request: the start of its UUID, or of a hash of whatever else it is
	uint8_t len;
	uint8_t bytes[EVIDENCE_MAX];
};

uint64_t evidence_model_id(struct str model);
uint64_t evidence_caller_id(const struct caller *c);

void evidence_pack(struct evidence *e, const struct call *c, uint64_t model_id, uint64_t caller_id);

#endif
