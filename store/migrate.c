// SPDX-License-Identifier: Apache-2.0
// All keys of accounts and Regions are walked by SCAN, which returns each key that is there from the
// beginning to the end of the walk: one under its old name as long as it has that name, so none is left out.
#include "store/migrate.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/when.h"
#include "store/keys.h"
#include "store/keys_priv.h"
#include "store/schema.h"

enum { PAGE = 1000, FENCE_MS = 500 };

// SCAN, its reply made flat: the cursor, then keys.
static const struct str scan =
	STR("local page = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3]) "
        "table.insert(page[2], 1, page[1]) return page[2]");

static const struct str rename_key = STR("if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end "
                                         "if redis.call('RENAMENX', KEYS[1], KEYS[2]) == 1 then return 1 end "
                                         "redis.call('UNLINK', KEYS[1]) return 0");

void migrate_queue_rename(struct redis *r, struct str from, struct str to)
{
	assert(!str_eq(from, to));
	redis_cmd(r, 5, (struct str[]){STR("EVAL"), rename_key, STR("2"), from, to});
}

// The pattern that keys match which begin with `start`.
static struct str start_pattern(struct arena *a, struct str start)
{
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < start.len; i++) {
		if (strchr("*?[]\\", start.p[i]))
			buf_addc(&b, '\\');
		buf_addc(&b, start.p[i]);
	}
	buf_addc(&b, '*');
	struct str pattern = arena_str(a, buf_str(&b));
	buf_release(&b);
	return pattern;
}

bool migrate_each_page(struct redis *r, struct str start, migrate_page_fn *fn, void *user, struct err *err)
{
	struct arena arena = ARENA_INIT, page = ARENA_INIT;
	struct str pattern = start_pattern(&arena, start), cursor = STR("0");
	char count[24];
	bool good;
	snprintf(count, sizeof count, "%d", PAGE);
	do {
		redis_cmd(r, 6,
		          (struct str[]){STR("EVAL"), scan, STR("0"), cursor, pattern, str_of(count)});
		good = redis_exec(r, err);
		if (!good)
			break;
		arena_reset(&page);
		size_t n = redis_len(r, 0);
		struct str *list = arena_alloc(&page, (n + 1) * sizeof *list);
		for (size_t i = 0; i < n; i++)
			list[i] = arena_str(&page, redis_elem(r, 0, i));
		cursor = list[0];
		good = n < 2 || fn(r, list + 1, n - 1, user, err);
	} while (good && !str_is(cursor, "0"));
	arena_release(&page);
	arena_release(&arena);
	return good;
}

// ---- keys of accounts and Regions ---------------------------------------------------------------

struct key_migration {
	const struct migrate_options *options;
	struct migrate_counts counts;
	const char *prefix;
	struct str start; // "nowcast:{"
};

// A key's parts: "nowcast:{" acct_region "}" rest.
static bool split_key(const struct key_migration *m, struct str key, struct str *ret_acct_region,
                      struct str *ret_rest)
{
	struct str rest = {key.p + m->start.len, key.len - m->start.len};
	const char *end = memchr(rest.p, '}', rest.len);
	if (!end)
		return false;
	*ret_acct_region = (struct str){rest.p, (size_t)(end - rest.p)};
	*ret_rest = (struct str){end + 1, rest.len - (size_t)(end - rest.p) - 1};
	return true;
}

// The key by its name in schema 2; the key itself if that is the same.
static struct str new_key(const struct key_migration *m, struct str key, struct arena *arena)
{
	static const struct {
		struct str from;
		enum acct_region_key to;
	} names[] = {
#define RENAMED(from, to) {{from, sizeof from - 1}, KEY_##to},
		SCHEMA1_KEYS(RENAMED)
#undef RENAMED
	};
	struct str acct_region, rest;
	if (!split_key(m, key, &acct_region, &rest))
		return key;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_starts(rest, names[i].from)) {
			size_t from = names[i].from.len;
			return arena_text(arena, "%.*s%.*s%.*s", (int)(rest.p - key.p), key.p,
			                  STR_ARG(acct_region_keys[names[i].to]), (int)(rest.len - from), rest.p + from);
		}
	return key;
}

