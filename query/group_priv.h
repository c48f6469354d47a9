// SPDX-License-Identifier: Apache-2.0
// What the files of groups share: group.c (rows of model hours), group_sum.c (groups that are there already).
#ifndef NOWCAST_QUERY_GROUP_PRIV_H
#define NOWCAST_QUERY_GROUP_PRIV_H

#include "query/group.h"

// By what the index finds keys: of this process only.
uint64_t groups_hash(const struct groups *g, const struct str *keys);

// As groups_get, of keys with that hash.
struct group *groups_get_hashed(struct groups *g, uint64_t hash, const struct str *keys);

// Room for so many groups in all.
void groups_reserve(struct groups *g, int32_t n);

#endif
