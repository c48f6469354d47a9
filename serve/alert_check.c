// SPDX-License-Identifier: Apache-2.0
// What holds now: each kind of rule is a function that sums the figures it needs and adds findings. Nothing is written here
// and nothing is remembered; what was already told is alert_state.c's business.
//
// Money rules ring on the lower end of the band (usd_low): an estimate that may still be too high wakes nobody.
#include "serve/alert.h"

#include <stdlib.h>
#include <string.h>

#include "base/when.h"

enum { DAY = 24, NEW_DAYS = 30, FINDINGS_MAX = 1000, CONTRIBUTORS = 3 };

struct alert_finding *alert_check_add(struct alert_check *c, const struct alert_rule *rule, const struct group *g)
{
	if (c->n == c->cap) {
		struct alert_finding *more = arena_alloc(c->arena, (size_t)(c->cap = c->cap ? c->cap * 2 : 32) * sizeof *more);
		if (c->n)
			memcpy(more, c->findings, (size_t)c->n * sizeof *more);
		c->findings = more;
	}
	struct alert_finding *f = &c->findings[c->n++];
	*f = (struct alert_finding){.rule = rule, .group = STR("all"), .period = STR(""), .level = 1, .basis = STR("")};
	if (g) {
		char basis[GROUP_BASIS_SIZE];
		f->group = rule->by.n ? arena_str(c->arena, g->keys[0]) : STR("all");
		f->usd = g->usd;
		f->low = g->usd_low;
		f->high = g->usd_high;
		f->basis = arena_str(c->arena, str_of(group_basis(g, basis)));
	}
	return f;
}

static struct str say(struct alert_check *c, const char *fmt, ...) NC_PRINTF(2, 3);
static struct str say(struct alert_check *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct str s = arena_vtext(c->arena, fmt, ap);
	va_end(ap);
	return s;
}

void alert_period_of(enum alert_period p, int64_t hour, int64_t *ret_from, int64_t *ret_to, char *buf)
{
	int64_t day = hour / DAY, from = hour, to = hour + 1, ms;
	char next[WHEN_SIZE];
	when_format(hour * MS_PER_HOUR, buf);
	if (p == PERIOD_DAY) {
		from = day * DAY;
		to = from + DAY;
	} else if (p == PERIOD_WEEK) { // Monday to Sunday; day 0 was a Thursday
		from = (day - (day + 3) % 7) * DAY;
		to = from + 7 * DAY;
	} else if (p == PERIOD_MONTH) {
		memcpy(buf + 8, "01", 2);
		when_parse((struct str){buf, 10}, &ms);
		from = ms / MS_PER_HOUR;
		when_format((from + 32 * DAY) * MS_PER_HOUR, next);
		memcpy(next + 8, "01", 2);
		when_parse((struct str){next, 10}, &ms);
		to = ms / MS_PER_HOUR;
	}
	*ret_from = from;
	*ret_to = to;
	when_format(from * MS_PER_HOUR, buf);
	buf[p == PERIOD_HOUR ? 13 : p == PERIOD_MONTH ? 7 : 10] = '\0';
}

static bool wanted(const struct alert_check *c, const struct alert_rule *rule, const struct group *g)
{
	return c->n < FINDINGS_MAX && (!rule->only.len || (rule->by.n && str_eq(rule->only, g->keys[0])));
}

static bool sum(struct alert_check *c, const struct alert_rule *rule, int64_t from, int64_t to, struct groups *ret, struct err *err)
{
	groups_init(ret, &rule->by);
	return figures_sum(c->figures, &rule->by, NULL, from, to, c->now_ms / MS_PER_HOUR, ret, err);
}

static const struct group *same(const struct groups *in, const struct group *g)
{
	for (int32_t i = 0; i < in->n; i++)
		if (in->by.n == 0 || str_eq(in->list[i].keys[0], g->keys[0]))
			return &in->list[i];
	return NULL;
}

// "$12.34"
struct money { char text[USD_SIZE + 1]; };
static struct money money(struct usd u)
{
	struct money m = {"$"};
	usd_format(u, 2, m.text + 1);
	return m;
}

// ---- budgets -------------------------------------------------------------------------------------------------------

static bool check_budget(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	char name[WHEN_SIZE];
	int64_t from, to, now = c->now_ms / MS_PER_HOUR;
	struct groups g;
	alert_period_of(rule->period, now, &from, &to, name);
	bool good = sum(c, rule, from, now + 1, &g, err);
	for (int32_t i = 0; good && i < g.n; i++) {
		int64_t level = 0;
		for (int k = 0; k < rule->nat; k++)
			if (usd_cmp(usd_muldiv(rule->amount, rule->at[k], 100), g.list[i].usd_low) <= 0)
				level = rule->at[k];
		if (!level || !wanted(c, rule, &g.list[i]))
			continue;
		struct alert_finding *f = alert_check_add(c, rule, &g.list[i]);
		f->period = arena_str(c->arena, str_of(name));
		f->level = level;
		f->latched = true;
		f->against = rule->amount;
		f->from = from;
		f->to = now + 1;
		f->text = say(c, "%.*s has spent %s, %lld%% of its budget of %s for the %s", STR_ARG(f->group), money(f->usd).text,
		              (long long)(f->usd.pico * 100 / rule->amount.pico), money(rule->amount).text, alert_period_names[rule->period]);
	}
	groups_release(&g);
	return good;
}

