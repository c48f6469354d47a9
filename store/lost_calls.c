// SPDX-License-Identifier: Apache-2.0
#include "store/lost_calls.h"

#include "base/when.h"
#include "store/batch.h"
#include "store/bucket_counts.h"
#include "store/keys.h"

static void add_bucket(void *sum_of, int64_t from_ms, int64_t n)
{
	struct lost_calls *sum = sum_of;
	int64_t to_ms = from_ms + BUCKET_HOURS * MS_PER_HOUR;
	sum->from_ms = sum->n == 0 || from_ms < sum->from_ms ? from_ms : sum->from_ms;
	sum->to_ms = to_ms > sum->to_ms ? to_ms : sum->to_ms;
	sum->n += n;
}

bool lost_calls_read(struct redis *r, const char *prefix, struct lost_calls *ret, struct err *err)
{
	*ret = (struct lost_calls){0};
	return bucket_counts_read(r, prefix, key_lost_calls, add_bucket, ret, err);
}
