// SPDX-License-Identifier: Apache-2.0
#include "query/observed_health.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/when.h"
#include "query/observed.h"
#include "query/signal_gaps.h"

enum { DAYS = 7, SHOWN_MAX = 10 };

struct findings {
	health_fn *report;
	void *user;
	struct buf text;
	int64_t now; // minute
};

static void add_minute(struct buf *b, int64_t minute)
{
	char when[WHEN_SIZE];
	when_format(minute * MS_PER_MINUTE, when);
	buf_addf(b, "%.10s %.5s", when, when + 11);
}

static void add_length(struct buf *b, int64_t minutes)
{
	char length[WHEN_LENGTH_SIZE];
	buf_adds(b, when_format_length(minutes, length));
}

static void report(struct findings *f, enum health_level level)
{
	text_make_plain(f->text.data, f->text.len);
	f->report(f->user, level, "observed", f->text.data);
	buf_clear(&f->text);
}

static void add_gap(struct findings *f, const struct observed_gap *g)
{
	add_minute(&f->text, g->from);
	buf_adds(&f->text, " to ");
	if (g->to >= f->now)
		buf_adds(&f->text, "now");
	else
		add_minute(&f->text, g->to);
	buf_adds(&f->text, " (");
	add_length(&f->text, g->to - g->from);
	buf_addf(
		&f->text,
		") was not observed: %.*s. What was spent then is in no figure; `nowcast replay --reopen` of the files of "
		"that time brings it in",
		STR_ARG(g->why));
	report(f, HEALTH_WARN);
}

// The newest ones. A gap that begins with the week may be the time before the first record.
static bool check_gaps(struct findings *f, struct redis *r, const char *prefix, int64_t now_ms,
                       struct err *err)
{
	int64_t hour = now_ms / MS_PER_HOUR;
	const struct observed_query q = {NULL, hour - DAYS * 24, hour + 1, now_ms};
	struct observed o;
	if (!observed_load(&o, r, prefix, &q, err))
		return false;
	int first = o.ngaps && o.gaps[0].from == o.from, shown = 0;
	for (int i = o.ngaps - 1; i >= first; i--)
		if (shown++ < SHOWN_MAX)
			add_gap(f, &o.gaps[i]);
	if (shown > SHOWN_MAX) {
		buf_addf(&f->text, "and %d more of such gaps in the last %d days", shown - SHOWN_MAX, DAYS);
		report(f, HEALTH_WARN);
	}
	int64_t seen = observed_count(&o, o.from, o.to, MINUTE_OBSERVED);
	if (!shown && seen) {
		add_length(&f->text, seen);
		buf_addf(&f->text, " of the last %d days were observed, without a gap", DAYS);
		if (first) {
			buf_adds(&f->text, " since ");
			add_minute(&f->text, o.gaps[0].to);
		}
		report(f, HEALTH_OK);
	}
	observed_release(&o);
	return true;
}

static void add_signal_gap(struct findings *f, const struct signal_gap *g)
{
	static const struct {
		const char *while_came, *effect;
	} effects[OBSERVED_SIGNALS] = {
		[OBSERVED_CALLS] = {"metrics or logs", "what the metrics show then is (unattributed)"},
		[OBSERVED_METRICS] = {"calls or logs",
	                          "calls of then are provisional, unless each of them was refused"},
		[OBSERVED_LOGS] = {"calls", "tokens of then are allocated"},
	};
	bool logs = g->signal == OBSERVED_LOGS;
	buf_addf(&f->text, "%s of %.*s ", logs ? "invocation logs" : observed_words[g->signal],
	         STR_ARG(g->place));
	if (g->never) {
		buf_addf(&f->text, "have not come in the last %d days", DAYS);
	} else {
		buf_addf(&f->text, g->to ? "were missing from " : "are missing since ");
		add_minute(&f->text, g->from);
		if (g->to) {
			buf_adds(&f->text, " to ");
			add_minute(&f->text, g->to);
		}
	}
	buf_addf(&f->text, ", while %s came in ", effects[g->signal].while_came);
	add_length(&f->text, g->seen);
	buf_addf(&f->text, ": %s", effects[g->signal].effect);
	report(f, g->to || logs ? HEALTH_NOTE : HEALTH_WARN);
}

static bool check_signals(struct findings *f, struct redis *r, const char *prefix, int64_t now_ms,
                          struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct signal_gaps gaps;
	size_t shown = 0;
	bool good = signal_gaps_read(&arena, r, prefix, now_ms, DAYS, &gaps, err);
	for (int still = 1; good && still >= 0; still--) // those that are missing now come first
		for (size_t i = 0; i < gaps.n; i++)
			if ((gaps.v[i].to == 0) == still && shown++ < SHOWN_MAX)
				add_signal_gap(f, &gaps.v[i]);
	if (good && shown > SHOWN_MAX) {
		buf_addf(&f->text, "and %zu more of such signals in the last %d days", shown - SHOWN_MAX, DAYS);
		report(f, HEALTH_NOTE);
	}
	arena_release(&arena);
	return good;
}

bool observed_health_check(struct redis *r, const char *prefix, int64_t now_ms, health_fn *report_fn,
                           void *user, struct err *err)
{
	struct findings f = {.report = report_fn, .user = user, .now = now_ms / MS_PER_MINUTE};
	bool good = check_gaps(&f, r, prefix, now_ms, err) && check_signals(&f, r, prefix, now_ms, err);
	buf_release(&f.text);
	return good;
}
