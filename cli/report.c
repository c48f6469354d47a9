// SPDX-License-Identifier: Apache-2.0
// `nowcast report`: the figures of a span of hours, by any grouping, for people (table), spreadsheets (csv)
// and programs (json).
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/report_priv.h"
#include "query/focus.h"
#include "query/group_sum.h"
#include "store/dead_letter_counts.h"

enum { TOP_MAX = 1000000, HOURS_PER_DAY = 24 };

static bool parse_top(const char *text, int32_t *ret, struct err *err)
{
	char *end;
	long n = text ? strtol(text, &end, 10) : 0;
	if (text && (*text < '0' || *text > '9' || *end || n < 1 || n > TOP_MAX))
		return err_set(err, ERR_CONFIG, "--top: expected a number from 1 to %d, got \"%s\"", TOP_MAX, text);
	*ret = (int32_t)n;
	return true;
}

// The index of a word in a list that ends with NULL.
static bool parse_choice(const char *text, const char *const *words, const char *flag, int *ret,
                         struct err *err)
{
	char list[128] = "";
	for (int i = 0; words[i]; i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret = i;
			return true;
		}
		size_t at = strlen(list);
		snprintf(list + at, sizeof list - at, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
	}
	return err_set(err, ERR_CONFIG, "%s: expected %s, got \"%s\"", flag, list, text);
}

static bool parse_order(struct command *c, struct report *r, struct err *err)
{
	static const char *const formats[] = {"table", "csv", "json", "focus", NULL};
	static const char *const orders[] = {"name", "usd", "tokens", "calls", "change", NULL};
	const char *format = "table", *sort = NULL, *top = NULL, *compare = NULL;
	int choice = 0;
	if (command_switch(c, "--json"))
		format = "json";
	r->full = command_switch(c, "--full");
	if (!command_option(c, "--format", &format, err) || !command_option(c, "--sort", &sort, err) ||
	    !command_option(c, "--top", &top, err) || !command_option(c, "--compare", &compare, err) ||
	    !parse_choice(format, formats, "--format", &choice, err) || !parse_top(top, &r->top, err))
		return strcmp(format, "html") == 0 && err_prefix(err, "html is of `nowcast report --reconciliation`");
	r->format = (enum report_format)choice;
	// A table that is no course of time begins with the most expensive, and so does a list of the first N.
	bool usd = !grouping_in_time(&r->by) && (r->format == FORMAT_TABLE || r->top || compare);
	r->order = usd ? ORDER_USD : ORDER_NAME;
	if (sort) {
		if (!parse_choice(sort, orders, "--sort", &choice, err))
			return false;
		r->by_change = strcmp(sort, "change") == 0;
		if (!r->by_change)
			r->order = (enum group_order)choice;
	}
	r->compare = compare != NULL;
	if (compare && strcmp(compare, "previous") != 0)
		return err_set(err, ERR_CONFIG, "--compare: expected previous, got \"%s\"", compare);
	if (compare && grouping_in_time(&r->by))
		return err_set(
			err, ERR_CONFIG,
			"--compare previous: a report by hour, day, week or month has no span to compare with");
	if (r->by_change && !compare)
		return err_set(err, ERR_CONFIG, "--sort change needs --compare previous");
	if (r->format == FORMAT_FOCUS && (sort || top || compare))
		return err_set(err, ERR_CONFIG, "--format focus takes no --sort, --top or --compare");
	return true;
}

// Of `all`, and of --from or --to alone, an end is open: the beginning of time, or its end.
static const int64_t open_end = INT64_MAX / MS_PER_HOUR;

static bool parse_span(struct command *c, struct report *r, struct err *err)
{
	if (!selection_take(&r->of, c, err) || !command_done(c, 0, 0, err))
		return false;
	struct err unused = ERR_INIT;
	r->by_default = !r->of.has_span;
	if (r->by_default) {
		bool good = span_parse(&r->of.span, NULL, STR("today"), r->of.now_ms, &unused);
		assert(good);
		r->of.span.from -= r->of.span.from > 0 ? HOURS_PER_DAY : 0;
		r->of.before = span_before(r->of.span);
		r->of.has_span = true;
	}
	struct time_span s = r->of.span;
	if (s.from == 0 && s.to == open_end)
		r->of.has_span = false;
	if (r->compare && s.from == 0)
		return err_set(err, ERR_CONFIG, "--compare previous needs a span, such as 7d or this-week");
	int64_t now = r->of.now_ms / MS_PER_HOUR + 1;
	if (s.to == open_end && s.from > 0 && s.from < now)
		r->of.before = span_before((struct time_span){s.from, now});
	return true;
}