// The rate to go on with: the last three whole hours for an hour or a day, the last day for more; and the hour in hand.
static bool check_forecast(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	char name[WHEN_SIZE], when[WHEN_SIZE];
	int64_t from, to, now = c->now_ms / MS_PER_HOUR, back = rule->period <= PERIOD_DAY ? 3 : DAY;
	struct groups spent, recent;
	alert_period_of(rule->period, now, &from, &to, name);
	groups_init(&recent, &rule->by);
	bool good = sum(c, rule, from, now + 1, &spent, err) &&
	            figures_sum(c->figures, &rule->by, NULL, now - back, now + 1, now, &recent, err);
	for (int32_t i = 0; good && i < recent.n; i++) {
		const struct group *r = &recent.list[i], *s = same(&spent, r);
		int64_t spent_ms = back * MS_PER_HOUR + c->now_ms % MS_PER_HOUR;
		if (!s || !wanted(c, rule, r) || r->usd_low.pico <= 0 || usd_cmp(s->usd_low, rule->amount) >= 0)
			continue;
		struct usd left = usd_sub(rule->amount, s->usd_low);
		if (left.pico / r->usd_low.pico > 100000)
			continue;
		int64_t wait_ms = (int64_t)(left.pico * spent_ms / r->usd_low.pico);
		if (c->now_ms + wait_ms >= to * MS_PER_HOUR)
			continue;
		struct alert_finding *f = alert_check_add(c, rule, s);
		f->period = arena_str(c->arena, str_of(name));
		f->against = rule->amount;
		f->from = from;
		f->to = now + 1;
		f->text = say(c, "at this rate %.*s passes %s for the %s at %s; so far it has spent %s", STR_ARG(f->group), money(rule->amount).text,
		              alert_period_names[rule->period], when_format(c->now_ms + wait_ms, when), money(s->usd).text);
	}
	groups_release(&spent);
	groups_release(&recent);
	return good;
}

// Burn rates by two windows each: the long one says that it matters, the short one that it still goes on. Both must spend
// the budget `factor` tenths times as fast as it would last. Figures are kept by the hour, so the short ones are hours too.
static const struct { int64_t hours, short_hours, tenths; } burns[] = {{1, 0, 144}, {6, 1, 60}, {72, 6, 10}};

static bool burns_at(const struct group *g, struct usd amount, int64_t period_hours, int64_t window_ms, int64_t tenths)
{
	struct usd even = usd_muldiv(amount, window_ms, period_hours * MS_PER_HOUR); // what lasts exactly
	return g && usd_cmp(g->usd_low, usd_muldiv(even, tenths, 10)) > 0;
}

static bool check_burn(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	char name[WHEN_SIZE];
	int64_t from, to, now = c->now_ms / MS_PER_HOUR, part = c->now_ms % MS_PER_HOUR + 1;
	bool good = true;
	alert_period_of(rule->period, now, &from, &to, name);
	for (size_t b = 0; good && b < sizeof burns / sizeof *burns; b++) {
		struct groups long_, short_;
		groups_init(&short_, &rule->by);
		good = sum(c, rule, now - burns[b].hours, now + 1, &long_, err) &&
		       figures_sum(c->figures, &rule->by, NULL, now - burns[b].short_hours, now + 1, now, &short_, err);
		for (int32_t i = 0; good && i < long_.n; i++) {
			const struct group *g = &long_.list[i];
			int64_t long_ms = burns[b].hours * MS_PER_HOUR + part, short_ms = burns[b].short_hours * MS_PER_HOUR + part;
			if (!wanted(c, rule, g) || usd_cmp(g->usd_low, rule->floor) < 0 ||
			    !burns_at(g, rule->amount, to - from, long_ms, burns[b].tenths) ||
			    !burns_at(same(&short_, g), rule->amount, to - from, short_ms, burns[b].tenths))
				continue;
			struct alert_finding *f = alert_check_add(c, rule, g);
			f->period = say(c, "%lldh", (long long)burns[b].hours);
			f->against = rule->amount;
			f->from = now - burns[b].hours;
			f->to = now + 1;
			f->text = say(c, "%.*s spends its %s for the %s more than %lld.%lld times too fast: %s in the last %s", STR_ARG(f->group), money(rule->amount).text,
			              alert_period_names[rule->period], (long long)burns[b].tenths / 10, (long long)burns[b].tenths % 10, money(g->usd).text,
			              f->period.p);
		}
		groups_release(&long_);
		groups_release(&short_);
	}
	return good;
}

// ---- news ----------------------------------------------------------------------------------------------------------

