// SPDX-License-Identifier: Apache-2.0
// A connection to Redis from the inside, for redis.c and redis_cluster.c only.
//
// Of a Redis Cluster of several masters, `struct redis` has the pipeline and the replies, and one more of its
// kind for each master (redis_cluster.h), which has a wire.
#ifndef NOWCAST_STORE_REDIS_PRIV_H
#define NOWCAST_STORE_REDIS_PRIV_H

#include <hiredis/hiredis.h>

#include "base/digest.h"
#include "store/redis.h"
#include "store/redis_iam.h"
#include "store/redis_wire.h"

enum { REDIS_SCRIPTS_MAX = 16, REDIS_BARRIERS_MAX = 8 };

struct redis_cluster;

struct redis {
	struct wire wire;
	struct redis_iam iam;
	int64_t renew_ticks;  // when the login is to be renewed; 0: never
	redisReader *reader; // NULL: not connected
	struct redis_cluster *cluster; // several masters have the slots; NULL: one Redis has all keys
	bool away;           // the cluster has failed: it is asked for its masters again
	bool is_whole;       // redis_keep_whole
	bool is_node;        // of a cluster, and looks for none itself
	bool keeps_errors;   // its replies may be errors, which the cluster looks at
	struct buf out;
	size_t commands;     // in `out`, or sent and not answered
	size_t missing;      // arguments that the last command still lacks
	size_t barriers[REDIS_BARRIERS_MAX]; // commands of the pipeline before each redis_barrier
	int nbarriers;
	struct buf moved;    // "host:port" where a node of a cluster has sent us with the last pipeline; "": none
	int moves;           // that this pipeline has made, with those while connecting
	bool connecting;
	bool moving;         // the next connection goes where the wire points
	bool sent;           // some commands were sent and are not answered
	redisReply **replies;
	size_t nreplies, capreplies;
	struct str scripts[REDIS_SCRIPTS_MAX];
	char sha[REDIS_SCRIPTS_MAX][SHA1_HEX_SIZE];
	int nscripts;
	redis_connect_fn *on_connect; // may be NULL
	const char *prefix;           // for on_connect
	bool let_in;                  // has carried out what was asked, once
	bool runs_on;                 // redis_run_on
	bool slots_refused;           // of a Redis Cluster: the user may not ask which master has which slots
	uint64_t round_trips, failures;
	int silent_ms;                // that are waited for an answer
};

static inline struct str redis_reply_str(const redisReply *p)
{
	return p->str ? (struct str){p->str, (size_t)p->len} : STR_NONE;
}

// A connection to another node of the same cluster: with the login, the certificates and the scripts of `r`.
struct redis *redis_open_node(const struct redis *r, struct str host, struct str port);

void redis_disconnect(struct redis *r); // and drops its pipeline

// Makes room for `n` replies. Those of the last pipeline stay.
void redis_reserve_replies(struct redis *r, size_t n);
void redis_drop_replies(struct redis *r);

// What an error reply means.
bool redis_fail_by_reply(const struct redis *r, struct str reply, struct err *err);

#endif