static bool parse_arguments(struct command *c, struct report *r, struct err *err)
{
	const char *by = "principal";
	if (!command_option(c, "--by", &by, err) ||
	    !grouping_parse(&r->by, str_of(by), conf_sources(&c->conf), err) || !parse_order(c, r, err) ||
	    !parse_span(c, r, err))
		return false;
	return r->format != FORMAT_FOCUS || !r->of.only.by.n ||
	       err_set(err, ERR_CONFIG, "--format focus takes no conditions: it has every row of its span");
}

// ---- sums ---------------------------------------------------------------------------------------

struct report_sums {
	struct groups *groups, *total;
	struct time_span seen; // from the first hour with figures to the last
};

static bool add_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct report_sums *s = user;
	if (!s->seen.to || model_hour->hour < s->seen.from)
		s->seen.from = model_hour->hour;
	if (model_hour->hour >= s->seen.to)
		s->seen.to = model_hour->hour + 1;
	return groups_add(s->groups, v, model_hour) && groups_add(s->total, v, model_hour);
}

static void init_sums(struct report_sums *s, const struct report *r)
{
	groups_init(s->groups, &r->by);
	groups_init(s->total, &(struct grouping){0});
	s->groups->only = s->total->only = r->of.only.by.n ? &r->of.only : NULL;
}

static bool read_span(struct view *v, struct time_span span, struct report_sums *s, struct err *err)
{
	return view_each(v, span.from, span.to, add_model_hour, s, err);
}

// Leaves the first N of those that are shown; what the rest comes to is in r->others.
static void cut_to_top(struct report *r, struct groups *g)
{
	int32_t n = 0;
	for (int32_t k = 0; k < g->n; k++) {
		struct group *x = &g->list[k];
		if (!report_shows(r, x))
			continue;
		if (!r->top || n < r->top) {
			g->list[n++] = *x;
			continue;
		}
		const struct group *before = r->before ? groups_find(r->before, x->keys) : NULL;
		group_add(&r->others, x);
		if (before)
			r->others_before = usd_add(r->others_before, before->usd);
		r->nothers++;
	}
	g->n = n;
}

// Groups that only the span before has are shown, too: what they cost is no longer spent.
static void add_vanished(const struct report *r, struct groups *g)
{
	for (int32_t k = 0; k < r->before->n; k++)
		if (!group_is_empty(&r->before->list[k]))
			groups_get(g, r->before->list[k].keys);
}

struct changed {
	struct usd by; // above zero, up or down
	int32_t rank;  // in the order of dollars, among equal ones
	struct group group;
};

static int by_change(const void *a, const void *b)
{
	const struct changed *x = a, *y = b;
	int c = usd_cmp(y->by, x->by);
	return c ? c : (x->rank > y->rank) - (x->rank < y->rank);
}

static void sort_by_change(const struct report *r, struct groups *g)
{
	struct changed *list = xrealloc(NULL, (size_t)g->n + 1, sizeof *list);
	for (int32_t k = 0; k < g->n; k++) {
		const struct group *before = groups_find(r->before, g->list[k].keys);
		struct usd was = before ? before->usd : USD_ZERO, is = g->list[k].usd;
		list[k] = (struct changed){.by = usd_cmp(is, was) < 0 ? usd_sub(was, is) : usd_sub(is, was),
		                           .rank = k,
		                           .group = g->list[k]};
	}
	qsort(list, (size_t)g->n, sizeof *list, by_change);
	for (int32_t k = 0; k < g->n; k++)
		g->list[k] = list[k].group;
	free(list);
}

