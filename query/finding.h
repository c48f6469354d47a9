// SPDX-License-Identifier: Apache-2.0
// What a check of health finds, and how it says so.
#ifndef NOWCAST_QUERY_FINDING_H
#define NOWCAST_QUERY_FINDING_H

#include "base/conf.h"
#include "base/err.h"
#include "pricing/prices_kept.h"
#include "store/view.h"

// note: worth a look; warn: figures are less exact, or missing; fail: something does not work.
enum health_level { HEALTH_OK, HEALTH_NOTE, HEALTH_WARN, HEALTH_FAIL, HEALTH_LEVELS };

// A finding. `what`: its subject in one word. `text`: a sentence for people. Both strings are valid during
// the call.
typedef void health_fn(void *user, enum health_level level, const char *what, const char *text);

// A check under way.
struct health {
	const struct conf *conf;
	struct view *view;
	struct redis *redis; // of the view
	struct prices_kept *prices;
	int64_t now_ms;
	health_fn *report;
	void *user;
};

void health_add(struct health *h, enum health_level level, const char *what, const char *fmt, ...)
	NC_PRINTF(4, 5);

const char *health_word(enum health_level level); // "ok", "note", "warn", "FAIL"

#endif
