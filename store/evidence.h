// SPDX-License-Identifier: Apache-2.0
// The evidence of one call: what is known of it, as a string of bytes. It is the value of the call's entry in
// Redis. evidence.c writes it; apply.lua joins it with what Redis holds, and sums it up. All numbers are
// big-endian.
//
//     offset  0   8   model id    (store/name_id.h)
//             8   8   caller id   (likewise)
//            16   4   time        sixths of minutes since 1970: when a stream began, while no more is known
//                                 of its time; else the first sixth of the call's minute. A number
//                                 below EVIDENCE_SIXTHS_FROM is a minute, of an earlier program
//            20   1   flags       bits 4-7 source, bits 1-3 who names the model, bit 0 failed
//            21   1   timing      bits 6-7 rank of the tier, bits 3-5 tier, bits 0-2 how well the minute is
//                                 known
//            22  5n   tokens      of each kind that is known, ascending:
//                                 0  1  bits 4-7 token kind, bits 0-3 rank
//                                 1  4  count
//                              and the second of its record, of calls that telemetry may be joined with by
//                              the second: as the token kind EVIDENCE_SECOND; rank 1: it began then, 2: ended
//         22+5n   9   metadata    of a request that has some, as the length of the whole tells:
//                                 0  1  rank
//                                 1  8  id      (likewise, of its pairs)
//
// Most calls are kept in a short form (store/short_evidence.lua), less than EVIDENCE_HEAD bytes long:
//
//     offset  0   2   number      of the pair of model and caller in the bucket (docs/redis-keys.md, `pairs`)
//             2   2   time        EVIDENCE_SHORT_FROM, and sixths of minutes since the beginning of the
//                                 bucket before; below that, minutes since then, of an earlier program
//             4   1   flags
//             5   1   timing
//             6       tokens      of each kind that is known:
//                                 0  1  bits 4-7 token kind, bits 2-3 rank (0 EVIDENCE_TRAIL, 1 _LOG,
//                                       2 _AMENDED, 3 _TELEMETRY), bits 0-1 n
//                                 1  n  count, without the zeros before it
//
// What does not fit into it, such as metadata or a large count, is kept as above.
//
// Six parts are joined, each on its own: who called (source and failed, then caller id), the model (who
// names it, then model id), when (how well the time is known, then the time), the service tier (with
// its rank), each token kind (rank, then count), and the metadata of the request (rank, then id). So a log
// that comes after the record of its call adds its metadata to what that said of the caller. Of two values
// of a part the larger one stays, compared as bytes, and of two ids that of the bytewise larger name: ids are
// other ones in each Redis. So the join is commutative, associative and idempotent, and comes out the same
// everywhere. A tier of rank 0 means that no record names the tier: the standard one is assumed.
//
// What the caller's own telemetry says of a call (ingest/telemetry.h) has a rank between those of CloudTrail
// and of the log. It knows neither caller nor model: these ids, and the source, are 0. As long as nothing but
// telemetry has come, there is no call: such evidence waits, and is in no sum.
//
// A call of a prompt or of a prompt router names no model; a record of less weight otherwise, its log or the
// end of its stream, may. So the name of a model has a weight of its own: that of the source which named it,
// and none if the name is a prompt or a router. Bits 1-3 of the flags hold it where it is not that of the
// source in bits 4-7: EVIDENCE_NAMED and the weight, else 0 (or 1: earlier programs marked streams so).
#ifndef NOWCAST_STORE_EVIDENCE_H
#define NOWCAST_STORE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/record.h"

enum {
	// 90 random bits of a UUID, or as much of a digest: two calls of one bucket will not share them. AWS
	// makes these ids; who could forge a record of a chosen id could take that of another call at once
	EVIDENCE_ID = 12,

	EVIDENCE_AT_MODEL = 0,
	EVIDENCE_AT_CALLER = 8,
	EVIDENCE_AT_TIME = 16,
	EVIDENCE_AT_FLAGS = 20,
	EVIDENCE_AT_TIMING = 21,
	EVIDENCE_HEAD = 22,   // bytes before the tokens
	EVIDENCE_TOKENS = 5,  // bytes of one token kind
	EVIDENCE_META = 9,    // bytes of the metadata
	EVIDENCE_SIXTHS = 6,  // of a minute: ten seconds each
	EVIDENCE_SIXTHS_FROM = 1 << 27, // in 2012 and, of minutes, in 2225
	EVIDENCE_NUMBER = 2,      // bytes of the number of a pair
	EVIDENCE_PAIRS_MAX = 4096, // that have numbers, of a bucket: each batch reads them
	EVIDENCE_SHORT_HEAD = 6,  // bytes before the tokens, in the short form
	EVIDENCE_SHORT_FROM = 3 * 6 * 60, // as many minutes as three buckets have
	EVIDENCE_MAX = EVIDENCE_HEAD + EVIDENCE_TOKENS * (TOKEN_KINDS + 1) + EVIDENCE_META,

