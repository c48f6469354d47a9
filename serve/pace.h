// SPDX-License-Identifier: Apache-2.0
// The pace of a group's spend, a minute at a time: is this a jump, against its own trend and its own worst? Small enough to
// be kept for thousands of groups, and written as a line of text.
//
//     minutes  . . . . | a b c d e |       quick = a + .. + e;   usual: mean of quick, slowly;   worst: largest, fading
//
// Amounts are micro-dollars: statistics about money, no sums of it.
#ifndef NOWCAST_SERVE_PACE_H
#define NOWCAST_SERVE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { PACE_QUICK = 5 };

struct pace {
	int64_t at_minute;              // the newest minute
	int64_t base_hour;              // the hour whose total is `total`, with the hour before
	int64_t total;                  // as last seen: what comes on top has arrived since
	int64_t minutes[PACE_QUICK];    // minute m in [m % PACE_QUICK]
	int64_t usual;                  // what PACE_QUICK minutes usually take, learned over an hour or so
	int64_t worst;                  // the most they took, halved every few hours
	int64_t seen;                   // minutes
};

// The amount that arrived in `minute`; minutes between are taken as empty.
void pace_add(struct pace *p, int64_t minute, int64_t amount);

int64_t pace_quick(const struct pace *p); // of the last minutes

// What the last minutes are compared to. They are a jump when they exceed it `factor`-fold, and `season` (what such minutes
// took at this time of other days; 0: unknown) as well, and all is more than the floor. Learn first, then ask: a pace that
// is younger than an hour is no jump.
bool pace_jumps(const struct pace *p, int64_t factor, int64_t floor, int64_t season, int64_t *ret_against);

void pace_write(const struct pace *p, struct buf *out);
bool pace_read(struct pace *p, struct str text);

#endif
