// SPDX-License-Identifier: Apache-2.0
// What the files that write facts share: store.c (a batch as a whole), store_send.c (its sections),
// store_settle.c (hours that are due), store_promote.c (those of shards).
#ifndef NOWCAST_STORE_STORE_PRIV_H
#define NOWCAST_STORE_STORE_PRIV_H

#include "store/store.h"

enum { LEASE_MS = 15000 }; // how long nobody else gets the hours that somebody has taken

// Over how many shards (store/shards.h) the store spreads the calls of an account and Region that it writes:
// as many as it knows that Redis has, else as are configured.
int store_shards(const struct store *s, struct str acct_region);
// How many Redis has: 1 also where nothing has been written, or is known. *ret_asked: whether it was asked.
int store_shards_held(const struct store *s, struct str acct_region, bool *ret_asked);
// Notes how many Redis has. `fixed`: the account and Region has facts, for which it is also if it is 1.
// Returns whether store_shards_held is another number than before.
bool store_learn_shards(struct store *s, struct str acct_region, int n, bool fixed);
void store_forget_shards(struct store *s, struct str acct_region);

// Queue the sections of an account and Region: all of them; with shards, all but the calls. Return how many
// invocations there are.
size_t store_send_place(struct store *s, const struct batch_acct_region *place);
// Queues the calls of those sections that the account and Region takes (`answers`, a digit each, of
// apply.lua), shard by shard. The calls of a section change their order. `arena`: until they are sent.
size_t store_send_shards(struct store *s, const struct batch_acct_region *place, struct str answers,
                         struct arena *arena);

// Queues hours that are due in a shard, as claim.lua lists them, to be due in the account and Region;
// `promoted`: how many times that was done before, as the shard knows.
void store_queue_promoted(struct store *s, struct str acct_region, int shard, struct str promoted,
                          const struct str *members, size_t n);

// Queues claim.lua; `empty`: its last argument. Its answer has CLAIM_HEAD elements and then the hours.
enum { CLAIM_HEAD = 4 };
void store_queue_claim(struct store *s, struct str place, bool all, struct str empty);

// Has the changes in the shards of these accounts and Regions become changes of these: then their hours are
// due there. With `all`: also what is not due yet. *ret_left: due in shards as before. ret_empty[i]: how many
// shards there are, if nothing is left in any, else 0.
bool store_promote(struct store *s, const struct str *acct_regions, size_t n, bool all, int *ret_empty,
                   size_t *ret_left, struct err *err) NC_CHECK;

#endif
