// SPDX-License-Identifier: Apache-2.0
#include "query/health.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret_files.h"
#include "base/shard_counts.h"
#include "base/text.h"
#include "base/when.h"
#include "ingest/dead_letter_file.h"
#include "ingest/kafka_probe.h"
#include "ingest/trust.h"
#include "pricing/model_id.h"
#include "pricing/prices.h"
#include "query/freshness.h"
#include "query/group.h"
#include "query/observed_health.h"
#include "query/source_health.h"
#include "store/batch.h"
#include "store/cardinality.h"
#include "store/dead_letter_counts.h"
#include "store/keys.h"
#include "store/overflow.h"
#include "store/positions.h"
#include "store/redis_info.h"
#include "store/schema.h"
#include "store/shards.h"
#include "store/telemetry_counts.h"
#include "store/view.h"

enum { KAFKA_TIMEOUT_MS = 5000, SKEW_MAX_MS = 5000, BEHIND_NOTE = 100000 };

struct health {
	const struct conf *conf;
	struct view *view;
	struct redis *redis;
	int64_t now_ms;
	health_fn *report;
	void *user;
};

static void add_finding(struct health *h, enum health_level level, const char *what, const char *fmt, ...)
	NC_PRINTF(4, 5);
static void add_finding(struct health *h, enum health_level level, const char *what, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;
	assert(level >= HEALTH_OK && level < HEALTH_LEVELS);
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	h->report(h->user, level, what, text.data);
	buf_release(&text);
}

// ---- Redis --------------------------------------------------------------------------------------

static void check_version(struct health *h, const struct redis *master, struct str info)
{
	struct str version = redis_info_field(info, "redis_version"),
			   valkey = redis_info_field(info, "valkey_version"), shown = valkey.len ? valkey : version;
	if (strtol(version.len ? version.p : "0", NULL, 10) < 7) // of Valkey, too
		add_finding(h, HEALTH_FAIL, "redis", "version %.*s at %s; nowcast needs Redis 7, or Valkey",
		            STR_ARG(version), redis_where(master));
	else
		add_finding(h, HEALTH_OK, "redis", "%s %.*s at %s", valkey.len ? "Valkey" : "Redis", STR_ARG(shown),
		            redis_where(master));
}

static void check_memory(struct health *h, struct str info)
{
	struct str policy = redis_info_field(info, "maxmemory_policy");
	int64_t used = redis_info_number(info, "used_memory"), max = redis_info_number(info, "maxmemory"),
			evicted = redis_info_number(info, "evicted_keys");
	if (max && !str_is(policy, "noeviction"))
		add_finding(h, HEALTH_WARN, "redis",
		            "maxmemory-policy is %.*s: Redis may evict figures; set it to noeviction",
		            STR_ARG(policy));
	if (evicted > 0)
		add_finding(
			h, HEALTH_FAIL, "redis",
			"it has evicted %lld keys since it started, figures or calls among them unless all were others': figures are too "
			"small. Set maxmemory-policy to noeviction, then replay, or set the offsets of the group back",
			(long long)evicted);
	if (max && used > max / 10 * 9)
		add_finding(h, HEALTH_WARN, "redis",
		            "%lld of %lld MB are used: raise maxmemory, or shorten window or retention",
		            (long long)(used >> 20), (long long)(max >> 20));
	else
		add_finding(h, HEALTH_OK, "redis", "%lld MB used%s", (long long)(used >> 20),
		            max ? "" : ", no maxmemory set");
	if (redis_info_number(info, "aof_enabled") == 0 && redis_info_number(info, "rdb_last_save_time") == 0)
		add_finding(h, HEALTH_NOTE, "redis",
		            "no persistence: after a restart of Redis everything must be replayed");
}

static void check_clock(struct health *h, const struct redis *master)
{
	int64_t redis_ms = strtoll(redis_elem(master, 1, 0).p, NULL, 10) * 1000 +
	                   strtoll(redis_elem(master, 1, 1).p, NULL, 10) / 1000;
	int64_t skew = redis_ms - when_now_ms();
	if (skew > SKEW_MAX_MS || skew < -SKEW_MAX_MS)
		add_finding(
			h, HEALTH_WARN, "clock",
			"the clocks of Redis and of this machine differ by %lld s: one is wrong, so records may wrongly count as late or as future",
			(long long)(skew / 1000));
	else
		add_finding(h, HEALTH_OK, "clock", "the clocks of Redis and of this machine agree");
}

