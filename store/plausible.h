// SPDX-License-Identifier: Apache-2.0
// Counts of tokens that cannot be. A single wrong field (the largest number that fits, a sum in place of a
// count) would be exact evidence and worth more than all else of a day. So the tokens of such a call are
// quarantined: its record is a dead letter with its reason, the call is counted, and its tokens are
// unknown, which is to say that they are taken from the metrics. A metric that cannot be is a dead letter
// and changes nothing.
//
// A call may use up to PLAUSIBLE_TURNS times the context window of its model, for AWS may run several turns
// in one request (tools on the server). Windows are those of the models' cards in the Amazon Bedrock User
// Guide, of the largest model of a family; a model that is not known has PLAUSIBLE_CONTEXT.
#ifndef NOWCAST_STORE_PLAUSIBLE_H
#define NOWCAST_STORE_PLAUSIBLE_H

#include <stdbool.h>

#include "base/err.h"
#include "ingest/record.h"

enum { PLAUSIBLE_TURNS = 8, PLAUSIBLE_CONTEXT = 10000000 };
#define PLAUSIBLE_METRIC INT64_C(100000000000) // tokens of a model and minute

// The context window of a model, tokens.
int64_t plausible_context(struct str model);

// Takes tokens that cannot be off the call. True: none; else *err says which (ERR_SKIP).
bool plausible_call(struct call *c, struct err *err) NC_CHECK;

bool plausible_metric(const struct metric *m, struct err *err) NC_CHECK;

#endif
