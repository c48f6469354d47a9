// SPDX-License-Identifier: Apache-2.0
// `nowcast top`: who is spending now, as a table that renews itself. On a terminal it redraws in place; elsewhere it prints
// one plain table a turn, so that it can be piped and logged.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/when.h"
#include "estimator/view.h"
#include "serve/commands.h"
#include "serve/group.h"

struct top {
	struct grouping by;
	int64_t hours;      // how far back
	int64_t every_ms;
	int64_t turns;      // 0: until stopped
	bool terminal;
	int rows, columns;
};

struct sums {
	struct groups *span, *hour, *total; // of the span; of its newest hour; of everything in the span
	int64_t newest;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	stopped = sig;
}

static bool parse_count(const char *text, const char *flag, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
	char *end;
	long long v = strtoll(text, &end, 10);
	if (*end || end == text || v < min || v > max)
		return err_set(err, ERR_CONFIG, "%s: expected a number from %lld to %lld, got \"%s\"", flag, (long long)min, (long long)max, text);
	*ret = v;
	return true;
}

static bool parse_arguments(struct command *c, struct top *t, struct err *err)
{
	const char *by = "principal,model", *hours = "24", *every = "2", *turns = "0";
	int64_t seconds;
	if (!command_option(c, "--by", &by, err) || !command_option(c, "--hours", &hours, err) || !command_option(c, "--every", &every, err) ||
	    !command_option(c, "--turns", &turns, err) || !command_done(c, 0, 0, err))
		return false;
	if (!grouping_parse(&t->by, str_of(by), str_of(c->conf.team_tag), err) || !parse_count(hours, "--hours", 1, 24 * 400, &t->hours, err) ||
	    !parse_count(every, "--every", 1, 3600, &seconds, err) || !parse_count(turns, "--turns", 0, 1000000, &t->turns, err))
		return false;
	t->every_ms = seconds * 1000;
	return true;
}

static bool find_newest(void *user, struct view *v, const struct view_sheet *sheet)
{
	int64_t *newest = user;
	(void)v;
	if (sheet->hour > *newest)
		*newest = sheet->hour;
	return true;
}

static bool add_sheet(void *user, struct view *v, const struct view_sheet *sheet)
{
	struct sums *s = user;
	groups_add(s->span, v, sheet);
	groups_add(s->total, v, sheet);
	if (sheet->hour == s->newest)
		groups_add(s->hour, v, sheet);
	return true;
}

// "arn:aws:sts::111122223333:assumed-role/ROLE/SESSION" is long and begins with what all have: what tells it apart comes last.
static struct str short_name(struct str s, int width)
{
	static const struct str starts[] = {{"arn:aws:sts::", 13}, {"arn:aws:iam::", 13}};
	for (size_t i = 0; i < 2; i++)
		if (str_starts(s, starts[i]))
			s = (struct str){s.p + starts[i].len, s.len - starts[i].len};
	return s.len > (size_t)width ? (struct str){s.p + (s.len - (size_t)width), (size_t)width} : s;
}

static void print_cell(struct str s, int width)
{
	struct str cut = short_name(s.len ? s : STR("-"), width);
	for (size_t i = 0; i < cut.len; i++)
		putchar((unsigned char)cut.p[i] < ' ' || cut.p[i] == 0x7f ? '?' : cut.p[i]);
	printf("%*s", width - (int)cut.len + 1, "");
}

static const struct group *same_group(const struct groups *in, const struct group *x)
{
	for (int32_t i = 0; i < in->n; i++) {
		bool same = true;
		for (int k = 0; same && k < in->by.n; k++)
			same = str_eq(in->list[i].keys[k], x->keys[k]);
		if (same)
			return &in->list[i];
	}
	return NULL;
}

static void print_group(const struct top *t, const struct group *x, const struct group *hour, int width)
{
	char usd[USD_SIZE], low[USD_SIZE], high[USD_SIZE], now[USD_SIZE], basis[GROUP_BASIS_SIZE], band[2 * USD_SIZE];
	for (int i = 0; i < t->by.n; i++)
		print_cell(x->keys[i], width);
	bool unpriced = x->tokens && x->unpriced == x->tokens;
	snprintf(band, sizeof band, "%s..%s", usd_format(x->usd_low, 4, low), usd_format(x->usd_high, 4, high));
	printf("%8lld %12lld %10s %10s %21s  %s%s\n", (long long)x->calls, (long long)x->tokens, unpriced ? "-" : usd_format(x->usd, 4, usd),
	       unpriced || !hour ? "-" : usd_format(hour->usd, 4, now), unpriced ? "-" : band, group_basis(x, basis), t->terminal ? "\033[K" : "");
}

