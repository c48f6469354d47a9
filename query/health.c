// SPDX-License-Identifier: Apache-2.0
#include "query/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/when.h"
#include "ingest/kafka_probe.h"
#include "pricing/model_id.h"
#include "pricing/prices.h"
#include "query/group.h"
#include "store/cardinality.h"
#include "store/keys.h"
#include "store/overflow.h"
#include "store/redis.h"
#include "store/schema.h"
#include "store/view.h"

enum { KAFKA_TIMEOUT_MS = 5000, SKEW_MAX_MS = 5000, BEHIND_NOTE = 100000 };

struct health {
	const struct conf *conf;
	struct view *view;
	struct redis *redis;
	int64_t now_ms;
	health_fn *tell;
	void *user;
};

static void say(struct health *d, enum health_level level, const char *what, const char *fmt, ...)
	NC_PRINTF(4, 5);
static void say(struct health *d, enum health_level level, const char *what, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	d->tell(d->user, level, what, text.data);
	buf_release(&text);
}

// "3 min", "2 h", "5 d"
static char *age(int64_t ms, char *buf, size_t n)
{
	if (ms < 0)
		ms = 0;
	if (ms < 2 * MS_PER_MINUTE)
		snprintf(buf, n, "%lld s", (long long)(ms / 1000));
	else if (ms < 2 * MS_PER_HOUR)
		snprintf(buf, n, "%lld min", (long long)(ms / MS_PER_MINUTE));
	else if (ms < 48LL * MS_PER_HOUR)
		snprintf(buf, n, "%lld h", (long long)(ms / MS_PER_HOUR));
	else
		snprintf(buf, n, "%lld days", (long long)(ms / (24 * MS_PER_HOUR)));
	return buf;
}

// ---- Redis --------------------------------------------------------------------------------------

// The value of "name:value" in the answer to INFO.
static struct str info_field(struct str info, const char *name)
{
	while (info.len) {
		struct str line = str_cut(&info, '\n'), key = str_cut(&line, ':');
		if (str_is(key, name))
			return line.len && line.p[line.len - 1] == '\r' ? (struct str){line.p, line.len - 1} : line;
	}
	return STR("");
}

static int64_t info_number(struct str info, const char *name)
{
	char text[32] = "";
	struct str s = info_field(info, name);
	memcpy(text, s.p, s.len < sizeof text - 1 ? s.len : sizeof text - 1);
	return strtoll(text, NULL, 10);
}

static void check_version(struct health *d, struct str info)
{
	struct str version = info_field(info, "redis_version"), valkey = info_field(info, "valkey_version"),
			   shown = valkey.len ? valkey : version;
	int major = 0, minor = 0;
	sscanf(version.len ? version.p : "0.0", "%d.%d", &major, &minor);
	if (major < 6 || (major == 6 && minor < 2))
		say(d, HEALTH_FAIL, "redis", "version %.*s at %s; nowcast needs Redis 7, or Valkey", STR_ARG(version),
		    redis_where(d->redis));
	else
		say(d, HEALTH_OK, "redis", "%s %.*s at %s", valkey.len ? "Valkey" : "Redis", STR_ARG(shown),
		    redis_where(d->redis));
}

static void check_memory(struct health *d, struct str info)
{
	struct str policy = info_field(info, "maxmemory_policy");
	int64_t used = info_number(info, "used_memory"), max = info_number(info, "maxmemory");
	if (max && !str_is(policy, "noeviction"))
		say(d, HEALTH_WARN, "redis",
		    "maxmemory-policy is %.*s: Redis may throw figures away; set it to noeviction", STR_ARG(policy));
	if (max && used > max / 10 * 9)
		say(d, HEALTH_WARN, "redis",
		    "%lld of %lld MB are used: raise maxmemory, or shorten window or retention",
		    (long long)(used >> 20), (long long)(max >> 20));
	else
		say(d, HEALTH_OK, "redis", "%lld MB used%s", (long long)(used >> 20),
		    max ? "" : ", no maxmemory set");
	if (info_number(info, "aof_enabled") == 0 && info_number(info, "rdb_last_save_time") == 0)
		say(d, HEALTH_NOTE, "redis", "no persistence: what Redis forgets must be replayed");
}

