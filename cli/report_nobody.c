// SPDX-License-Identifier: Apache-2.0
// Says of a report without figures which of its conditions nobody meets, and what was meant.
#include <stdio.h>

#include "base/nearest.h"
#include "base/pattern.h"
#include "base/text.h"
#include "cli/report_priv.h"

enum { LISTED_MAX = 8 };

// What was typed: a flag that takes a part of a name puts a * around it.
static struct str typed(struct str value)
{
	while (value.len && *value.p == '*')
		value.p++, value.len--;
	while (value.len && value.p[value.len - 1] == '*')
		value.len--;
	return value;
}

// Names are tried whole, and as they end: the session of an ARN.
static void add_advice(struct buf *b, const struct groups *g, struct str given)
{
	struct nearest near = nearest_of(given);
	for (int32_t i = 0; i < g->n; i++) {
		nearest_try(&near, g->list[i].keys[0]);
		nearest_try(&near, str_after_last(g->list[i].keys[0], '/'));
	}
	if (near.word.len)
		buf_addf(b, "; did you mean %.*s?", STR_ARG(near.word));
	for (int32_t i = 0; !near.word.len && g->n <= LISTED_MAX && i < g->n; i++)
		buf_addf(b, "%s%.*s", i ? ", " : "; there are: ",
		         STR_ARG(g->list[i].keys[0].len ? g->list[i].keys[0] : STR("(none)")));
}

bool report_print_nobody(const struct report *r, struct view *v, struct err *err)
{
	const struct grouping *by = &r->of.only.by;
	for (int i = 0; i < by->n; i++) {
		const struct grouping one = {.n = 1, .by = {by->by[i]}, .name = {by->name[i]}, .tag = {by->tag[i]}};
		struct groups g;
		struct buf b = BUF_INIT;
		bool met = false;
		groups_init(&g, &one);
		bool good = view_each(v, r->of.span.from, r->of.span.to, groups_add, &g, err);
		for (int32_t k = 0; k < g.n; k++)
			met |= pattern_matches(r->of.only.value[i], g.list[k].keys[0]);
		if (good && !met && g.n) {
			groups_sort(&g, ORDER_USD);
			buf_addf(&b, "nowcast report: no %.*s of that span is called %.*s", STR_ARG(by->name[i]),
			         STR_ARG(typed(r->of.only.value[i])));
			add_advice(&b, &g, typed(r->of.only.value[i]));
			buf_addc(&b, '\n');
			(void)!text_print(stderr, &b);
		}
		buf_release(&b);
		groups_release(&g);
		if (!good)
			return false;
	}
	return true;
}