static void print_screen(const struct top *t, const struct sums *s)
{
	char when[WHEN_SIZE], now[WHEN_SIZE], usd[USD_SIZE];
	const char *eol = t->terminal ? "\033[K\n" : "\n";
	int width = t->by.n ? (t->columns - 84) / t->by.n : 0, shown = 0, most = t->terminal ? t->rows - 5 : 1 << 30;
	width = width < 16 ? 16 : width > 64 ? 64 : width;
	if (t->terminal)
		fputs("\033[H", stdout);
	when_format(s->newest * MS_PER_HOUR, when);
	when_format(when_now_ms(), now);
	printf("nowcast  %s  last %lld h: $%s in %d groups; newest hour %s%s", now, (long long)t->hours,
	       s->total->n ? usd_format(s->total->list[0].usd, 4, usd) : "0", s->span->n, s->newest ? when : "none yet", eol);
	for (int i = 0; i < t->by.n; i++)
		print_cell(t->by.name[i], width);
	printf("%8s %12s %10s %10s %21s  basis%s", "calls", "tokens", "usd", "this hour", "band", eol);
	for (int32_t i = 0; i < s->span->n && shown < most; i++, shown++)
		print_group(t, &s->span->list[i], same_group(s->hour, &s->span->list[i]), width);
	if (shown < s->span->n)
		printf("... and %d more%s", s->span->n - shown, eol);
	if (t->terminal)
		fputs("\033[J", stdout);
	fflush(stdout);
}

static bool turn(const struct top *t, struct view *v, struct err *err)
{
	struct groups span, hour, total;
	struct sums s = {&span, &hour, &total, 0};
	int64_t now = when_now_ms() / MS_PER_HOUR;
	groups_init(&span, &t->by);
	groups_init(&hour, &t->by);
	groups_init(&total, &(struct grouping){0});
	// Replayed figures may be old: the span ends with the newest hour there is.
	bool good = view_each(v, now - t->hours + 1, INT64_MAX / MS_PER_HOUR, find_newest, &s.newest, err);
	if (good && !s.newest)
		good = view_each(v, 0, INT64_MAX / MS_PER_HOUR, find_newest, &s.newest, err);
	good = good && view_each(v, s.newest - t->hours + 1, s.newest + 1, add_sheet, &s, err);
	if (good) {
		groups_sort_by_usd(&span);
		print_screen(t, &s);
	}
	groups_release(&span);
	groups_release(&hour);
	groups_release(&total);
	return good;
}

static void measure_terminal(struct top *t)
{
	struct winsize w;
	t->terminal = isatty(STDOUT_FILENO);
	t->rows = 24;
	t->columns = 160;
	if (t->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 6 && w.ws_col > 40) {
		t->rows = w.ws_row;
		t->columns = w.ws_col;
	}
}

int cmd_top(struct command *c)
{
	struct err err = ERR_INIT;
	struct top t = {0};
	struct view *v = NULL;
	if (!parse_arguments(c, &t, &err) || !view_open(&v, c->conf.redis, c->conf.redis_ca, c->conf.redis_prefix, &err))
		return command_fail(c, &err);
	struct sigaction act = {.sa_handler = on_signal};
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	measure_terminal(&t);
	if (t.terminal)
		fputs("\033[2J\033[?25l", stdout); // clear, hide the cursor
	for (int64_t n = 1; !stopped; n++) {
		measure_terminal(&t);
		err_clear(&err);
		if (!turn(&t, v, &err)) {
			if (err.kind != ERR_RETRY)
				break;
			fprintf(stderr, "nowcast top: %s; trying again\n", err.msg);
		}
		if (stopped || n == t.turns)
			break;
		struct timespec wait = {t.every_ms / 1000, t.every_ms % 1000 * 1000000L};
		nanosleep(&wait, NULL);
	}
	if (t.terminal)
		fputs("\033[?25h", stdout);
	fflush(stdout);
	view_close(v);
	return err.kind == ERR_NONE || stopped ? STATUS_OK : command_fail(c, &err);
}