static bool check_schema(struct health *h, struct err *err)
{
	struct schema_state state;
	if (!schema_read(h->redis, view_prefix(h->view), &state, err))
		return false;
	if (state.version == SCHEMA_NONE)
		add_finding(h, HEALTH_NOTE, "schema", "no figures yet; they will have schema %d", SCHEMA_VERSION);
	else if (state.old_keys)
		add_finding(
			h, HEALTH_WARN, "schema",
			"a nowcast of schema %d has written since `nowcast migrate`: stop it, and run `nowcast migrate` again",
			SCHEMA_UNVERSIONED);
	else
		add_finding(h, HEALTH_OK, "schema", "keys and values have schema %d", SCHEMA_VERSION);
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

static bool check_redis(struct health *h, struct err *err)
{
	return redis_each_master(h->redis, check_master, h, err) && check_schema(h, err);
}

// ---- Kafka --------------------------------------------------------------------------------------

// Messages that are committed and that Redis does not have: an older Redis came back, and no worker has seen
// it yet. A worker writes to Redis before it commits, and Kafka was asked first.
static int64_t count_lost(struct health *h, const struct kafka_topic *t)
{
	struct err err = ERR_INIT;
	int64_t lost = 0, held;
	for (int i = 0; t->cluster && i < t->nby_us; i++) {
		const struct kafka_committed *c = &t->by_us[i];
		const struct partition_of x = {t->cluster, h->conf->group, t->name, c->partition};
		if (!positions_held(h->redis, view_prefix(h->view), &x, &held, &err))
			return 0; // the check of Redis says it
		if (held == POSITION_NONE)
			held = c->start;
		lost += c->next > held ? c->next - held : 0;
	}
	return lost;
}

static void check_topic(void *user, const struct kafka_topic *t)
{
	struct health *h = user;
	char age[WHEN_LENGTH_SIZE];
	int64_t lost = count_lost(h, t);
	if (lost)
		add_finding(
			h, HEALTH_WARN, "kafka",
			"topic %s: Redis has lost %lld message%s that group %s has read: figures are too small. A running worker "
			"notices within seconds and reads them again; what was replayed, imported or reconciled since, bring in again",
			t->name, (long long)lost, text_s(lost), h->conf->group);
	if (t->deleted)
		add_finding(
			h, HEALTH_WARN, "missing",
			"topic %s: Kafka has deleted %lld message%s that group %s has not read: figures are too small. A "
			"running worker soon says what time they are of; bring them in with `nowcast replay` of the files of that time",
			t->name, (long long)t->deleted, text_s(t->deleted), h->conf->group);
	if (t->dead_letters)
		add_finding(h, t->fault ? HEALTH_WARN : HEALTH_OK, "dead", "dead_letter.topic %s %s", t->name,
		            t->fault ? t->fault : "is there");
	else if (t->fault)
		add_finding(h, HEALTH_WARN, "kafka", "topic %s: %s", t->name, t->fault);
	else if (t->messages == 0)
		add_finding(h, HEALTH_WARN, "kafka", "topic %s is empty: is anything written to it?", t->name);
	else if (!t->committed)
		add_finding(
			h, HEALTH_NOTE, "kafka",
			"topic %s: %lld message%s in %d partition%s, none read yet by group %s (nowcast run reads them)",
			t->name, (long long)t->messages, text_s(t->messages), t->partitions, text_s(t->partitions),
			h->conf->group);
	else if (t->endangered)
		add_finding(
			h, HEALTH_WARN, "kafka",
			"topic %s: Kafka soon deletes %lld of %lld messages that group %s has not read (the topic keeps them for %s): start "
			"more workers, or lengthen its retention.ms now",
			t->name, (long long)t->endangered, (long long)t->behind, h->conf->group,
			t->retention_ms > 0 ? when_format_age(t->retention_ms, age) : "so many bytes");
	else
		add_finding(h, t->behind > BEHIND_NOTE ? HEALTH_NOTE : HEALTH_OK, "kafka",
		            "topic %s: group %s is %lld message%s behind in %d partition%s%s", t->name,
		            h->conf->group, (long long)t->behind, text_s(t->behind), t->partitions,
		            text_s(t->partitions),
		            t->behind > BEHIND_NOTE ? " (more workers read more partitions)" : "");
}

void health_check_kafka(const struct conf *conf, struct view *view, health_fn *report, void *user)
{
	struct health h = {
		.conf = conf, .view = view, .redis = view_redis(view), .report = report, .user = user};
	struct err err = ERR_INIT;
	if (!conf_has_source(conf, "kafka"))
		return;
	if (!*h.conf->brokers) {
		add_finding(&h, HEALTH_NOTE, "kafka",
		            "not configured (brokers, topics): replay works, run does not, unless sources = aws, firehose");
		return;
	}
	if (!kafka_probe(h.conf, KAFKA_TIMEOUT_MS, check_topic, &h, &err))
		add_finding(&h, HEALTH_FAIL, "kafka", "%s", err.msg);
}

// ---- signals ------------------------------------------------------------------------------------

static const struct {
	const char *what;
	enum health_level when_silent;
	const char *missing; // the effect if it never came
	const char *silent;  // the effect since it is silent
} effects[SIGNALS] = {
	[SIGNAL_CALL] =
		{"calls", HEALTH_WARN,
         "no CloudTrail record of a Bedrock call: nothing can be attributed but calls with an invocation log (an EventBridge rule needs ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS)",
         "what the metrics show since then is (unattributed)"},
	[SIGNAL_METRIC] =
		{"metrics", HEALTH_WARN,
         "no CloudWatch token metric: tokens that CloudTrail does not record are provisional, with bands from nothing to twice the figure",
         "calls since then are provisional: what such calls usually use, with bands from nothing to twice that"},
	[SIGNAL_CALL_TOKENS] =
		{"tokens", HEALTH_NOTE,
         "no stream-completion records and no invocation logs: tokens of streams are allocated from the metrics, and bands are as wide as that",
         NULL},
	[SIGNAL_SESSION_TAGS] =
		{"sessions", HEALTH_NOTE,
         "no STS records: session tags (teams and users behind a shared role) are unknown", NULL},
	[SIGNAL_PRINCIPAL_TAGS] = {"tags", HEALTH_NOTE, "no IAM tag records: tags of roles and users are unknown",
                               NULL},
};

static void check_signal(struct health *h, const struct signal *s, enum signal_kind kind)
{
	char old[WHEN_LENGTH_SIZE], ago[WHEN_LENGTH_SIZE], when[WHEN_SIZE];
	bool late = s->state == SIGNAL_STALE || s->state == SIGNAL_SILENT;
	if (!s->event_ms) {
		add_finding(h, effects[kind].when_silent, effects[kind].what, "%s", effects[kind].missing);
		return;
	}
	when_format_age(h->now_ms - s->event_ms, old);
	when_format_age(h->now_ms - s->arrived_ms, ago);
	when_format(s->event_ms, when);
	add_finding(h, late ? effects[kind].when_silent : HEALTH_OK, effects[kind].what,
	            "newest of %s (%s old), last received %s ago%s%s", when, old, ago,
	            s->state == SIGNAL_SILENT  ? ": silent; "
	            : s->state == SIGNAL_STALE ? ": stale, since what arrives is old (a backlog or a backfill); "
	                                       : "",
	            late ? effects[kind].silent : "");
}

static bool check_signals(struct health *h, struct err *err)
{
	struct freshness f;
	char when[WHEN_SIZE];
	if (!freshness_read(&f, h->redis, view_prefix(h->view), h->now_ms, err))
		return false;
	if (f.stale_since_ms)
		add_finding(
			h, HEALTH_WARN, "stale",
			"figures end at %s: no call and no metric is newer, so later hours are not known to be free",
			when_format(f.stale_since_ms, when));
	bool tags_read = false;
	if (!source_health_reads_tags(h->redis, h->conf, &tags_read, err))
		return false;
	for (int i = 0; i < SIGNALS; i++)
		if (i != SIGNAL_PRINCIPAL_TAGS || f.signals[i].event_ms || !tags_read) // else the source says so
			check_signal(h, &f.signals[i], (enum signal_kind)i);
	return true;
}

// ---- figures ------------------------------------------------------------------------------------

// The files as the daemon would load them now.
static void check_prices(struct health *h)
{
	struct err err = ERR_INIT;
	struct prices *p;
	if (!prices_load(&p, h->conf, &err)) {
		add_finding(h, HEALTH_FAIL, "prices",
		            "%s; a running daemon keeps its prices, and cannot start again with these", err.msg);
		return;
	}
	size_t n = prices_count(p);
	if (n == 1 && strcmp(prices_source(p, 0).name, "builtin") == 0)
		add_finding(h, HEALTH_OK, "prices",
		            "only the built-in ones; `nowcast price update` downloads AWS's current list");
	else
		add_finding(h, HEALTH_OK, "prices", "%zu price file%s; `nowcast price check` lists them", n,
		            text_s((int64_t)n));
	prices_free(p);
}

// How old the newest list of prices is, and which models of today came after it: those that are in none.
static void check_price_age(struct health *h, const char *newcomers)
{
	enum { DAY_MS = 86400000, OLD_DAYS = 45 };
	struct err err = ERR_INIT;
	struct prices *p;
	struct price_source s;
	int64_t ms;
	char when[WHEN_SIZE];
	if (!prices_load(&p, h->conf, &err))
		return; // check_prices has said so
	if (prices_newest(p, &s, &ms)) {
		int64_t days = (h->now_ms - ms) / DAY_MS;
		days = days > 0 ? days : 0;
		add_finding(h,
		            *newcomers        ? HEALTH_WARN
		            : days > OLD_DAYS ? HEALTH_NOTE
		                              : HEALTH_OK,
		            "price age", "the newest price list is %" PRId64 " day%s old (%s, %.10s)%s%s%s", days,
		            text_s(days), s.name, when_format(ms, when),
		            *newcomers ? "; models called today that are in no list: " : "", newcomers,
		            *newcomers || days > OLD_DAYS
		                ? "; `nowcast price update` or prices.update = daily brings AWS's"
		                : "");
	}
	prices_free(p);
}

static bool check_unpriced(struct health *h, struct err *err)
{
	enum { DAY_MS = 86400000 };
	struct buf key = BUF_INIT, newcomers = BUF_INIT;
	char today[32];
	snprintf(today, sizeof today, "%" PRId64, h->now_ms / DAY_MS * DAY_MS);
	key_unpriced(&key, view_prefix(h->view));
	redis_cmdz(h->redis, "HGETALL", key.data, NULL);
	buf_clear(&key);
	key_unpriced_seen(&key, view_prefix(h->view));
	redis_cmdz(h->redis, "ZRANGE", key.data, today, "+inf", "BYSCORE", NULL);
	buf_release(&key);
	if (!redis_exec(h->redis, err))
		return false;
	redis_sort_fields(h->redis, 0);
	for (size_t i = 0; i + 1 < redis_len(h->redis, 0); i += 2) {
		struct str model = redis_elem(h->redis, 0, i), why = redis_elem(h->redis, 0, i + 1);
		add_finding(h, HEALTH_WARN, "prices", "%.*s is unpriced: %.*s", STR_ARG(model), STR_ARG(why));
		for (size_t k = 0; str_is(why, price_miss_text(MISS_MODEL)) && k < redis_len(h->redis, 1); k++)
			if (str_eq(redis_elem(h->redis, 1, k), model))
				buf_addf(&newcomers, "%s%.*s", newcomers.len ? ", " : "", STR_ARG(model));
	}
	if (redis_len(h->redis, 0) == 0)
		add_finding(h, HEALTH_OK, "prices", "every model that was called has a price");
	check_price_age(h, newcomers.len ? newcomers.data : "");
	buf_release(&newcomers);
	return true;
}

// How wide the bands of the last day are, in the mean over callers and hours.
static void check_bands(struct health *h, const struct last_day_sum *day)
{
	char basis[GROUP_BASIS_SIZE], usd[USD_SIZE], scaled[96] = "";
	const struct group *all = &day->all;
	if (all->usd.pico <= 0)
		return;
	int scale = view_band_scale(h->view);
	if (scale != BAND_SCALE_ONE)
		snprintf(scaled, sizeof scaled,
		         "; bands are %d.%02d times what the method says, as learned from the bill",
		         scale / BAND_SCALE_ONE, scale % BAND_SCALE_ONE / 10);
	bool uncertain = 4 * all->usd_provisional.pico > all->usd.pico;
	add_finding(h, uncertain ? HEALTH_WARN : HEALTH_OK, "bands",
	            "the last 24 hours: $%s, %s; the band of a caller's hour is %d %% wide in the mean%s%s",
	            usd_format(all->usd, 2, usd), group_basis(all, basis),
	            (int)(100 * day->width.pico / all->usd.pico), scaled,
	            uncertain ? ": much is provisional; see which signal above is missing or silent" : "");
}

// What is declared about the TTL of cache writes, and was billed otherwise.
static void note_contradicted(struct health *h, struct str period, struct str number, struct str dollars)
{
	int64_t n;
	struct usd usd;
	char text[USD_SIZE];
	if (usd_parse_scaled(number, 0, &n) && n > 0 && usd_parse_pico(dollars, &usd))
		add_finding(
			h, HEALTH_WARN, "cache_ttl",
			"the bill of %.*s contradicts %lld declared TTL%s of cache writes, by $%s: `nowcast reconcile` "
			"lists them; mend them, or take them out, and the bill's shares are used",
			STR_ARG(period), (long long)n, text_s(n), usd_format(usd, 2, text));
}

// Whether the newest bill has names that match no model that was called, or contradicts what was declared.
static bool check_bill(struct health *h, struct err *err)
{
	struct buf key = BUF_INIT, newest = BUF_INIT;
	char text[USD_SIZE];
	struct usd usd = USD_ZERO;
	int64_t names = 0;
	bool known = false; // no: it was reconciled by an earlier version
	key_reconcile_periods(&key, view_prefix(h->view));
	redis_cmdz(h->redis, "SMEMBERS", key.data, NULL);
	bool good = redis_exec(h->redis, err);
	for (size_t i = 0; good && i < redis_len(h->redis, 0); i++)
		if (str_cmp(redis_elem(h->redis, 0, i), buf_str(&newest)) > 0) {
			buf_clear(&newest);
			buf_addstr(&newest, redis_elem(h->redis, 0, i));
		}
	if (good && newest.len) {
		buf_clear(&key);
		key_reconcile_period(&key, view_prefix(h->view), buf_str(&newest));
		redis_cmdz(h->redis, "HMGET", key.data, "unmatched", "unmatched_usd", "ttl_contradicted",
		           "ttl_contradicted_usd", NULL);
		good = redis_exec(h->redis, err);
		known = good && usd_parse_scaled(redis_elem(h->redis, 0, 0), 0, &names) &&
		        usd_parse_pico(redis_elem(h->redis, 0, 1), &usd);
		if (good)
			note_contradicted(h, buf_str(&newest), redis_elem(h->redis, 0, 2), redis_elem(h->redis, 0, 3));
	}
	if (known && names)
		add_finding(
			h, HEALTH_NOTE, "bill",
			"%lld name%s in the bill of %s, for $%s, %s no model that was called: `nowcast reconcile` lists them; "
			"a line name,model in names.csv of prices.dir says which model a name means",
			(long long)names, text_s(names), newest.data, usd_format(usd, 2, text),
			names == 1 ? "matches" : "match");
	else if (known)
		add_finding(h, HEALTH_OK, "bill", "every name in the bill of %s matches a model that was called",
		            newest.data);
	buf_release(&key);
	buf_release(&newest);
	return good;
}

// The file as it is now. A program that runs keeps the former one while this one is not good.
static void check_mapping(struct health *h)
{
	struct mapping *m;
	struct err err = ERR_INIT;
	if (!mapping_load(&m, h->conf, &err))
		add_finding(h, HEALTH_FAIL, "map", "%s; a program that runs keeps what the file said before",
		            err.msg);
	else if (m)
		add_finding(h, HEALTH_OK, "map", "%s has %d lines", h->conf->map_file, mapping_nlines(m));
	mapping_free(m);
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
			add_finding(
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
	add_finding(h, HEALTH_OK, "figures", "%zu account/region pair%s; %lld model-hour%s to be computed%s",
	            nacct_regions, text_s((int64_t)nacct_regions), (long long)due, text_s(due),
	            due ? ", by a worker or the next replay" : "");
	if (late)
		add_finding(
			h, HEALTH_NOTE, "late",
			"%lld record%s came after the hour had left the window, not counted then: `nowcast replay --reopen` of their files counts them",
			(long long)late, text_s(late));
}

static bool check_backlog(struct health *h, struct err *err)
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

// Those of the last month. A quotation costs nobody anything, and what stopped to come is only worth a note.
static bool check_dead_letters(struct health *h, struct err *err)
{
	struct err place = ERR_INIT;
	struct dead_letter_count counts[FAULT_KINDS];
	const int64_t day = 24 * MS_PER_HOUR;
	char ago[WHEN_LENGTH_SIZE];
	int shown = 0;
	if (*h->conf->dead_letter_file &&
	    !dead_letter_file_check(h->conf->dead_letter_file, h->conf->dead_letter_file_max, &place))
		add_finding(h, HEALTH_FAIL, "dead", "%s", place.msg);
	if (!dead_letter_counts_read(h->redis, view_prefix(h->view), counts, err))
		return false;
	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		int64_t age = h->now_ms - counts[kind].last_ms;
		if (!counts[kind].n || age > 30 * day)
			continue;
		bool lost = kind != FAULT_QUOTED && age < day;
		add_finding(h, lost ? HEALTH_WARN : HEALTH_NOTE, "dead",
		            "%lld dead letter%s `%s`, the last %s ago: %s", (long long)counts[kind].n,
		            text_s(counts[kind].n), fault_word((enum fault_kind)kind),
		            when_format_age(age, ago), fault_advice((enum fault_kind)kind));
		shown++;
	}
	if (!shown)
		add_finding(h, HEALTH_OK, "dead", "no dead letters in the last 30 days");
	return true;
}

// What callers tell of their own calls: how much of it was used, and what was not.
static bool check_telemetry(struct health *h, const struct telemetry_calls *calls, struct err *err)
{
	const int64_t span = BUCKET_HOURS * MS_PER_HOUR;
	int64_t unused[TELEMETRY_UNUSED];
	struct telemetry_waiting waiting;
	if (!telemetry_counts_read(h->redis, view_prefix(h->view), unused, err) ||
	    !telemetry_waiting_read(h->redis, view_prefix(h->view), h->now_ms - 24 * MS_PER_HOUR - span,
	                            h->now_ms - span - MS_PER_HOUR, &waiting, err))
		return false;
	if (calls->used || calls->unjoined || waiting.old || waiting.recent)
		add_finding(
			h, 10 * (calls->refused + calls->unjoined + waiting.old) > calls->used ? HEALTH_NOTE : HEALTH_OK,
			"telemetry",
			"of the last 24 hours: %lld call%s with telemetry; of these %lld exceeded the metric and were refused; %lld "
			"that fit no call or several; by request id %lld of calls that did not come, %lld of calls that may still come",
			(long long)calls->used, text_s(calls->used), (long long)calls->refused, (long long)calls->unjoined,
			(long long)waiting.old, (long long)waiting.recent);
	for (int why = 0; why < TELEMETRY_UNUSED; why++)
		if (unused[why])
			add_finding(h, HEALTH_NOTE, "telemetry", "%lld not used (`%s`): %s", (long long)unused[why],
			            telemetry_unused_word((enum telemetry_unused)why),
			            telemetry_unused_advice((enum telemetry_unused)why));
	return true;
}

static void add_kafka_gap(struct health *h, const struct gap_seen *seen)
{
	const struct gap *g = &seen->gap;
	char from[WHEN_SIZE], to[WHEN_SIZE];
	add_finding(
		h, HEALTH_WARN, "missing",
		"topic %s, partition %d: %lld messages (offsets %lld to %lld) from %s to %s are missing: %s. Bring them in with "
		"`nowcast replay` of the files of that time (the bucket of the trail has them); this line stays for 30 days",
		g->topic, g->partition, (long long)(g->to - g->from), (long long)g->from, (long long)(g->to - 1),
		g->from_ms ? when_format(g->from_ms, from) : "the beginning",
		g->to_ms ? when_format(g->to_ms, to) : when_format(seen->seen_ms, to),
		g->cause == GAP_RETENTION ? "Kafka deleted them before they were read"
								  : "Redis has lost them, and Kafka no longer has them");
}

static void add_aws_gap(struct health *h, const struct gap *g)
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	struct str place, source = gap_source(g, &place);
	add_finding(
		h, HEALTH_WARN, "missing",
		"%.*s of %.*s from %s to %s %s. Bring in what the files of that time have (a trail, invocation logs) with "
		"`nowcast replay`; the bill has its dollars; this line stays for 30 days",
		STR_ARG(source), STR_ARG(place), when_format(g->from_ms, from), when_format(g->to_ms, to),
		str_is(source, "logs") ? "may be missing: invocation logging was on before that time, and off after it"
		: g->cause == GAP_AWS_RETENTION
			? "is missing: AWS did not keep it until it was read"
			: "is not whole: CloudWatch did not give the values of some metrics (InternalError, or Forbidden)");
}

