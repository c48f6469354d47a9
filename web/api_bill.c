// SPDX-License-Identifier: Apache-2.0
// How far the bill has caught up: the last run of the reconciliation, and by billing period what it found and
// up to which hour each account's figures are the bill's (reconcile/run.h describes the hashes); and how good
// the estimates were.
#include <stdlib.h>

#include "base/text.h"
#include "base/when.h"
#include "query/scoreboard.h"
#include "store/keys.h"
#include "store/redis.h"
#include "web/api.h"

enum { PERIODS_MAX = 24, SCORED_MAX = 2 };

static int64_t integer(struct str s)
{
	char text[24] = "";
	memcpy(text, s.len ? s.p : "", s.len < sizeof text - 1 ? s.len : sizeof text - 1);
	return strtoll(text, NULL, 10);
}

// The value of a field in the hash that is reply i; STR_NONE without it.
static struct str field_of(struct redis *r, size_t i, const char *name)
{
	for (size_t k = 0; k + 1 < redis_len(r, i); k += 2)
		if (str_is(redis_elem(r, i, k), name))
			return redis_elem(r, i, k + 1);
	return STR_NONE;
}

static void add_text(struct buf *out, const char *name, struct str value)
{
	buf_addf(out, ",\"%s\":", name);
	if (value.p)
		buf_add_json(out, value);
	else
		buf_adds(out, "null");
}

static void add_ms(struct buf *out, const char *name, struct str value)
{
	buf_addf(out, ",\"%s\":", name);
	if (value.p)
		json_time(out, integer(value));
	else
		buf_adds(out, "null");
}

static void add_pico(struct buf *out, const char *name, struct str value)
{
	struct usd usd;
	buf_addf(out, ",\"%s\":", name);
	if (value.p && usd_parse_pico(value, &usd))
		json_usd(out, usd);
	else
		buf_adds(out, "null");
}

// An hour by its number, or as a time.
static int64_t hour_ms(struct str s)
{
	int64_t ms;
	return s.len > 7 && when_parse(s, &ms) ? ms : integer(s) * MS_PER_HOUR;
}

static void add_watermarks(struct buf *out, struct redis *r, size_t i)
{
	int n = 0;
	buf_adds(out, ",\"final_until\":{");
	for (size_t k = 0; k + 1 < redis_len(r, i); k += 2) {
		struct str account = redis_elem(r, i, k);
		if (!str_is(str_cut(&account, ' '), "watermark") || !account.len)
			continue;
		buf_adds(out, n++ ? "," : "");
		buf_add_json(out, account);
		buf_addc(out, ':');
		json_time(out, hour_ms(redis_elem(r, i, k + 1)));
	}
	buf_addc(out, '}');
}

static void add_period(struct buf *out, struct redis *r, size_t i, struct str period)
{
	buf_adds(out, i ? ",\n{\"period\":" : "\n{\"period\":");
	buf_add_json(out, period);
	add_ms(out, "delivered", field_of(r, i, "delivered_ms"));
	add_text(out, "granularity", field_of(r, i, "granularity"));
	add_text(out, "principals", field_of(r, i, "principals"));
	add_text(out, "invoiced", field_of(r, i, "invoiced"));
	add_pico(out, "billed_by_tokens", field_of(r, i, "tokens"));
	add_text(out, "notes", field_of(r, i, "notes"));
	add_watermarks(out, r, i);
	buf_addc(out, '}');
}

static int by_text_down(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)b, *(const struct str *)a);
}

// The newest periods that were reconciled: reply i. They live in `arena`.
static size_t newest_periods(struct redis *r, size_t i, struct arena *arena, struct str *ret, size_t max)
{
	size_t n = redis_len(r, i);
	struct str *all = arena_alloc(arena, (n + 1) * sizeof *all);
	for (size_t k = 0; k < n; k++)
		all[k] = arena_str(arena, redis_elem(r, i, k));
	if (n > 1)
		qsort(all, n, sizeof *all, by_text_down);
	n = n < max ? n : max;
	memcpy(ret, all, n * sizeof *all);
	return n;
}

// Writes the last run, and returns the newest periods.
static bool read_run(struct api *a, struct buf *out, struct arena *arena, struct str *periods, size_t *ret_n,
                     struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct buf key = BUF_INIT;
	key_reconcile(&key, a->conf->redis_prefix);
	redis_cmdz(r, "HGETALL", key.data, NULL);
	buf_adds(&key, ":periods");
	redis_cmdz(r, "SMEMBERS", key.data, NULL);
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	if (redis_len(r, 0)) {
		buf_adds(out, "\"last_run\":{\"number\":");
		buf_addf(out, "%lld", (long long)integer(field_of(r, 0, "run")));
		add_ms(out, "finished", field_of(r, 0, "finished_ms"));
		add_pico(out, "billed", field_of(r, 0, "billed"));
		buf_addf(out, ",\"files\":%lld,\"rows\":%lld,\"every_s\":%lld}",
		         (long long)integer(field_of(r, 0, "files")), (long long)integer(field_of(r, 0, "rows")),
		         (long long)integer(field_of(r, 0, "every_ms")) / 1000);
	} else {
		buf_adds(out, "\"last_run\":null");
	}
	*ret_n = newest_periods(r, 1, arena, periods, PERIODS_MAX);
	return true;
}

bool api_reconciliation(struct api *a, const struct api_query *q, struct buf *out, struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct arena arena = ARENA_INIT;
	struct str periods[PERIODS_MAX];
	struct buf key = BUF_INIT;
	size_t n = 0;
	(void)q;
	buf_addc(out, '{');
	bool good = read_run(a, out, &arena, periods, &n, err);
	for (size_t i = 0; good && i < n; i++) {
		buf_clear(&key);
		key_reconcile_period(&key, a->conf->redis_prefix, periods[i]);
		redis_cmdz(r, "HGETALL", key.data, NULL);
	}
	good = good && (n == 0 || redis_exec(r, err));
	buf_adds(out, ",\"periods\":[");
	for (size_t i = 0; good && i < n; i++)
		add_period(out, r, i, periods[i]);
	buf_adds(out, "]}");
	buf_release(&key);
	arena_release(&arena);
	return good;
}

bool api_scoreboard(struct api *a, const struct api_query *q, struct buf *out, struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct arena arena = ARENA_INIT;
	struct scoreboard board = {0};
	struct str periods[SCORED_MAX];
	struct buf key = BUF_INIT;
	(void)q;
	key_reconcile_periods(&key, a->conf->redis_prefix);
	redis_cmdz(r, "SMEMBERS", key.data, NULL);
	buf_release(&key);
	bool good = redis_exec(r, err);
	size_t n = good ? newest_periods(r, 0, &arena, periods, SCORED_MAX) : 0;
	for (size_t i = 0; good && i < n; i++)
		good = scoreboard_read(&board, r, a->conf->redis_prefix, periods[i], err);
	if (good)
		scoreboard_json(&board, out);
	scoreboard_release(&board);
	arena_release(&arena);
	return good;
}
