// SPDX-License-Identifier: Apache-2.0
// The parts of health_check, by what they look at. False: Redis did not answer.
#ifndef NOWCAST_QUERY_HEALTH_PARTS_H
#define NOWCAST_QUERY_HEALTH_PARTS_H

#include "query/finding.h"
#include "query/last_day.h"

// redis_health.c: Redis, its memory, clock and schema; hours to be computed, records that came late, shards
bool health_check_redis(struct health *h, struct err *err) NC_CHECK;
bool health_check_backlog(struct health *h, struct err *err) NC_CHECK;

// signal_health.c: how old each signal is
bool health_check_signals(struct health *h, struct err *err) NC_CHECK;

// price_health.c: the files, and models without a price
void health_check_prices(struct health *h);
bool health_check_unpriced(struct health *h, struct err *err) NC_CHECK;

// figure_health.c: how sure the figures of the last day are; what the newest bill says of them
bool health_check_last_day(struct health *h, struct last_day *kept, struct err *err) NC_CHECK;
bool health_check_bill(struct health *h, struct err *err) NC_CHECK;

// loss_health.c: what could not be read, what Kafka or AWS no longer had, and what Redis has lost
bool health_check_dead_letters(struct health *h, struct err *err) NC_CHECK;
bool health_check_gaps(struct health *h, struct err *err) NC_CHECK;
bool health_check_loss(struct health *h, struct err *err) NC_CHECK;

#endif
