// SPDX-License-Identifier: Apache-2.0
// Rewrites the ids of names in the facts of schema 2, which were hashes that anybody can compute, as those of
// schema 3 (store/name_id.h): in the evidence of calls, in cells, names, lists, and in the names of keys. A
// name is in Redis beside its old id, and says its new one.
//
// Figures are not touched: those of a closed hour stay as they are. Statistics of models whose name is
// nowhere any more keep their keys, and expire. So do metrics of projects of bedrock-mantle of which no
// call is known; should these metrics be read again, they count beside their old ones in the minutes of
// that day.
//
// Every step may be repeated, also after a run that was killed: names keep their old ids until all else has
// new ones.
#ifndef NOWCAST_STORE_MIGRATE_IDS_H
#define NOWCAST_STORE_MIGRATE_IDS_H

#include "store/migrate.h"

// `o`: of migrate.h; `convert` is not used. *ret: keys looked at, renamed, and whose values were rewritten.
bool migrate_ids(struct redis *r, const char *prefix, const struct migrate_options *o,
                 struct migrate_counts *ret, struct err *err) NC_CHECK;

#endif