// Spent in the last day and not in the month before it. Says nothing until there are two days to compare.
static bool check_new(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	int64_t now = c->now_ms / MS_PER_HOUR, first, last;
	struct groups today, before;
	if (!figures_extent(c->figures, &first, &last, err))
		return false;
	if (first == 0 || first > now - 2 * DAY)
		return true;
	groups_init(&before, &rule->by);
	bool good = sum(c, rule, now - DAY, now + 1, &today, err) &&
	            figures_sum(c->figures, &rule->by, NULL, now - NEW_DAYS * DAY, now - DAY, now, &before, err);
	for (int32_t i = 0; good && i < today.n; i++) {
		const struct group *g = &today.list[i];
		if (!wanted(c, rule, g) || g->keys[0].len == 0 || usd_cmp(g->usd_low, rule->floor) < 0 || same(&before, g))
			continue;
		struct alert_finding *f = alert_check_add(c, rule, g);
		f->against = rule->floor;
		f->from = now - DAY;
		f->to = now + 1;
		f->text = say(c, "new %.*s %.*s: %s in the last day, nothing in the %d days before", STR_ARG(rule->by.name[0]), STR_ARG(f->group),
		              money(g->usd).text, NEW_DAYS);
	}
	groups_release(&today);
	groups_release(&before);
	return good;
}

static bool check_unpriced(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	int64_t now = c->now_ms / MS_PER_HOUR;
	struct groups g;
	bool good = sum(c, rule, now - DAY, now + 1, &g, err);
	for (int32_t i = 0; good && i < g.n; i++) {
		if (!wanted(c, rule, &g.list[i]) || g.list[i].unpriced == 0)
			continue;
		struct alert_finding *f = alert_check_add(c, rule, &g.list[i]);
		f->from = now - DAY;
		f->to = now + 1;
		f->text = say(c, "%.*s: %lld tokens of the last day have no price; `nowcast price list` and `price import` help", STR_ARG(f->group),
		              (long long)g.list[i].unpriced);
	}
	groups_release(&g);
	return good;
}

// A signal that was heard once and then no more. One that never came is the doctor's matter.
static bool check_silent(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	static const char *const signals[] = {"call", "metric"};
	struct buf key = BUF_INIT, member = BUF_INIT;
	char when[WHEN_SIZE];
	if (c->hourly)
		return true; // arrivals are not kept
	buf_addf(&key, "%s:signals", c->prefix);
	for (int i = 0; i < 2; i++) {
		buf_clear(&member);
		buf_addf(&member, "%s:arrived", signals[i]);
		redis_cmdz(c->redis, "ZSCORE", key.data, member.data, NULL);
	}
	buf_release(&key);
	buf_release(&member);
	if (!redis_exec(c->redis, err))
		return false;
	for (size_t i = 0; i < 2; i++) {
		int64_t arrived = redis_nil(c->redis, i) ? 0 : redis_int(c->redis, i);
		if (!arrived || c->now_ms - arrived < rule->quiet_ms || (rule->only.len && !str_is(rule->only, signals[i])))
			continue;
		struct alert_finding *f = alert_check_add(c, rule, NULL);
		f->group = str_of(signals[i]);
		f->text = say(c, "no %s has arrived since %s: figures stand still until they do; `nowcast doctor` says more", signals[i], when_format(arrived, when));
	}
	return true;
}

// ---- all -----------------------------------------------------------------------------------------------------------

bool alert_check(struct alert_check *c, struct err *err)
{
	static bool (*const checks[ALERT_KINDS])(struct alert_check *, const struct alert_rule *, struct err *) = {
		check_budget, check_forecast, alert_check_spikes, check_burn, check_new, check_unpriced, check_silent,
	};
	for (int i = 0; i < c->rules->nrules; i++) {
		const struct alert_rule *rule = &c->rules->rules[i];
		if (c->only_rule && rule != c->only_rule)
			continue;
		if (!checks[rule->kind](c, rule, err))
			return err_prefix(err, "rule %.*s", STR_ARG(rule->name));
	}
	return true;
}

bool alert_contributors(struct alert_check *c, const struct alert_finding *f, struct buf *out, struct err *err)
{
	const struct grouping by_caller = {.n = 1, .by = {BY_PRINCIPAL}, .name = {STR("principal")}};
	const struct grouping by_model = {.n = 1, .by = {BY_MODEL}, .name = {STR("model")}};
	const struct grouping *by = f->rule->by.n && f->rule->by.by[0] == BY_PRINCIPAL ? &by_model : &by_caller;
	struct group_filter only = {.by = f->rule->by, .value = {f->group}};
	struct groups g;
	if (f->to <= f->from)
		return true;
	groups_init(&g, by);
	bool good = figures_sum(c->figures, by, f->rule->by.n ? &only : NULL, f->from, f->to, c->now_ms / MS_PER_HOUR, &g, err);
	groups_sort_by_usd(&g);
	for (int32_t i = 0; good && i < g.n && i < CONTRIBUTORS; i++)
		buf_addf(out, "%s%.*s %s", i ? ", " : "", STR_ARG(g.list[i].keys[0]), money(g.list[i].usd).text);
	groups_release(&g);
	return good;
}
