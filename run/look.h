// SPDX-License-Identifier: Apache-2.0
// What `nowcast look` has read, for what prints it.
#ifndef NOWCAST_RUN_LOOK_H
#define NOWCAST_RUN_LOOK_H

#include "run/intake.h"
#include "run/streams.h"

struct look {
	struct conf *conf;
	struct streams streams;
	struct intake intake;
	int64_t hours;
	int64_t from_ms, to_ms;
	bool out_of_time;      // --wait was over before all was read
};

// Prints what these figures do not show, and the switch of AWS, or the option, that would show it.
bool look_print_unseen(const struct look *l, struct err *err) NC_CHECK;

#endif