static void check_clock(struct health *d)
{
	int64_t redis_ms = strtoll(redis_elem(d->redis, 1, 0).p, NULL, 10) * 1000 +
	                   strtoll(redis_elem(d->redis, 1, 1).p, NULL, 10) / 1000;
	int64_t skew = redis_ms - d->now_ms;
	if (skew > SKEW_MAX_MS || skew < -SKEW_MAX_MS)
		say(d, HEALTH_WARN, "clock",
		    "Redis and this machine differ by %lld s: one of the clocks is wrong, and with it what counts as late or as future",
		    (long long)(skew / 1000));
	else
		say(d, HEALTH_OK, "clock", "Redis and this machine agree");
}

static bool check_schema(struct health *d, struct err *err)
{
	int64_t version;
	bool old_keys;
	if (!schema_read(d->redis, view_prefix(d->view), &version, &old_keys, err))
		return false;
	if (version == SCHEMA_NONE)
		say(d, HEALTH_NOTE, "schema", "no figures yet; they will have schema %d", SCHEMA_VERSION);
	else if (old_keys)
		say(d, HEALTH_WARN, "schema",
		    "a nowcast of schema %d has written since `nowcast migrate`: stop it, and run `nowcast migrate` again",
		    SCHEMA_UNVERSIONED);
	else
		say(d, HEALTH_OK, "schema", "keys and values have schema %d", SCHEMA_VERSION);
	return true;
}

static bool check_redis(struct health *d, struct err *err)
{
	redis_cmdz(d->redis, "INFO", NULL);
	redis_cmdz(d->redis, "TIME", NULL);
	if (!redis_exec(d->redis, err))
		return false;
	check_version(d, redis_str(d->redis, 0));
	check_memory(d, redis_str(d->redis, 0));
	check_clock(d);
	return check_schema(d, err);
}

// ---- Kafka --------------------------------------------------------------------------------------

static void on_topic(void *user, const struct kafka_topic *t)
{
	struct health *d = user;
	if (t->fault)
		say(d, HEALTH_WARN, "kafka", "topic %s: %s", t->name, t->fault);
	else if (t->messages == 0)
		say(d, HEALTH_WARN, "kafka", "topic %s is empty: is anything written to it?", t->name);
	else if (!t->committed)
		say(d, HEALTH_NOTE, "kafka",
		    "topic %s: %lld messages in %d partitions, none read yet by group %s (nowcast run reads them)",
		    t->name, (long long)t->messages, t->partitions, d->conf->group);
	else
		say(d, t->behind > BEHIND_NOTE ? HEALTH_NOTE : HEALTH_OK, "kafka",
		    "topic %s: group %s is %lld messages behind in %d partitions%s", t->name, d->conf->group,
		    (long long)t->behind, t->partitions,
		    t->behind > BEHIND_NOTE ? " (more workers read more partitions)" : "");
}

void health_check_kafka(const struct conf *conf, health_fn *tell, void *user)
{
	struct health d = {.conf = conf, .tell = tell, .user = user};
	struct err err = ERR_INIT;
	if (!*d.conf->brokers) {
		say(&d, HEALTH_NOTE, "kafka", "not configured (brokers, topics): replay works, run does not");
		return;
	}
	if (!kafka_probe(d.conf, KAFKA_TIMEOUT_MS, on_topic, &d, &err))
		say(&d, HEALTH_FAIL, "kafka", "%s", err.msg);
}

// ---- signals ------------------------------------------------------------------------------------

struct signal {
	const char *name, *label;
	int64_t quiet_ms;      // silent for longer is worth a word; 0: whenever it never came
	enum health_level when_silent;
	const char *missing;   // what its absence does
	const char *silent;    // what it does since it is silent; NULL: never said
};

static const struct signal signals[] = {
	{"call", "calls", MS_PER_HOUR, HEALTH_WARN,
     "no CloudTrail record of a Bedrock call: nothing can be attributed (an EventBridge rule needs ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS)",
     "what the metrics show since then is (unattributed)"},
	{"metric", "metrics", 30 * MS_PER_MINUTE, HEALTH_WARN,
     "no CloudWatch token metric: tokens that CloudTrail does not tell are guessed, and stay provisional, with bands from nothing to twice the figure",
     "calls since then are provisional: what such calls usually take, with bands from nothing to twice that"},
	{"call_tokens", "tokens", 0, HEALTH_NOTE,
     "no stream-completion records and no invocation logs: tokens of streams are allocated from the metrics, and bands are as wide as that",
     NULL},
	{"session_tags", "sessions", 0, HEALTH_NOTE,
     "no STS records: session tags (teams and users behind a shared role) are unknown", NULL},
	{"principal_tags", "tags", 0, HEALTH_NOTE, "no IAM tag records: tags of roles and users are unknown",
     NULL},
};