// What was brought by hand has no reader that would notice that it is gone.
static bool check_loss(struct health *h, struct err *err)
{
	struct loss loss;
	char seen[WHEN_SIZE], held[WHEN_SIZE];
	if (!positions_loss(h->redis, view_prefix(h->view), &loss, err))
		return false;
	if (loss.seen_ms)
		add_finding(
			h, HEALTH_WARN, "lost",
			"at %s Redis had lost what was written to it after %s. What Kafka and AWS's APIs still have is read again. "
			"What was brought by hand after that is gone: bring it again with `nowcast replay`, `tags`, `profiles` and "
			"`reconcile`. Give Redis persistence (appendonly yes); this line stays for 30 days",
			when_format(loss.seen_ms, seen),
			loss.held_ms ? when_format(loss.held_ms, held) : "the beginning");
	return true;
}

// What Kafka or AWS no longer had: the newest ones each, those of the last month.
static bool check_gaps(struct health *h, struct err *err)
{
	enum { SHOWN_MAX = 20 };
	struct arena arena = ARENA_INIT;
	struct gap_seen *gaps;
	size_t n, recent = 0;
	bool good = gaps_read(h->redis, view_prefix(h->view), &arena, &gaps, &n, err);
	for (; good && recent < n && h->now_ms - gaps[recent].seen_ms < 30 * 24LL * MS_PER_HOUR; recent++) {
		if (recent >= SHOWN_MAX)
			continue;
		if (gap_is_of_aws(&gaps[recent].gap))
			add_aws_gap(h, &gaps[recent].gap);
		else
			add_kafka_gap(h, &gaps[recent]);
	}
	if (recent > SHOWN_MAX)
		add_finding(h, HEALTH_WARN, "missing", "and %zu more of such gaps", recent - SHOWN_MAX);
	arena_release(&arena);
	return good;
}