// Whether the key is one of an hour and model, whose values have a form of their own.
static bool find_model_hour(const struct key_migration *m, struct str key, struct migrate_model_hour *ret)
{
	static const struct {
		enum acct_region_key key;
		size_t colon; // behind the name, where the name has none
		size_t hour;  // its length; 0: up to the next colon
	} kinds[MIGRATE_KINDS] = {
		[MIGRATE_USAGE] = {KEY_USAGE, 1, MEMBER_HOUR},
		[MIGRATE_ACTUAL] = {KEY_ACTUAL, 1, MEMBER_HOUR},
		[MIGRATE_PART] = {KEY_PART, 0, 0},
		[MIGRATE_CELLS] = {KEY_CELLS, 0, 0},
		[MIGRATE_HOUR_STATS] = {KEY_HOUR_STATS, 0, 0},
	};
	struct str acct_region, rest;
	if (!split_key(m, key, &acct_region, &rest))
		return false;
	for (int k = 0; k < MIGRATE_KINDS; k++) {
		size_t name = acct_region_keys[kinds[k].key].len + kinds[k].colon;
		if (!str_starts(rest, acct_region_keys[kinds[k].key]) || rest.len <= name)
			continue;
		struct str model = {rest.p + name, rest.len - name}, hour = str_cut(&model, ':');
		if (!model.len || (kinds[k].hour && hour.len != kinds[k].hour))
			continue; // an index, or the list of billed models
		*ret = (struct migrate_model_hour){k, m->prefix, acct_region, hour, model, key};
		return true;
	}
	return false;
}

static bool convert_values(struct key_migration *m, struct redis *r, const struct str *keys, size_t n,
                           struct err *err)
{
	const struct migrate_options *o = m->options;
	struct migrate_model_hour x;
	for (size_t i = 0; o->convert && i < n; i++) {
		if (!find_model_hour(m, keys[i], &x))
			continue;
		if (!o->convert(r, &x, o->user, err))
			return false;
		m->counts.converted++;
	}
	return true;
}

static bool migrate_page(struct redis *r, const struct str *keys, size_t n, void *user, struct err *err)
{
	struct key_migration *m = user;
	struct arena arena = ARENA_INIT;
	struct str *renamed = arena_alloc(&arena, n * sizeof *renamed);
	for (size_t i = 0; i < n; i++) {
		renamed[i] = new_key(m, keys[i], &arena);
		if (!str_eq(renamed[i], keys[i]))
			migrate_queue_rename(r, keys[i], renamed[i]);
	}
	bool good = redis_exec(r, err);
	for (size_t i = 0; good && i < redis_count(r); i++)
		m->counts.renamed += redis_int(r, i) == 1;
	good = good && convert_values(m, r, renamed, n, err);
	m->counts.keys += n;
	if (good && m->options->on_progress)
		m->options->on_progress(m->options->user, &m->counts);
	arena_release(&arena);
	return good;
}

// ---- the two lists of all accounts and Regions --------------------------------------------------