// Where nothing is known it is said whether there was nothing.
static void print_no_figures(const struct report *r)
{
	const struct observed *o = &r->observed;
	bool quiet = r->of.has_span && observed_permille(o, o->from, o->to) == 1000;
	char from[WHEN_SIZE], to[WHEN_SIZE], span[80] = "";
	if (r->of.span.from > 0 && r->of.span.to < open_end) {
		when_format(r->of.span.from * MS_PER_HOUR, from);
		when_format(r->of.span.to * MS_PER_HOUR, to);
		snprintf(span, sizeof span, " from %.10s %.5s to %.10s %.5s UTC", from, from + 11, to, to + 11);
	}
	fprintf(stderr, "nowcast report: no figures%s%s%s\n",
	        r->of.only.by.n ? " under these conditions" : "", span,
	        !quiet             ? " (nowcast doctor shows what has arrived)"
	        : r->of.only.by.n ? ": it was observed, and no such use was seen"
	                           : ": it was observed, and nothing was spent");
	report_print_observed(stderr, r->of.has_span, o, "this span");
}

// Below a table; a file of other formats has no room for it.
static void print_observed(const struct report *r, FILE *f)
{
	report_print_observed(f, r->of.has_span, &r->observed, "this span");
	if (r->compare)
		report_print_observed(f, r->of.has_span, &r->observed_before, "the span before");
}

static void print_sums(struct report *r, struct groups *groups, struct groups *total)
{
	groups_sort(groups, r->order);
	if (r->by_change)
		sort_by_change(r, groups);
	cut_to_top(r, groups);
	if (r->format == FORMAT_CSV)
		report_print_csv(r, groups);
	else if (r->format == FORMAT_JSON)
		report_print_json(r, groups);
	else if (groups->n > 0)
		report_print_table(r, groups, total);
	if (groups->n == 0)
		print_no_figures(r);
	else
		print_observed(r, r->format == FORMAT_TABLE ? stdout : stderr);
}

// What is in no figure because it cannot be: said beside the figures, for it may be somebody's usage.
static bool print_quarantine(struct view *v, struct err *err)
{
	struct dead_letter_count counts[FAULT_KINDS];
	if (!dead_letter_counts_read(view_redis(v), view_prefix(v), counts, err))
		return false;
	if (counts[FAULT_IMPLAUSIBLE].n > 0)
		fprintf(stderr,
		        "nowcast report: %lld records have more tokens than a call can have, and are in no figure: see the dead "
		        "letters `%s` (nowcast doctor)\n",
		        (long long)counts[FAULT_IMPLAUSIBLE].n, fault_word(FAULT_IMPLAUSIBLE));
	return true;
}

static bool load_observed(const struct report *r, struct view *v, struct time_span span,
                          struct observed *ret, struct err *err)
{
	const struct observed_query q = {&r->of.only, span.from, span.to, r->of.now_ms};
	return observed_load(ret, view_redis(v), view_prefix(v), &q, err);
}

// An open end is where the figures are, or end by now.
static void close_span(struct report *r, struct time_span seen)
{
	struct time_span *s = &r->of.span;
	int64_t now = r->of.now_ms / MS_PER_HOUR + 1, to = seen.to > now ? seen.to : now;
	if (!r->of.has_span) {
		*s = seen;
		return;
	}
	if (s->from == 0 && seen.to)
		s->from = seen.from;
	if (s->to == open_end && s->from < to)
		s->to = to;
}

static bool note_newest(void *user, struct view *v, const struct model_hour *model_hour)
{
	int64_t *newest = user;
	(void)v;
	*newest = model_hour->hour > *newest ? model_hour->hour : *newest;
	return true;
}

static bool note_any(void *user, struct view *v, const struct model_hour *model_hour)
{
	note_newest(user, v, model_hour);
	return false; // that is enough
}

// Without a span a report is of yesterday and today. Where these have no figures at all, as behind a replay
// of old files, it is of the last two days that have some; which, is said.
static bool choose_default_span(struct report *r, struct view *v, struct err *err)
{
	int64_t newest = -1;
	char day[WHEN_SIZE];
	if (!r->by_default)
		return true;
	if (!view_each(v, r->of.span.from, open_end, note_any, &newest, err) ||
	    (newest < 0 && !view_each(v, 0, r->of.span.from, note_newest, &newest, err)))
		return false;
	if (newest < 0 || newest >= r->of.span.from)
		return true;
	r->of.span = (struct time_span){when_day_start(newest) - HOURS_PER_DAY, newest + 1};
	r->of.before = span_before(r->of.span);
	r->of.has_span = false; // what is before these figures, and since, is no gap
	fprintf(stderr,
	        "nowcast report: there are no figures since yesterday: this is of the last two days that have some, up "
	        "to %.10s (`nowcast report all` is of all)\n",
	        when_format(newest * MS_PER_HOUR, day));
	return true;
}

