// SPDX-License-Identifier: Apache-2.0
// Each kind of rule is a function that sums the figures it needs and adds findings; the larger ones have
// files of their own. Whether a finding is news is decided in alert/state.c.
#include "alert/check.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alert/check_priv.h"
#include "base/text.h"
#include "base/when.h"
#include "query/freshness.h"

enum { DAY = 24, NEW_DAYS = 30, NEW_OBSERVED_MIN = 12 * 60, CONTRIBUTORS = 3 };

struct alert_finding *alert_add_finding(struct alert_check *c, const struct alert_rule *rule,
                                      const struct group *g)
{
	if (c->n == c->cap) {
		struct alert_finding *more =
			arena_alloc(c->arena, (size_t)(c->cap = c->cap ? c->cap * 2 : 32) * sizeof *more);
		if (c->n)
			memcpy(more, c->findings, (size_t)c->n * sizeof *more);
		c->findings = more;
	}
	struct alert_finding *f = &c->findings[c->n++];
	*f = (struct alert_finding){
		.rule = rule, .group = STR("all"), .period = STR(""), .level = 1, .basis = STR("")};
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

bool alert_rule_covers(const struct alert_rule *rule, const struct group *g)
{
	return !rule->only.len || (rule->by.n && str_eq(rule->only, g->keys[0]));
}

bool alert_sum_groups(struct alert_check *c, const struct alert_rule *rule, int64_t from, int64_t to,
               struct groups *ret, struct err *err)
{
	int64_t now = c->now_ms / MS_PER_HOUR, whole = c->past && to > now ? now : to;
	groups_init(ret, &rule->by);
	const struct rollups_query q = {&rule->by, NULL, from, whole, now};
	if (!rollups_sum(c->rollups, &q, ret, err) || (whole < to && !alert_past_sum(c, rule, ret, err)))
		return false;
	groups_sort(ret, ORDER_NAME);
	return true;
}

static int by_key(const void *a, const void *b)
{
	return str_cmp(((const struct group *)a)->keys[0], ((const struct group *)b)->keys[0]);
}

const struct group *alert_find_group(const struct groups *in, const struct group *g)
{
	if (in->by.n == 0)
		return in->n ? in->list : NULL;
	return in->n ? bsearch(g, in->list, (size_t)in->n, sizeof *in->list, by_key) : NULL;
}

// ---- new, unpriced, silent ----------------------------------------------------------------------

// "30 days before", or how much of them is known.
static struct str days_before(struct alert_check *c, int64_t observed)
{
	if (observed * 50 >= NEW_DAYS * DAY * 60 * 49)
		return alert_format(c->arena, "%d days before", NEW_DAYS);
	if (observed < 2 * DAY * 60)
		return alert_format(c->arena, "%lld hour%s that were observed before", (long long)observed / 60,
		                    text_s(observed / 60));
	return alert_format(c->arena, "%lld days that were observed before", (long long)observed / 60 / DAY);
}

// "$3.20", or "1200 tokens without a price": such are not $0.00.
static struct str spend_text(struct alert_check *c, const struct group *g)
{
	if (!g->unpriced || g->usd.pico)
		return alert_format(c->arena, "%s", alert_money(g->usd).text);
	return alert_format(c->arena, "%lld token%s without a price", (long long)g->unpriced,
	                    text_s(g->unpriced));
}

// Groups that spent in the last day and not in the NEW_DAYS before. Finds nothing in the first two days of
// figures, nor while hardly anything before the last day was observed: then everybody would be new.
static bool check_new(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	int64_t now = c->now_ms / MS_PER_HOUR, from = now - NEW_DAYS * DAY, first, last;
	struct groups today, before;
	if (!rollups_extent(c->rollups, &first, &last, err))
		return false;
	const struct observed *o = rollups_observed(c->rollups, NULL, from, now - DAY, c->now_ms, err);
	if (!o)
		return false;
	int64_t observed = observed_count(o, from * 60, (now - DAY) * 60, MINUTE_OBSERVED);
	if (first == 0 || first > now - 2 * DAY || observed < NEW_OBSERVED_MIN)
		return true;
	groups_init(&before, &rule->by);
	bool good = alert_sum_groups(c, rule, now - DAY, now + 1, &today, err) &&
	            alert_sum_groups(c, rule, now - NEW_DAYS * DAY, now - DAY, &before, err);
	for (int32_t i = 0; good && i < today.n; i++) {
		const struct group *g = &today.list[i];
		if (!alert_rule_covers(rule, g) || g->keys[0].len == 0 || usd_cmp(g->usd_low, rule->floor) < 0 ||
		    alert_find_group(&before, g))
			continue;
		struct alert_finding *f = alert_add_finding(c, rule, g);
		f->against = rule->floor;
		f->from = now - DAY;
		f->to = now + 1;
		f->text = alert_format(c->arena, "new %.*s %.*s: %.*s in the last day, nothing in the %.*s",
		                       STR_ARG(rule->by.name[0]), STR_ARG(f->group), STR_ARG(spend_text(c, g)),
		                       STR_ARG(days_before(c, observed)));
	}
	groups_release(&today);
	groups_release(&before);
	return good;
}

static bool check_unpriced(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	int64_t now = c->now_ms / MS_PER_HOUR;
	struct groups g;
	bool good = alert_sum_groups(c, rule, now - DAY, now + 1, &g, err);
	for (int32_t i = 0; good && i < g.n; i++) {
		if (!alert_rule_covers(rule, &g.list[i]) || g.list[i].unpriced == 0)
			continue;
		struct alert_finding *f = alert_add_finding(c, rule, &g.list[i]);
		f->from = now - DAY;
		f->to = now + 1;
		f->text = alert_format(
			c->arena,
			"%.*s: %lld token%s of the last day %s no price and %s in no dollar figure; `nowcast price list` and `price import` help",
			STR_ARG(f->group), (long long)g.list[i].unpriced, text_s(g.list[i].unpriced),
			g.list[i].unpriced == 1 ? "has" : "have", g.list[i].unpriced == 1 ? "is" : "are");
	}
	groups_release(&g);
	return good;
}

// A signal whose newest event grows old: nothing arrives, or what arrives is old. `nowcast doctor` reports
// one that never came.
static bool check_silent(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	struct freshness fresh;
	char event[WHEN_SIZE], arrived[WHEN_SIZE];
	if (c->hourly || c->past)
		return true; // arrivals are not kept
	if (!freshness_read(&fresh, c->redis, c->prefix, c->now_ms, err))
		return false;
	for (int i = SIGNAL_CALL; i <= SIGNAL_METRIC; i++) {
		const struct signal *s = &fresh.signals[i];
		if (!s->event_ms || c->now_ms - s->event_ms < rule->quiet_ms ||
		    (rule->only.len && !str_is(rule->only, s->name)))
			continue;
		struct alert_finding *f = alert_add_finding(c, rule, NULL);
		f->group = str_of(s->name);
		f->text = alert_format(
			c->arena,
			"no %s is newer than %s, for %lld minutes (the last one arrived at %s): figures do not change until one comes; `nowcast doctor` says more",
			s->name, when_format(s->event_ms, event), (long long)(c->now_ms - s->event_ms) / MS_PER_MINUTE,
			when_format(s->arrived_ms, arrived));
	}
	return true;
}

// ---- all ----------------------------------------------------------------------------------------

static int most_expensive_first(const void *a, const void *b)
{
	const struct alert_finding *f = a, *g = b;
	int more = usd_cmp(g->usd, f->usd), group = str_cmp(f->group, g->group);
	return more ? more : group ? group : str_cmp(f->period, g->period);
}

bool alert_check(struct alert_check *c, struct err *err)
{
	static bool (*const checks[ALERT_KINDS])(struct alert_check *, const struct alert_rule *,
	                                         struct err *) = {
		alert_check_budget, alert_check_forecast, alert_check_spikes, alert_check_burn,
		check_new,          check_unpriced,       check_silent,       alert_check_bill,
	};
	for (int i = 0; i < c->rules->nrules; i++) {
		const struct alert_rule *rule = &c->rules->rules[i];
		if (c->only_rule && rule != c->only_rule)
			continue;
		int before = c->n;
		if (!checks[rule->kind](c, rule, err))
			return err_prefix(err, "rule %.*s", STR_ARG(rule->name));
		for (int k = before; k < c->n; k++)
			assert(c->findings[k].level > 0 && c->findings[k].text.len);
		if (c->n > before)
			qsort(c->findings + before, (size_t)(c->n - before), sizeof *c->findings, most_expensive_first);
	}
	return true;
}

static int by_unpriced(const void *a, const void *b)
{
	int64_t x = ((const struct group *)a)->unpriced, y = ((const struct group *)b)->unpriced;
	return x > y ? -1 : x < y;
}

bool alert_add_contributors(struct alert_check *c, const struct alert_finding *f, struct buf *out,
                        struct err *err)
{
	const struct grouping by_caller = {.n = 1, .by = {BY_PRINCIPAL}, .name = {STR("principal")}};
	const struct grouping by_model = {.n = 1, .by = {BY_MODEL}, .name = {STR("model")}};
	const struct grouping *by = f->rule->by.n && f->rule->by.by[0] == BY_PRINCIPAL ? &by_model : &by_caller;
	struct group_filter only = {.by = f->rule->by, .value = {f->group}};
	struct groups g;
	if (f->to <= f->from)
		return true;
	groups_init(&g, by);
	const struct rollups_query q = {by, f->rule->by.n ? &only : NULL, f->from, f->to,
	                                c->now_ms / MS_PER_HOUR};
	bool good = rollups_sum(c->rollups, &q, &g, err);
	bool tokens = f->rule->kind == ALERT_UNPRICED;
	groups_sort(&g, ORDER_USD);
	if (tokens && g.n)
		qsort(g.list, (size_t)g.n, sizeof *g.list, by_unpriced);
	for (int32_t i = 0; good && i < g.n && i < CONTRIBUTORS; i++) {
		buf_addf(out, "%s%.*s ", i ? ", " : "", STR_ARG(g.list[i].keys[0]));
		if (tokens)
			buf_addf(out, "%lld token%s", (long long)g.list[i].unpriced, text_s(g.list[i].unpriced));
		else
			buf_addstr(out, spend_text(c, &g.list[i]));
	}
	if (out->len)
		text_make_plain(out->data, out->len);
	groups_release(&g);
	return good;
}