static void warn_of_file(void *user, const char *key, const char *path)
{
	add_finding(user, HEALTH_WARN, "secrets",
	            "%s %s holds secrets, and every user of this machine can read it: chmod o-r", key, path);
}

// A rule that is none, and that there is no rule.
static void check_trust(struct health *h)
{
	struct err err = ERR_INIT;
	struct trust *trust;
	if (!trust_open(&trust, h->conf, &err)) {
		add_finding(h, HEALTH_FAIL, "trust", "%s", err.msg);
		return;
	}
	trust_close(trust);
	if (trust_has_rules(h->conf))
		add_finding(h, HEALTH_OK, "trust", "%zu rule%s of sources; accounts are %s", h->conf->ntrust,
		            text_s((int64_t)h->conf->ntrust),
		            h->conf->accounts_allowed.n || *h->conf->accounts_file ? "named"
		                                                                   : "not named: all count");
	else
		add_finding(
			h, HEALTH_NOTE, "trust",
			"every topic and file may carry everything, of every account: whoever can write to one is believed; "
			"trust.TOPIC and accounts.allowed say who may say what");
}

static void note_label_overflow(struct health *h, const struct overflow *f)
{
	char when[WHEN_SIZE];
	when_format(f->day * 24 * MS_PER_HOUR, when);
	if (f->kind == OVERFLOW_LABEL_KEYS)
		add_finding(
			h, HEALTH_NOTE, "metadata",
			"about %lld keys of request metadata of %.*s %.*s in %.*s were left out on %.10s, beyond meta.keys.max (%lld): name in meta.keys those you need",
			(long long)f->names, STR_ARG(f->account), STR_ARG(f->role), STR_ARG(f->region), when,
			(long long)h->conf->meta_keys_max);
	else
		add_finding(
			h, HEALTH_NOTE, "metadata",
			"about %lld values of %.*s of %.*s %.*s in %.*s have no row of their own on %.10s; they are in " OTHER_VALUES
			": raise meta.values.max (%lld) to see them, or leave the key out by meta.keys if each call has another",
			(long long)f->names, STR_ARG(f->label), STR_ARG(f->account), STR_ARG(f->role), STR_ARG(f->region),
			when, (long long)h->conf->meta_values_max);
}

