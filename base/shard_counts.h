// SPDX-License-Identifier: Apache-2.0
// The key `shards`: over how many shards (store/shards.h) the calls of an account and Region are spread.
//
//     8                             of every account and Region
//     2, 111122223333/us-east-1=8   of that one 8, of all others 2
#ifndef NOWCAST_BASE_SHARD_COUNTS_H
#define NOWCAST_BASE_SHARD_COUNTS_H

#include <stdbool.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/str.h"

enum { SHARDS_MAX = 64 };

// Whether each item is such a number, from 1 to SHARDS_MAX, and says it of something that no other does.
// ERR_CONFIG names the item.
bool shard_counts_check(const struct conf_list *l, struct err *err) NC_CHECK;

// The number of an account and Region, "111122223333/us-east-1"; 1 where the list says nothing.
int shard_counts_of(const struct conf_list *l, struct str acct_region);

#endif
