// SPDX-License-Identifier: Apache-2.0
// Which switches an account of AWS has on that bear on who spends what on Bedrock. Only reads.
#ifndef NOWCAST_AWS_INVENTORY_H
#define NOWCAST_AWS_INVENTORY_H

#include "aws/call.h"

enum switch_state {
	SWITCH_ON,
	SWITCH_PART, // on, and something of it is missing: `found` says what
	SWITCH_OFF,
	SWITCH_UNKNOWN, // could not be read: `why` says why
};

struct inventory_switch {
	enum switch_state state;
	struct buf found;  // what is there, for people
	struct err why;
};

// Trails that log, of any Region, and whether one has the data events of bedrock-mantle.
void inventory_trails(const struct aws_place *at, struct inventory_switch *trail,
                      struct inventory_switch *mantle);

// Metric streams of this Region that run.
void inventory_metric_streams(const struct aws_place *at, struct inventory_switch *ret);

// A CUR 2.0 export, by the hour, with resources and IAM principals.
void inventory_export(const struct aws_place *at, struct inventory_switch *ret);

// Whether the tag is an active cost allocation tag of IAM principals.
void inventory_cost_tag(const struct aws_place *at, const char *tag, struct inventory_switch *ret);

void inventory_switch_release(struct inventory_switch *s);

#endif
