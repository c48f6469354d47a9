// SPDX-License-Identifier: Apache-2.0
// The settling of hours in Redis: which are due, their statistics, their figures. The statistics of an
// hour are written before its figures. New statistics make the hours due that use them; were they written
// with the figures only, every hour of a backfill would be computed once for each hour before it.
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/when.h"
#include "store/keys.h"
#include "store/shards.h"
#include "store/store_priv.h"
#include "store/usage_rows.h"

// ---- tagsets and models without a price ----------------------------------------------------------

// Two hashes hold what the rows of hours refer to. Beside each, a sorted set says when an hour used an
// entry last.
enum used { TAGSETS, UNPRICED, USED };

static struct str used_key(struct store *s, struct buf *b, enum used what)
{
	const char *prefix = s->options->redis.prefix;
	return what == TAGSETS ? key_tagsets(b, prefix) : key_unpriced(b, prefix);
}

static struct str seen_key(struct store *s, struct buf *b, enum used what)
{
	const char *prefix = s->options->redis.prefix;
	return what == TAGSETS ? key_tagsets_seen(b, prefix) : key_unpriced_seen(b, prefix);
}

static void queue_used(struct store *s, enum used what, const char *set, struct str id, struct str text)
{
	struct buf now = BUF_INIT;
	buf_addf(&now, "%lld", (long long)when_now_ms());
	redis_cmd(s->redis, 5,
	          (struct str[]){STR("ZADD"), seen_key(s, &s->key, what), STR("GT"), buf_str(&now), id});
	redis_cmd(s->redis, 4, (struct str[]){str_of(set), used_key(s, &s->key, what), id, text});
	buf_release(&now);
}

static int by_tagset(const void *a, const void *b)
{
	return str_cmp(((const struct tagset *)a)->id, ((const struct tagset *)b)->id);
}

static void mark_used(const struct series *series, const struct row_list *rows, bool *used)
{
	for (int i = 0; i < rows->n; i++) {
		struct str field = rows->v[i].field;
		str_cut(&field, ' ');
		const struct tagset key = {.id = str_cut(&field, ' ')};
		const struct tagset *found =
			key.id.len ? bsearch(&key, series->tagsets, (size_t)series->ntagsets, sizeof key, by_tagset)
					   : NULL;
		if (found)
			used[found - series->tagsets] = true;
	}
}

void store_queue_tagsets(struct store *s, const struct series *series, const struct settled *hours, int n)
{
	if (!series->ntagsets)
		return;
	bool *used = xcalloc((size_t)series->ntagsets, sizeof *used);
	for (int i = 0; i < n; i++) {
		mark_used(series, &hours[i].usage, used);
		mark_used(series, &hours[i].meta, used);
	}
	for (int i = 0; i < series->ntagsets; i++)
		if (used[i])
			queue_used(s, TAGSETS, "HSETNX", series->tagsets[i].id, series->tagsets[i].json);
	free(used);
}

void store_queue_unpriced(struct store *s, struct str model, const char *why)
{
	queue_used(s, UNPRICED, "HSET", model, str_of(why));
}

static void queue_unused(struct store *s)
{
	struct buf before = BUF_INIT;
	buf_addf(&before, "%lld", (long long)(when_now_ms() - s->options->retention_ms - STORE_GRACE_MS));
	for (enum used what = 0; what < USED; what++)
		redis_cmdz(s->redis, "ZRANGEBYSCORE", seen_key(s, &s->key, what).p, "-inf", before.data, "LIMIT", "0",
		           "256", NULL);
	buf_release(&before);
}

static void queue_drop(struct store *s, enum used what, const struct str *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		redis_cmd(s->redis, 3, (struct str[]){STR("HDEL"), used_key(s, &s->key, what), ids[i]});
		redis_cmd(s->redis, 3, (struct str[]){STR("ZREM"), seen_key(s, &s->key, what), ids[i]});
	}
}

// ---- accounts and Regions of which nothing is left -------------------------------------------------

