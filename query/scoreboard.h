// SPDX-License-Identifier: Apache-2.0
// The scoreboard: how good the estimate of each billed day was, as it was five minutes, one hour and one day
// after each hour, and as it was when the bill came; and why it missed. `nowcast reconcile` computes the
// scores (reconcile/score.h) and stores them. This module reads them.
//
//   off by    the sum of the misses by hour, account, Region and caller, divided by what was billed (WAPE)
//   bias      how much the estimate was too high (+) or too low (-), divided by what was billed
//   in band   the part of the billed dollars whose hour and caller lay inside the band that was shown
//   causes    parts of the misses, the largest first
#ifndef NOWCAST_QUERY_SCOREBOARD_H
#define NOWCAST_QUERY_SCOREBOARD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/conf.h"
#include "reconcile/score.h"
#include "store/redis.h"

struct scoreboard_day {
	struct str day;                  // "2026-11-02"; of the total, "all"
	struct score at[SCORE_HORIZONS]; // hours is 0 if there was no snapshot
	struct score_worst worst[SCORE_HORIZONS][SCORE_WORST_MAX];
	int nworst[SCORE_HORIZONS];
};

struct scoreboard {
	struct arena arena;
	struct scoreboard_day *days; // the newest first
	int n, cap;
	struct scoreboard_day total; // without its worst
};

// Adds the days of a billing period to a board that is zeroed or was read before, and sums the total again.
bool scoreboard_read(struct scoreboard *s, struct redis *r, const char *prefix, struct str period,
                     struct err *err) NC_CHECK;

// Reads one billing period that was reconciled, or every one if `period` is NULL or "all", into a zeroed
// board. ERR_CONFIG: `period` is neither "all" nor a month like 2026-11.
bool scoreboard_load(struct scoreboard *s, const struct conf *conf, const char *period,
                     struct err *err) NC_CHECK;
void scoreboard_release(struct scoreboard *s);

// What was estimated too much; below zero if it was too little.
struct usd scoreboard_bias(const struct score *s);

// The causes of the misses, the largest first; returns how many are above zero.
int scoreboard_causes(const struct score *s, enum score_cause ret[SCORE_CAUSES]);

// part / whole in ten-thousandths, rounded; 0 if `whole` is not above 0.
int64_t scoreboard_ratio(struct usd part, struct usd whole);

#endif
