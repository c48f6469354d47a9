// SPDX-License-Identifier: Apache-2.0
// Which alerts are active; the rules in force, the silences, and what rang of late.
#include <assert.h>
#include <jansson.h>
#include <stdio.h>

#include "alert/keys.h"
#include "alert/rules.h"
#include "base/when.h"
#include "store/redis.h"
#include "web/api.h"

static void ask(struct redis *r, const char *prefix, enum alert_key key, const char *command,
                const char *first, const char *last)
{
	struct buf name = BUF_INIT;
	alert_key(&name, prefix, key);
	if (first)
		redis_cmdz(r, command, name.data, first, last, NULL);
	else
		redis_cmdz(r, command, name.data, NULL);
	buf_release(&name);
}

// Writes what is an object as it is stored. Other values are skipped.
static void write_stored(struct json_writer *j, struct str text)
{
	json_t *object = json_loadb(text.p, text.len, 0, NULL);
	if (json_is_object(object)) {
		jw_line(j);
		jw_raw(j, NULL, text);
	}
	json_decref(object);
}

// <prefix>:alerts is a hash of JSON objects, one for each active alert. They are written in the order of
// rule, group and period.
bool api_alerts(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	(void)q;
	ask(r, a->conf->redis_prefix, ALERT_KEY_UP, "HGETALL", NULL, NULL);
	if (!redis_exec(r, err))
		return false;
	redis_sort_fields(r, 0);
	jw_object(j, NULL);
	jw_array(j, "alerts");
	for (size_t i = 1; i < redis_len(r, 0); i += 2)
		write_stored(j, redis_elem(r, 0, i));
	jw_end(j);
	jw_end(j);
	return true;
}

// ---- rules, silences, history -------------------------------------------------------------------

// A receiver is its name only: addresses and secrets stay in the file.
static void write_rule(struct json_writer *j, const struct alert_rule *r)
{
	bool has_amount = usd_cmp(r->amount, USD_ZERO) > 0;
	jw_line(j);
	jw_object(j, NULL);
	jw_str(j, "name", r->name);
	jw_strz(j, "kind", alert_kind_names[r->kind]);
	jw_str(j, "by", r->by.n ? r->by.name[0] : STR("all"));
	jw_str(j, "only", r->only);
	jw_strz(j, "period", has_amount || r->kind == ALERT_BILL ? alert_period_names[r->period] : NULL);
	jw_usd_if(j, "amount", has_amount, r->amount);
	jw_array(j, "levels");
	for (int i = 0; (r->kind == ALERT_BUDGET || r->kind == ALERT_BILL) && i < r->nat; i++)
		jw_int(j, NULL, r->at[i]);
	jw_end(j);
	jw_str(j, "severity", r->severity);
	jw_str(j, "receivers", r->receivers.len ? r->receivers : STR_NONE);
	jw_end(j);
}

static void write_rules(struct json_writer *j, const struct conf *conf)
{
	struct alert_rules rules = {0};
	struct err wrong = ERR_INIT;
	bool good = alert_rules_load(&rules, conf, &wrong);
	jw_strz(j, "rules_error", good ? NULL : wrong.msg);
	jw_bool(j, "rules_built_in", !*conf->alerts_file);
	jw_array(j, "rules");
	for (int i = 0; good && i < rules.nrules; i++)
		write_rule(j, &rules.rules[i]);
	jw_end(j);
	jw_array(j, "receivers");
	for (int i = 0; good && i < rules.nreceivers; i++)
		jw_str(j, NULL, rules.receivers[i].name);
	jw_end(j);
	alert_rules_release(&rules);
}

static void write_silence(struct json_writer *j, struct str id, struct str text, int64_t now_ms)
{
	json_t *s = json_loadb(text.p, text.len, 0, NULL);
	int64_t until_ms = json_integer_value(json_object_get(s, "until"));
	if (until_ms > now_ms) {
		static const char *const names[] = {"rule", "group", "why"};
		jw_line(j);
		jw_object(j, NULL);
		jw_str(j, "id", id);
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			jw_strz(j, names[i], json_string_value(json_object_get(s, names[i])));
		jw_time(j, "until", until_ms);
		jw_end(j);
	}
	json_decref(s);
}

bool api_alerting(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	enum { SILENCES, HISTORY };
	struct redis *r = view_redis(rollups_view(a->rollups));
	char last[24];
	snprintf(last, sizeof last, "%lld", (long long)q->limit - 1);
	ask(r, a->conf->redis_prefix, ALERT_KEY_SILENCES, "HGETALL", NULL, NULL);
	ask(r, a->conf->redis_prefix, ALERT_KEY_HISTORY, "LRANGE", "0", last);
	if (!redis_exec(r, err))
		return false;
	redis_sort_fields(r, SILENCES);
	jw_object(j, NULL);
	write_rules(j, a->conf);
	jw_array(j, "silences");
	for (size_t i = 0; i + 1 < redis_len(r, SILENCES); i += 2)
		write_silence(j, redis_elem(r, SILENCES, i), redis_elem(r, SILENCES, i + 1), q->now_ms);
	jw_end(j);
	jw_array(j, "history");
	for (size_t i = 0; i < redis_len(r, HISTORY); i++)
		write_stored(j, redis_elem(r, HISTORY, i));
	jw_end(j);
	jw_end(j);
	return true;
}
