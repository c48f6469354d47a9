// SPDX-License-Identifier: Apache-2.0
// When each signal last arrived, what the doctor finds, and which alerts are active.
#include <assert.h>
#include <jansson.h>

#include "alert/keys.h"
#include "base/text.h"
#include "base/when.h"
#include "query/health.h"
#include "store/keys.h"
#include "store/redis.h"
#include "web/api.h"

// ---- freshness ----------------------------------------------------------------------------------

static const struct {
	const char *name, *label;
	int64_t quiet_ms;   // without a record for longer it is "silent"; 0: never
	bool needed;        // "missing" while there is none; else "absent"
} signals[] = {
	{"call", "CloudTrail calls", MS_PER_HOUR, true},
	{"metric", "CloudWatch metrics", 30 * MS_PER_MINUTE, true},
	{"call_tokens", "Tokens of calls", 0, false},
	{"session_tags", "Session tags (STS)", 0, false},
	{"principal_tags", "Role and user tags (IAM)", 0, false},
};

static const char *signal_state(size_t i, bool came, int64_t arrived_ms, int64_t now_ms)
{
	if (!came)
		return signals[i].needed ? "missing" : "absent";
	return signals[i].quiet_ms && now_ms - arrived_ms > signals[i].quiet_ms ? "silent" : "ok";
}

// Times of arrival are compared with the clock, whatever the query's `now` is.
bool api_freshness(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct buf key = BUF_INIT, member = BUF_INIT;
	int64_t now = when_now_ms();
	(void)q;
	key_signals(&key, a->conf->redis_prefix);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		buf_clear(&member);
		buf_addf(&member, "%s:arrived", signals[i].name);
		redis_cmdz(r, "ZSCORE", key.data, signals[i].name, NULL);
		redis_cmdz(r, "ZSCORE", key.data, member.data, NULL);
	}
	buf_release(&key);
	buf_release(&member);
	if (!redis_exec(r, err))
		return false;
	jw_object(j, NULL);
	jw_array(j, "signals");
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		bool came = !redis_nil(r, 2 * i);
		int64_t arrived = redis_int(r, 2 * i + 1);
		jw_line(j);
		jw_object(j, NULL);
		jw_strz(j, "name", signals[i].name);
		jw_strz(j, "label", signals[i].label);
		jw_strz(j, "state", signal_state(i, came, arrived, now));
		if (came) {
			jw_time(j, "newest", redis_int(r, 2 * i));
			jw_time(j, "arrived", arrived);
			jw_int(j, "arrived_age_s", (now - arrived) / 1000);
		}
		jw_end(j);
	}
	jw_end(j);
	jw_end(j);
	return true;
}

// ---- findings -----------------------------------------------------------------------------------

static void write_finding(void *writer, enum health_level level, const char *what, const char *text)
{
	struct json_writer *j = writer;
	static const char *const names[] = {"ok", "note", "warning", "failure"};
	assert((size_t)level < sizeof names / sizeof *names);
	jw_line(j);
	jw_object(j, NULL);
	jw_strz(j, "level", names[level]);
	jw_strz(j, "about", what);
	jw_strz(j, "text", text);
	jw_end(j);
}

bool api_findings(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	(void)q;
	(void)err;
	jw_object(j, NULL);
	jw_array(j, "findings");
	health_check(a->conf, rollups_view(a->rollups), write_finding, j);
	jw_end(j);
	jw_end(j);
	return true;
}

// ---- alerts -------------------------------------------------------------------------------------

// <prefix>:alerts is a hash of JSON objects, one for each active alert. They are written in the order of
// rule, group and period. Values that are no object are skipped.
bool api_alerts(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct buf key = BUF_INIT;
	(void)q;
	alert_key(&key, a->conf->redis_prefix, ALERT_KEY_UP);
	redis_cmdz(r, "HGETALL", key.data, NULL);
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	redis_sort_fields(r, 0);
	jw_object(j, NULL);
	jw_array(j, "alerts");
	for (size_t i = 1; i < redis_len(r, 0); i += 2) {
		struct str text = redis_elem(r, 0, i);
		json_t *alert = json_loadb(text.p, text.len, 0, NULL);
		if (json_is_object(alert)) {
			jw_line(j);
			jw_raw(j, NULL, text);
		}
		json_decref(alert);
	}
	jw_end(j);
	jw_end(j);
	return true;
}
