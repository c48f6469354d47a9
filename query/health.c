// SPDX-License-Identifier: Apache-2.0
#include "query/health.h"

#include "base/secret_files.h"
#include "base/text.h"
#include "base/when.h"
#include "ingest/trust.h"
#include "pricing/model_id.h"
#include "query/health_parts.h"
#include "query/observed_health.h"
#include "query/source_health.h"
#include "store/cardinality.h"
#include "store/overflow.h"

// The file as it is now. A program that runs keeps the former one while this one is not good.
static void check_mapping(struct health *h)
{
	struct mapping *m;
	struct err err = ERR_INIT;
	if (!mapping_load(&m, h->conf, &err))
		health_add(h, HEALTH_FAIL, "map", "%s; a program that runs keeps what the file said before",
		            err.msg);
	else if (m)
		health_add(h, HEALTH_OK, "map", "%s has %d lines", h->conf->map_file, mapping_nlines(m));
	mapping_free(m);
}

static void warn_of_file(void *user, const char *key, const char *path)
{
	health_add(user, HEALTH_WARN, "secrets",
	            "%s %s holds secrets, and every user of this machine can read it: chmod o-r", key, path);
}

// A rule that is none, and that there is no rule.
static void check_trust(struct health *h)
{
	struct err err = ERR_INIT;
	struct trust *trust;
	if (!trust_open(&trust, h->conf, &err)) {
		health_add(h, HEALTH_FAIL, "trust", "%s", err.msg);
		return;
	}
	trust_close(trust);
	if (trust_has_rules(h->conf))
		health_add(h, HEALTH_OK, "trust", "%zu rule%s of sources; accounts are %s", h->conf->ntrust,
		            text_s((int64_t)h->conf->ntrust),
		            h->conf->accounts_allowed.n || *h->conf->accounts_file ? "named"
		                                                                   : "not named: all count");
	else
		health_add(
			h, HEALTH_NOTE, "trust",
			"every topic and file may carry everything, of every account: whoever can write to one is believed; "
			"trust.TOPIC and accounts.allowed say who may say what");
}

static void note_label_overflow(struct health *h, const struct overflow *f)
{
	char when[WHEN_SIZE];
	when_format(f->day * 24 * MS_PER_HOUR, when);
	if (f->kind == OVERFLOW_LABEL_KEYS)
		health_add(
			h, HEALTH_NOTE, "metadata",
			"about %lld keys of request metadata of %.*s %.*s in %.*s were left out on %.10s, beyond meta.keys.max (%lld): name in meta.keys those you need",
			(long long)f->names, STR_ARG(f->account), STR_ARG(f->role), STR_ARG(f->region), when,
			(long long)h->conf->meta_keys_max);
	else
		health_add(
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
	health_add(
		h, HEALTH_NOTE, names,
		"about %lld %s of %.*s%s%.*s in %.*s have no row of their own on %.10s; they are in %s: raise %s.max (%lld) to see their names",
		(long long)f->names, names, STR_ARG(f->account), f->role.len ? " " : "", STR_ARG(f->role),
		STR_ARG(f->region), when_format(f->day * 24 * MS_PER_HOUR, when), kinds[f->kind].others, names,
		(long long)most[f->kind]);
}

void health_check(const struct conf *conf, struct view *view, int64_t now_ms, struct last_day *day,
                  struct prices_kept *prices, health_fn *report, void *user)
{
	struct err err = ERR_INIT;
	struct health h = {.conf = conf,
	                   .now_ms = now_ms,
	                   .view = view,
	                   .redis = view_redis(view),
	                   .prices = prices,
	                   .report = report,
	                   .user = user};
	health_check_prices(&h);
	check_mapping(&h);
	check_trust(&h);
	secret_files_each_open(conf, warn_of_file, &h);
	if (!health_check_redis(&h, &err) || !health_check_signals(&h, &err) ||
	    !observed_health_check(h.redis, view_prefix(view), now_ms, report, user, &err) ||
	    !health_check_unpriced(&h, &err) || !health_check_backlog(&h, &err) ||
	    !health_check_dead_letters(&h, &err) || !health_check_gaps(&h, &err) ||
	    !health_check_loss(&h, &err) || !health_check_bill(&h, &err) ||
	    !health_check_last_day(&h, day, &err) ||
	    !source_health_check(h.redis, conf, h.now_ms, report, user, &err) ||
	    !overflow_each(h.redis, view_prefix(view), check_overflow, &h, &err))
		health_add(&h, HEALTH_FAIL, "redis", "%s", err.msg);
}
