// SPDX-License-Identifier: Apache-2.0
// The scoreboard: how good the estimate of each billed day was, as it stood five minutes, one hour and one
// day after each hour, and as it stood when it met the bill; and why it missed. `nowcast reconcile` scores
// (reconcile/score.h), this reads and tells.
//
//   off by    sum of the misses over what was billed (WAPE), by hour, account, Region and caller
//   bias      what was said too much (+) or too little (-), over what was billed
//   in band   of the billed dollars, those whose hour and caller lay inside the band that was shown
//   causes    parts of the misses, the largest first
#ifndef NOWCAST_QUERY_SCOREBOARD_H
#define NOWCAST_QUERY_SCOREBOARD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/command.h"
#include "reconcile/score.h"
#include "store/redis.h"

struct scoreboard_day {
	struct str day;                  // "2026-11-02"; of the total, "all"
	struct score at[SCORE_HORIZONS]; // hours 0: there was no snapshot
	struct score_worst worst[SCORE_HORIZONS][SCORE_WORST_MAX];
	int nworst[SCORE_HORIZONS];
};

struct scoreboard {
	struct arena arena;
	struct scoreboard_day *days; // the newest first
	int n, cap;
	struct scoreboard_day total; // without its worst
};

// Adds the days of a billing period to a board that is zeroed or was read before, and sums anew.
bool scoreboard_read(struct scoreboard *s, struct redis *r, const char *prefix, struct str period,
                     struct err *err) NC_CHECK;
void scoreboard_release(struct scoreboard *s);

// Causes in the order of their size; returns how many are above nothing.
int scoreboard_causes(const struct score *s, enum score_cause ret[SCORE_CAUSES]);

// part / whole in ten-thousandths, rounded; 0 if whole is.
int64_t scoreboard_ratio(struct usd part, struct usd whole);

void scoreboard_json(const struct scoreboard *s, struct buf *b);  // an object
void scoreboard_table(const struct scoreboard *s, struct buf *b);
void scoreboard_csv(const struct scoreboard *s, struct buf *b);
void scoreboard_html(const struct scoreboard *s, struct buf *b);  // a section of a page

int cmd_report_scoreboard(struct command *c);

#endif
