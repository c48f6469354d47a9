// SPDX-License-Identifier: Apache-2.0
// What hinders the sources of AWS (store/source_status.h), as findings of the doctor.
#ifndef NOWCAST_QUERY_SOURCE_HEALTH_H
#define NOWCAST_QUERY_SOURCE_HEALTH_H

#include "query/finding.h"
#include "store/redis.h"

// Where there is nothing to read, a finding stands for all places of the same reason. No finding if nothing
// was ever read this way, unless `sources` has firehose. False: Redis.
bool source_health_check(struct redis *r, const struct conf *conf, int64_t now_ms, health_fn *report,
                         void *user, struct err *err) NC_CHECK;

// Whether the tags of roles and users were read from IAM. False: Redis.
bool source_health_reads_tags(struct redis *r, const struct conf *conf, bool *ret, struct err *err) NC_CHECK;

#endif