static void check_overflow(void *user, const struct overflow *f)
{
	static const struct {
		const char *names, *others;
	} kinds[OVERFLOW_LABEL_KEYS] = {
		{"sessions", OTHER_SESSIONS}, {"users", OTHER_USERS}, {"models", MODEL_OTHERS_SHOWN}};
	struct health *h = user;
	const int64_t most[OVERFLOW_LABEL_KEYS] = {h->conf->sessions_max, h->conf->users_max,
	                                           h->conf->models_max};
	char when[WHEN_SIZE];
	if (f->kind >= OVERFLOW_LABEL_KEYS) {
		note_label_overflow(h, f);
		return;
	}
	const char *names = kinds[f->kind].names;
	add_finding(
		h, HEALTH_NOTE, names,
		"about %lld %s of %.*s%s%.*s in %.*s have no row of their own on %.10s; they are in %s: raise %s.max (%lld) to see their names",
		(long long)f->names, names, STR_ARG(f->account), f->role.len ? " " : "", STR_ARG(f->role),
		STR_ARG(f->region), when_format(f->day * 24 * MS_PER_HOUR, when), kinds[f->kind].others, names,
		(long long)most[f->kind]);
}

static bool check_last_day(struct health *h, struct last_day *kept, struct err *err)
{
	struct last_day_sum day;
	if (!last_day_read(kept, h->view, h->now_ms / MS_PER_HOUR, &day, err))
		return false;
	check_bands(h, &day);
	return check_telemetry(h, &day.telemetry, err);
}

