// SPDX-License-Identifier: Apache-2.0
// How far the partitions of Kafka are read, and how far Redis has what was read.
//
//       start              stored         next
//         |------------------|--------------|----------->  offsets of one partition
//           Redis has these    in the batch
//
// Kafka keeps the committed offset of a group, and Redis keeps the same offset beside the facts
// (store/positions.h). Where Redis has less than Kafka, it has lost facts: reading goes back.
//
// A reading is all that was read without a jump by hand. It begins where a group begins, or where somebody
// has set its offsets, and has a random number, which is kept in Redis and in the metadata of the committed
// offset. So an offset that was set by hand is told from one that Redis has lost: it has no such metadata.
#ifndef NOWCAST_INGEST_POSITION_H
#define NOWCAST_INGEST_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POSITION_NONE = -1 };

struct position {
	char *topic;
	int32_t partition;
	int64_t next;      // after the last message delivered; POSITION_NONE: none yet
	int64_t time_ms;   // Kafka's time of that message; 0: not known
	uint64_t reading;  // 0: not known yet, see kafka_resolve
	int64_t start;     // first offset of the reading; POSITION_NONE: that of the first message
	int64_t start_ms;  // Kafka's time of the message there; 0: not known
	bool unknown;      // Kafka had no offset of the group when the reading began: it is new, or away for long
	int64_t stored;    // Redis has what is before it; POSITION_NONE: not known
	bool fresh;        // of a reading that Redis does not know yet
	int64_t read_to;   // was read once, before Redis lost it; 0: nothing was lost
	bool check;        // ask Redis, even if nothing was read
	int64_t committed; // in Kafka, by us; POSITION_NONE: nothing
	int64_t hold;      // no offset beyond it is committed: it is not safe; POSITION_NONE: all are
	bool seeking;      // `next` is not where the consumer reads yet
	bool looked;       // whether Kafka still has `next`
	int64_t lag;       // messages from `next` on, as of the last look; POSITION_NONE: not known
	int64_t endangered; // of these, soon deleted by Kafka, as of the last look
	bool tell_lag;     // Redis does not know these numbers yet

	// Messages that were found missing before Redis had answered: it may lack more (kafka_go_back).
	int64_t gap_from, gap_to; // POSITION_NONE: none
	int64_t gap_from_ms, gap_to_ms;

	// What Redis has answered (positions_read):
	bool behind;       // it has less than `stored`
	int64_t held;      // of this reading; POSITION_NONE: it does not know the reading
	int64_t held_ms;   // Kafka's time of the last message before it; 0: not known
	int64_t previous;  // of the reading before a fresh one; POSITION_NONE: there is none, or it was seen to
	int64_t previous_ms;
};

struct positions {
	char *cluster; // id of the Kafka cluster; NULL: not known yet
	const char *group;
	struct position *v;
	size_t n;
	size_t copies; // in how many keys Redis has them (store/positions.h)
};

// Messages that were never read, or that Redis has lost, and that Kafka no longer has.
enum gap_cause {
	GAP_RETENTION, // Kafka deleted them before they were read
	GAP_REDIS,     // Redis had them and lost them
	GAP_AWS_RETENTION, // AWS keeps the records of an API for a time, and it was over before they were read
	GAP_AWS_VALUES,    // CloudWatch did not give the values of some metrics (InternalError, Forbidden)
	GAP_CAUSES
};

struct gap {
	const char *topic;      // what AWS's APIs did not give: "aws:metrics/ACCOUNT/REGION"; offsets are times
	int32_t partition;
	int64_t from, to;       // offsets, [from, to)
	int64_t from_ms, to_ms; // Kafka's times of the messages before and after; 0: not known
	enum gap_cause cause;
};

// That Redis has lost what was written to it.
struct loss {
	int64_t seen_ms; // when a reader found that
	int64_t held_ms; // up to when Redis still had the messages of what was read; 0: none
};

#endif
