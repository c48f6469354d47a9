// SPDX-License-Identifier: Apache-2.0
// Findings: the conditions of rules that hold now.
//
//     rules + figures --check--> findings --state--> events --commit.lua--> alerts, history, outbox
//                                                                                  outbox --send--> receivers
//
// Rules about money ring on the lower end of the band (usd_low): an estimate that may still be too high wakes
// nobody.
#ifndef NOWCAST_ALERT_CHECK_H
#define NOWCAST_ALERT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/past.h"
#include "alert/rules.h"
#include "base/arena.h"
#include "base/err.h"
#include "query/rollups.h"
#include "store/redis.h"

// Strings live in the arena of the check.
struct alert_finding {
	const struct alert_rule *rule;
	struct str group;          // "all" if the rule is about everything together
	struct str period;         // the period it belongs to ("2026-11-02"), or ""
	int64_t level;             // rises as it gets worse: per cent of a budget; else 1
	bool latched;              // the alert stays up until the period is over
	struct usd usd, low, high; // the figure and its band
	struct usd against;        // what it is compared to
	struct str text;           // one sentence: what, how much, against what
	struct str basis;          // how sure: "exact 31% allocated 69%"
	int64_t from, to;          // hours of the figures, for contributors and the link
};

struct alert_check {
	const struct alert_rules *rules;
	struct rollups *rollups;
	struct redis *redis;
	const char *prefix;
	int64_t now_ms;
	// over stored hours: baselines are neither read nor written, an hour counts as even
	bool hourly;
	// over stored minutes, in ascending order: baselines are those of the past; NULL: not so
	struct alert_past *past;
	const struct alert_rule *only_rule; // NULL: all
	struct arena *arena;
	struct alert_finding *findings; // in the arena
	int n, cap;
};

// Evaluates every rule, or `only_rule`. The most expensive findings of each rule come first. The baselines of
// groups (spikes, burn rates) are read from Redis and written back, unless `hourly` or `past`.
bool alert_check(struct alert_check *c, struct err *err) NC_CHECK;

#endif
