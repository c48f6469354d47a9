// SPDX-License-Identifier: Apache-2.0
// The estimate against the bill: rings where, over the last period that the bill covers, the two differ by
// more than the rule's per cent of what is billed, and by more than its floor.
//
// A bill changes only when it is reconciled, so the sums are computed once a run and kept beside the alerts,
// as JSON: {"run": "7", "from": hour, "to": hour, "groups": [[name, picodollars estimated, billed], ...]}.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "alert/check_priv.h"
#include "alert/keys.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/when.h"
#include "reconcile/compare.h"
#include "store/keys.h"

enum { DAY = 24, SEARCH_HOURS = 14 * DAY, GROUPS_MAX = 2000 };

struct bill_group {
	struct str group;
	struct usd estimated, billed;
};

struct bill_sums {
	const struct alert_rule *rule;
	struct arena names, scratch;
	struct map index;
	struct bill_group *list;
	int32_t n, cap;
	int64_t newest; // final hour; 0: none
};

static bool note_newest_final(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct bill_sums *s = user;
	(void)v;
	if (model_hour->is_final && model_hour->nactual && model_hour->hour > s->newest)
		s->newest = model_hour->hour;
	return true;
}

static void add_to_group(struct bill_sums *s, struct str group, const struct difference *d)
{
	bool added;
	int32_t *at = map_add(&s->index, hash64(group.p ? group.p : "", group.len), s->n, &added);
	if (added) {
		if (s->n == s->cap)
			s->list = xrealloc(s->list, (size_t)(s->cap = s->cap ? s->cap * 2 : 64), sizeof *s->list);
		s->list[s->n++] = (struct bill_group){.group = arena_str(&s->names, group)};
	}
	struct bill_group *p = &s->list[*at];
	p->estimated = usd_add(p->estimated, d->estimated);
	p->billed = usd_add(p->billed, d->billed);
}

static bool sum_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct bill_sums *s = user;
	struct compared *list;
	int n;
	if (!model_hour->is_final)
		return true;
	arena_reset(&s->scratch);
	compare_model_hour(model_hour, &s->scratch, &list, &n);
	struct model_hour_names names = model_hour_names_of(model_hour);
	for (int i = 0; i < n; i++)
		add_to_group(s,
		             s->rule->by.n ? grouping_key(&s->rule->by, 0, v, model_hour, &list[i].who, &names)
		                           : STR("all"),
		             &list[i].d);
	return true;
}

// The sums of the rule's groups, as an object like that above; NULL: it failed.
static json_t *compute_sums(struct alert_check *c, const struct alert_rule *rule, const char *run,
                            struct err *err)
{
	static const int64_t period_hours[] = {
		[PERIOD_HOUR] = 1, [PERIOD_DAY] = DAY, [PERIOD_WEEK] = 7 * DAY, [PERIOD_MONTH] = 30 * DAY};
	struct bill_sums s = {.rule = rule};
	struct view *v = rollups_view(c->rollups);
	int64_t now = c->now_ms / MS_PER_HOUR, from = 0, to = 0;
	json_t *groups = json_array(), *all = NULL;
	bool good = view_each(v, now - SEARCH_HOURS, now + 1, note_newest_final, &s, err);
	if (good && s.newest) {
		to = s.newest + 1;
		from = to - period_hours[rule->period];
		good = view_each(v, from, to, sum_model_hour, &s, err);
	}
	for (int32_t i = 0; good && i < s.n && i < GROUPS_MAX; i++) {
		char estimated[USD_SIZE], billed[USD_SIZE];
		json_t *name = json_stringn(s.list[i].group.p ? s.list[i].group.p : "", s.list[i].group.len);
		if (name)
			json_array_append_new(groups, json_pack("[o, s, s]", name,
			                                        usd_format_pico(s.list[i].estimated, estimated),
			                                        usd_format_pico(s.list[i].billed, billed)));
	}
	if (good)
		all = json_pack("{s:s, s:I, s:I, s:O}", "run", run, "from", (json_int_t)from, "to", (json_int_t)to,
		                "groups", groups);
	json_decref(groups);
	map_release(&s.index);
	arena_release(&s.names);
	arena_release(&s.scratch);
	free(s.list);
	return all;
}

