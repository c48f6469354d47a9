// SPDX-License-Identifier: Apache-2.0
#include "store/telemetry_counts.h"

#include <assert.h>

#include "base/buf.h"
#include "store/bucket_counts.h"
#include "store/keys.h"

static const struct {
	const char *word, *advice;
} reasons[TELEMETRY_UNUSED] = {
	[TELEMETRY_UNLISTED] = {"unlisted",
                            "no trust rule allows it: if its writers are to be believed, trust.TOPIC = telemetry"},
	[TELEMETRY_UNPLACED] =
		{"unplaced",
         "it names no account or Region: set cloud.account.id and cloud.region in its resource, or telemetry.account and telemetry.region"},
	[TELEMETRY_WITHOUT_ID] = {"without_id",
	                           "it has no request id, and no user, model or time to find its call by, or telemetry.roles is not set"},
	[TELEMETRY_NAMELESS] =
		{"nameless",
         "its account is in telemetry.without_cloudtrail, and it names no model, or no principal as nowcast.principal"},
};

const char *telemetry_unused_word(enum telemetry_unused why)
{
	assert(why < TELEMETRY_UNUSED);
	return reasons[why].word;
}

const char *telemetry_unused_advice(enum telemetry_unused why)
{
	assert(why < TELEMETRY_UNUSED);
	return reasons[why].advice;
}

bool telemetry_counts_add(struct redis *r, const char *prefix, const uint64_t n[TELEMETRY_UNUSED],
                          struct err *err)
{
	struct buf key = BUF_INIT, number = BUF_INIT;
	key_telemetry(&key, prefix);
	for (int why = 0; why < TELEMETRY_UNUSED; why++) {
		if (!n[why])
			continue;
		buf_clear(&number);
		buf_addf(&number, "%llu", (unsigned long long)n[why]);
		redis_cmdz(r, "HINCRBY", key.data, reasons[why].word, number.data, NULL);
	}
	buf_release(&key);
	buf_release(&number);
	return redis_exec(r, err);
}

bool telemetry_counts_read(struct redis *r, const char *prefix, int64_t ret[TELEMETRY_UNUSED],
                           struct err *err)
{
	struct buf key = BUF_INIT;
	key_telemetry(&key, prefix);
	for (int why = 0; why < TELEMETRY_UNUSED; why++)
		redis_cmdz(r, "HGET", key.data, reasons[why].word, NULL);
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	for (size_t why = 0; why < TELEMETRY_UNUSED; why++)
		ret[why] = redis_int(r, why);
	return true;
}

struct waiting_sum {
	int64_t first_ms, recent_ms;
	struct telemetry_waiting *sum;
};

static void add_waiting(void *sum_of, int64_t from_ms, int64_t n)
{
	const struct waiting_sum *x = sum_of;
	if (from_ms >= x->first_ms)
		*(from_ms < x->recent_ms ? &x->sum->old : &x->sum->recent) += n;
}

bool telemetry_waiting_read(struct redis *r, const char *prefix, int64_t first_ms, int64_t recent_ms,
                            struct telemetry_waiting *ret, struct err *err)
{
	struct waiting_sum x = {first_ms, recent_ms, ret};
	*ret = (struct telemetry_waiting){0};
	return bucket_counts_read(r, prefix, key_telemetry_waiting, add_waiting, &x, err);
}
