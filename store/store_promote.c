// SPDX-License-Identifier: Apache-2.0
// How the changes in shards reach the account and Region (store/shards.h). Three round trips, each only if
// the one before found something: the hours that are due in the shards; then they become due in the account
// and Region; then they are taken off the shards.
#include <assert.h>
#include <stdlib.h>

#include "store/keys.h"
#include "store/shards.h"
#include "store/store_priv.h"

struct shard {
	struct str acct_region, place;
	size_t of;              // which account and Region
	int number;
	struct str promoted;    // how many times, as the shard knows; once hours are promoted, as they are
	int64_t arrived;        // how many of these the account and Region has
	bool lost;              // fewer
	struct str lease;       // when it ends
	struct str *members;    // each followed by "1" if it has facts there, else "0"
	size_t nmembers;        // of both
	size_t waiting;         // in `due`
};

struct promotion {
	struct store *s;
	struct arena arena;
	struct shard *shards;
	size_t n;
};

static void list_shards(struct promotion *x, const struct str *acct_regions, size_t n, int *ret_held)
{
	bool asked;
	struct buf name = BUF_INIT;
	size_t most = 0;
	for (size_t i = 0; i < n; i++)
		most += (size_t)shards_last(ret_held[i] = store_shards_held(x->s, acct_regions[i], &asked));
	x->shards = arena_alloc(&x->arena, (most + 1) * sizeof *x->shards);
	for (size_t i = 0; i < n; i++)
		for (int k = 1; k <= shards_last(ret_held[i]); k++)
			x->shards[x->n++] =
				(struct shard){.acct_region = acct_regions[i],
			                   .place = arena_str(&x->arena, shard_place(&name, acct_regions[i], k)),
			                   .of = i,
			                   .number = k};
	buf_release(&name);
}

static int64_t number_of(struct str digits)
{
	return str_cut_count(&digits);
}

static void read_claim(struct promotion *x, size_t i, int *ret_empty)
{
	struct shard *shard = &x->shards[i];
	size_t n;
	struct str *list = redis_copy_list(x->s->redis, i, &x->arena, &n);
	bool good = n >= CLAIM_HEAD;
	if (!good || !str_is(list[1], "1"))
		ret_empty[shard->of] = 0;
	shard->waiting = good ? (size_t)number_of(list[0]) : 0;
	shard->promoted = good ? list[2] : STR("0");
	shard->lease = good ? list[3] : STR("0");
	shard->members = list + CLAIM_HEAD;
	shard->nmembers = good ? n - CLAIM_HEAD : 0;
	shard->arrived = redis_int(x->s->redis, x->n + i);
	shard->lost = shard->arrived < number_of(shard->promoted);
	assert(shard->nmembers % 2 == 0);
}

// The shards first: what they have promoted the account and Region has by then.
static bool claim(struct promotion *x, bool all, int *ret_empty, struct err *err)
{
	struct store *s = x->s;
	for (size_t i = 0; i < x->n; i++)
		store_queue_claim(s, x->shards[i].place, all, STR(""));
	redis_barrier(s->redis);
	for (size_t i = 0; i < x->n; i++)
		redis_cmd(s->redis, 3,
		          (struct str[]){STR("HGET"),
		                         key_promoted(&s->key, s->options->redis.prefix, x->shards[i].acct_region),
		                         arena_text(&x->arena, "%d", x->shards[i].number)});
	if (!redis_exec(s->redis, err))
		return false;
	for (size_t i = 0; i < x->n; i++)
		read_claim(x, i, ret_empty);
	return true;
}

static bool is_to_promote(const struct shard *shard)
{
	return shard->nmembers && !shard->lost;
}

static bool mark_due(struct promotion *x, struct err *err)
{
	struct store *s = x->s;
	for (size_t i = 0; i < x->n; i++) {
		struct shard *shard = &x->shards[i];
		if (is_to_promote(shard))
			store_queue_promoted(s, shard->acct_region, shard->number, shard->promoted, shard->members,
			                     shard->nmembers);
	}
	if (!redis_exec(s->redis, err))
		return false;
	for (size_t i = 0, reply = 0; i < x->n; i++) {
		struct shard *shard = &x->shards[i];
		if (!is_to_promote(shard))
			continue;
		shard->promoted = arena_str(&x->arena, redis_str(s->redis, reply++));
		if (!shard->promoted.len) // lost this moment: the next claim sees it
			shard->nmembers = 0;
	}
	return true;
}

// Where the account and Region has lost what it had, all hours of the shard are due again instead, for the
// next round.
static bool take_off(struct promotion *x, struct err *err)
{
	struct store *s = x->s;
	const struct engine_options *o = s->options;
	for (size_t i = 0; i < x->n; i++) {
		const struct shard *shard = &x->shards[i];
		struct str start = key_acct_region(&s->key, o->redis.prefix, shard->place);
		if (shard->lost) {
			redis_begin_eval(s->redis, s->promote_again, 1, 3);
			redis_arg(s->redis, start);
			redis_arg(s->redis, shard->promoted);
			redis_argi(s->redis, shard->arrived);
		}
		if (!is_to_promote(shard))
			continue;
		redis_begin_eval(s->redis, s->promoted, 1, 4 + (int)(shard->nmembers / 2));
		redis_arg(s->redis, start);
		redis_arg(s->redis, shard->promoted);
		redis_arg(s->redis, shard->lease);
		redis_argi(s->redis, o->window_ms + o->reopen_ms + store_keep_ms(s) + STORE_GRACE_MS);
		for (size_t k = 0; k < shard->nmembers; k += 2)
			redis_arg(s->redis, shard->members[k]);
	}
	if (!redis_exec(s->redis, err))
		return false;
	for (size_t i = 0, reply = 0; i < x->n; i++) {
		reply += x->shards[i].lost;
		if (is_to_promote(&x->shards[i]))
			x->shards[i].waiting -= (size_t)redis_int(s->redis, reply++);
	}
	return true;
}

bool store_promote(struct store *s, const struct str *acct_regions, size_t n, bool all, int *ret_empty,
                   size_t *ret_left, struct err *err)
{
	struct promotion x = {.s = s, .arena = ARENA_INIT};
	bool good = true, more = true;
	*ret_left = 0;
	list_shards(&x, acct_regions, n, ret_empty);
	while (good && more && x.n) {
		good = claim(&x, all, ret_empty, err) && mark_due(&x, err) && take_off(&x, err);
		more = false; // what others change meanwhile is left to the next time
		for (size_t i = 0; i < x.n; i++)
			more |= all && (x.shards[i].lost || x.shards[i].nmembers == 2 * DUE_MAX);
	}
	for (size_t i = 0; i < x.n; i++)
		*ret_left += x.shards[i].waiting;
	arena_release(&x.arena);
	return good;
}