static bool report_sums(struct report *r, struct view *v, struct err *err)
{
	struct groups groups, total, groups_before, total_before;
	struct report_sums now = {.groups = &groups, .total = &total};
	struct report_sums before = {.groups = &groups_before, .total = &total_before};
	init_sums(&now, r);
	init_sums(&before, r);
	bool good = choose_default_span(r, v, err) && read_span(v, r->of.span, &now, err) &&
	            (!r->compare || read_span(v, r->of.before, &before, err));
	if (good && r->compare) {
		r->before = &groups_before;
		r->total_before = total_before.n ? total_before.list[0].usd : USD_ZERO;
		add_vanished(r, &groups);
	}
	if (good)
		close_span(r, now.seen);
	good = good && load_observed(r, v, r->of.span, &r->observed, err) &&
	       (!r->compare || load_observed(r, v, r->of.before, &r->observed_before, err));
	if (good && grouping_find(&r->by, BY_PRINCIPAL) >= 0)
		good = spikes_read(&r->spikes, NULL, view_redis(v), view_prefix(v), r->of.span.from, r->of.span.to,
		                   err);
	const struct observed *o = &r->observed_before;
	r->nothing_known = good && !now.seen.to && !before.seen.to &&
	                   observed_count(&r->observed, r->observed.from, r->observed.to, MINUTE_OBSERVED) == 0;
	r->before_unknown =
		good && r->compare && !before.seen.to && observed_count(o, o->from, o->to, MINUTE_OBSERVED) == 0;
	if (good)
		print_sums(r, &groups, &total);
	if (good && r->compare && !before.seen.to)
		fprintf(stderr, "nowcast report: there are no figures at all in the span before%s\n",
		        r->before_unknown ? ", and nothing of it was observed: what has changed is not known"
		                          : ": its zeros may be what was not recorded");
	if (good && groups.n == 0)
		good = report_print_nobody(r, v, err);
	good = good && print_quarantine(v, err);
	groups_release(&groups);
	groups_release(&total);
	groups_release(&groups_before);
	groups_release(&total_before);
	return good;
}

// Main looks whether all was written.
static bool print_lines(void *user, struct buf *text)
{
	(void)user;
	return text_print(stdout, text);
}

static bool print_focus(struct report *r, struct view *v, struct err *err)
{
	int64_t rows;
	if (!choose_default_span(r, v, err) ||
	    !focus_write(v, r->of.span, print_lines, NULL, &rows, err) ||
	    !load_observed(r, v, r->of.has_span ? r->of.span : (struct time_span){0}, &r->observed, err))
		return false;
	r->nothing_known =
		!rows && observed_count(&r->observed, r->observed.from, r->observed.to, MINUTE_OBSERVED) == 0;
	if (rows)
		print_observed(r, stderr);
	else
		print_no_figures(r);
	return print_quarantine(v, err);
}

int cmd_report(struct command *c)
{
	struct err err = ERR_INIT;
	struct report r = {.format = FORMAT_TABLE};
	struct view *v = NULL;
	bool reconciliation = command_switch(c, "--reconciliation");
	bool scoreboard = command_switch(c, "--scoreboard");
	if (reconciliation && scoreboard) {
		err_set(&err, ERR_CONFIG, "--reconciliation and --scoreboard are two reports: give one of them");
		return command_fail(c, &err);
	}
	if (reconciliation)
		return report_reconciliation(c);
	if (scoreboard)
		return report_scoreboard(c);
	bool good = parse_arguments(c, &r, &err) && view_open(&v, redis_target_of(&c->conf), &err) &&
	            view_map(v, &c->conf, &err) && grouping_check_keys(&r.by, view_mapping(v), &err) &&
	            grouping_check_keys(&r.of.only.by, view_mapping(v), &err);
	if (good)
		good = r.format == FORMAT_FOCUS ? print_focus(&r, v, &err) : report_sums(&r, v, &err);
	observed_release(&r.observed);
	observed_release(&r.observed_before);
	spikes_release(&r.spikes);
	selection_release(&r.of);
	view_close(v);
	if (!good)
		return command_fail(c, &err);
	// A job that mails or keeps it must not take a file without figures for one of hours that cost nothing.
	return r.nothing_known ? STATUS_FAILED : STATUS_OK;
}