void health_check(const struct conf *conf, struct view *view, int64_t now_ms, struct last_day *kept,
                  health_fn *report, void *user)
{
	struct err err = ERR_INIT;
	struct health h = {.conf = conf,
	                   .now_ms = now_ms,
	                   .view = view,
	                   .redis = view_redis(view),
	                   .report = report,
	                   .user = user};
	check_prices(&h);
	check_mapping(&h);
	check_trust(&h);
	secret_files_each_open(conf, warn_of_file, &h);
	if (!check_redis(&h, &err) || !check_signals(&h, &err) ||
	    !observed_health_check(h.redis, view_prefix(view), now_ms, report, user, &err) ||
	    !check_unpriced(&h, &err) || !check_backlog(&h, &err) || !check_dead_letters(&h, &err) ||
	    !check_gaps(&h, &err) || !check_loss(&h, &err) ||
	    !check_bill(&h, &err) || !check_last_day(&h, kept, &err) ||
	    !source_health_check(h.redis, conf, h.now_ms, report, user, &err) ||
	    !overflow_each(h.redis, view_prefix(view), check_overflow, &h, &err))
		add_finding(&h, HEALTH_FAIL, "redis", "%s", err.msg);
}

const char *health_word(enum health_level level)
{
	static const char *const words[HEALTH_LEVELS] = {"ok", "note", "warn", "FAIL"};
	assert(level >= HEALTH_OK && level < HEALTH_LEVELS);
	return words[level];
}
