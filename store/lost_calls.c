// SPDX-License-Identifier: Apache-2.0
#include "store/lost_calls.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/when.h"
#include "store/batch.h"
#include "store/keys.h"
#include "store/shards.h"

static void add_bucket(struct lost_calls *sum, struct str bucket, struct str n)
{
	int64_t from_ms = str_cut_count(&bucket) * BUCKET_HOURS * MS_PER_HOUR;
	int64_t to_ms = from_ms + BUCKET_HOURS * MS_PER_HOUR;
	sum->from_ms = sum->n == 0 || from_ms < sum->from_ms ? from_ms : sum->from_ms;
	sum->to_ms = to_ms > sum->to_ms ? to_ms : sum->to_ms;
	sum->n += str_cut_count(&n);
}

bool lost_calls_read(struct redis *r, const char *prefix, struct lost_calls *ret, struct err *err)
{
	struct buf key = BUF_INIT;
	struct arena arena = ARENA_INIT;
	size_t n = 0;
	*ret = (struct lost_calls){0};
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&key, prefix)});
	bool good = redis_exec(r, err);
	struct str *places = good ? redis_copy_list(r, 0, &arena, &n) : NULL;
	good = good && shards_list(r, prefix, &places, &n, &arena, err);
	for (size_t i = 0; good && i < n; i++)
		redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_lost_calls(&key, prefix, places[i])});
	good = good && redis_exec(r, err);
	for (size_t i = 0; good && i < n; i++)
		for (size_t k = 0; k + 1 < redis_len(r, i); k += 2)
			add_bucket(ret, redis_elem(r, i, k), redis_elem(r, i, k + 1));
	buf_release(&key);
	arena_release(&arena);
	return good;
}
