// SPDX-License-Identifier: Apache-2.0
// The Firehose streams that deliver, as sources (store/source_status.h): "firehose ACCOUNT/REGION/STREAM",
// by the ARN that the delivery names. `read_ms` and `position_ms` are when the newest delivery was safe.
// Streams beyond the largest number are one, and so are those without an ARN: whoever has a key can name any.
// Keys that were refused have a state of their own, "firehose refused-keys", until ten minutes after the
// last one.
#ifndef NOWCAST_RUN_DELIVERY_STREAMS_H
#define NOWCAST_RUN_DELIVERY_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/redis.h"
#include "web/http.h"

enum { DELIVERY_STREAMS_MAX = 64, DELIVERY_PLACE_SIZE = 128, DELIVERY_TEXT_SIZE = 256 };

struct delivery_stream {
	char place[DELIVERY_PLACE_SIZE]; // "111122223333/us-east-1/NAME"
	int64_t read_ms, failing_ms;     // Unix time; 0: never, it does not fail
	char text[DELIVERY_TEXT_SIZE];
	bool changed;                    // since it was written
};

struct delivery_streams { // {0}: none
	struct delivery_stream v[DELIVERY_STREAMS_MAX];
	int n;
	struct delivery_stream keys;
	uint64_t refused; // keys so far
};

// A delivery is safe, or was refused because of `error`.
void delivery_streams_note(struct delivery_streams *s, const struct http_delivery *d, const char *error);

// How many keys were refused since the start, the last one at `last_ms`.
void delivery_streams_note_keys(struct delivery_streams *s, uint64_t refused, int64_t last_ms);

// Queues the states that have changed; redis_exec writes them. False: none has.
bool delivery_streams_queue(struct delivery_streams *s, struct redis *r, const char *prefix);
void delivery_streams_written(struct delivery_streams *s); // it did

#endif
