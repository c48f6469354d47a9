// SPDX-License-Identifier: Apache-2.0
// What is wrong, and what to do about it: for `nowcast doctor` and for the dashboard.
#ifndef NOWCAST_SERVE_DOCTOR_H
#define NOWCAST_SERVE_DOCTOR_H

#include "base/conf.h"
#include "estimator/view.h"

enum doctor_level { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WARN, DOCTOR_FAIL };

// A finding: `what` it is about in a word, `text` a sentence for people. Both die with the call.
typedef void doctor_tell(void *user, enum doctor_level level, const char *what, const char *text);

// Looks at Redis and at all that is kept there (not at Kafka). Redis being away is a finding too.
void doctor_examine(const struct conf *conf, struct view *view, doctor_tell *tell, void *user);

const char *doctor_word(enum doctor_level level); // "ok", "note", "warn", "FAIL"

#endif
