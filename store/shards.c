// SPDX-License-Identifier: Apache-2.0
#include "store/shards.h"

#include <assert.h>

#include "base/hash.h"
#include "store/evidence.h"
#include "store/keys.h"

// Two letters for each shard. Redis takes the CRC-16 of a name for its slot, so that names which differ in a
// number only get slots close to each other, on one master. With these the first 2, 4, 8, ... shards are in
// as many equal parts of all slots, whatever the account and Region, since a CRC is linear
// (tests/unit/shards_test.c).
static const char letters[] = "aafcdifpbidqgacadqbbarfpbiajbzdbbyfydsfjbsdkfadxbrdjfdbdfyapbddx"
							  "bkahbxddacdyfsbhdbbzajbifparbbfbacfjddbxfadxfrapfdbdapbsfjahbxnz";
_Static_assert(sizeof letters == 2 * SHARDS_MAX + 1, "two for each");

int shard_of_call(const uint8_t *id, int n)
{
	assert(n > 1 && n <= SHARDS_MAX);
	return 1 + (int)(digest64(id, EVIDENCE_ID) % (uint64_t)n);
}

struct str shard_place(struct buf *b, struct str acct_region, int shard)
{
	assert(shard >= 0 && shard <= SHARDS_MAX);
	buf_clear(b);
	buf_addstr(b, acct_region);
	if (shard)
		buf_addf(b, "~%02d%.2s", shard, letters + 2 * ((size_t)shard - 1));
	return buf_str(b);
}

void shards_ask(struct redis *r, struct buf *key, const char *prefix, struct str acct_region)
{
	redis_cmd(r, 2, (struct str[]){STR("GET"), key_shards(key, prefix, acct_region)});
}

int shards_answer(const struct redis *r, size_t reply)
{
	int64_t n = redis_int(r, reply);
	return n >= 1 && n <= SHARDS_MAX ? (int)n : 1;
}

int *shards_read(struct redis *r, const char *prefix, const struct str *acct_regions, size_t n,
                 struct arena *arena, struct err *err)
{
	struct buf key = BUF_INIT;
	int *shards = arena_alloc(arena, (n + 1) * sizeof *shards);
	for (size_t i = 0; i < n; i++)
		shards_ask(r, &key, prefix, acct_regions[i]);
	buf_release(&key);
	if (!redis_exec(r, err))
		return NULL;
	for (size_t i = 0; i < n; i++)
		shards[i] = shards_answer(r, i);
	return shards;
}

bool shards_list(struct redis *r, const char *prefix, struct str **places, size_t *n, struct arena *arena,
                 struct err *err)
{
	struct buf name = BUF_INIT;
	size_t most = *n, all = 0;
	int *shards = shards_read(r, prefix, *places, *n, arena, err);
	for (size_t i = 0; shards && i < *n; i++)
		most += (size_t)shards_last(shards[i]);
	struct str *list = arena_alloc(arena, (most + 1) * sizeof *list);
	for (size_t i = 0; shards && i < *n; i++)
		for (int k = 0; k <= shards_last(shards[i]); k++)
			list[all++] = arena_str(arena, shard_place(&name, (*places)[i], k));
	buf_release(&name);
	*places = list;
	*n = all;
	return shards != NULL;
}
