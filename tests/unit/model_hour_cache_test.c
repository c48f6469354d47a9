// SPDX-License-Identifier: Apache-2.0
// A view that keeps model hours shows what one that reads everything again shows: while hours are settled
// again, priced again, expire, are billed by one run after the other, and callers get other tags; with room
// for all, for some, and for next to nothing. Prints its seed; NOWCAST_SEED repeats one.
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/when.h"
#include "store/redis.h"
#include "store/reprice.h"
#include "store/usage_rows.h"
#include "store/view.h"
#include "tests/redis_server.h"
#include "tests/support/random.h"
#include "tests/tap.h"

enum { FIRST = 494000, HOURS = 40, MODELS = 3, ACCT_REGIONS = 2, PRINCIPALS = 9, ROUNDS = 80 };

static const char *const acct_regions[ACCT_REGIONS] = {"111122223333/us-east-1", "444455556666/eu-west-1"};
static const char *const models[MODELS] = {"amazon.nova-pro-v1:0", "us.anthropic.claude-sonnet-4-6",
                                           "odd:model"};

// ---- Redis, in the form of store/usage_rows.h and reconcile/swap.lua ----------------------------

static void name_model_hour(int64_t hour, int k, char *member, size_t n)
{
	char when[WHEN_SIZE];
	when_format(hour * MS_PER_HOUR, when);
	snprintf(member, n, "%.13s:%s", when, models[k / ACCT_REGIONS]);
}

static void put(struct redis *r, const char *key, const char *field, const char *value, uint64_t *digest)
{
	redis_cmdz(r, "HSET", key, field, value, NULL);
	*digest += row_digest(str_of(field), str_of(value));
}

static void put_caller(struct redis *r, const char *key, const char *meta, int i, uint64_t *digest)
{
	char field[160], value[160];
	const char *tagset = below(2) ? "-" : below(2) ? "t1" : "t2";
	for (int type = 0; type < TOKEN_TYPES; type++) {
		int64_t exact = below(3) ? 0 : below(5000), allocated = below(9000);
		if (below(2))
			continue;
		snprintf(field, sizeof field, "arn:aws:sts::111122223333:assumed-role/role-%d/s%d %s %s", i % 3, i,
		         tagset, token_type_names[type]);
		char pico[24] = "-";
		if (below(9))
			snprintf(pico, sizeof pico, "%lld", (long long)below(1ll << 40));
		snprintf(value, sizeof value, "%lld %s %lld %lld 0 %lld 0 %lld %lld", (long long)(exact + allocated),
		         pico, (long long)exact, (long long)allocated, (long long)(below(3) ? 0 : exact / 2),
		         (long long)below(900), (long long)below(1ll << 50));
		put(r, key, field, value, digest);
	}
	snprintf(field, sizeof field, "arn:aws:sts::111122223333:assumed-role/role-%d/s%d %s calls", i % 3, i,
	         tagset);
	put(r, meta, field, below(2) ? "7 1" : "3 0", digest);
}

// A model hour as settle.lua writes it; now and then without its digest, or gone.
static void settle(struct redis *r, int64_t hour, int k)
{
	char member[120], index[160], key[300], meta[300], score[24], text[ROW_DIGEST_SIZE];
	uint64_t digest = 0;
	name_model_hour(hour, k, member, sizeof member);
	snprintf(score, sizeof score, "%lld", (long long)hour);
	snprintf(index, sizeof index, "nowcast:{%s}:usage", acct_regions[k % ACCT_REGIONS]);
	snprintf(key, sizeof key, "%s:%s", index, member);
	snprintf(meta, sizeof meta, "%s_meta:%s", index, member);
	redis_cmdz(r, "DEL", key, meta, NULL);
	if (below(8) == 0) {
		if (below(2))
			redis_cmdz(r, "ZREM", index, member, NULL);
		return;
	}
	redis_cmdz(r, "SADD", "nowcast:acct_regions", acct_regions[k % ACCT_REGIONS], NULL);
	redis_cmdz(r, "ZADD", index, score, member, NULL);
	for (int i = 0; i < PRINCIPALS; i++)
		if (below(2))
			put_caller(r, key, meta, i, &digest);
	if (below(4) == 0)
		put(r, meta, META_FOUNDATION, "amazon.nova-lite-v1:0", &digest);
	if (below(4) == 0)
		put(r, meta, META_MODEL, "arn:aws:bedrock:us-east-1:1:application-inference-profile/x", &digest);
	if (below(6))
		redis_cmdz(r, "HSET", meta, META_DIGEST, row_digest_format(digest, text), NULL);
}

