// SPDX-License-Identifier: Apache-2.0
// Adds groups to groups, and keeps the groups of a sum in less than half of the memory: most figures of most
// groups are 0, and few are large.
#ifndef NOWCAST_QUERY_GROUP_SUM_H
#define NOWCAST_QUERY_GROUP_SUM_H

#include "base/buf.h"
#include "query/group.h"

// Adds what another group holds to the figures and the band of this one; keys stay.
void group_add(struct group *to, const struct group *from);

// The same without the band, which is right only after group_set_band: for sums of many.
void group_add_figures(struct group *to, const struct group *from);
void group_set_band(struct group *x);

// Adds the groups of another sum by the same grouping, of other model hours: bands add up model hour by model
// hour.
void groups_merge(struct groups *g, const struct groups *from);

// Appends how many groups there are, 4 bytes, and all of them, in their order:
//
//     8 bytes       the hash of the keys (groups_hash)
//     of each key   its length, its bytes
//     8 bytes       which figures are not 0: bit k is that of number k (group_sum.c)
//     these         a whole number; a float as it is in memory
//
// Whole numbers are zigzag and base 128, the lowest digits first. For the memory of one process.
void groups_pack(struct buf *ret, const struct groups *g);

// As groups_merge, of groups that were packed; but the bands are right only after groups_set_bands, once all
// are there.
void groups_merge_packed(struct groups *g, struct str packed);
void groups_set_bands(struct groups *g);

#endif