static void check_signal(struct health *d, const struct signal *s, size_t reply)
{
	char old[24], ago[24], when[WHEN_SIZE];
	if (redis_nil(d->redis, reply)) {
		say(d, s->when_silent, s->label, "%s", s->missing);
		return;
	}
	int64_t event = redis_int(d->redis, reply), arrived = redis_int(d->redis, reply + 1);
	age(d->now_ms - event, old, sizeof old);
	age(d->now_ms - arrived, ago, sizeof ago);
	bool silent = s->quiet_ms && d->now_ms - arrived > s->quiet_ms;
	say(d, silent ? s->when_silent : HEALTH_OK, s->label, "newest of %s (%s old), last heard %s ago%s%s",
	    when_format(event, when), old, ago, silent ? ": silent; " : "", silent ? s->silent : "");
}

static bool check_signals(struct health *d, struct err *err)
{
	struct buf key = BUF_INIT, member = BUF_INIT;
	size_t n = sizeof signals / sizeof *signals;
	key_signals(&key, view_prefix(d->view));
	for (size_t i = 0; i < n; i++) {
		buf_clear(&member);
		buf_addf(&member, "%s:arrived", signals[i].name);
		redis_cmdz(d->redis, "ZSCORE", key.data, signals[i].name, NULL);
		redis_cmdz(d->redis, "ZSCORE", key.data, member.data, NULL);
	}
	buf_release(&key);
	buf_release(&member);
	if (!redis_exec(d->redis, err))
		return false;
	for (size_t i = 0; i < n; i++)
		check_signal(d, &signals[i], 2 * i);
	return true;
}

// ---- figures ------------------------------------------------------------------------------------

// The files as the daemon would load them now.
static void check_prices(struct health *d)
{
	struct err err = ERR_INIT;
	struct prices *p;
	if (!prices_load(&p, d->conf, &err)) {
		say(d, HEALTH_FAIL, "prices",
		    "%s; a daemon that runs keeps the ones it has, and does not start again with these", err.msg);
		return;
	}
	size_t n = prices_count(p);
	if (n == 1 && strcmp(prices_source(p, 0).name, "builtin") == 0)
		say(d, HEALTH_OK, "prices",
		    "the built-in ones alone; `nowcast price update` brings AWS's list of today");
	else
		say(d, HEALTH_OK, "prices", "%zu price files; `nowcast price check` lists them", n);
	prices_free(p);
}

static bool check_unpriced(struct health *d, struct err *err)
{
	struct buf key = BUF_INIT;
	key_unpriced(&key, view_prefix(d->view));
	redis_cmdz(d->redis, "HGETALL", key.data, NULL);
	buf_release(&key);
	if (!redis_exec(d->redis, err))
		return false;
	for (size_t i = 0; i + 1 < redis_len(d->redis, 0); i += 2) {
		struct str model = redis_elem(d->redis, 0, i), why = redis_elem(d->redis, 0, i + 1);
		say(d, HEALTH_WARN, "prices", "%.*s is unpriced: %.*s", STR_ARG(model), STR_ARG(why));
	}
	if (redis_len(d->redis, 0) == 0)
		say(d, HEALTH_OK, "prices", "every model that was called has a price");
	return true;
}

// How sure the figures of the last day are, in the mean over callers and hours.
static bool check_bands(struct health *d, struct err *err)
{
	struct grouping by;
	struct groups g;
	struct group all = {0};
	struct usd width = USD_ZERO;
	char basis[GROUP_BASIS_SIZE], usd[USD_SIZE], scaled[96] = "";
	int64_t now = d->now_ms / MS_PER_HOUR;
	if (!grouping_parse(&by, STR("hour,principal"), STR_NONE, err))
		return false;
	groups_init(&g, &by);
	bool good = view_each(d->view, now - 23, now + 1, groups_add, &g, err);
	for (int32_t i = 0; i < g.n; i++) {
		group_add(&all, &g.list[i]);
		width = usd_add(width, usd_sub(g.list[i].usd_high, g.list[i].usd_low));
	}
	groups_release(&g);
	if (!good || all.usd.pico <= 0)
		return good;
	int scale = view_band_scale(d->view);
	if (scale != BAND_SCALE_ONE)
		snprintf(scaled, sizeof scaled,
		         "; bands are %d.%02d times what the method says, as the bill has shown",
		         scale / BAND_SCALE_ONE, scale % BAND_SCALE_ONE / 10);
	bool guessed = 4 * all.usd_provisional.pico > all.usd.pico;
	say(d, guessed ? HEALTH_WARN : HEALTH_OK, "bands",
	    "the last 24 hours: $%s, %s; the band of a caller's hour is %d %% wide in the mean%s%s",
	    usd_format(all.usd, 2, usd), group_basis(&all, basis), (int)(100 * width.pico / all.usd.pico), scaled,
	    guessed ? ": much is guessed, see which signal above is missing or silent" : "");
	return true;
}

