// SPDX-License-Identifier: Apache-2.0
// Names as people say them, for tables on a terminal and for messages:
//
//     arn:aws:sts::111122223333:assumed-role/app-backend/i-0a1b2c        app-backend/i-0a1b2c
//     arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Developer_0f1e2d3c4b5a6978/bob@example.com
//                                                                        Developer/bob@example.com
//     arn:aws:iam::111122223333:role/service-role/indexer                indexer
//     arn:aws:iam::111122223333:user/build/ci                            ci
//     global.anthropic.claude-haiku-4-5-20251001-v1:0                    claude-haiku-4-5 (global)
//
// Roles of IAM Identity Center are named AWSReservedSSO_PERMISSIONSET_ and 16 hexadecimal digits ("Permission
// sets" in its user guide). Other names stay as they are.
#ifndef NOWCAST_QUERY_SHORT_NAMES_H
#define NOWCAST_QUERY_SHORT_NAMES_H

#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"
#include "query/group.h"

// A slice of `name`, or a text in the arena.
struct str short_name(struct arena *arena, struct str name);

// Shortens all names of a list, in place. What was different stays different: a short name that two of them
// would have gets its account behind it, and where that is not enough they stay whole.
void short_names(struct arena *arena, struct str *names, size_t n);

// What to show for the keys of the first `n` groups: g->by.n names a group, group by group. Principals, roles
// and models are shortened unless `full`.
struct str *short_names_of_groups(struct arena *arena, const struct groups *g, int32_t n, bool full);

#endif
