// SPDX-License-Identifier: Apache-2.0
#include "query/source_health.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/when.h"
#include "store/source_status.h"

enum {
	STALE_MS = 30 * 60000,          // nothing was read for so long: is the daemon running?
	STALE_HOURLY_MS = 2 * 3600000,  // profiles are read each hour
	STALE_DAILY_MS = 26 * 3600000,  // tags are read once a day
	REMOVED_SHOWN_MS = 7 * 24 * 3600000, // after it was read last
	REASONS_MAX = 8,                // of having nothing to read
	GIVES_A_SECOND = 100,           // events of LookupEvents: two requests of 50
};

struct idle_reason {
	struct buf text; // "metrics: no metrics ..."
	int places;
};

struct check {
	int64_t now_ms;
	health_fn *report;
	void *user;
	bool delivered; // a Firehose stream has
	struct idle_reason idle[REASONS_MAX];
	int nidle;
};

// What many places have in common is said once.
static void add_idle(struct check *c, const struct source_status *s)
{
	struct buf text = BUF_INIT;
	struct str rest = s->acct_region,
			   account = str_starts(rest, STR("arn:")) ? rest : str_cut(&rest, '/');
	int i = 0;
	if (s->state == SOURCE_REMOVED)
		buf_addf(&text, "%.*s is not read any more by some sources: they were taken out of the configuration",
		         STR_ARG(account));
	else
		buf_addf(&text, "%.*s: %.*s", STR_ARG(s->source), STR_ARG(s->text));
	while (i < c->nidle && !str_eq(buf_str(&c->idle[i].text), buf_str(&text)))
		i++;
	if (i < c->nidle)
		c->idle[i].places++;
	if (i == c->nidle && i < REASONS_MAX)
		c->idle[c->nidle++] = (struct idle_reason){text, 1};
	else
		buf_release(&text);
}

static bool is_daily(struct str source)
{
	return str_is(source, "tags") || str_is(source, "tags_accounts");
}

static int64_t stale_after_ms(struct str source)
{
	return is_daily(source)             ? STALE_DAILY_MS
	       : str_is(source, "profiles") ? STALE_HOURLY_MS
	                                    : STALE_MS;
}

// Firehose delivers by itself, so silence may mean that there is nothing: the caller's business is slow.
static void check_stream(struct check *c, const struct source_status *s)
{
	struct buf b = BUF_INIT;
	char when[WHEN_SIZE], age[WHEN_LENGTH_SIZE];
	enum health_level level = HEALTH_WARN;
	bool keys = str_is(s->acct_region, "refused-keys");
	c->delivered |= !keys;
	buf_addf(&b, "firehose, %s%.*s: ", keys ? "" : "stream ", STR_ARG(s->acct_region));
	if (s->failing_ms) {
		buf_addf(&b, "refused since %s (%s): %.*s", when_format(s->failing_ms, when),
		         when_format_age(c->now_ms - s->failing_ms, age), STR_ARG(s->text));
	} else if (c->now_ms - s->read_ms > STALE_MS) {
		buf_addf(&b,
		         "nothing was delivered since %s (%s): either there is nothing to tell, or Firehose does not reach this "
		         "address (its CloudWatch log and error bucket say why: docs/aws.md)",
		         when_format(s->read_ms, when), when_format_age(c->now_ms - s->read_ms, age));
	} else {
		level = HEALTH_OK;
		buf_addf(&b, "the last delivery is safe since %s", when_format(s->read_ms, when));
	}
	c->report(c->user, level, "aws", b.data);
	buf_release(&b);
}

static void check_one(void *user, const struct source_status *s)
{
	struct check *c = user;
	struct buf b = BUF_INIT;
	char when[WHEN_SIZE], age[WHEN_LENGTH_SIZE];
	enum health_level level = HEALTH_WARN;
	if (str_is(s->source, "firehose")) {
		check_stream(c, s);
		return;
	}
	bool daily = is_daily(s->source), trail = str_is(s->source, "trail"),
		 credentials = str_is(s->source, "credentials");
	if (s->state == SOURCE_REMOVED) {
		if (c->now_ms - s->read_ms < REMOVED_SHOWN_MS)
			add_idle(c, s);
		return;
	}
	buf_addf(&b, "%.*s of %.*s: ", STR_ARG(s->source), STR_ARG(s->acct_region));
	if (s->failing_ms) {
		level = credentials ? HEALTH_FAIL : HEALTH_WARN;
		buf_addf(&b, "nothing comes since %s (%s): %.*s", when_format(s->failing_ms, when),
		         when_format_age(c->now_ms - s->failing_ms, age), STR_ARG(s->text));
	} else if (credentials) {
		level = HEALTH_OK;
		buf_adds(&b, "they are valid again");
	} else if (s->state != SOURCE_IDLE && c->now_ms - s->read_ms > stale_after_ms(s->source)) {
		buf_addf(&b, "not read since %s (%s): is `nowcast run` running, with this source?",
		         when_format(s->read_ms, when), when_format_age(c->now_ms - s->read_ms, age));
	} else if (s->state == SOURCE_IDLE) {
		add_idle(c, s);
		buf_release(&b);
		return;
	} else if (s->state == SOURCE_TOO_MUCH) {
		buf_addf(
			&b,
			"%lld events a second, and LookupEvents gives %d: it falls behind; let a trail deliver them (docs/aws.md)",
			(long long)s->rate, GIVES_A_SECOND);
	} else {
		level = s->text.len ? HEALTH_NOTE : HEALTH_OK;
		buf_addf(&b, "all before %s is read%s%s%.*s", when_format(s->position_ms, when),
		         daily   ? ", once a day"
		         : trail ? ""
		                 : "; what is newer may still change, and is read again",
		         s->text.len ? "; " : "", STR_ARG(s->text));
	}
	c->report(c->user, level, "aws", b.data);
	buf_release(&b);
}

static void note_tags(void *user, const struct source_status *s)
{
	bool *read = user;
	*read |= str_is(s->source, "tags") && s->state == SOURCE_READS && s->position_ms > 0;
}

bool source_health_reads_tags(struct redis *r, const struct conf *conf, bool *ret, struct err *err)
{
	*ret = false;
	return source_status_each(r, conf->redis_prefix, note_tags, ret, err);
}

bool source_health_check(struct redis *r, const struct conf *conf, int64_t now_ms, health_fn *report,
                         void *user, struct err *err)
{
	struct check c = {.now_ms = now_ms, .report = report, .user = user};
	bool good = source_status_each(r, conf->redis_prefix, check_one, &c, err);
	if (good && !c.delivered && conf_has_source(conf, "firehose"))
		report(user, HEALTH_WARN, "aws",
		       "firehose: no stream has delivered yet. Its endpoint is https://HOST/firehose, by port 443, with a key of "
		       "firehose.keys.file (docs/aws.md)");
	for (int i = 0; i < c.nidle; i++) {
		struct buf b = BUF_INIT;
		buf_addf(&b, "%s (%d account%s and Region%s)", c.idle[i].text.data, c.idle[i].places,
		         c.idle[i].places == 1 ? "" : "s", c.idle[i].places == 1 ? "" : "s");
		report(user, HEALTH_NOTE, "aws", b.data);
		buf_release(&b);
		buf_release(&c.idle[i].text);
	}
	return good;
}
