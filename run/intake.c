// SPDX-License-Identifier: Apache-2.0
#include "run/intake.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/when.h"
#include "ingest/trust.h"

enum { WORK_FACTOR_MIN = 3 }; // to inflate and to parse a message of the largest size, and a part of it again

static void add_letter(struct intake *in, enum fault_kind kind, int index, struct str part,
                       const char *reason)
{
	struct dead_letter letter = {
		.origin = in->origin, .kind = kind, .index = index, .reason = reason, .data = part};
	dead_letters_add(&in->dead, &letter);
}

static void on_decode_fault(void *user, enum fault_kind kind, int index, struct str part, const char *reason)
{
	struct intake *in = user;
	engine_count_fault(in->engine, kind);
	if (in->message.len && decoder_is_carried(in->decoder))
		part = in->message; // a part without them would be a way around the rules of trust
	if (part.p && part.p == in->message.p && part.len == in->message.len) {
		if (in->message_is_dead)
			return;
		in->message_is_dead = true;
	}
	add_letter(in, kind, index, part, reason);
}

// A record that was decoded and still does not count has no text of its own any more, so its message becomes
// the dead letter: once, however many of its records are refused, for replaying it brings all of them. The
// message also has the wrappers that say who wrote it. Each record is counted.
static void refuse_record(struct intake *in, enum fault_kind kind, const char *reason)
{
	in->refused++;
	in->refused_for[kind]++;
	engine_count_fault(in->engine, kind);
	if (!in->message_is_dead)
		add_letter(in, kind, in->index, in->message, reason);
	in->message_is_dead = true;
}

static void on_implausible(void *user, const char *why)
{
	refuse_record(user, FAULT_IMPLAUSIBLE, why);
}

static void on_record(void *user, const struct record *record)
{
	struct intake *in = user;
	struct err err = ERR_INIT;
	enum fault_kind kind;
	in->index = record->index;
	if (record->kind == RECORD_TELEMETRY && !trust_expects_telemetry(in->trust))
		engine_count_telemetry(in->engine, TELEMETRY_UNLISTED);
	else if (!trust_allows(in->trust, &in->origin, record, &kind, &err))
		refuse_record(in, kind, err.msg);
	else if (engine_add(in->engine, record, &err))
		return;
	else if (err.kind == ERR_SKIP)
		refuse_record(in, FAULT_REFUSED, err.msg);
	else if (in->failed.kind == ERR_NONE)
		in->failed = err;
}

static void on_unpriced(void *user, struct str model, const char *why)
{
	char *name = xstrdup(model);
	(void)user;
	log_warn("tokens without a price: they are counted and shown as unpriced", LOG_STR("model", name),
	         LOG_STR("why", why));
	free(name);
}

static void on_shards(void *user, struct str acct_region, int held, int configured)
{
	char *name = xstrdup(acct_region);
	(void)user;
	log_warn("Redis has another number of shards than `shards` says, which stays (docs/operations.md, Shards)",
	         LOG_STR("account/region", name), LOG_INT("redis", held), LOG_INT("configured", configured));
	free(name);
}

static void on_forgotten(void *user)
{
	struct intake *in = user;
	in->forgotten++;
	log_error(
		"Redis has lost what was written to it. What Kafka and AWS's APIs still have is read again; what `nowcast replay` "
		"brought must be replayed. Give Redis persistence (appendonly yes)");
}

// What is known of an hour is not kept longer than its figures.
static int64_t reopen_ms(const struct conf *c)
{
	int64_t most = c->retention_ms - c->window_ms;
	return c->reopen_ms < most ? c->reopen_ms : most;
}

static struct engine_options options_of(const struct conf *c)
{
	return (struct engine_options){
		.redis = redis_target_of(c),
		.window_ms = c->window_ms,
		.reopen_ms = reopen_ms(c),
		.retention_ms = c->retention_ms,
		.settle_ms = c->settle_interval_ms,
		.future_ms = c->future_ms,
		.lookback_minutes = (int)(c->lookback_ms / 60000),
		.learn_hours = (int)c->learn_hours,
		.sessions_max = (int)c->sessions_max,
		.users_max = (int)c->users_max,
		.models_max = (int)c->models_max,
		.acct_regions_max = (int)c->acct_regions_max,
		.shards = &c->shards,
		.label_keys_max = (int)c->meta_keys_max,
		.label_values_max = (int)c->meta_values_max,
		.meta_keys = &c->meta_keys,
		.telemetry_account = c->telemetry_account,
		.telemetry_region = c->telemetry_region,
		.telemetry_without_cloudtrail = &c->telemetry_without_cloudtrail,
		.telemetry_roles = &c->telemetry_roles,
		.on_unpriced = on_unpriced,
		.on_shards = on_shards,
		.on_forgotten = on_forgotten,
	};
}

