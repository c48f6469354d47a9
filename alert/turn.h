// SPDX-License-Identifier: Apache-2.0
// One evaluation: take the lease, check the rules, write what changed.
//
// One process at a time evaluates: it holds a lease in Redis, and the script that writes refuses a process
// that has lost it. So an event is written exactly once, however many processes run and whenever one dies.
#ifndef NOWCAST_ALERT_TURN_H
#define NOWCAST_ALERT_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/rules.h"
#include "base/conf.h"
#include "base/err.h"
#include "query/rollups.h"
#include "store/redis.h"

struct alert_turn {
	bool mine;            // this process holds the lease; else nothing was evaluated
	int findings, events;
};

// `token` names the process. ERR_RETRY: Redis, or the lease was lost meanwhile; nothing was written.
bool alert_turn(const struct alert_rules *rules, struct rollups *f, const struct conf *conf,
                const char *token, int64_t now_ms, struct alert_turn *ret, struct err *err) NC_CHECK;

// Gives the lease back, so that nobody has to wait until it expires.
void alert_lease_end(struct redis *r, const struct conf *conf, const char *token);

#endif
