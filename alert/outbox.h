// SPDX-License-Identifier: Apache-2.0
// The messages that wait in Redis. Each receiver gets one at a time, in the order of their events; all
// receivers are served at the same time. A message that failed too often goes to the list of dead ones.
//
// A message is sent at least once: a process that dies after sending it and before noting so leaves it to be
// sent again, under the same id.
#ifndef NOWCAST_ALERT_OUTBOX_H
#define NOWCAST_ALERT_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/rules.h"
#include "base/err.h"
#include "store/redis.h"

struct alert_sent {
	int sent, failed, dead; // failed: to be tried again
};

struct alert_outbox;
struct alert_outbox *alert_outbox_new(struct redis *r, const char *prefix);
void alert_outbox_free(struct alert_outbox *o); // breaks off what is on its way; it is sent again in a minute

// Notes what has ended and, unless `rules` is NULL, begins to send what is due. Adds to *ret. Does not wait.
bool alert_outbox_step(struct alert_outbox *o, const struct alert_rules *rules, struct alert_sent *ret,
                       struct err *err) NC_CHECK;
void alert_outbox_wait(struct alert_outbox *o, int64_t ms);
bool alert_outbox_busy(const struct alert_outbox *o); // a message is on its way

// Sends until nothing is due, for up to `budget_ms`.
bool alert_outbox_deliver(struct alert_outbox *o, const struct alert_rules *rules, int64_t budget_ms,
                          struct alert_sent *ret, struct err *err) NC_CHECK;

#endif
