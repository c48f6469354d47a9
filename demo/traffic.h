// SPDX-License-Identifier: Apache-2.0
// An hour of made-up use of Bedrock whose truth is known: the messages that the demo sends through Kafka, and
// what each caller truly used.
//
// There are callers of every kind, models with and without a price, log-normal sizes, bursts, prompt caches,
// streams and failures. The messages are those of AWS: CloudTrail records, minutes late, in several wrappers
// and some of them twice; CloudWatch sums of each minute, one to three minutes late; the STS and IAM records
// that carry the tags. The same seed and start time make the same bytes.
#ifndef NOWCAST_DEMO_TRAFFIC_H
#define NOWCAST_DEMO_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "pricing/price.h"

enum { TRAFFIC_MINUTES = 60, TRAFFIC_CALLERS_MAX = 16 };

enum traffic_topic { TRAFFIC_CLOUDTRAIL, TRAFFIC_CLOUDWATCH, TRAFFIC_TOPICS };
extern const char *const traffic_topics[TRAFFIC_TOPICS];

struct traffic_message {
	int64_t arrives_ms; // simulated time: when it is on the topic
	enum traffic_topic topic;
	struct str text;
};

// What one caller truly used, all in one region and of one model.
struct traffic_truth {
	struct str principal, region, model;
	const char *account;
	int64_t calls, failed;
	int64_t tokens[TOKEN_TYPES];
};

struct traffic {
	struct arena arena;                // holds the text of the messages
	struct traffic_message *messages;  // in order of arrival
	size_t n, cap;
	int64_t from_ms, to_ms;            // the hour of the calls
	int64_t last_ms;                   // when the last message arrives
	struct traffic_truth truth[TRAFFIC_CALLERS_MAX];
	int ntruth;
};

void traffic_make(struct traffic *ret, int64_t from_ms, uint64_t seed);
void traffic_release(struct traffic *t);

#endif
