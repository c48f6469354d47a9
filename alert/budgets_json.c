// SPDX-License-Identifier: Apache-2.0
#include "alert/budgets_json.h"

#include "base/when.h"
#include "query/figure_json.h"

// Every rule that alerts of the budget, the first one included.
static void write_rules(struct json_writer *j, const struct alert_rules *rules, const struct alert_rule *of)
{
	jw_array(j, "rules");
	for (int i = 0; i < rules->nrules; i++) {
		const struct alert_rule *r = &rules->rules[i];
		if (!alert_rules_are_one_budget(r, of))
			continue;
		jw_object(j, NULL);
		jw_str(j, "name", r->name);
		jw_strz(j, "kind", alert_kind_names[r->kind]);
		jw_array(j, "levels");
		for (int k = 0; r->kind == ALERT_BUDGET && k < r->nat; k++)
			jw_int(j, NULL, r->at[k]);
		jw_end(j);
		jw_end(j);
	}
	jw_end(j);
}

static void write_budget(struct json_writer *j, const struct alert_rules *rules, const struct budget *b)
{
	const struct alert_rule *r = b->rule;
	jw_line(j);
	jw_object(j, NULL);
	jw_str(j, "rule", r->name);
	figure_json_keys(j, &r->by, b->spent.keys);
	jw_strz(j, "period", alert_period_names[r->period]);
	figure_json_span(j, b->from, b->to);
	jw_usd(j, "amount", r->amount);
	jw_int(j, "used_ppm", budget_used_ppm(b));
	jw_array(j, "levels");
	for (int i = 0; i < r->nat; i++)
		jw_int(j, NULL, r->at[i]);
	jw_end(j);
	write_rules(j, rules, r);
	figure_json_members(j, &b->spent, group_has_calls(&r->by, NULL));
	jw_usd(j, "expected", b->expected);
	jw_strz(j, "foretold_by", b->at_this_rate ? "rate" : "forecast");
	jw_time_if(j, "passes", b->passes_ms, b->passes_ms);
	jw_end(j);
}

void budgets_json(struct json_writer *j, const struct budgets *all, int max)
{
	int shown = all->n < max ? all->n : max;
	jw_array(j, "budgets");
	for (int i = 0; i < shown; i++)
		write_budget(j, all->rules, &all->list[i]);
	jw_end(j);
	jw_int(j, "shown", shown);
	jw_int(j, "all", all->n);
}
