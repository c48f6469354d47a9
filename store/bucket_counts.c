// SPDX-License-Identifier: Apache-2.0
#include "store/bucket_counts.h"

#include "base/arena.h"
#include "base/when.h"
#include "store/batch.h"
#include "store/keys.h"
#include "store/shards.h"

bool bucket_counts_read(struct redis *r, const char *prefix, bucket_counts_key_fn *key_of,
                        bucket_count_fn *fn, void *user, struct err *err)
{
	struct buf key = BUF_INIT;
	struct arena arena = ARENA_INIT;
	size_t n = 0;
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&key, prefix)});
	bool good = redis_exec(r, err);
	struct str *places = good ? redis_copy_list(r, 0, &arena, &n) : NULL;
	good = good && shards_list(r, prefix, &places, &n, &arena, err);
	for (size_t i = 0; good && i < n; i++)
		redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_of(&key, prefix, places[i])});
	good = good && redis_exec(r, err);
	for (size_t i = 0; good && i < n; i++)
		for (size_t k = 0; k + 1 < redis_len(r, i); k += 2) {
			struct str bucket = redis_elem(r, i, k), value = redis_elem(r, i, k + 1);
			fn(user, str_cut_count(&bucket) * BUCKET_HOURS * MS_PER_HOUR, str_cut_count(&value));
		}
	buf_release(&key);
	arena_release(&arena);
	return good;
}
