// SPDX-License-Identifier: Apache-2.0
#include "store/telemetry_counts.h"

#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/when.h"
#include "store/batch.h"
#include "store/keys.h"
#include "store/shards.h"

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

static void add_waiting(struct redis *r, size_t reply, int64_t first_ms, int64_t recent_ms,
                        struct telemetry_waiting *ret)
{
	for (size_t k = 0; k + 1 < redis_len(r, reply); k += 2) {
		struct str bucket = redis_elem(r, reply, k), value = redis_elem(r, reply, k + 1);
		int64_t ms = str_cut_count(&bucket) * BUCKET_HOURS * MS_PER_HOUR, n = str_cut_count(&value);
		if (ms >= first_ms)
			*(ms < recent_ms ? &ret->old : &ret->recent) += n;
	}
}

bool telemetry_waiting_read(struct redis *r, const char *prefix, int64_t first_ms, int64_t recent_ms,
                            struct telemetry_waiting *ret, struct err *err)
{
	struct buf key = BUF_INIT;
	struct arena arena = ARENA_INIT;
	*ret = (struct telemetry_waiting){0};
	key_acct_regions(&key, prefix);
	redis_cmdz(r, "SMEMBERS", key.data, NULL);
	bool good = redis_exec(r, err);
	size_t n = 0;
	struct str *places = good ? redis_copy_list(r, 0, &arena, &n) : NULL;
	good = good && shards_list(r, prefix, &places, &n, &arena, err);
	for (size_t i = 0; good && i < n; i++) {
		key_telemetry_waiting(&key, prefix, places[i]);
		redis_cmdz(r, "HGETALL", key.data, NULL);
	}
	good = good && redis_exec(r, err);
	for (size_t i = 0; good && i < n; i++)
		add_waiting(r, i, first_ms, recent_ms, ret);
	buf_release(&key);
	arena_release(&arena);
	return good;
}