// Some hours of the bill, and the run that wrote them, over some of what an earlier run had.
static void bill(struct redis *r, int run)
{
	char member[120], key[300], score[24], text[24], field[160], value[80];
	int64_t until = FIRST + below(HOURS);
	for (int k = 0; k < ACCT_REGIONS; k++) {
		snprintf(key, sizeof key, "nowcast:{%s}:billed", acct_regions[k]);
		snprintf(text, sizeof text, "%lld", (long long)until);
		snprintf(score, sizeof score, "%d", run);
		redis_cmdz(r, "HSET", key, "since", "493000", "watermark", text, NULL);
		for (int64_t hour = FIRST; hour < FIRST + HOURS; hour++) { // the month, or the two, of these hours
			name_model_hour(hour, k, member, sizeof member);
			member[7] = '\0';
			redis_cmdz(r, "HSET", key, member, score, NULL);
		}
	}
	for (int n = 0; n < 30; n++) {
		int64_t hour = FIRST + below(HOURS);
		int k = (int)below(ACCT_REGIONS * MODELS), i = (int)below(PRINCIPALS);
		name_model_hour(hour, k, member, sizeof member);
		snprintf(key, sizeof key, "nowcast:{%s}:actual:models", acct_regions[k % ACCT_REGIONS]);
		redis_cmdz(r, "SADD", key, models[k / ACCT_REGIONS], NULL);
		if (below(8) == 0) {
			snprintf(key, sizeof key, "nowcast:{%s}:actual:called", acct_regions[k % ACCT_REGIONS]);
			redis_cmdz(r, "HSET", key, models[k / ACCT_REGIONS],
			           below(2) ? "arn:called:a/x" : "arn:called:b/x", NULL);
		}
		snprintf(key, sizeof key, "nowcast:{%s}:actual", acct_regions[k % ACCT_REGIONS]);
		snprintf(score, sizeof score, "%lld", (long long)hour);
		redis_cmdz(r, "ZADD", key, score, member, NULL);
		snprintf(key, sizeof key, "nowcast:{%s}:actual:%s", acct_regions[k % ACCT_REGIONS], member);
		snprintf(field, sizeof field, "arn:aws:sts::111122223333:assumed-role/role-%d/s%d %s", i % 3, i,
		         token_type_names[below(TOKEN_TYPES)]);
		snprintf(value, sizeof value, "%lld %lld %lld", (long long)below(9000), (long long)below(1ll << 40),
		         (long long)below(1ll << 40));
		redis_cmdz(r, "HSET", key, field, value, NULL);
	}
}

static void tag(struct redis *r)
{
	char key[120], field[60], value[120];
	snprintf(key, sizeof key, "nowcast:tags:111122223333:role/role-%d", (int)below(3));
	snprintf(field, sizeof field, "%lld e%d", (long long)(FIRST + below(HOURS)) * MS_PER_HOUR,
	         (int)below(1000));
	snprintf(value, sizeof value, "{\"op\":\"set\",\"tags\":{\"%s\":\"v%d\"}}", below(2) ? "team" : "env",
	         (int)below(5));
	redis_cmdz(r, "HSET", key, field, value, NULL);
	redis_cmdz(r, "HSET", "nowcast:tagsets", "t1", "{\"team\":\"of the session\"}", "t2", "{\"x\":\"y\"}",
	           NULL);
}

// Other dollars beside the same tokens.
static void price_anew(const char *url)
{
	struct redis *r = NULL; // one that has run no script yet
	struct err err = ERR_INIT;
	struct prices *prices = NULL;
	struct reprice_counts counts;
	char name[] = "/tmp/nowcast-test-prices-XXXXXX";
	int fd = mkstemp(name);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!f)
		abort();
	fprintf(f, "model,scope,region,from,to,input,output,cache_read,cache_write_5m,cache_write_1h,source\n"
	           "amazon.nova-pro,any,,,,%d,%d,1,2,3,test\n", (int)below(100), (int)below(100));
	fclose(f);
	if (!redis_open(&r, (struct redis_target){.url = url}, &err) || !prices_load_file(&prices, name, &err) ||
	    !reprice(r, "nowcast",
	             &(struct reprice_options){.prices = prices, .from = FIRST, .to = FIRST + HOURS}, &counts,
	             &err) ||
	    !counts.model_hours_changed)
		ok(false, "hours are priced again %s", err.msg);
	prices_free(prices);
	redis_close(r);
	unlink(name);
}