bool intake_open(struct intake *in, const struct conf *conf, const struct prices *prices, size_t limit_bytes,
                 const struct kafka_hooks *hooks, const volatile sig_atomic_t *stop, struct err *err)
{
	struct engine_options options = options_of(conf);
	options.prices = prices;
	options.on_implausible = on_implausible;
	options.user = in;
	options.stop = stop;
	struct decode_limits limits = {.message_bytes = limit_bytes,
	                               .depth = (int)conf->unwrap_depth,
	                               .work_bytes = (size_t)conf->unwrap_work};
	if (limits.work_bytes < WORK_FACTOR_MIN * limit_bytes)
		limits.work_bytes = WORK_FACTOR_MIN * limit_bytes;
	*in = (struct intake){.conf = conf};
	dead_letters_init(&in->dead, conf, hooks != NULL, hooks);
	bool good = trust_open(&in->trust, conf, err) && pseudonyms_open(&in->pseudonyms, conf, err);
	options.pseudonyms = in->pseudonyms;
	if (!good || !engine_open(&in->engine, &options, err)) {
		intake_close(in);
		return false;
	}
	in->decoder = decoder_new(limits, on_record, on_decode_fault, in);
	return true;
}

void intake_close(struct intake *in)
{
	decoder_free(in->decoder);
	engine_close(in->engine);
	pseudonyms_close(in->pseudonyms);
	trust_close(in->trust);
	dead_letters_release(&in->dead);
	in->trust = NULL;
	in->decoder = NULL;
	in->engine = NULL;
	in->pseudonyms = NULL;
}

bool intake_prepare(struct intake *in, struct err *err)
{
	return engine_prepare(in->engine, err);
}

void intake_message(struct intake *in, const struct origin *origin, struct str data)
{
	in->origin = *origin;
	in->message = data;
	in->message_is_dead = false;
	decoder_message(in->decoder, data.p, data.len);
	in->message = STR_NONE;
}

void intake_fault(struct intake *in, const struct origin *origin, enum fault_kind kind, struct str data,
                  const char *reason)
{
	in->origin = *origin;
	in->refused++;
	on_decode_fault(in, kind, -1, data, reason);
}

void intake_track(struct intake *in, struct positions *p)
{
	engine_track(in->engine, p);
}

void intake_gap(struct intake *in, const struct gap *gap)
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	in->gap_messages += (uint64_t)(gap->to - gap->from);
	engine_add_gap(in->engine, gap);
	log_error(
		gap->cause == GAP_RETENTION
			? "Kafka deleted messages before they were read: replay the files of that time (nowcast replay)"
			: "Redis has lost messages that Kafka no longer has: replay the files of that time (nowcast replay)",
		LOG_STR("topic", gap->topic), LOG_INT("partition", gap->partition), LOG_INT("offset", gap->from),
		LOG_INT("messages", gap->to - gap->from),
		LOG_STR("since", gap->from_ms ? when_format(gap->from_ms, from) : "the beginning"),
		LOG_STR("until", gap->to_ms ? when_format(gap->to_ms, to) : "now"));
}

bool intake_is_empty(const struct intake *in)
{
	return in->failed.kind == ERR_NONE && in->dead.n == 0 && engine_pending_records(in->engine) == 0;
}

bool intake_is_full(const struct intake *in)
{
	return in->failed.kind != ERR_NONE ||
	       engine_pending_records(in->engine) >= (size_t)in->conf->batch_records ||
	       engine_pending_bytes(in->engine) + dead_letters_bytes(&in->dead) >= (size_t)in->conf->batch_bytes;
}

static void refresh_trust(struct intake *in)
{
	struct err err = ERR_INIT;
	if (!trust_refresh(in->trust, &err))
		log_error("the accounts that were read before stay in force", LOG_STR("why", err.msg));
}

bool intake_apply_facts(struct intake *in, struct err *err)
{
	refresh_trust(in);
	if (in->failed.kind != ERR_NONE) {
		*err = in->failed;
		return false;
	}
	return engine_apply(in->engine, err);
}

bool intake_store_letters(struct intake *in, struct err *err)
{
	return dead_letters_flush(&in->dead, err);
}

bool intake_has_many_letters(const struct intake *in)
{
	return dead_letters_bytes(&in->dead) >= (size_t)in->conf->batch_bytes / 2;
}

bool intake_apply(struct intake *in, struct err *err)
{
	return intake_apply_facts(in, err) && intake_store_letters(in, err);
}
