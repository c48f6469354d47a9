// SPDX-License-Identifier: Apache-2.0
// A position of what does not come from Kafka (a replay, deliveries of Firehose, AWS's APIs): it counts the
// batches. It tells when Redis, or one master of a Redis Cluster (store/positions.h), comes back older
// than the batches that were written to it. It matters only to the process that counts: it is deleted at
// its end.
#ifndef NOWCAST_STORE_BATCH_POSITION_H
#define NOWCAST_STORE_BATCH_POSITION_H

#include <stdbool.h>

#include "base/err.h"
#include "ingest/position.h"

#define BATCH_POSITION_KEPT_MS (2 * 86400000LL) // after the last batch, if the process ended by force

struct batch_position {
	struct positions all; // of one position; cluster NULL: not begun
	struct position batches;
	char name[24];        // the "topic": a random number
	int64_t written_ms;   // when the last one was written; 0: none was
};

bool batch_position_begin(struct batch_position *p, struct err *err) NC_CHECK;
void batch_position_next(struct batch_position *p); // another batch begins

// After positions_read: whether Redis or a master has lost batches. Then the position goes on from there. One
// that Redis has forgotten because there was no batch for so long was not lost.
bool batch_position_is_behind(struct batch_position *p, struct loss *ret);

#endif
