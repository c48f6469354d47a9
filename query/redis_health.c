// SPDX-License-Identifier: Apache-2.0
// Redis itself, and what waits in it.
#include "query/health_parts.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/shard_counts.h"
#include "base/text.h"
#include "base/when.h"
#include "store/keys.h"
#include "store/redis_info.h"
#include "store/schema.h"
#include "store/shards.h"

enum { SKEW_MAX_MS = 5000 };

static void check_version(struct health *h, const struct redis *master, struct str info)
{
	struct str version = redis_info_field(info, "redis_version"),
			   valkey = redis_info_field(info, "valkey_version"), shown = valkey.len ? valkey : version;
	if (strtol(version.len ? version.p : "0", NULL, 10) < 7) // of Valkey, too
		health_add(h, HEALTH_FAIL, "redis", "version %.*s at %s; nowcast needs Redis 7, or Valkey",
		            STR_ARG(version), redis_where(master));
	else
		health_add(h, HEALTH_OK, "redis", "%s %.*s at %s", valkey.len ? "Valkey" : "Redis", STR_ARG(shown),
		            redis_where(master));
}

static void check_memory(struct health *h, struct str info)
{
	struct str policy = redis_info_field(info, "maxmemory_policy");
	int64_t used = redis_info_number(info, "used_memory"), max = redis_info_number(info, "maxmemory"),
			evicted = redis_info_number(info, "evicted_keys");
	if (max && !str_is(policy, "noeviction"))
		health_add(h, HEALTH_WARN, "redis",
		            "maxmemory-policy is %.*s: Redis may evict figures; set it to noeviction",
		            STR_ARG(policy));
	if (evicted > 0)
		health_add(
			h, HEALTH_FAIL, "redis",
			"it has evicted %lld keys since it started, figures or calls among them unless all were others': figures are too "
			"small. Set maxmemory-policy to noeviction, then replay, or set the offsets of the group back",
			(long long)evicted);
	if (max && used > max / 10 * 9)
		health_add(h, HEALTH_WARN, "redis",
		            "%lld of %lld MB are used: raise maxmemory, or shorten window or retention",
		            (long long)(used >> 20), (long long)(max >> 20));
	else
		health_add(h, HEALTH_OK, "redis", "%lld MB used%s", (long long)(used >> 20),
		            max ? "" : ", no maxmemory set");
	if (redis_info_number(info, "aof_enabled") == 0 && redis_info_number(info, "rdb_last_save_time") == 0)
		health_add(h, HEALTH_NOTE, "redis",
		            "no persistence: after a restart of Redis everything must be replayed");
}

static void check_clock(struct health *h, const struct redis *master)
{
	int64_t redis_ms = strtoll(redis_elem(master, 1, 0).p, NULL, 10) * 1000 +
	                   strtoll(redis_elem(master, 1, 1).p, NULL, 10) / 1000;
	int64_t skew = redis_ms - when_now_ms();
	if (skew > SKEW_MAX_MS || skew < -SKEW_MAX_MS)
		health_add(
			h, HEALTH_WARN, "clock",
			"the clocks of Redis and of this machine differ by %lld s: one is wrong, so records may wrongly count as late or as future",
			(long long)(skew / 1000));
	else
		health_add(h, HEALTH_OK, "clock", "the clocks of Redis and of this machine agree");
}

static bool check_schema(struct health *h, struct err *err)
{
	struct schema_state state;
	if (!schema_read(h->redis, view_prefix(h->view), &state, err))
		return false;
	if (state.version == SCHEMA_NONE)
		health_add(h, HEALTH_NOTE, "schema", "no figures yet; they will have schema %d", SCHEMA_VERSION);
	else if (state.old_keys)
		health_add(
			h, HEALTH_WARN, "schema",
			"a nowcast of schema %d has written since `nowcast migrate`: stop it, and run `nowcast migrate` again",
			SCHEMA_UNVERSIONED);
	else
		health_add(h, HEALTH_OK, "schema", "keys and values have schema %d", SCHEMA_VERSION);
	return true;
}

static bool check_master(struct redis *master, void *user, struct err *err)
{
	struct health *h = user;
	redis_cmdz(master, "INFO", NULL);
	redis_cmdz(master, "TIME", NULL);
	if (!redis_exec(master, err))
		return false;
	check_version(h, master, redis_str(master, 0));
	check_memory(h, redis_str(master, 0));
	check_clock(h, master);
	return true;
}

bool health_check_redis(struct health *h, struct err *err)
{
	return redis_each_master(h->redis, check_master, h, err) && check_schema(h, err);
}

// The configuration counts only where there are no facts yet.
static bool check_shards(struct health *h, const struct str *acct_regions, const int *shards, size_t n,
                         struct err *err)
{
	struct buf key = BUF_INIT;
	for (size_t i = 0; i < n; i++)
		redis_cmd(h->redis, 2,
		          (struct str[]){STR("EXISTS"), key_open(&key, view_prefix(h->view), acct_regions[i])});
	buf_release(&key);
	if (!redis_exec(h->redis, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		int configured = shard_counts_of(&h->conf->shards, acct_regions[i]);
		if (shards[i] != configured && redis_int(h->redis, i))
			health_add(
				h, HEALTH_NOTE, "shards",
				"the calls of %.*s are over %d shard%s in Redis, and `shards` says %d: docs/operations.md, Shards, says how to change it",
				STR_ARG(acct_regions[i]), shards[i], text_s(shards[i]), configured);
	}
	return true;
}

static void note_backlog(struct health *h, size_t nacct_regions, size_t nplaces)
{
	int64_t due = 0, late = 0;
	for (size_t i = 0; i < nplaces; i++) {
		due += redis_int(h->redis, 2 * i);
		for (size_t k = 0; k < redis_len(h->redis, 2 * i + 1); k++)
			late += strtoll(redis_elem(h->redis, 2 * i + 1, k).p, NULL, 10);
	}
	health_add(h, HEALTH_OK, "figures", "%zu account/region pair%s; %lld model-hour%s to be computed%s",
	            nacct_regions, text_s((int64_t)nacct_regions), (long long)due, text_s(due),
	            due ? ", by a worker or the next replay" : "");
	if (late)
		health_add(
			h, HEALTH_NOTE, "late",
			"%lld record%s came after the hour had left the window, not counted then: `nowcast replay --reopen` of their files counts them",
			(long long)late, text_s(late));
}

bool health_check_backlog(struct health *h, struct err *err)
{
	struct buf key = BUF_INIT;
	struct arena arena = ARENA_INIT;
	const char *prefix = view_prefix(h->view);
	size_t n = 0, nplaces;
	redis_cmd(h->redis, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&key, prefix)});
	bool good = redis_exec(h->redis, err);
	struct str *acct_regions = good ? redis_copy_list(h->redis, 0, &arena, &n) : NULL, *places = acct_regions;
	int *shards = good ? shards_read(h->redis, prefix, acct_regions, n, &arena, err) : NULL;
	nplaces = n;
	good = shards && shards_list(h->redis, prefix, &places, &nplaces, &arena, err);
	for (size_t i = 0; good && i < nplaces; i++) {
		redis_cmd(h->redis, 2, (struct str[]){STR("ZCARD"), key_due(&key, prefix, places[i])});
		redis_cmd(h->redis, 2, (struct str[]){STR("HVALS"), key_late(&key, prefix, places[i])});
	}
	good = good && redis_exec(h->redis, err);
	if (good)
		note_backlog(h, n, nplaces);
	good = good && check_shards(h, acct_regions, shards, n, err);
	buf_release(&key);
	arena_release(&arena);
	return good;
}
