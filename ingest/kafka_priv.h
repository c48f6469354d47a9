// SPDX-License-Identifier: Apache-2.0
// Private to kafka*.c: our configuration as librdkafka's, and what the files of the consumer share: kafka.c
// (polling, rebalancing), kafka_positions.c (where it reads and commits), kafka_lag.c (how far it is behind),
// kafka_refill.c (that it goes on fetching), kafka_unreadable.c (what it cannot fetch), kafka_login.c (tokens
// by which it logs in).
#ifndef NOWCAST_INGEST_KAFKA_PRIV_H
#define NOWCAST_INGEST_KAFKA_PRIV_H

#include <librdkafka/rdkafka.h>

#include "ingest/kafka.h"

// What was read of the queue since it was last refilled, and how much of it is read until then.
struct refill {
	int64_t bytes_read, messages_read;
	int64_t bytes, messages;     // INT64_MAX: never
};

struct kafka {
	struct kafka_hooks hooks;    // first: its address is librdkafka's opaque, and ours
	const struct conf *conf;
	rd_kafka_t *rk;
	struct positions positions;  // of the assigned partitions; few, so a list
	size_t last;                 // index of the position used last: messages come in runs
	bool from_end;               // a group without offsets begins at the end of the topics
	int64_t resolve_due_ms;      // monotonic: when to ask again what the group has committed
	bool paused;
	bool unreadable;             // some message could not be fetched
	int64_t endangered, look_due_ms; // as of the last look of kafka_look_at_lag; monotonic
	int64_t unreadable_due_ms;   // monotonic: when to look for it
	struct refill refill;
	size_t unreadable_at;        // the position that is tried next, modulo their number
	struct err fatal;
};

void kafka_say(struct kafka *k, int severity, const char *what, const char *more);

struct position *kafka_find_position(struct kafka *k, const char *topic, int32_t partition);
void kafka_remove_all_positions(struct kafka *k);
void kafka_remove_positions(struct kafka *k, const rd_kafka_topic_partition_list_t *list);

// Takes the partitions of the list over, and writes into it where to begin with them: at what the group has
// committed. Where that cannot be found out now, librdkafka begins at the same place, and kafka_resolve asks
// again.
void kafka_add_positions(struct kafka *k, rd_kafka_topic_partition_list_t *list);

// What the metadata of a committed offset says: members of struct position. False: the offset was not
// committed by a nowcast that keeps positions in Redis.
struct committed {
	int64_t start, ms, read_to;
	uint64_t reading;
};
bool kafka_read_committed(const rd_kafka_topic_partition_t *answer, struct committed *ret);

// A message was delivered. Reports a gap before it.
void kafka_advance(struct kafka *k, struct position *p, const rd_kafka_message_t *m);

// Goes on at an offset further on: what is before it is not read.
void kafka_skip_to(struct kafka *k, struct position *p, int64_t next);

// Carries out what kafka_go_back and kafka_skip_to want.
void kafka_seek_positions(struct kafka *k);

// Whether an error of librdkafka says that a message cannot be fetched.
bool kafka_is_unreadable(int code);

// Goes on behind messages that cannot be fetched, if there are any; reports them. May take some seconds.
void kafka_skip_unreadable(struct kafka *k);

// After the client was made; after each message of `bytes` was taken from its queue.
void kafka_refill_init(struct kafka *k);
void kafka_refill(struct kafka *k, size_t bytes);

// What librdkafka reports of the whole client: logs it. `opaque` is the hooks.
void kafka_conf_on_error(rd_kafka_t *rk, int code, const char *text, void *opaque);

// The caller owns the result. NULL (ERR_CONFIG): a property is unknown, has a wrong value, or may not be set
// by the user. `hooks` becomes librdkafka's opaque and must outlive the client.
rd_kafka_conf_t *kafka_conf_consumer(const struct conf *conf, const struct kafka_hooks *hooks,
                                     struct err *err);
rd_kafka_conf_t *kafka_conf_producer(const struct conf *conf, const struct kafka_hooks *hooks,
                                     struct err *err);

// Whether a topic is the one of dead letters, or Kafka's own: it is never read.
bool kafka_conf_is_own_topic(const struct conf *conf, const char *topic);

// Whether the user wants a group without offsets to begin at the end (kafka.auto.offset.reset).
bool kafka_conf_from_end(const struct conf *conf);

// Who makes the tokens of OAUTHBEARER (kafka_login.c): nowcast for Amazon MSK, nowcast by a token server
// (OIDC); OTHER: no tokens, or librdkafka's matter.
enum kafka_login { KAFKA_LOGIN_OTHER, KAFKA_LOGIN_MSK, KAFKA_LOGIN_OIDC };
enum kafka_login kafka_login_of(const struct conf *conf);

// Whether a property is nowcast's own with that login: librdkafka does not get it.
bool kafka_login_owns(enum kafka_login login, const char *name);

// After the user's properties. The hooks that `k` has must have their `conf`. ERR_CONFIG.
bool kafka_login_set(rd_kafka_conf_t *k, const struct conf *conf, struct err *err);
void kafka_login_begin(rd_kafka_t *rk); // of every client, once

struct str kafka_msk_region(struct str brokers);

// A client with this configuration, which it owns from now on. NULL: `k` is NULL (err is set already), or
// ERR_CONFIG.
rd_kafka_t *kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *k, struct err *err);

#endif
