// SPDX-License-Identifier: Apache-2.0
// A position of what does not come from Kafka (a replay, deliveries of Firehose), on a Redis Cluster of
// several masters: it counts the batches. Its copies (store/positions.h) tell when a master comes back older
// than the batches that were written to it. One Redis needs none: key_epoch tells when it comes back empty.
#ifndef NOWCAST_STORE_BATCH_POSITION_H
#define NOWCAST_STORE_BATCH_POSITION_H

#include <stdbool.h>

#include "base/err.h"
#include "ingest/position.h"

#define BATCH_POSITION_KEPT_MS (30 * 86400000LL) // after the last batch

struct batch_position {
	struct positions all; // of one position; cluster NULL: not begun
	struct position batches;
	char name[24];        // the "topic": a random number
};

bool batch_position_begin(struct batch_position *p, struct err *err) NC_CHECK;
void batch_position_next(struct batch_position *p); // another batch begins

// After positions_read: whether a master has lost batches. Then the position goes on from there.
bool batch_position_is_behind(struct batch_position *p, struct loss *ret);

#endif
