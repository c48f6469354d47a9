// SPDX-License-Identifier: Apache-2.0
// What is wrong, and what to do about it: for `nowcast doctor` and for the dashboard.
#ifndef NOWCAST_QUERY_HEALTH_H
#define NOWCAST_QUERY_HEALTH_H

#include "base/conf.h"
#include "store/view.h"

enum health_level { HEALTH_OK, HEALTH_NOTE, HEALTH_WARN, HEALTH_FAIL };

// A finding: `what` it is about in a word, `text` a sentence for people. Both die with the call.
typedef void health_fn(void *user, enum health_level level, const char *what, const char *text);

// Looks at Redis and at all that is kept there. Redis being away is a finding too.
void health_check(const struct conf *conf, struct view *view, health_fn *tell, void *user);

// Looks at the topics and at how far the consumer group has read them.
void health_check_kafka(const struct conf *conf, health_fn *tell, void *user);

const char *health_word(enum health_level level); // "ok", "note", "warn", "FAIL"

#endif
