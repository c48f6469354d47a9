// SPDX-License-Identifier: Apache-2.0
// How fresh the signals are, what the doctor finds, and which alerts are up.
#include <jansson.h>
#include <stdlib.h>

#include "base/text.h"
#include "alert/keys.h"
#include "base/when.h"
#include "query/health.h"
#include "store/keys.h"
#include "store/redis.h"
#include "web/api.h"

// ---- freshness ----------------------------------------------------------------------------------

static const struct {
	const char *name, *label;
	int64_t quiet_ms;   // silent for longer is worth a word; 0: it may be
	bool needed;
} signals[] = {
	{"call", "CloudTrail calls", MS_PER_HOUR, true},
	{"metric", "CloudWatch metrics", 30 * MS_PER_MINUTE, true},
	{"call_tokens", "Tokens of calls", 0, false},
	{"session_tags", "Session tags (STS)", 0, false},
	{"principal_tags", "Role and user tags (IAM)", 0, false},
};

// ok, silent (it came, and stopped), missing (needed and never came), absent (never came, and need not).
static const char *state_of(size_t i, bool came, int64_t arrived_ms, int64_t now_ms)
{
	if (!came)
		return signals[i].needed ? "missing" : "absent";
	return signals[i].quiet_ms && now_ms - arrived_ms > signals[i].quiet_ms ? "silent" : "ok";
}

// Arrivals are real, whatever `now` the query pretends: they are compared with the clock.
bool api_freshness(struct api *a, const struct api_query *q, struct buf *out, struct err *err)
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
	buf_adds(out, "{\"signals\":[");
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		bool came = !redis_nil(r, 2 * i);
		int64_t arrived = redis_int(r, 2 * i + 1);
		buf_addf(out, "%s{\"name\":\"%s\",\"label\":\"%s\",\"state\":\"%s\"", i ? ",\n" : "\n",
		         signals[i].name, signals[i].label, state_of(i, came, arrived, now));
		if (came) {
			buf_adds(out, ",\"newest\":");
			json_time(out, redis_int(r, 2 * i));
			buf_adds(out, ",\"arrived\":");
			json_time(out, arrived);
			buf_addf(out, ",\"arrived_age_s\":%lld", (long long)((now - arrived) / 1000));
		}
		buf_addc(out, '}');
	}
	buf_adds(out, "]}");
	return true;
}

// ---- findings -----------------------------------------------------------------------------------

struct findings {
	struct buf *out;
	int n;
};

static void add_finding(void *user, enum health_level level, const char *what, const char *text)
{
	struct findings *f = user;
	static const char *const names[] = {"ok", "note", "warning", "failure"};
	buf_addf(f->out, "%s{\"level\":\"%s\",\"about\":", f->n++ ? ",\n" : "\n", names[level]);
	buf_add_json(f->out, str_of(what));
	buf_adds(f->out, ",\"text\":");
	buf_add_json(f->out, str_of(text));
	buf_addc(f->out, '}');
}

bool api_findings(struct api *a, const struct api_query *q, struct buf *out, struct err *err)
{
	struct findings f = {.out = out};
	(void)q;
	(void)err;
	buf_adds(out, "{\"findings\":[");
	health_check(a->conf, rollups_view(a->rollups), add_finding, &f);
	buf_adds(out, "]}");
	return true;
}

// ---- alerts -------------------------------------------------------------------------------------

// <prefix>:alerts is a hash of JSON objects, one an alert that is up; what is no JSON is passed over.
bool api_alerts(struct api *a, const struct api_query *q, struct buf *out, struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct buf key = BUF_INIT;
	int n = 0;
	(void)q;
	alert_key(&key, a->conf->redis_prefix, ALERT_KEY_UP);
	redis_cmdz(r, "HGETALL", key.data, NULL);
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	buf_adds(out, "{\"alerts\":[");
	for (size_t i = 1; i < redis_len(r, 0); i += 2) {
		struct str text = redis_elem(r, 0, i);
		json_t *alert = json_loadb(text.p, text.len, 0, NULL);
		if (json_is_object(alert)) {
			buf_adds(out, n++ ? ",\n" : "\n");
			buf_addstr(out, text);
		}
		json_decref(alert);
	}
	buf_adds(out, "]}");
	return true;
}
