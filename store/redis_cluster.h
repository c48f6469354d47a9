// SPDX-License-Identifier: Apache-2.0
// A Redis Cluster of several masters, for redis.c: which master has which slot, a connection to each, and a
// pipeline dealt out to them by the first key of each command.
//
//     pipeline: a b | c a        a, b, c: commands by the slot of their key; |: redis_barrier
//       master 1:  a     then  a
//       master 2:  b     then  c          replies: in the order of the pipeline
//
// Commands of one slot are carried out in their order, those of several slots in any order up to the next
// barrier. A command without a key (PING) goes to every master.
//
// MOVED: the slots are asked for again, and what was refused is sent again, with all commands of that slot
// behind it. ASK, a slot that is on its way to another master: a command of one key follows it. A script does
// not: it may write keys that have not arrived yet, beside those that it names, so it waits until the slot is
// there (scripts of an account and Region name none of their keys, so that a slot on its way refuses all of
// them). A master that does not answer: the others are asked who has its slots now.
//
// All writes of nowcast are joins, so that a command may be carried out twice.
#ifndef NOWCAST_STORE_REDIS_CLUSTER_H
#define NOWCAST_STORE_REDIS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "store/redis.h"

enum { REDIS_SLOTS = 16384, REDIS_SPANS = 128 };

struct redis_cluster;

// Of a key: CRC-16/XMODEM of its hash tag, the text between the first { and the next }, or else of all of it
// (the Redis Cluster specification, "Hash tags").
int redis_slot(struct str key);

// Asks `r`, which is connected to a node of a cluster, which masters there are. If there are several it gets
// the cluster and leaves the node.
bool redis_cluster_find(struct redis *r, struct err *err) NC_CHECK;

// Connects again after a failure: asks the nodes that are known. False: none answers.
bool redis_cluster_find_again(struct redis *r, struct err *err) NC_CHECK;

// The smallest number whose slot, as a hash tag, is in that span.
int redis_cluster_tag(struct redis_cluster *c, size_t span);

void redis_cluster_free(struct redis_cluster *c);
const char *redis_cluster_place(const struct redis_cluster *c, size_t i); // for redis_place
void redis_cluster_disconnect(struct redis_cluster *c);

// Sends the pipeline of `r` and adds a reply a command to its replies. False as redis_exec; of what was sent
// before a barrier that failed, nothing behind it was sent.
bool redis_cluster_round_trip(struct redis *r, struct err *err) NC_CHECK;

// As redis_each_master says.
bool redis_cluster_each(struct redis *r, redis_master_fn *fn, void *user, struct err *err) NC_CHECK;

#endif
