// SPDX-License-Identifier: Apache-2.0
// Why the sums of two spans differ: group by group, and by what changed: how many calls there were, how many
// tokens they took, what a token cost, and what was used in one of the spans only.
//
// The parts are those of the usual analysis of price and volume, made for each token type of a model, Region
// and service tier, of which one span has T0 tokens for U0 dollars, the later one T1 for U1:
//
//     volume  U0 x T1/T0 - U0     what T1 - T0 tokens cost at the rate of before
//     rate    U1 - U0 x T1/T0     what T1 tokens cost more than at that rate
//
// Of a model, Region and tier the volume is divided again, by its calls C0 and C1:
//
//     calls   U0 x C1/C0 - U0     so many more calls, of as many tokens as before
//     tokens  the rest            more tokens a call, or of another type
//
// What has tokens in one span only is `added` or `gone`. All parts together are U1 - U0, to the picodollar.
#ifndef NOWCAST_QUERY_CHANGE_H
#define NOWCAST_QUERY_CHANGE_H

#include "query/group.h"

// The groups of one key in both spans.
struct group_pair {
	const struct str *keys;
	const struct group *now, *then; // one may be NULL
	struct usd change;
};

// Sorts both lists by name and pairs them, in that order. Returns the number of pairs; `ret` has room for all
// groups of both.
int32_t group_pairs_make(struct groups *now, struct groups *then, struct group_pair *ret);

// The largest change first, whether up or down.
void group_pairs_sort(struct group_pair *list, int32_t n);

// Whether the error bands of the two do not overlap.
bool group_pair_is_sure(const struct group_pair *p);

enum change_part { CHANGE_CALLS, CHANGE_TOKENS, CHANGE_RATE, CHANGE_ADDED, CHANGE_GONE, CHANGE_PARTS };
extern const char *const change_part_names[CHANGE_PARTS];

enum { CHANGE_MODEL_KEYS = 3 };
// The groupings that the parts are made of: of tokens, model, region, tier, token_type; of calls the first
// CHANGE_MODEL_KEYS of these.
extern const struct grouping change_tokens, change_calls;

// Of the sums of both spans by change_tokens and by change_calls, which it sorts.
void change_split(struct groups *tokens_now, struct groups *tokens_then, struct groups *calls_now,
                  struct groups *calls_then, struct usd ret[CHANGE_PARTS]);

#endif
