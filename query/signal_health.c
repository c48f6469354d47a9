// SPDX-License-Identifier: Apache-2.0
#include "query/health_parts.h"

#include "base/when.h"
#include "query/freshness.h"
#include "query/source_health.h"

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
		health_add(h, effects[kind].when_silent, effects[kind].what, "%s", effects[kind].missing);
		return;
	}
	when_format_age(h->now_ms - s->event_ms, old);
	when_format_age(h->now_ms - s->arrived_ms, ago);
	when_format(s->event_ms, when);
	health_add(h, late ? effects[kind].when_silent : HEALTH_OK, effects[kind].what,
	            "newest of %s (%s old), last received %s ago%s%s", when, old, ago,
	            s->state == SIGNAL_SILENT  ? ": silent; "
	            : s->state == SIGNAL_STALE ? ": stale, since what arrives is old (a backlog or a backfill); "
	                                       : "",
	            late ? effects[kind].silent : "");
}

bool health_check_signals(struct health *h, struct err *err)
{
	struct freshness f;
	char when[WHEN_SIZE];
	if (!freshness_read(&f, h->redis, view_prefix(h->view), h->now_ms, err))
		return false;
	if (f.stale_since_ms)
		health_add(
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