	EVIDENCE_FAILED = 1,  // flags
	EVIDENCE_NAMED_SHIFT = 1,
	EVIDENCE_NAMED = 2, // after the shift
	EVIDENCE_SOURCE_SHIFT = 4,

	// how well the minute is known
	EVIDENCE_TIMING_START = 1,   // the start of a stream; its metric is of the minute in which it ends
	EVIDENCE_TIMING_LOG = 2,     // an invocation log's timestamp
	EVIDENCE_TIMING_END = 3,     // the call's end
	EVIDENCE_TIMING_AMENDED = 4, // the call's end, from a corrected record
	EVIDENCE_TIMING_TELEMETRY = 5, // the call's end by the caller's clock: better than a start, than no other
	EVIDENCE_TIER_SHIFT = 3,
	EVIDENCE_TIER_RANK_SHIFT = 6,

	EVIDENCE_KIND_SHIFT = 4, // of the first byte of a token kind
	EVIDENCE_SECOND = 15,    // in place of a token kind
	EVIDENCE_SECOND_START = 1,
	EVIDENCE_SECOND_END = 2,

	// rank of tokens, of the tier, and of metadata: CloudTrail knows less than the log, but a correction
	// knows more
	EVIDENCE_TRAIL = 1,
	EVIDENCE_LOG = 2,
	EVIDENCE_AMENDED = 3,
	EVIDENCE_TELEMETRY = 9, // of tokens only: better than CloudTrail's, than no other
};

_Static_assert(EVIDENCE_AT_CALLER == EVIDENCE_AT_MODEL + sizeof(uint64_t) &&
                   EVIDENCE_AT_TIME == EVIDENCE_AT_CALLER + sizeof(uint64_t) &&
                   EVIDENCE_AT_FLAGS == EVIDENCE_AT_TIME + sizeof(uint32_t) &&
                   EVIDENCE_AT_TIMING == EVIDENCE_AT_FLAGS + 1 && EVIDENCE_HEAD == EVIDENCE_AT_TIMING + 1,
               "the parts of the head follow each other");
_Static_assert(SOURCE_AMENDED < 1 << (8 - EVIDENCE_SOURCE_SHIFT) &&
                   EVIDENCE_NAMED + SOURCE_AMENDED <= 1 << (EVIDENCE_SOURCE_SHIFT - EVIDENCE_NAMED_SHIFT),
               "a source, and the weight of a name that is not the highest source's, fit into the flags");
_Static_assert(EVIDENCE_TIMING_TELEMETRY < 1 << EVIDENCE_TIER_SHIFT &&
                   PRICE_TIERS <= 1 << (EVIDENCE_TIER_RANK_SHIFT - EVIDENCE_TIER_SHIFT) &&
                   EVIDENCE_AMENDED < 1 << (8 - EVIDENCE_TIER_RANK_SHIFT),
               "how well the minute is known, a tier and a rank fit into one byte");
_Static_assert((int)TOKEN_KINDS <= (int)EVIDENCE_SECOND &&
                   EVIDENCE_SECOND < 1 << (8 - EVIDENCE_KIND_SHIFT) &&
                   EVIDENCE_TELEMETRY < 1 << EVIDENCE_KIND_SHIFT,
               "a token kind and a rank fit into one byte");
_Static_assert(EVIDENCE_META % EVIDENCE_TOKENS != 0, "the length tells whether there is metadata");
_Static_assert(EVIDENCE_MAX <= UINT8_MAX, "the length fits into one byte");

struct evidence {
	// of the request: the start of its UUID, or of the digest of an id of another form
	uint8_t id[EVIDENCE_ID];
	uint8_t len;
	uint8_t bytes[EVIDENCE_MAX];
};

// `with_second`: telemetry may be joined with it by the second.
void evidence_pack(struct evidence *e, const struct call *c, uint64_t model_id, uint64_t caller_id,
                   uint64_t meta_id, bool with_second);

// The short form of the evidence of a call, without the number of its pair. Returns its length; 0: it has
// none. `first_minute`: of the bucket before that of the call.
size_t evidence_shorten(const struct evidence *e, int64_t first_minute,
                        uint8_t ret[EVIDENCE_HEAD - EVIDENCE_NUMBER]);

#endif