// An entry is kept as long as a call of such a session may be known.
static void queue_old_cross_account(struct store *s)
{
	struct buf before = BUF_INIT;
	int64_t kept_ms = s->options->window_ms + s->options->reopen_ms + STORE_GRACE_MS;
	buf_addf(&before, "%lld", (long long)(when_now_ms() - kept_ms));
	redis_cmdz(s->redis, "ZREMRANGEBYSCORE", key_cross_account(&s->key, s->options->redis.prefix).p, "-inf",
	           before.data, NULL);
	buf_release(&before);
}

// Takes accounts and Regions of which nothing is left off the list. Facts may be written at this very moment.
// A writer adds the account and Region to the list after the facts, so either that comes later than the
// removal, or the facts are seen here. (If this process dies in between, the next record adds it.)
static bool drop_empty(struct store *s, const struct str *empty, size_t n, struct arena *arena,
                          struct err *err)
{
	const char *prefix = s->options->redis.prefix;
	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		redis_cmd(s->redis, 3, (struct str[]){STR("SREM"), key_acct_regions(&s->key, prefix), empty[i]});
	redis_barrier(s->redis);
	for (size_t i = 0; i < n; i++)
		redis_cmd(s->redis, 4,
		          (struct str[]){STR("EXISTS"), arena_str(arena, key_due(&s->key, prefix, empty[i])),
		                         arena_str(arena, key_open(&s->key, prefix, empty[i])),
		                         key_actual_index(&s->key, prefix, empty[i])});
	if (!redis_exec(s->redis, err))
		return false;
	bool *in_use = arena_alloc(arena, n * sizeof *in_use);
	for (size_t i = 0; i < n; i++)
		in_use[i] = redis_int(s->redis, n + i) > 0;
	for (size_t i = 0; i < n; i++)
		if (in_use[i])
			redis_cmd(s->redis, 3, (struct str[]){STR("SADD"), key_acct_regions(&s->key, prefix), empty[i]});
	return redis_exec(s->redis, err);
}

// ---- hours that are due ---------------------------------------------------------------------------

static int by_series(const void *a, const void *b)
{
	const struct due *x = a, *y = b;
	int c = str_cmp(x->acct_region, y->acct_region);
	if (!c)
		c = str_cmp(x->model_hex, y->model_hex);
	return c ? c : (x->hour > y->hour) - (x->hour < y->hour);
}

void store_queue_claim(struct store *s, struct str place, bool all, struct str empty)
{
	redis_begin_eval(s->redis, s->claim, 1, 6);
	redis_arg(s->redis, key_acct_region(&s->key, s->options->redis.prefix, place));
	redis_argz(s->redis, all ? "1" : "0");
	redis_argi(s->redis, LEASE_MS);
	redis_argi(s->redis, DUE_MAX);
	redis_argi(s->redis, s->options->retention_ms);
	redis_arg(s->redis, empty);
}

// A further round trip at first: how many shards accounts and Regions have that this store has not met.
static bool learn_shards(struct store *s, const struct str *names, size_t n, struct arena *arena,
                         struct err *err)
{
	struct str *unknown = arena_alloc(arena, (n + 1) * sizeof *unknown);
	size_t nunknown = 0;
	for (size_t i = 0; i < n; i++) {
		bool asked;
		store_shards_held(s, names[i], &asked);
		if (!asked)
			unknown[nunknown++] = names[i];
	}
	if (nunknown == 0)
		return true;
	int *shards = shards_read(s->redis, s->options->redis.prefix, unknown, nunknown, arena, err);
	for (size_t i = 0; shards && i < nunknown; i++)
		store_learn_shards(s, unknown[i], shards[i], false);
	return shards != NULL;
}

// What the claims of the accounts and Regions have answered.
struct claimed {
	struct due *due;
	int n;
	size_t left;
	struct str *empty; // accounts and Regions
	size_t nempty;
};