// They have no hash tag, so they are copied and not renamed: a Redis Cluster renames within one slot only.
static bool copy_lists(struct redis *r, const char *prefix, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct buf key = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), key_schema1_acct_regions(&key, prefix)});
	redis_cmd(r, 5,
	          (struct str[]){STR("ZRANGE"), key_schema1_cross_account(&key, prefix), STR("0"), STR("-1"),
	                         STR("WITHSCORES")});
	bool good = redis_exec(r, err);
	size_t nacct_regions = good ? redis_len(r, 0) : 0, nscored = good ? redis_len(r, 1) : 0;
	struct str *list = arena_alloc(&arena, (nacct_regions + nscored + 1) * sizeof *list);
	for (size_t i = 0; i < nacct_regions + nscored; i++)
		list[i] =
			arena_str(&arena, i < nacct_regions ? redis_elem(r, 0, i) : redis_elem(r, 1, i - nacct_regions));
	for (size_t i = 0; i < nacct_regions; i++)
		redis_cmd(r, 3, (struct str[]){STR("SADD"), key_acct_regions(&key, prefix), list[i]});
	for (size_t i = nacct_regions; i + 1 < nacct_regions + nscored; i += 2)
		redis_cmd(
			r, 5,
			(struct str[]){STR("ZADD"), key_cross_account(&key, prefix), STR("GT"), list[i + 1], list[i]});
	good = good && redis_exec(r, err);
	if (good) {
		redis_cmd(r, 2, (struct str[]){STR("DEL"), key_schema1_cross_account(&key, prefix)});
		good = redis_exec(r, err);
	}
	buf_release(&key);
	arena_release(&arena);
	return good;
}

bool migrate_begin(struct redis *r, const char *prefix, struct migrate_steps *ret, struct err *err)
{
	struct schema_state state;
	if (!schema_read(r, prefix, &state, err))
		return false;
	if (state.version > SCHEMA_VERSION)
		return schema_check(r, prefix, SCHEMA_READ, err);
	*ret = (struct migrate_steps){.from = state.old_keys ? SCHEMA_UNVERSIONED : state.version,
	                              .keys = state.old_keys};
	ret->ids = state.old_keys || state.migrating || state.version == SCHEMA_UNKEYED;
	return true;
}

bool migrate_keys(struct redis *r, const char *prefix, const struct migrate_options *o,
                  struct migrate_counts *ret, struct err *err)
{
	struct buf start = BUF_INIT;
	struct key_migration m = {.options = o, .prefix = prefix, .start = key_acct_region_start(&start, prefix)};
	bool good = migrate_each_page(r, m.start, migrate_page, &m, err) && copy_lists(r, prefix, err);
	*ret = m.counts;
	buf_release(&start);
	return good;
}

bool migrate_fence(struct redis *r, const char *prefix, struct err *err)
{
	struct buf key = BUF_INIT;
	uint64_t epoch;
	char version[24], other[24];
	if (getrandom(&epoch, sizeof epoch, 0) != sizeof epoch)
		return err_set(err, ERR_RETRY, "getrandom: %s", strerror(errno));
	snprintf(version, sizeof version, "%d", SCHEMA_VERSION);
	snprintf(other, sizeof other, "%016" PRIx64, epoch | 1);
	redis_cmd(r, 3, (struct str[]){STR("SET"), key_migrating(&key, prefix), str_of(version)});
	redis_cmd(r, 3, (struct str[]){STR("SET"), key_schema(&key, prefix), str_of(version)});
	redis_cmd(r, 4, (struct str[]){STR("SET"), key_epoch(&key, prefix), str_of(other), STR("XX")});
	redis_cmd(r, 2, (struct str[]){STR("DEL"), key_schema1_acct_regions(&key, prefix)});
	buf_release(&key);
	for (int i = 0; i < 2; i++) { // one that was just connecting has loaded its scripts by the second time
		redis_cmd(r, 2, (struct str[]){STR("SCRIPT"), STR("FLUSH")});
		if (!redis_exec(r, err))
			return false;
		usleep(i == 0 ? FENCE_MS * 1000 : 0);
	}
	return true;
}

bool migrate_end(struct redis *r, const char *prefix, struct err *err)
{
	struct buf key = BUF_INIT;
	char now[24];
	snprintf(now, sizeof now, "%" PRId64, when_now_ms());
	redis_cmd(r, 4, (struct str[]){STR("SET"), key_observed_since(&key, prefix), str_of(now), STR("NX")});
	redis_cmd(r, 2, (struct str[]){STR("DEL"), key_migrating(&key, prefix)});
	buf_release(&key);
	return redis_exec(r, err);
}
