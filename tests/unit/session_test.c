// SPDX-License-Identifier: Apache-2.0
// The access keys of a principal: those that were used last, of whatever account and Region, in a few round
// trips. The page waits for them.
#include "store/session.h"

#include "base/text.h"
#include "store/batch.h"
#include "tests/support/engine.h"

#define ARN "arn:aws:sts::" TEST_ACCOUNT ":assumed-role/gateway/u-1"
#define OTHER_ARN "arn:aws:sts::" TEST_ACCOUNT ":assumed-role/gateway/u-2"

enum { NOW = 494280 * 6, BUCKETS = 160, ROUND_TRIPS_MAX = 5 };

static struct arena arena;
static const struct str acct_regions[] = {STR("111122223333/us-east-1"), STR("111122223333/us-west-2"),
                                          STR("111122223333/eu-west-1")};
enum { ACCT_REGIONS = 3 };

// A caller called with this key in the bucket that is so many before the present one.
static void call_with(const char *prefix, int region, int buckets_ago, const char *arn, const char *key,
                      int64_t start_ms)
{
	int64_t bucket = NOW / BUCKET_HOURS - buckets_ago;
	const char *place = acct_regions[region].p;
	struct str names = arena_text(&arena, "%s:{%s}:names:%lld", prefix, place, (long long)bucket);
	struct str open = arena_text(&arena, "%s:{%s}:open", prefix, place);
	struct str text = arena_text(&arena, "c%s\t%s\t%lld\tarn:aws:iam::" TEST_ACCOUNT ":role/gateway\t", arn,
	                             key, (long long)start_ms);
	struct str number = arena_text(&arena, "%lld", (long long)bucket);
	redis_cmdz(test_redis, "HSET", names.p, arena_text(&arena, "%s %s", arn, key).p, text.p, NULL);
	redis_cmdz(test_redis, "ZADD", open.p, "1", number.p, NULL);
	redis_cmdz(test_redis, "SADD", arena_text(&arena, "%s:acct_regions", prefix).p, place, NULL);
}

static void apply_all(void)
{
	struct err err = ERR_INIT;
	must(redis_exec(test_redis, &err), &err);
}

static struct session_keys *keys_of(const char *prefix, int64_t hours)
{
	static struct session_keys keys;
	const struct session_key_query q = {prefix,       STR(ARN),        acct_regions,
	                                    ACCT_REGIONS, NOW + 1 - hours, NOW + 1};
	struct err err = ERR_INIT;
	uint64_t before = redis_round_trips(test_redis);
	must(session_keys_read(&keys, test_redis, &q, &arena, &err), &err);
	uint64_t trips = redis_round_trips(test_redis) - before;
	ok(trips <= ROUND_TRIPS_MAX, "the keys of %lld hours in %d Regions take %llu round trips", (long long)hours,
	   ACCT_REGIONS, (unsigned long long)trips);
	return &keys;
}

static const struct session_key *find(const struct session_keys *keys, const char *id)
{
	for (int i = 0; i < keys->n; i++)
		if (str_is(keys->list[i].id, id))
			return &keys->list[i];
	return NULL;
}

static void few_keys(void)
{
	call_with("few", 0, 9, ARN, "ASIAOLD", 5);
	call_with("few", 1, 2, ARN, "ASIAOLD", 5);
	call_with("few", 2, 1, ARN, "ASIANEW", 9);
	call_with("few", 2, 0, OTHER_ARN, "ASIAOTHER", 9);
	apply_all();
	const struct session_keys *keys = keys_of("few", BUCKETS * BUCKET_HOURS);
	is_int(keys->n, 2, "the keys of one principal, of all Regions, each once");
	is_str(arena_str(&arena, keys->list[0].id).p, "ASIANEW", "the one that was used last comes first");
	const struct session_key *old = find(keys, "ASIAOLD");
	ok(old && old->from == (NOW / BUCKET_HOURS - 9) * BUCKET_HOURS &&
	       old->to == (NOW / BUCKET_HOURS - 1) * BUCKET_HOURS,
	   "used from the first to the last bucket of any Region");
	is_int(keys_of("few", 6)->n, 1, "no key of earlier hours");
}

// In every Region more keys than fit. The first has the oldest ones.
static void many_keys(void)
{
	for (int i = 0; i < 120; i++) {
		call_with("many", 0, 100 + i % 50, ARN, arena_text(&arena, "ASIAOLD%d", i).p, i);
		call_with("many", 1, 3, ARN, arena_text(&arena, "ASIAMID%d", i).p, i);
	}
	for (int i = 0; i < 40; i++)
		call_with("many", 2, 1, ARN, arena_text(&arena, "ASIANEW%d", i).p, i);
	call_with("many", 0, 150, ARN, "ASIANEW7", 7);
	apply_all();
	const struct session_keys *keys = keys_of("many", BUCKETS * BUCKET_HOURS);
	int fresh = 0, middle = 0;
	for (int i = 0; i < keys->n; i++) {
		fresh += str_starts(keys->list[i].id, STR("ASIANEW"));
		middle += str_starts(keys->list[i].id, STR("ASIAMID"));
	}
	is_int(keys->n, SESSION_KEYS_MAX, "as many as fit");
	ok(keys->more, "it is said that there are more");
	is_int(fresh, 40, "those of the newest bucket are there, whatever Region they are of");
	is_int(middle, 60, "then those of the bucket before");
	ok(find(keys, "ASIAMID119") && !find(keys, "ASIAMID59"), "of one bucket the sessions that began last");
	const struct session_key *seventh = find(keys, "ASIANEW7");
	ok(seventh && seventh->from == (NOW / BUCKET_HOURS - 150) * BUCKET_HOURS,
	   "a key has its first use, too, when the list is full");
}

static void search(void)
{
	for (int i = 0; i < BUCKETS; i++)
		for (int k = 0; k < ACCT_REGIONS; k++)
			call_with("search", k, i, OTHER_ARN, arena_text(&arena, "ASIA%dIN%d", i, k).p, 1);
	call_with("search", 1, BUCKETS, ARN, "ASIAFOUND", 77);
	apply_all();
	struct session session;
	struct err err = ERR_INIT;
	uint64_t before = redis_round_trips(test_redis);
	must(session_find(test_redis, "search", STR("ASIAFOUND"), &arena, &session, &err), &err);
	uint64_t trips = redis_round_trips(test_redis) - before;
	is_str(session.arn.p, ARN, "the principal of a key of the oldest bucket");
	is_int(session.start_ms, 77, "and since when the session is");
	ok(trips <= ROUND_TRIPS_MAX, "in %llu round trips", (unsigned long long)trips);
	must(session_find(test_redis, "search", STR("ASIANOBODY"), &arena, &session, &err), &err);
	is_int((int64_t)session.arn.len, 0, "nobody has another key");
}

int main(void)
{
	start_test_redis();
	few_keys();
	many_keys();
	search();
	arena_release(&arena);
	stop_test_redis();
	return done();
}