static void read_claims(struct store *s, const struct str *names, size_t n, struct arena *arena,
                        struct claimed *ret)
{
	size_t most = 0;
	for (size_t i = 0; i < n; i++)
		most += redis_len(s->redis, i) / 2;
	ret->due = arena_alloc(arena, (most + 1) * sizeof *ret->due);
	ret->empty = arena_alloc(arena, (n + 1) * sizeof *ret->empty);
	for (size_t i = 0; i < n; i++) {
		if (redis_len(s->redis, i) < CLAIM_HEAD)
			continue;
		ret->left += strtoull(redis_elem(s->redis, i, 0).p, NULL, 10);
		// where others have changed it: the next time
		int shards = (int)strtol(redis_elem(s->redis, i, 2).p, NULL, 10);
		ret->left += store_learn_shards(s, names[i], shards, false);
		if (str_is(redis_elem(s->redis, i, 1), "1"))
			ret->empty[ret->nempty++] = names[i];
		for (size_t k = CLAIM_HEAD; k + 1 < redis_len(s->redis, i); k += 2) {
			struct str member = redis_elem(s->redis, i, k), hour = str_cut(&member, ':');
			ret->due[ret->n++] = (struct due){.acct_region = names[i],
			                                  .hour = strtoll(arena_str(arena, hour).p, NULL, 10),
			                                  .model_hex = arena_str(arena, member),
			                                  .due_ms = strtoll(redis_elem(s->redis, i, k + 1).p, NULL, 10)};
		}
	}
	if (ret->n > 1)
		qsort(ret->due, (size_t)ret->n, sizeof *ret->due, by_series);
}

bool store_claim(struct store *s, bool all, struct arena *arena, struct due **ret_due, int *ret_n,
                 size_t *ret_left, struct err *err)
{
	const char *prefix = s->options->redis.prefix;
	redis_cmd(s->redis, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&s->key, prefix)});
	queue_unused(s);
	queue_old_cross_account(s);
	if (!redis_exec(s->redis, err))
		return false;
	size_t nacct_regions, nold[USED];
	struct str *names = redis_copy_list(s->redis, 0, arena, &nacct_regions), *old[USED];
	struct claimed x = {.n = 0};
	int *empty = arena_alloc(arena, (nacct_regions + 1) * sizeof *empty);
	for (enum used what = 0; what < USED; what++)
		old[what] = redis_copy_list(s->redis, 1 + (size_t)what, arena, &nold[what]);
	if (!learn_shards(s, names, nacct_regions, arena, err) ||
	    !store_promote(s, names, nacct_regions, all, empty, &x.left, err))
		return false;
	for (size_t i = 0; i < nacct_regions; i++)
		store_queue_claim(s, names[i], all, arena_text(arena, "%d", empty[i]));
	for (enum used what = 0; what < USED; what++)
		queue_drop(s, what, old[what], nold[what]);
	if (!redis_exec(s->redis, err))
		return false;
	read_claims(s, names, nacct_regions, arena, &x);
	for (size_t i = 0; i < x.nempty; i++)
		store_forget_shards(s, x.empty[i]);
	*ret_due = x.due;
	*ret_n = x.n;
	*ret_left = x.left;
	return drop_empty(s, x.empty, x.nempty, arena, err);
}

bool store_give_back(struct store *s, const struct due *due, int n, struct err *err)
{
	struct buf at = BUF_INIT, member = BUF_INIT;
	for (int i = 0; i < n; i++) {
		buf_clear(&at);
		buf_addf(&at, "%lld", (long long)due[i].due_ms);
		buf_clear(&member);
		buf_addf(&member, "%lld:%.*s", (long long)due[i].hour, STR_ARG(due[i].model_hex));
		redis_cmd(s->redis, 6,
		          (struct str[]){STR("ZADD"), key_due(&s->key, s->options->redis.prefix, due[i].acct_region),
		                         STR("XX"), STR("LT"), buf_str(&at), buf_str(&member)});
	}
	buf_release(&at);
	buf_release(&member);
	return redis_exec(s->redis, err);
}

// ---- statistics of hours ------------------------------------------------------------------------

