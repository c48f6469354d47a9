// SPDX-License-Identifier: Apache-2.0
// Kafka, as the worker needs it: a consumer that hands on messages and commits what its owner says is done,
// and a producer for dead letters. The kafka*.c of this folder alone know librdkafka.
//
// The consumer never commits by itself. The owner calls kafka_commit after what kafka_poll handed on is safe;
// it commits the position behind the last message handed on, of each partition still assigned. When
// partitions are to be given up, the owner's on_revoke runs first and may make the batch safe and commit;
// what is not committed then is read again by the next owner, which does no harm (records are joined, not
// added).
#ifndef NOWCAST_INGEST_KAFKA_H
#define NOWCAST_INGEST_KAFKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"
#include "ingest/origin.h"

struct kafka;
struct kafka_producer;

struct kafka_hooks {
	// A message; `data` lives until the hook returns. True: the batch is full, stop polling.
	bool (*on_message)(void *user, const struct origin *origin, struct str data);
	// Partitions are about to be taken away, within kafka_poll or kafka_close.
	void (*on_revoke)(void *user);
	// Something the operator should read; also called from threads of librdkafka. `severity` as in syslog: 0
	// to 7.
	void (*on_log)(void *user, int severity, const char *text);
	void *user;
};

// Validates the kafka.* properties without connecting. ERR_CONFIG names the property.
bool kafka_check(const struct conf *conf, struct err *err) NC_CHECK;

// Joins the group; brokers that are away are waited for in kafka_poll.
bool kafka_open(struct kafka **ret, const struct conf *conf, const struct kafka_hooks *hooks,
                struct err *err) NC_CHECK;

// Leaves the group (on_revoke runs) and frees. NULL is fine.
void kafka_close(struct kafka *k);

// Hands on messages until one says stop, wait_ms are over, or none is left; waits for the first up to
// wait_ms. ERR_FATAL when the consumer cannot go on.
bool kafka_poll(struct kafka *k, int wait_ms, struct err *err) NC_CHECK;

// Commits; without `wait` the answer is looked at by a later kafka_poll, and a failure is only logged: the
// next commit covers this one. ERR_RETRY with `wait`.
bool kafka_commit(struct kafka *k, bool wait, struct err *err) NC_CHECK;

// While paused no new messages are fetched, but the place in the group is kept by polling.
void kafka_pause(struct kafka *k, bool paused);

int kafka_partitions(const struct kafka *k);   // assigned now
int64_t kafka_lag(struct kafka *k);            // messages to the end of those partitions, as last heard

// The producer of dead letters.
bool kafka_producer_open(struct kafka_producer **ret, const struct conf *conf,
                         const struct kafka_hooks *hooks, struct err *err) NC_CHECK;
void kafka_producer_close(struct kafka_producer *p);

// Sends n letters and waits until the brokers have confirmed each, or refused it for its size
// (ret_too_large[i]). On false (ERR_RETRY) some may have arrived: close this producer and send again with a
// new one.
bool kafka_producer_send(struct kafka_producer *p, const char *topic, const struct dead_letter *letters,
                         size_t n, bool *ret_too_large, struct err *err) NC_CHECK;

#endif
