// SPDX-License-Identifier: Apache-2.0
// Kafka as the worker needs it: a consumer that delivers messages and commits on demand, and a producer of
// dead letters. Only kafka*.c of this folder use librdkafka.
//
// The consumer never commits by itself. Its owner stores the messages that kafka_poll delivered, with their
// positions (kafka_positions), and calls kafka_commit; this commits, for each partition still assigned, the
// position that is stored. Before partitions are revoked, on_revoke runs, which may store the batch and
// commit. The next owner of a partition reads again what was not committed; that does no harm, since records
// are joined, not added.
#ifndef NOWCAST_INGEST_KAFKA_H
#define NOWCAST_INGEST_KAFKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "ingest/origin.h"
#include "ingest/position.h"

struct kafka;
struct kafka_producer;

struct kafka_hooks {
	// A message; `data` lives until the hook returns. `again`: it was read before, and Redis has lost it.
	// True: the batch is full, stop polling.
	bool (*on_message)(void *user, const struct origin *origin, struct str data, bool again);
	// Partitions are about to be taken away, within kafka_poll or kafka_close.
	void (*on_revoke)(void *user);
	// Kafka no longer has messages that were to be read. Within kafka_poll, kafka_look_for_gaps,
	// kafka_go_back.
	void (*on_gap)(void *user, const struct gap *gap);
	// `n` messages from this one on cannot be fetched, and are skipped. Within kafka_poll.
	void (*on_unreadable)(void *user, const struct origin *origin, int64_t n);
	// A log line for the operator. Also called from threads of librdkafka. `severity` as in syslog: 0 to 7.
	void (*on_log)(void *user, int severity, const char *text);
	void *user;
	const struct conf *conf; // set by kafka*.c, not by their callers
};

// Checks the kafka.* properties without connecting. ERR_CONFIG names the property.
bool kafka_check(const struct conf *conf, struct err *err) NC_CHECK;

// Joins the consumer group. Brokers that cannot be reached are waited for in kafka_poll. ERR_CONFIG.
bool kafka_open(struct kafka **ret, const struct conf *conf, const struct kafka_hooks *hooks,
                struct err *err) NC_CHECK;

// Leaves the group (on_revoke runs) and frees. NULL is fine.
void kafka_close(struct kafka *k);

// Delivers messages until on_message returns true, wait_ms have passed, or no message is left; waits for the
// first one up to wait_ms. ERR_FATAL: the consumer cannot go on.
bool kafka_poll(struct kafka *k, int wait_ms, struct err *err) NC_CHECK;

// The positions of the partitions that are assigned now. The list changes within kafka_poll; its owner keeps
// what Redis has answered in it.
struct positions *kafka_positions(struct kafka *k);

// Finds out what the group has committed in partitions whose `reading` is not known yet: those are not stored
// and not committed. ERR_RETRY.
bool kafka_resolve(struct kafka *k, struct err *err) NC_CHECK;

void kafka_check_positions(struct kafka *k); // Redis is asked for all of them with the next batch

// Acts upon what Redis has answered: goes back where it has less than was read (`behind`), and reports what
// is missing after the reading before. True: it went back, and *ret_held_ms is up to when Redis still has the
// messages, of the partition that lost most; 0: none of them.
bool kafka_go_back(struct kafka *k, int64_t *ret_held_ms);

// Looks whether Kafka still has the messages at positions from which none has come yet. May wait for it.
void kafka_look_for_gaps(struct kafka *k);

// Looks how many messages each partition is behind, which its owner tells Redis (`tell_lag`), and once a
// minute how many of them the retention of their topic soon deletes; logs that, and returns their sum. May
// wait for an answer.
int64_t kafka_look_at_lag(struct kafka *k);

// No offset beyond this message is committed until kafka_release: it is not safe yet.
void kafka_hold(struct kafka *k, const struct origin *at);
void kafka_release(struct kafka *k); // all of them

// Commits what is stored. Without `wait`, a later kafka_poll reads the answer, and a failure is only logged:
// the next commit includes this one. With `wait`: ERR_RETRY.
bool kafka_commit(struct kafka *k, bool wait, struct err *err) NC_CHECK;

// While paused no messages are fetched; kafka_poll still keeps the membership of the group.
void kafka_pause(struct kafka *k, bool paused);

// Whether all that the partitions assigned now hold, as last known, was delivered. *ret_since_ms: Kafka's
// time from which on all was; 0: it is not known.
bool kafka_has_read_all(struct kafka *k, int64_t *ret_since_ms);

int64_t kafka_lag(struct kafka *k); // messages to the end of those partitions, as last known

// The producer of dead letters.
bool kafka_producer_open(struct kafka_producer **ret, const struct conf *conf,
                         const struct kafka_hooks *hooks, struct err *err) NC_CHECK;
void kafka_producer_close(struct kafka_producer *p);

// Sends n letters and waits until the brokers have confirmed each, or refused it for its size
// (ret_too_large[i]). On false (ERR_RETRY) some may have arrived: close this producer, and send all again
// with a new one.
bool kafka_producer_send(struct kafka_producer *p, const char *topic, const struct dead_letter *letters,
                         size_t n, bool *ret_too_large, struct err *err) NC_CHECK;

// Appends the library and its version, as it is loaded: "librdkafka 2.0.2".
void kafka_library(struct buf *out);

#endif