// The sums of the last reconciliation; *ret NULL: there was none.
static bool read_sums(struct alert_check *c, const struct alert_rule *rule, json_t **ret, struct err *err)
{
	struct buf key = BUF_INIT, status = BUF_INIT;
	char run[24] = "";
	alert_key_bill(&key, c->prefix, rule->name);
	key_reconcile(&status, c->prefix);
	redis_cmdz(c->redis, "HGET", status.data, "run", NULL);
	redis_cmdz(c->redis, "GET", key.data, NULL);
	buf_release(&status);
	*ret = NULL;
	bool good = redis_exec(c->redis, err), known = false;
	if (good && !redis_nil(c->redis, 0)) {
		struct str number = redis_str(c->redis, 0),
				   text = redis_nil(c->redis, 1) ? STR_NONE : redis_str(c->redis, 1);
		snprintf(run, sizeof run, "%.*s", (int)(number.len < sizeof run ? number.len : sizeof run - 1),
		         number.p);
		*ret = json_loadb(text.p ? text.p : "", text.len, 0, NULL);
		const char *of = json_string_value(json_object_get(*ret, "run"));
		known = of && strcmp(of, run) == 0;
	}
	if (good && *run && !known) {
		json_decref(*ret);
		*ret = compute_sums(c, rule, run, err);
		good = *ret != NULL;
		char *text = good ? json_dumps(*ret, JSON_COMPACT) : NULL;
		if (text) {
			redis_cmdz(c->redis, "SET", key.data, text, "EX", "172800", NULL);
			good = redis_exec(c->redis, err);
		}
		free(text);
	}
	buf_release(&key);
	return good;
}

static int64_t level_of(const struct alert_rule *rule, struct usd off, struct usd billed)
{
	int64_t level = 0;
	for (int k = 0; k < rule->nat; k++)
		if (usd_cmp(off, usd_muldiv(billed, rule->at[k], 100)) > 0)
			level = rule->at[k];
	return level;
}

static void check_group(struct alert_check *c, const struct alert_rule *rule, int64_t from, int64_t to,
                  struct str group, struct usd estimated, struct usd billed)
{
	char since[WHEN_SIZE], until[WHEN_SIZE];
	struct group g = {.keys = {group}, .usd = estimated, .usd_low = estimated, .usd_high = estimated};
	struct usd off = usd_cmp(estimated, billed) > 0 ? usd_sub(estimated, billed) : usd_sub(billed, estimated);
	int64_t level = level_of(rule, off, billed);
	if (!level || usd_cmp(off, rule->floor) < 0 || !alert_rule_covers(rule, &g))
		return;
	struct alert_finding *f = alert_add_finding(c, rule, NULL);
	f->group = arena_str(c->arena, group);
	f->usd = f->low = f->high = estimated;
	f->against = billed;
	f->level = level;
	f->from = from;
	f->to = to;
	f->text = alert_format(
		c->arena,
		"%.*s was estimated at %s and billed %s from %s to %s, a difference of more than %lld%%; `nowcast report --reconciliation` says why",
		STR_ARG(f->group), alert_money(estimated).text, alert_money(billed).text,
		when_format(from * MS_PER_HOUR, since), when_format(to * MS_PER_HOUR, until), (long long)level);
}

bool alert_check_bill(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	json_t *all, *one;
	size_t i;
	if (c->hourly || c->past)
		return true; // earlier states of the bill are not kept
	if (!read_sums(c, rule, &all, err))
		return false;
	int64_t from = json_integer_value(json_object_get(all, "from")),
			to = json_integer_value(json_object_get(all, "to"));
	json_array_foreach(json_object_get(all, "groups"), i, one) {
		const char *group = json_string_value(json_array_get(one, 0)),
				   *e = json_string_value(json_array_get(one, 1)),
				   *b = json_string_value(json_array_get(one, 2));
		struct usd estimated, billed;
		if (group && e && b && usd_parse_pico(str_of(e), &estimated) && usd_parse_pico(str_of(b), &billed))
			check_group(c, rule, from, to, arena_str(c->arena, str_of(group)), estimated, billed);
	}
	json_decref(all);
	return true;
}