static void queue_hour_stats(struct store *s, const struct series *series, const struct settled *x)
{
	redis_begin_eval(s->redis, s->hour_stats, 1, 1 + 9);
	redis_arg(s->redis, key_acct_region(&s->key, s->options->redis.prefix, series->acct_region));
	redis_argi(s->redis, x->hour);
	redis_arg(s->redis, series->model_hex);
	for (int i = 0; i < 3; i++)
		redis_arg(s->redis, x->versions[i]);
	redis_arg(s->redis, x->hour_stats);
	redis_argi(s->redis, s->options->learn_hours);
	redis_argi(s->redis, s->options->window_ms + s->options->reopen_ms + 2 * store_keep_ms(s));
	redis_argi(s->redis, s->options->settle_ms);
}

bool store_exchange_hour_stats(struct store *s, struct series *series, struct settled *hours, int n,
                               struct arena *arena, struct err *err)
{
	struct redis *r = s->redis;
	const char *prefix = s->options->redis.prefix;
	assert(n > 0 && hours[n - 1].hour >= hours[0].hour);
	series->first_stats = hours[0].hour - s->options->learn_hours;
	series->nstats = (int)(hours[n - 1].hour - series->first_stats + 1);
	series->stats = arena_alloc(arena, (size_t)series->nstats * sizeof *series->stats);
	for (int i = 0; i < n; i++)
		queue_hour_stats(s, series, &hours[i]);
	// The versions are read before the statistics: if these change in between, settle.lua sees another
	// version.
	for (int i = 0; i < n; i++)
		redis_cmd(r, 3,
		          (struct str[]){STR("HGET"),
		                         key_cells(&s->key, prefix, series->acct_region, hours[i].hour,
		                                   series->model_hex),
		                         STR("w")});
	for (int i = 0; i < series->nstats; i++)
		redis_cmd(r, 2,
		          (struct str[]){STR("GET"), key_hour_stats(&s->key, prefix, series->acct_region,
		                                                    series->first_stats + i, series->model_hex)});
	if (!redis_exec(r, err))
		return false;
	for (int i = 0; i < n; i++)
		hours[i].stats_version = arena_str(arena, redis_str(r, (size_t)(n + i)));
	for (int i = 0; i < series->nstats; i++)
		series->stats[i] = arena_str(arena, redis_str(r, (size_t)(2 * n + i)));
	return true;
}

// ---- figures ------------------------------------------------------------------------------------

static uint64_t queue_rows(struct redis *r, const struct row_list *rows)
{
	uint64_t digest = 0;
	for (int i = 0; i < rows->n; i++) {
		redis_arg(r, rows->v[i].field);
		redis_arg(r, rows->v[i].value);
		digest += row_digest(rows->v[i].field, rows->v[i].value);
	}
	return digest;
}

void store_queue_settled(struct store *s, const struct series *series, const struct settled *x)
{
	const struct engine_options *o = s->options;
	char digest[ROW_DIGEST_SIZE];
	struct buf member = BUF_INIT;
	int nrows = x->usage.n + x->meta.n;
	bool has_digest = nrows > 0 && !x->overflow;
	redis_begin_eval(s->redis, s->settle, 1, 1 + 12 + 2 * (nrows + has_digest));
	redis_arg(s->redis, key_acct_region(&s->key, o->redis.prefix, series->acct_region));
	redis_argi(s->redis, x->hour);
	redis_arg(s->redis, series->model_hex);
	for (int i = 0; i < 3; i++)
		redis_arg(s->redis, x->versions[i]);
	redis_arg(s->redis, x->stats_version);
	redis_argi(s->redis, o->settle_ms);
	redis_argi(s->redis, o->retention_ms);
	redis_arg(s->redis, key_member(&member, x->hour, series->model));
	redis_argz(s->redis, x->overflow ? "1" : "0");
	redis_argz(s->redis, when_ticks_ms() - series->read_ms < LEASE_MS ? "1" : "0");
	redis_argi(s->redis, 2 * x->usage.n);
	uint64_t sum = queue_rows(s->redis, &x->usage);
	sum += queue_rows(s->redis, &x->meta);
	if (has_digest) {
		redis_argz(s->redis, META_DIGEST);
		redis_argz(s->redis, row_digest_format(sum, digest));
	}
	buf_release(&member);
}
