// SPDX-License-Identifier: Apache-2.0
// `nowcast top`: who is spending now. On a terminal the table is redrawn in place. Elsewhere one plain table
// is printed each turn, so that it can be piped and logged.
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/selection.h"
#include "cli/table.h"
#include "cli/top.h"
#include "query/group.h"
#include "query/short_names.h"
#include "store/view.h"

enum { FRAME_BYTES = 1 << 16 }; // a whole screen leaves in one write, or it flickers

struct top_sums {
	struct groups *span, *hour, *total; // of the span; of its newest hour; of everything in the span
	int64_t newest;
};

struct watch {
	struct top top;
	struct selection of; // its conditions
	int64_t every_ms;
	int64_t turns; // 0: until stopped
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	stopped = sig;
}

static bool parse_count(const char *text, const char *flag, int64_t min, int64_t max, int64_t *ret,
                        struct err *err)
{
	char *end;
	long long v = strtoll(text, &end, 10);
	if (*end || end == text || v < min || v > max)
		return err_set(err, ERR_CONFIG, "%s: expected a number from %lld to %lld, got \"%s\"", flag,
		               (long long)min, (long long)max, text);
	*ret = v;
	return true;
}

static bool parse_arguments(struct command *c, struct watch *w, struct err *err)
{
	const char *by = "principal,model", *hours = "24", *every = "2", *turns = "0";
	int64_t seconds;
	w->top.full = command_switch(c, "--full");
	if (!command_option(c, "--by", &by, err) || !command_option(c, "--hours", &hours, err) ||
	    !command_option(c, "--every", &every, err) || !command_option(c, "--turns", &turns, err) ||
	    !command_time(c, "--now", &w->top.now_ms, err) || !selection_take_conditions(&w->of, c, err) ||
	    !command_done(c, 0, 0, err))
		return false;
	w->top.only = w->of.only.by.n ? &w->of.only : NULL;
	if (!grouping_parse(&w->top.by, str_of(by), conf_sources(&c->conf), err) ||
	    !parse_count(hours, "--hours", 1, 24 * 400, &w->top.hours, err) ||
	    !parse_count(every, "--every", 1, 3600, &seconds, err) ||
	    !parse_count(turns, "--turns", 0, 1000000, &w->turns, err))
		return false;
	w->every_ms = seconds * 1000;
	return true;
}

static bool find_newest_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	int64_t *newest = user;
	(void)v;
	if (model_hour->hour > *newest)
		*newest = model_hour->hour;
	return true;
}

static bool add_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct top_sums *s = user;
	groups_add(s->span, v, model_hour);
	groups_add(s->total, v, model_hour);
	if (model_hour->hour == s->newest)
		groups_add(s->hour, v, model_hour);
	return true;
}

static void add_columns(struct table *table, const struct grouping *by)
{
	for (int i = 0; i < by->n; i++)
		table_column(table, by->name[i], TABLE_NAME, 0);
	table_column(table, STR("calls"), TABLE_NUMBER, 3);
	table_column(table, STR("tokens"), TABLE_NUMBER, 2);
	table_column(table, STR("usd"), TABLE_NUMBER, 0);
	table_column(table, STR("this hour"), TABLE_NUMBER, 1);
	table_column(table, STR("low"), TABLE_NUMBER, TABLE_EXTRA + 1);
	table_column(table, STR("high"), TABLE_NUMBER, TABLE_EXTRA + 1);
	table_column(table, STR("basis"), TABLE_TEXT, TABLE_EXTRA);
}

static void add_usd(struct table *table, struct usd usd, bool known)
{
	char text[USD_SIZE];
	table_cell(table, known ? str_of(usd_format(usd, 4, text)) : STR("-"));
}

static void add_group(struct table *table, const struct top *t, const struct str *names,
                      const struct group *x, const struct group *hour)
{
	char count[TABLE_COUNT_SIZE], basis[GROUP_BASIS_SIZE];
	bool priced = !group_is_unpriced(x);
	for (int i = 0; i < t->by.n; i++)
		table_cell(table, names[i]);
	table_cell(table, group_has_calls(&t->by, t->only) ? str_of(table_count(x->calls, count)) : STR("-"));
	table_cell(table, str_of(table_count(x->tokens, count)));
	add_usd(table, x->usd, priced);
	add_usd(table, hour ? hour->usd : USD_ZERO, priced && hour);
	add_usd(table, x->usd_low, priced);
	add_usd(table, x->usd_high, priced);
	table_cell(table, str_of(group_basis(x, basis)));
}

static void print_summary(const struct top *t, const struct top_sums *s, const char *eol)
{
	char when[WHEN_SIZE], usd[USD_SIZE];
	struct buf b = BUF_INIT;
	when_format(s->newest * MS_PER_HOUR, when);
	buf_addf(&b, "$%s in the last %lld h, %d group%s; newest hour %.16s",
	         s->total->n ? usd_format(s->total->list[0].usd, 4, usd) : "0", (long long)t->hours, s->span->n,
	         text_s(s->span->n), s->newest ? when : "none yet");
	if (t->title)
		printf("%.*s%s", t->columns ? t->columns : 400, t->title, eol);
	printf("%.*s%s", t->columns ? t->columns : 400, b.data, eol);
	buf_release(&b);
}

