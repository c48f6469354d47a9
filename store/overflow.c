// SPDX-License-Identifier: Apache-2.0
// Four round trips, however many accounts and Regions there are: the list of these, their newest days, the
// groups of each day, the counts.
#include "store/overflow.h"

#include <assert.h>
#include <stdlib.h>

#include "base/arena.h"
#include "store/batch.h"
#include "store/cardinality.h"
#include "store/keys.h"

enum { DAYS = 2 };

// One account, Region and day.
struct acct_region_day {
	struct str acct_region;
	int64_t day;
};

struct overflow_reader {
	struct redis *redis;
	struct arena arena;
	struct buf key; // of the command being queued
	const char *prefix;
	struct acct_region_day *days;
	size_t n; // of days
};

static bool find_acct_regions(struct overflow_reader *x, struct str **ret, size_t *ret_n, struct err *err)
{
	redis_cmd(x->redis, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&x->key, x->prefix)});
	if (!redis_exec(x->redis, err))
		return false;
	redis_sort_members(x->redis, 0);
	*ret = redis_copy_list(x->redis, 0, &x->arena, ret_n);
	return true;
}

// The newest two days of each account and Region, from the eight buckets that were opened last.
static bool find_days(struct overflow_reader *x, struct err *err)
{
	struct str *acct_regions;
	size_t n;
	if (!find_acct_regions(x, &acct_regions, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		redis_cmd(x->redis, 4,
		          (struct str[]){STR("ZREVRANGE"), key_open(&x->key, x->prefix, acct_regions[i]), STR("0"),
		                         STR("7")});
	if (!redis_exec(x->redis, err))
		return false;
	x->days = arena_alloc(&x->arena, (n * DAYS + 1) * sizeof *x->days);
	for (size_t i = 0; i < n; i++) {
		int64_t newest = -1;
		for (size_t k = 0; k < redis_len(x->redis, i); k++) {
			int64_t day = strtoll(redis_elem(x->redis, i, k).p, NULL, 10) / BUCKETS_A_DAY;
			newest = day > newest ? day : newest;
		}
		for (int d = 0; d < DAYS && newest - d >= 0; d++)
			x->days[x->n++] = (struct acct_region_day){acct_regions[i], newest - d};
	}
	return true;
}

// The groups of all days; `role` is the whole group for now.
static bool find_groups(struct overflow_reader *x, struct overflow **ret, size_t *ret_n, struct err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < x->n; i++)
		redis_cmd(x->redis, 2,
		          (struct str[]){STR("SMEMBERS"), key_overflowed(&x->key, x->prefix, x->days[i].acct_region,
		                                                         x->days[i].day)});
	if (!redis_exec(x->redis, err))
		return false;
	for (size_t i = 0; i < x->n; i++) {
		redis_sort_members(x->redis, i);
		n += redis_len(x->redis, i);
	}
	struct overflow *all = arena_alloc(&x->arena, (n + 1) * sizeof *all);
	n = 0;
	for (size_t i = 0; i < x->n; i++) {
		struct str region = x->days[i].acct_region, account = str_cut(&region, '/');
		for (size_t k = 0; k < redis_len(x->redis, i); k++)
			all[n++] = (struct overflow){.account = account,
			                             .region = region,
			                             .role = arena_str(&x->arena, redis_elem(x->redis, i, k)),
			                             .day = x->days[i].day};
	}
	*ret = all;
	*ret_n = n;
	return true;
}

// Account and region are the two halves of one string.
static struct str acct_region_of(const struct overflow *f)
{
	assert(f->region.p == f->account.p + f->account.len + 1);
	return (struct str){f->account.p, f->account.len + 1 + f->region.len};
}

static enum overflow_kind kind_of(struct str group, struct str after)
{
	return str_is(after, &CARDINALITY_LABEL_KEYS[1]) ? OVERFLOW_LABEL_KEYS
	       : after.len                              ? OVERFLOW_LABEL_VALUES
	       : cardinality_is_of_sessions(group)   ? OVERFLOW_SESSIONS
	       : str_is(group, CARDINALITY_MODELS) ? OVERFLOW_MODELS
	                                           : OVERFLOW_USERS;
}

bool overflow_each(struct redis *r, const char *prefix, void (*fn)(void *user, const struct overflow *f),
                   void *user, struct err *err)
{
	struct overflow_reader x = {.redis = r, .prefix = prefix};
	struct overflow *all = NULL;
	size_t n = 0;
	bool good = find_days(&x, err) && find_groups(&x, &all, &n, err);
	for (size_t i = 0; good && i < n; i++)
		redis_cmd(r, 2,
		          (struct str[]){STR("PFCOUNT"), key_overflow(&x.key, prefix, acct_region_of(&all[i]),
		                                                      all[i].day, all[i].role)});
	good = good && redis_exec(r, err);
	for (size_t i = 0; good && i < n; i++) {
		struct overflow f = all[i];
		struct str label = f.role, group = str_cut(&label, ' ');
		f.kind = kind_of(group, label);
		f.label = f.kind == OVERFLOW_LABEL_VALUES ? label : STR_NONE;
		f.role = cardinality_is_of_sessions(group)
		             ? str_after_last((struct str){group.p, group.len - 1}, '/') // it ends in a slash
		             : STR_NONE;
		f.names = redis_int(r, i);
		fn(user, &f);
	}
	arena_release(&x.arena);
	buf_release(&x.key);
	return good;
}
