// SPDX-License-Identifier: Apache-2.0
// How far the bill is read: the last run of the reconciliation, and for each billing period what it found
// and up to which hour each account's figures are the bill's (reconcile/run.h describes the hashes). And
// how good the estimates were.
#include <stdlib.h>

#include "base/when.h"
#include "query/scoreboard_json.h"
#include "store/keys.h"
#include "store/redis.h"
#include "web/api.h"

enum { PERIODS_MAX = 24, SCORED_MAX = 2 };

static int64_t parse_integer(struct str s)
{
	char text[24] = "";
	memcpy(text, s.len ? s.p : "", s.len < sizeof text - 1 ? s.len : sizeof text - 1);
	return strtoll(text, NULL, 10);
}

// The value of a field in the hash that is reply i; STR_NONE without it.
static struct str find_field(struct redis *r, size_t i, const char *name)
{
	for (size_t k = 0; k + 1 < redis_len(r, i); k += 2)
		if (str_is(redis_elem(r, i, k), name))
			return redis_elem(r, i, k + 1);
	return STR_NONE;
}

static void write_ms(struct json_writer *j, const char *name, struct str value)
{
	jw_time_if(j, name, value.p, parse_integer(value));
}

static void write_pico(struct json_writer *j, const char *name, struct str value)
{
	struct usd usd = USD_ZERO;
	bool known = value.p && usd_parse_pico(value, &usd);
	jw_usd_if(j, name, known, usd);
}

// Milliseconds of an hour that is written as its number or as a time.
static int64_t parse_hour_ms(struct str s)
{
	int64_t ms;
	return s.len > 7 && when_parse(s, &ms) ? ms : parse_integer(s) * MS_PER_HOUR;
}

static void write_watermarks(struct json_writer *j, struct redis *r, size_t i)
{
	redis_sort_fields(r, i);
	jw_object(j, "final_until");
	for (size_t k = 0; k + 1 < redis_len(r, i); k += 2) {
		struct str account = redis_elem(r, i, k);
		if (!str_is(str_cut(&account, ' '), "watermark") || !account.len)
			continue;
		jw_key(j, account);
		jw_time(j, NULL, parse_hour_ms(redis_elem(r, i, k + 1)));
	}
	jw_end(j);
}

static void write_period(struct json_writer *j, struct redis *r, size_t i, struct str period)
{
	jw_line(j);
	jw_object(j, NULL);
	jw_str(j, "period", period);
	write_ms(j, "delivered", find_field(r, i, "delivered_ms"));
	jw_str(j, "granularity", find_field(r, i, "granularity"));
	jw_str(j, "principals", find_field(r, i, "principals"));
	jw_str(j, "invoiced", find_field(r, i, "invoiced"));
	write_pico(j, "billed_by_tokens", find_field(r, i, "inference"));
	jw_str(j, "notes", find_field(r, i, "notes"));
	write_watermarks(j, r, i);
	jw_end(j);
}

static int compare_descending(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)b, *(const struct str *)a);
}

// The newest periods that were reconciled, at most `max`, from the set that is reply i. They live in `arena`.
static size_t sort_newest_periods(struct redis *r, size_t i, struct arena *arena, struct str *ret, size_t max)
{
	size_t n;
	struct str *all = redis_copy_list(r, i, arena, &n);
	if (n > 1)
		qsort(all, n, sizeof *all, compare_descending);
	n = n < max ? n : max;
	memcpy(ret, all, n * sizeof *all);
	return n;
}

// Writes the last run and reads the names of the newest periods.
static bool write_run(struct api *a, struct json_writer *j, struct arena *arena, struct str *periods,
                      size_t *ret_n, struct err *err)
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
		jw_object(j, "last_run");
		jw_int(j, "number", parse_integer(find_field(r, 0, "run")));
		write_ms(j, "finished", find_field(r, 0, "finished_ms"));
		write_pico(j, "billed", find_field(r, 0, "billed"));
		jw_int(j, "files", parse_integer(find_field(r, 0, "files")));
		jw_int(j, "rows", parse_integer(find_field(r, 0, "rows")));
		jw_int(j, "every_s", parse_integer(find_field(r, 0, "every_ms")) / 1000);
		jw_end(j);
	} else {
		jw_null(j, "last_run");
	}
	*ret_n = sort_newest_periods(r, 1, arena, periods, PERIODS_MAX);
	return true;
}

bool api_reconciliation(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct arena arena = ARENA_INIT;
	struct str periods[PERIODS_MAX];
	struct buf key = BUF_INIT;
	size_t n = 0;
	(void)q;
	jw_object(j, NULL);
	bool good = write_run(a, j, &arena, periods, &n, err);
	for (size_t i = 0; good && i < n; i++) {
		buf_clear(&key);
		key_reconcile_period(&key, a->conf->redis_prefix, periods[i]);
		redis_cmdz(r, "HGETALL", key.data, NULL);
	}
	good = good && (n == 0 || redis_exec(r, err));
	jw_array(j, "periods");
	for (size_t i = 0; good && i < n; i++)
		write_period(j, r, i, periods[i]);
	jw_end(j);
	jw_end(j);
	buf_release(&key);
	arena_release(&arena);
	return good;
}

bool api_scoreboard(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
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
	size_t n = good ? sort_newest_periods(r, 0, &arena, periods, SCORED_MAX) : 0;
	for (size_t i = 0; good && i < n; i++)
		good = scoreboard_read(&board, r, a->conf->redis_prefix, periods[i], err);
	jw_object(j, NULL);
	if (good)
		scoreboard_json(j, &board);
	jw_end(j);
	scoreboard_release(&board);
	arena_release(&arena);
	return good;
}