static void print_screen(const struct top *t, const struct top_sums *s)
{
	const char *eol = t->terminal ? "\033[K\n" : "\n";
	struct table table = TABLE_INIT;
	int room = t->rows - 4 - (t->title != NULL); // the summary, the heads, "and more", the cursor
	int shown = s->span->n <= room ? s->span->n : room;
	if (t->terminal)
		fputs("\033[H", stdout);
	print_summary(t, s, eol);
	add_columns(&table, &t->by);
	struct str *names = short_names_of_groups(&table.arena, s->span, shown, t->full || !t->columns);
	for (int32_t i = 0; i < shown; i++) {
		const struct group *x = &s->span->list[i];
		add_group(&table, t, names + (size_t)i * (size_t)t->by.n, x, groups_find(s->hour, x->keys));
	}
	table_print(&table, stdout, t->columns, -1, eol);
	if (shown < s->span->n)
		printf("... and %d more%s", s->span->n - shown, eol);
	if (t->terminal)
		fputs("\033[J", stdout);
	fflush(stdout);
	table_release(&table);
}

bool top_draw(const struct top *t, struct view *v, struct err *err)
{
	struct groups span, hour, total;
	struct top_sums s = {&span, &hour, &total, 0};
	int64_t now = (t->now_ms ? t->now_ms : when_now_ms()) / MS_PER_HOUR;
	int64_t end = t->now_ms ? now + 1 : INT64_MAX / MS_PER_HOUR;
	groups_init(&span, &t->by);
	groups_init(&hour, &t->by);
	groups_init(&total, &(struct grouping){0});
	span.only = hour.only = total.only = t->only;
	// Replayed figures may be old: the span ends with the newest hour that has figures.
	bool good = view_each(v, now - t->hours + 1, end, find_newest_hour, &s.newest, err);
	if (good && !s.newest)
		good = view_each(v, 0, end, find_newest_hour, &s.newest, err);
	good = good && view_each(v, s.newest - t->hours + 1, s.newest + 1, add_model_hour, &s, err);
	if (good) {
		groups_sort(&span, ORDER_USD);
		print_screen(t, &s);
		if (ferror(stdout)) // or `nowcast top | head` would go on for ever
			good = err_set(err, ERR_FATAL,
			               "cannot write the table: the reader has ended, or the disk is full");
	}
	groups_release(&span);
	groups_release(&hour);
	groups_release(&total);
	return good;
}

void top_measure(struct top *t)
{
	struct winsize w;
	const char *term = getenv("TERM");
	t->terminal = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
	t->rows = t->terminal ? 24 : INT_MAX;
	t->columns = t->terminal ? 80 : 0;
	if (t->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 6 && w.ws_col > 20) {
		t->rows = w.ws_row;
		t->columns = w.ws_col;
	}
}

void top_begin(const struct top *t)
{
	setvbuf(stdout, NULL, _IOFBF, FRAME_BYTES);
	if (t->terminal)
		fputs("\033[2J\033[?25l", stdout);
}

void top_end(const struct top *t)
{
	if (t->terminal)
		fputs("\033[?25h", stdout);
	fflush(stdout);
}

static void redraw_until_stopped(struct watch *w, struct view *v, struct err *err)
{
	top_measure(&w->top);
	top_begin(&w->top);
	for (int64_t n = 1; !stopped; n++) {
		char now[WHEN_SIZE], title[80];
		snprintf(title, sizeof title, "nowcast  %s",
		         when_format(w->top.now_ms ? w->top.now_ms : when_now_ms(), now));
		w->top.title = title;
		top_measure(&w->top);
		err_clear(err);
		if (!top_draw(&w->top, v, err)) {
			if (err->kind != ERR_RETRY)
				break;
			fprintf(stderr, "nowcast top: %s; trying again\n", err->msg);
		}
		if (stopped || n == w->turns)
			break;
		struct timespec wait = {w->every_ms / 1000, w->every_ms % 1000 * 1000000L};
		nanosleep(&wait, NULL);
	}
	top_end(&w->top);
}

int cmd_top(struct command *c)
{
	struct err err = ERR_INIT;
	struct watch w = {0};
	struct view *v = NULL;
	if (!parse_arguments(c, &w, &err) || !view_open(&v, redis_target_of(&c->conf), &err) ||
	    !view_map(v, &c->conf, &err) || !grouping_check_keys(&w.top.by, view_mapping(v), &err) ||
	    !grouping_check_keys(&w.of.only.by, view_mapping(v), &err)) {
		selection_release(&w.of);
		view_close(v);
		return command_fail(c, &err);
	}
	struct sigaction act = {.sa_handler = on_signal};
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	redraw_until_stopped(&w, v, &err);
	selection_release(&w.of);
	view_close(v);
	bool written = !ferror(stdout); // else main says why
	return err.kind == ERR_NONE || stopped || !written ? STATUS_OK : command_fail(c, &err);
}