static bool check_backlog(struct health *d, struct err *err)
{
	struct buf key = BUF_INIT;
	int64_t due = 0, late = 0;
	key_acct_regions(&key, view_prefix(d->view));
	redis_cmdz(d->redis, "SMEMBERS", key.data, NULL);
	if (!redis_exec(d->redis, err)) {
		buf_release(&key);
		return false;
	}
	size_t n = redis_len(d->redis, 0);
	char **acct_regions = xcalloc(n + 1, sizeof *acct_regions);
	for (size_t i = 0; i < n; i++)
		acct_regions[i] = xstrdup(redis_elem(d->redis, 0, i));
	for (size_t i = 0; i < n; i++) {
		key_due(&key, view_prefix(d->view), str_of(acct_regions[i]));
		redis_cmdz(d->redis, "ZCARD", key.data, NULL);
		key_late(&key, view_prefix(d->view), str_of(acct_regions[i]));
		redis_cmdz(d->redis, "HVALS", key.data, NULL);
		free(acct_regions[i]);
	}
	free(acct_regions);
	buf_release(&key);
	if (!redis_exec(d->redis, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		due += redis_int(d->redis, 2 * i);
		for (size_t k = 0; k < redis_len(d->redis, 2 * i + 1); k++)
			late += strtoll(redis_elem(d->redis, 2 * i + 1, k).p, NULL, 10);
	}
	say(d, HEALTH_OK, "figures", "%zu account/region pairs; %lld model-hours wait to be computed", n,
	    (long long)due);
	if (late)
		say(d, HEALTH_NOTE, "late",
		    "%lld records came after their hour had left the window, and were not counted: lengthen window if that matters",
		    (long long)late);
	return true;
}

static void report_overflow(void *user, const struct overflow *f)
{
	static const struct {
		const char *names, *others;
	} kinds[OVERFLOW_KINDS] = {
		{"sessions", OTHER_SESSIONS}, {"users", OTHER_USERS}, {"models", MODEL_OTHERS_SHOWN}};
	struct health *d = user;
	const int64_t most[OVERFLOW_KINDS] = {d->conf->sessions_max, d->conf->users_max, d->conf->models_max};
	const char *names = kinds[f->kind].names;
	char when[WHEN_SIZE];
	say(d, HEALTH_NOTE, names,
	    "about %lld %s of %.*s%s%.*s in %.*s have no row of their own on %.10s, they are %s: raise %s.max (%lld) to see their names",
	    (long long)f->names, names, STR_ARG(f->account), f->role.len ? " " : "", STR_ARG(f->role),
	    STR_ARG(f->region), when_format(f->day * 24 * MS_PER_HOUR, when), kinds[f->kind].others, names,
	    (long long)most[f->kind]);
}

void health_check(const struct conf *conf, struct view *view, health_fn *tell, void *user)
{
	struct err err = ERR_INIT;
	struct health d = {.conf = conf,
	                   .now_ms = when_now_ms(),
	                   .view = view,
	                   .redis = view_redis(view),
	                   .tell = tell,
	                   .user = user};
	check_prices(&d);
	if (!check_redis(&d, &err) || !check_signals(&d, &err) || !check_unpriced(&d, &err) ||
	    !check_backlog(&d, &err) || !check_bands(&d, &err) ||
	    !overflow_each(d.redis, view_prefix(view), report_overflow, &d, &err))
		say(&d, HEALTH_FAIL, "redis", "%s", err.msg);
}

const char *health_word(enum health_level level)
{
	static const char *const words[] = {"ok", "note", "warn", "FAIL"};
	return words[level];
}
