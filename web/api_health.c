// SPDX-License-Identifier: Apache-2.0
// When each signal last arrived, and what the doctor finds.
#include <assert.h>

#include "base/text.h"
#include "base/when.h"
#include "query/freshness.h"
#include "query/health.h"
#include "store/redis.h"
#include "web/api.h"

// ---- freshness ----------------------------------------------------------------------------------

// Times of arrival are compared with the clock, those of events with the query's `now`.
bool api_freshness(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct freshness f;
	int64_t now = when_now_ms();
	(void)q;
	if (!freshness_read(&f, view_redis(rollups_view(a->rollups)), a->conf->redis_prefix, api_now_ms(a), err))
		return false;
	jw_object(j, NULL);
	jw_time_if(j, "stale_since", f.stale_since_ms, f.stale_since_ms);
	jw_array(j, "signals");
	for (size_t i = 0; i < SIGNALS; i++) {
		const struct signal *s = &f.signals[i];
		jw_line(j);
		jw_object(j, NULL);
		jw_strz(j, "name", s->name);
		jw_strz(j, "label", s->label);
		jw_strz(j, "state", signal_state_name(s->state));
		if (s->event_ms) {
			jw_time(j, "newest", s->event_ms);
			jw_int(j, "newest_age_s", (api_now_ms(a) - s->event_ms) / 1000);
			jw_time(j, "arrived", s->arrived_ms);
			jw_int(j, "arrived_age_s", (now - s->arrived_ms) / 1000);
		}
		jw_end(j);
	}
	jw_end(j);
	jw_end(j);
	return true;
}

// ---- findings -----------------------------------------------------------------------------------

struct findings {
	const struct api *api;
	struct json_writer *j;
	struct buf text;
};

static void write_finding(void *findings, enum health_level level, const char *what, const char *text)
{
	struct findings *f = findings;
	struct json_writer *j = f->j;
	static const char *const names[] = {"ok", "note", "warning", "failure"};
	assert((size_t)level < sizeof names / sizeof *names);
	jw_line(j);
	jw_object(j, NULL);
	jw_strz(j, "level", names[level]);
	jw_strz(j, "about", what);
	buf_clear(&f->text);
	api_hide_redis(f->api, text, &f->text);
	jw_str(j, "text", buf_str(&f->text));
	jw_end(j);
}

bool api_findings(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct findings f = {a, j, BUF_INIT};
	(void)err;
	jw_object(j, NULL);
	jw_array(j, "findings");
	health_check(a->conf, rollups_view(a->rollups), q->now_ms, &a->last_day, &a->prices, write_finding,
	             &f);
	buf_release(&f.text);
	jw_end(j);
	jw_end(j);
	return true;
}
