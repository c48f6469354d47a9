// SPDX-License-Identifier: Apache-2.0
// Sums by blocks are the sums: whatever span, grouping and filter is asked for, in whatever order, the answer
// out of cached blocks is that of reading everything again. Prints its seed; NOWCAST_SEED repeats one.
#include "query/rollups.h"

#include <malloc.h>
#include <time.h>

#include "base/when.h"
#include "query/group_sum.h"
#include "query/last_day.h"
#include "store/redis.h"
#include "store/usage_rows.h"
#include "tests/redis_server.h"
#include "tests/tap.h"

enum { HOURS = 24 * 6, FIRST = 494000, QUESTIONS = 300, PRINCIPALS = 12, CLOSE_PICO = 1000000 };

static uint64_t rng_state;

static uint64_t rng(void) // splitmix64
{
	uint64_t z = (rng_state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int64_t below(int64_t n)
{
	return (int64_t)(rng() % (uint64_t)n);
}

// ---- random figures in Redis, in the form of store/usage_rows.h ---------------------------------

static const char *const acct_regions[] = {"111122223333/us-east-1", "444455556666/eu-west-1"};
static const char *const models[] = {"amazon.nova-pro-v1:0", "us.anthropic.claude-sonnet-4-6", "odd:model"};

static void put_row(struct redis *r, const char *key, const char *meta, int principal, const char *type,
                    uint64_t *digest)
{
	char field[200], value[200];
	int64_t exact = below(3) ? below(5000) : 0, allocated = below(3) ? below(90000) : 0,
			provisional = below(6) ? 0 : below(3000);
	int64_t tokens = exact + allocated + provisional, rate = 1000 + below(9000000);
	snprintf(field, sizeof field, "arn:aws:sts::111122223333:assumed-role/role-%d/s%d - %s", principal % 3,
	         principal, type);
	if (below(12) == 0)
		snprintf(value, sizeof value, "%lld - %lld %lld %lld 0 0 0 0", (long long)tokens, (long long)exact,
		         (long long)allocated, (long long)provisional);
	else
		snprintf(value, sizeof value, "%lld %lld %lld %lld %lld 0 0 %lld %lld", (long long)tokens,
		         (long long)(tokens * rate), (long long)exact, (long long)allocated, (long long)provisional,
		         (long long)below(allocated / 3 + 1), (long long)below(100000));
	redis_cmdz(r, "HSET", key, field, value, NULL);
	*digest += rng() | 1; // whatever it is, it is another one
	if (below(2)) {
		snprintf(field, sizeof field, "arn:aws:sts::111122223333:assumed-role/role-%d/s%d - calls",
		         principal % 3, principal);
		redis_cmdz(r, "HSET", meta, field, "7 1", NULL);
	}
}

static void put_model_hour(struct redis *r, int64_t hour, const char *acct_region, const char *model)
{
	char when[WHEN_SIZE], member[120], key[200], meta[200], score[24];
	when_format(hour * MS_PER_HOUR, when);
	when[13] = '\0'; // 2026-11-02T05
	snprintf(member, sizeof member, "%s:%s", when, model);
	snprintf(score, sizeof score, "%lld", (long long)hour);
	snprintf(key, sizeof key, "nowcast:{%s}:usage", acct_region);
	redis_cmdz(r, "ZADD", key, score, member, NULL);
	redis_cmdz(r, "SADD", "nowcast:acct_regions", acct_region, NULL);
	snprintf(key, sizeof key, "nowcast:{%s}:usage:%s", acct_region, member);
	snprintf(meta, sizeof meta, "nowcast:{%s}:usage_meta:%s", acct_region, member);
	uint64_t digest = 0;
	char text[ROW_DIGEST_SIZE];
	for (int n = (int)below(8); n >= 0; n--)
		put_row(r, key, meta, (int)below(PRINCIPALS), token_type_names[below(TOKEN_TYPES)], &digest);
	if (below(8))
		redis_cmdz(r, "HSET", meta, META_DIGEST, row_digest_format(digest, text), NULL);
	else
		redis_cmdz(r, "HDEL", meta, META_DIGEST, NULL);
}

static void make_world(struct redis *r)
{
	struct err err = ERR_INIT;
	for (int64_t hour = FIRST; hour < FIRST + HOURS; hour++)
		for (int k = 0; k < 6; k++)
			if (below(3))
				put_model_hour(r, hour, acct_regions[k % 2], models[k / 2]);
	ok(redis_exec(r, &err), "a world is made %s", err.msg);
}

// ---- the property -------------------------------------------------------------------------------

static bool is_close(struct usd a, struct usd b) // doubles were added in another order
{
	usd_pico d = a.pico - b.pico;
	return d < CLOSE_PICO && d > -CLOSE_PICO;
}

static bool same_group(const struct group *a, const struct group *b)
{
	for (int i = 0; i < GROUP_KEYS_MAX; i++)
		if (!str_eq(a->keys[i], b->keys[i]))
			return false;
	return a->calls == b->calls && a->failed == b->failed && a->tokens == b->tokens && a->exact == b->exact &&
	       a->allocated == b->allocated && a->provisional == b->provisional && a->unpriced == b->unpriced &&
	       usd_cmp(a->usd, b->usd) == 0 && usd_cmp(a->usd_exact, b->usd_exact) == 0 &&
	       usd_cmp(a->usd_allocated, b->usd_allocated) == 0 && is_close(a->usd_low, b->usd_low) &&
	       is_close(a->usd_high, b->usd_high);
}

static bool same_groups(struct groups *a, struct groups *b)
{
	groups_sort(a, ORDER_NAME);
	groups_sort(b, ORDER_NAME);
	for (int32_t i = 0; i < a->n && i < b->n; i++)
		if (!same_group(&a->list[i], &b->list[i]))
			return false;
	return a->n == b->n;
}

static void random_question(struct grouping *by, struct group_filter *only, int64_t *from, int64_t *to,
                            int64_t *now)
{
	static const char *const bys[] = {
		"",           "principal",      "role",       "model", "hour",
		"hour,model", "account,region", "token_type", "team",  "model,role,token_type"};
	static const char *const filters[][2] = {{"", ""},
	                                         {"role", "role-1"},
	                                         {"model", "odd:model"},
	                                         {"account", "444455556666"},
	                                         {"token_type", "output"},
	                                         {"role", "nobody"}};
	struct err err = ERR_INIT;
	int f = (int)below(6);
	*only = (struct group_filter){0};
	if (!grouping_parse(by, str_of(bys[below(10)]), (struct caller_sources){.team_tag = STR("team")}, &err) ||
	    !grouping_parse(&only->by, str_of(filters[f][0]), (struct caller_sources){.team_tag = STR("team")},
	                    &err))
		abort();
	only->value[0] = str_of(filters[f][1]);
	*from = FIRST - 5 + below(HOURS);
	*to = *from + 1 + below(below(2) ? 30 : HOURS);
	*now = FIRST + HOURS - below(60);
}

static bool ask_once(struct rollups *f, struct view *v)
{
	struct err err = ERR_INIT;
	struct grouping by;
	struct group_filter only;
	struct groups kept, fresh;
	int64_t from, to, now;
	random_question(&by, &only, &from, &to, &now);
	groups_init(&kept, &by);
	groups_init(&fresh, &by);
	fresh.only = only.by.n ? &only : NULL;
	bool good = rollups_sum(f, &(struct rollups_query){&by, &only, from, to, now}, &kept, &err) &&
	            view_each(v, from, to, groups_add, &fresh, &err) && same_groups(&kept, &fresh);
	if (!good)
		diag("hours %lld to %lld, now %lld, %d keys, %d filters: %d groups cached, %d read again %s",
		     (long long)from, (long long)to, (long long)now, by.n, only.by.n, kept.n, fresh.n, err.msg);
	groups_release(&kept);
	groups_release(&fresh);
	return good;
}

static bool same_last_day(struct last_day *kept, struct rollups *f, struct view *v, struct err *err)
{
	struct last_day nothing = {0};
	struct last_day_sum a, b;
	return last_day_read(kept, rollups_view(f), FIRST + HOURS - 1, &a, err) &&
	       last_day_read(&nothing, v, FIRST + HOURS - 1, &b, err) && same_group(&a.all, &b.all) &&
	       a.all.usd.pico > 0 && is_close(a.width, b.width) && a.width.pico > 0;
}

// Blocks that are too old are made new where their model hours have changed, and stay where they have not:
// either way the sums of the last hours are those of Redis a moment later.
static void follow(struct rollups *f, struct view *v)
{
	enum { ROUNDS = 6, PAUSE_US = 1700000 };
	const struct timespec pause = {PAUSE_US / 1000000, PAUSE_US % 1000000 * 1000};
	struct grouping by;
	struct err err = ERR_INIT;
	struct last_day day = {0};
	int good = 0, good_days = 0;
	int64_t to = FIRST + HOURS, from = to - 2;
	if (!grouping_parse(&by, STR("hour,principal"), (struct caller_sources){.team_tag = STR("team")}, &err))
		abort();
	for (int i = 0; i < ROUNDS && good == i; i++) {
		struct groups kept, fresh;
		if (i % 3) // one hour of one model; or nothing
			put_model_hour(view_redis(v), from + below(2), acct_regions[below(2)], models[below(3)]);
		bool wrote = redis_exec(view_redis(v), &err);
		nanosleep(&pause, NULL);
		groups_init(&kept, &by);
		groups_init(&fresh, &by);
		good += wrote && rollups_sum(f, &(struct rollups_query){&by, NULL, from, to, to - 1}, &kept, &err) &&
		        view_each(v, from, to, groups_add, &fresh, &err) && same_groups(&kept, &fresh);
		good_days += same_last_day(&day, f, v, &err);
		groups_release(&kept);
		groups_release(&fresh);
	}
	is_int(good_days, ROUNDS, "and so does what is kept of the last day for the checks");
	is_int(good, ROUNDS, "what changes in the last hours is seen, and what does not stays");
}

static void collect(void *user, const struct groups *piece)
{
	groups_merge(user, piece);
}

static bool ask_in_pieces(struct rollups *f)
{
	struct err err = ERR_INIT;
	struct grouping by;
	struct groups whole, pieces;
	int64_t from = FIRST - 5 + below(HOURS), to = from + 1 + below(HOURS), now = FIRST + HOURS - below(60);
	if (!grouping_parse(&by, STR("hour,role"), (struct caller_sources){.team_tag = STR("team")}, &err))
		return false;
	groups_init(&whole, &by);
	groups_init(&pieces, &by);
	const struct rollups_query q = {&by, NULL, from, to, now};
	bool good = rollups_sum(f, &q, &whole, &err) && rollups_each(f, &q, collect, &pieces, &err) &&
	            same_groups(&whole, &pieces);
	groups_release(&whole);
	groups_release(&pieces);
	return good;
}

static bool sum_of(struct rollups *f, const char *by, int64_t hour, struct usd *ret, struct err *err)
{
	struct grouping g;
	struct groups sums;
	if (!grouping_parse(&g, str_of(by), (struct caller_sources){.team_tag = STR("team")}, err))
		return false;
	groups_init(&sums, &g);
	bool good = rollups_sum(f, &(struct rollups_query){&g, NULL, hour, hour + 1, FIRST + HOURS}, &sums, err);
	*ret = USD_ZERO;
	for (int32_t i = 0; i < sums.n; i++)
		*ret = usd_add(*ret, sums.list[i].usd);
	groups_release(&sums);
	return good;
}

// What was billed of an hour long past: as soon as one sum shows it, all do.
static void agree(struct rollups *f, struct view *v)
{
	enum { LONG_AGO = FIRST - 3 }; // before the others, of which some have no digest
	char when[WHEN_SIZE], key[120], meta[120], text[ROW_DIGEST_SIZE];
	struct err err = ERR_INIT;
	struct usd before, whole, parts;
	struct redis *r = view_redis(v);
	when_format((int64_t)LONG_AGO * MS_PER_HOUR, when);
	when[13] = '\0';
	snprintf(key, sizeof key, "nowcast:{%s}:usage:%s:%s", acct_regions[0], when, models[0]);
	snprintf(meta, sizeof meta, "nowcast:{%s}:usage_meta:%s:%s", acct_regions[0], when, models[0]);
	for (int i = 0; i < 2; i++) {
		put_model_hour(r, LONG_AGO, acct_regions[0], models[0]);
		redis_cmdz(r, "HSET", key, "arn:aws:iam::111122223333:user/late - input",
		           i ? "900 7000000000000 900 0 0 0 0 0 0" : "800 6000000000000 800 0 0 0 0 0 0", NULL);
		redis_cmdz(r, "HSET", meta, META_DIGEST, row_digest_format(rng(), text), NULL);
		if (!ok(redis_exec(r, &err) && (i || sum_of(f, "", LONG_AGO, &before, &err)), "an hour is read %s",
		        err.msg))
			return;
	}
	bool good =
		sum_of(f, "token_type,role,account", LONG_AGO, &parts, &err) && sum_of(f, "", LONG_AGO, &whole, &err);
	ok(good && usd_cmp(parts, before) != 0 && usd_cmp(whole, parts) == 0,
	   "a total is not older than its parts %s", err.msg);
}

// What a long question takes while it is answered does not grow with its span: its rollups are read a few at
// a time, and others are dropped meanwhile.
enum { CALLERS = 1000, LONG_SPAN = 48, ROOM = 4 << 20, MODEL_HOURS = 8 << 20 };

struct most {
	size_t began, most;
};

static size_t taken(void)
{
	return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static void note_most(void *user, const struct groups *piece)
{
	struct most *m = user;
	(void)piece;
	if (taken() > m->began + m->most)
		m->most = taken() - m->began;
}

static bool note_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	(void)v;
	(void)model_hour;
	note_most(user, NULL);
	return true;
}

static void put_callers(struct redis *r, int64_t hour)
{
	char when[WHEN_SIZE], key[200], member[120], field[120], score[24];
	when_format(hour * MS_PER_HOUR, when);
	when[13] = '\0';
	snprintf(member, sizeof member, "%s:%s", when, models[0]);
	snprintf(score, sizeof score, "%lld", (long long)hour);
	redis_cmdz(r, "ZADD", "nowcast:{111122223333/us-east-1}:usage", score, member, NULL);
	snprintf(key, sizeof key, "nowcast:{111122223333/us-east-1}:usage:%s", member);
	for (int i = 0; i < CALLERS; i++) {
		snprintf(field, sizeof field, "arn:aws:iam::111122223333:user/caller-%d - input", i);
		redis_cmdz(r, "HSET", key, field, "900 7000000000000 900 0 0 0 0 0 0", NULL);
	}
}

static void stay_small(struct redis_target target)
{
	struct err err = ERR_INIT;
	struct grouping by;
	struct rollups *f = NULL;
	struct most m = {0};
	bool good =
		rollups_open(&f, target, &err) &&
		grouping_parse(&by, STR("hour,principal"), (struct caller_sources){.team_tag = STR("team")}, &err);
	for (int64_t h = FIRST + HOURS; good && h < FIRST + HOURS + LONG_SPAN; h++) {
		put_callers(view_redis(rollups_view(f)), h);
		good = redis_exec(view_redis(rollups_view(f)), &err);
	}
	if (!ok(good, "hours of %d callers are there %s", CALLERS, err.msg))
		return;
	rollups_limit(f, ROOM);
	m.began = taken();
	const struct rollups_query q = {&by, NULL, FIRST + HOURS, FIRST + HOURS + LONG_SPAN,
	                                FIRST + HOURS + LONG_SPAN};
	good = rollups_each(f, &q, note_most, &m, &err);
	diag("%zu bytes at most", m.most);
	ok(good && m.most < (size_t)3 * ROOM, "what a long question takes does not grow with its span %s",
	   err.msg);
	m = (struct most){.began = taken()};
	good = view_each(rollups_view(f), FIRST + HOURS, FIRST + HOURS + LONG_SPAN, note_model_hour, &m, &err);
	diag("%zu bytes at most", m.most);
	ok(good && m.most < MODEL_HOURS, "nor does reading its model hours %s", err.msg);
	rollups_close(f);
}

int main(void)
{
	struct redis_server server;
	struct err err = ERR_INIT;
	struct rollups *f = NULL;
	struct view *v = NULL;
	const char *seed = getenv("NOWCAST_SEED");
	int good = 0;
	rng_state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
	diag("NOWCAST_SEED=%llu", (unsigned long long)rng_state);
	if (!redis_server_start(&server))
		skip_all("no redis-server here");
	if (!ok(rollups_open(&f, (struct redis_target){server.url, NULL, "nowcast", NULL}, &err) &&
	            view_open(&v, (struct redis_target){server.url, NULL, "nowcast", NULL}, &err),
	        "they open %s", err.msg))
		return done();
	make_world(view_redis(v));
	int64_t first = 0, last = 0;
	ok(rollups_extent(f, &first, &last, &err) && first >= FIRST && first < FIRST + 5 && last < FIRST + HOURS,
	   "the extent is told");
	bool more = true, warm = true;
	int steps = 0;
	while (more && warm && steps++ < HOURS)
		warm = rollups_warm(f, FIRST + HOURS - 1, &more, &err);
	ok(warm && !more && steps > 10 && steps < HOURS, "they are read ahead, in %d steps %s", steps, err.msg);
	for (int i = 0; i < QUESTIONS && good == i; i++)
		good += ask_once(f, v);
	is_int(good, QUESTIONS, "sums of cached blocks are the sums of everything read again");
	good = 0;
	for (int i = 0; i < QUESTIONS / 10 && good == i; i++)
		good += ask_in_pieces(f);
	is_int(good, QUESTIONS / 10, "and the pieces of a sum by the hour are that sum");
	agree(f, v);
	follow(f, v);
	stay_small((struct redis_target){server.url, NULL, "nowcast", NULL});
	rollups_close(f);
	view_close(v);
	redis_server_stop(&server);
	return done();
}