// ---- what a view shows --------------------------------------------------------------------------

static bool tell(void *user, struct view *v, const struct model_hour *s)
{
	struct buf *b = user;
	char usd[USD_SIZE], more[USD_SIZE], list[USD_SIZE];
	buf_addf(b, "%d %lld %.*s/%.*s %.*s [%.*s] %d %d\n", view_band_scale(v), (long long)s->hour,
	         STR_ARG(s->account), STR_ARG(s->region), STR_ARG(s->model), STR_ARG(s->foundation), s->billed,
	         s->nestimate);
	for (int i = 0; i < s->nrows; i++) {
		const struct view_row *row = &s->rows[i];
		const struct figure *f = &row->figure;
		struct str team = view_tag(v, s, row, STR("team")), env = view_tag(v, s, row, STR("ENV"));
		buf_addf(
			b,
			"%.*s %.*s %.*s %s %d team=%.*s env=%.*s: %lld %lld %lld %lld %lld %lld %lld %lld %d %s %s %s %lld %lld\n",
			STR_ARG(row->principal), STR_ARG(row->role), STR_ARG(row->tagset), row_name(row), row->rate_class,
			STR_ARG(team), STR_ARG(env), (long long)f->tokens, (long long)f->exact, (long long)f->allocated,
			(long long)f->provisional, (long long)f->assumed, (long long)f->spread, (long long)f->noise,
			(long long)f->billed, f->priced, usd_format_pico(f->usd, usd), usd_format_pico(f->more, more),
			usd_format_pico(f->list, list), (long long)row->calls.charged, (long long)row->calls.failed);
	}
	return true;
}

// The first line in which two texts differ.
static void show_difference(struct str a, struct str b)
{
	while (a.len || b.len) {
		struct str x = str_cut(&a, '\n'), y = str_cut(&b, '\n');
		if (str_eq(x, y))
			continue;
		diag("kept: %.*s", STR_ARG(x));
		diag("read again: %.*s", STR_ARG(y));
		return;
	}
}

static bool same(struct view *kept, struct view *fresh)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct err err = ERR_INIT;
	int64_t from = FIRST + below(HOURS), to = from + 1 + below(HOURS);
	bool good = view_each(kept, from, to, tell, &a, &err) && view_each(fresh, from, to, tell, &b, &err) &&
	            str_eq(buf_str(&a), buf_str(&b));
	if (!good) {
		diag("%s", err.msg);
		show_difference(buf_str(&a), buf_str(&b));
	}
	buf_release(&a);
	buf_release(&b);
	return good;
}

// Hours whose mark is what it was show what they showed.
struct hours {
	uint64_t marks[HOURS], texts[HOURS];
};

static bool tell_hours(void *user, struct view *v, const struct model_hour *s)
{
	struct hours *h = user;
	struct buf b = BUF_INIT;
	tell(&b, v, s);
	h->texts[s->hour - FIRST] += hash64(b.data, b.len);
	buf_release(&b);
	return true;
}

static bool marks_hold(struct view *kept, struct view *fresh, struct hours *last)
{
	struct err err = ERR_INIT;
	struct hours now = {0};
	bool good = view_marks(kept, FIRST, FIRST + HOURS, now.marks, &err) &&
	            view_each(fresh, FIRST, FIRST + HOURS, tell_hours, &now, &err);
	for (int i = 0; i < HOURS; i++)
		if (now.marks[i] && now.marks[i] == last->marks[i] && now.texts[i] != last->texts[i]) {
			diag("hour %d changed and kept its mark", i);
			good = false;
		}
	*last = now;
	return good;
}

static void one_round(struct redis *r, const char *url, int i)
{
	struct err err = ERR_INIT;
	for (int n = (int)below(12); n >= 0; n--)
		settle(r, FIRST + below(HOURS), (int)below(ACCT_REGIONS * MODELS));
	if (i % 7 == 5)
		bill(r, i);
	if (i % 11 == 7)
		redis_cmdz(r, "SET", "nowcast:band", below(2) ? "1200" : "1500", NULL);
	if (i % 5 == 0) {
		tag(r);
		for (int64_t hour = FIRST; hour < FIRST + HOURS; hour++)
			settle(r, hour, (int)below(ACCT_REGIONS));
	}
	if (!redis_exec(r, &err))
		diag("%s", err.msg);
	if (i % 9 == 3)
		price_anew(url);
}

static void try_room(struct redis_server *server, size_t bytes, const char *what)
{
	struct err err = ERR_INIT;
	struct view *kept = NULL, *fresh = NULL;
	int good = 0;
	struct hours hours = {0};
	if (!ok(view_open(&kept, (struct redis_target){server->url, NULL, "nowcast", NULL}, &err) &&
	            view_open(&fresh, (struct redis_target){server->url, NULL, "nowcast", NULL}, &err),
	        "they open %s", err.msg))
		return;
	view_keep(kept, bytes);
	for (int i = 0; i < ROUNDS && good == i; i++) {
		one_round(view_redis(fresh), server->url, i);
		// tags are read again with a model hour that changed, for all that is looked at from then on
		if (i % 5 == 0) {
			struct buf unseen = BUF_INIT;
			good -= !view_each(kept, FIRST, FIRST + HOURS, tell, &unseen, &err);
			buf_release(&unseen);
		}
		good += same(kept, fresh) && same(kept, fresh) && marks_hold(kept, fresh, &hours);
	}
	is_int(good, ROUNDS, what);
	view_close(kept);
	view_close(fresh);
}

// What is kept is not asked for again.
static void count_reads(struct redis_server *server)
{
	struct err err = ERR_INIT;
	struct view *v = NULL;
	struct buf b = BUF_INIT;
	if (!ok(view_open(&v, (struct redis_target){server->url, NULL, "nowcast", NULL}, &err), "a view opens %s",
	        err.msg))
		return;
	view_keep(v, 64 << 20);
	redis_cmdz(view_redis(v), "FLUSHALL", NULL);
	redis_cmdz(view_redis(v), "SADD", "nowcast:acct_regions", acct_regions[0], NULL);
	for (int64_t hour = FIRST; hour < FIRST + HOURS; hour++) {
		char key[200], meta[200], member[120], score[24];
		name_model_hour(hour, 0, member, sizeof member);
		snprintf(key, sizeof key, "nowcast:{%s}:usage:%s", acct_regions[0], member);
		snprintf(meta, sizeof meta, "nowcast:{%s}:usage_meta:%s", acct_regions[0], member);
		snprintf(score, sizeof score, "%lld", (long long)hour);
		redis_cmdz(view_redis(v), "HSET", key, "arn:aws:iam::1:user/u - input", "5 5 5 0 0 0 0 0 0", NULL);
		redis_cmdz(view_redis(v), "HSET", meta, META_DIGEST, "00000000000000aa", NULL);
		redis_cmdz(view_redis(v), "ZADD", "nowcast:{111122223333/us-east-1}:usage", score, member, NULL);
	}
	ok(redis_exec(view_redis(v), &err) && view_each(v, FIRST, FIRST + HOURS, tell, &b, &err), "it reads %s",
	   err.msg);
	redis_cmdz(view_redis(v), "CONFIG", "RESETSTAT", NULL);
	ok(redis_exec(view_redis(v), &err) && view_each(v, FIRST, FIRST + HOURS, tell, &b, &err),
	   "and reads again %s", err.msg);
	redis_cmdz(view_redis(v), "INFO", "commandstats", NULL);
	if (!ok(redis_exec(view_redis(v), &err), "Redis tells what it was asked %s", err.msg))
		return;
	struct str text = redis_str(view_redis(v), 0);
	const char *all = text.p ? memmem(text.p, text.len, "cmdstat_hgetall:calls=", 22) : NULL;
	ok(!all || atoi(all + 22) <= 2 + ACCT_REGIONS, "no model hour is read twice (%.40s)",
	   all ? all : "no HGETALL");
	buf_release(&b);
	view_close(v);
}

int main(void)
{
	struct redis_server server;
	if (!redis_server_start(&server))
		skip_all("no redis-server here");
	diag("NOWCAST_SEED=%llu", (unsigned long long)seed_rng());
	try_room(&server, 64 << 20, "with room for all");
	try_room(&server, 60000, "with room for some");
	try_room(&server, 1, "with no room");
	count_reads(&server);
	redis_server_stop(&server);
	return done();
}
