// SPDX-License-Identifier: Apache-2.0
#include "estimator/cell.h"

#include <assert.h>
#include <string.h>

void cell_reader_init(struct cell_reader *r, const struct span *span, int lookback, struct arena *arena)
{
	size_t n = (size_t)span->ncallers + 1;
	assert(lookback >= 0 && lookback <= 60);
	*r = (struct cell_reader){
		.span = span,
		.lookback = lookback,
		.lacking = arena_alloc(arena, n * sizeof(int64_t)),
		.listed = arena_alloc(arena, n * sizeof(int32_t)),
		.called = who_set_new(span->ncallers, arena),
	};
	memset(r->lacking, 0, n * sizeof(int64_t));
}

// Whether the minute's metrics end the wait of calls within the project (0: of the rest). The model's metric
// does: its cell of the rest has taken the calls of every project without a metric of its own.
static bool ends_wait(const struct minute *m, uint64_t project)
{
	return m && m->metered && (!m->partial || (project && minute_has_project(m, project)));
}

static int first_minute(const struct cell_reader *r, int m, uint64_t project)
{
	int first = m;
	while (m - (first - 1) <= r->lookback && !ends_wait(span_minute(r->span, first - 1), project))
		first--;
	return first;
}

bool cell_takes_project(const struct cell *c, const struct span *s, int m, const struct who *who)
{
	if (c->project)
		return c->strangers ? who->project == 0 : who->project == c->project;
	for (int i = m; who->project && i <= c->last; i++) {
		const struct minute *at = span_minute(s, i);
		if (at && minute_has_project(at, who->project))
			return false;
	}
	return true;
}

// Adds the calls of minute m that belong to the cell and lack tokens of the kind. Returns the exact tokens of
// the others.
static int64_t add_calls(struct cell_reader *r, const struct cell *c, int m, int kind)
{
	int64_t exact = 0;
	const struct minute *at = span_minute(r->span, m);
	for (int32_t i = 0; at && i < at->ncalls; i++) {
		int64_t n = at->calls[i].n - at->calls[i].exact_n[kind];
		int32_t who = at->calls[i].caller;
		if (!cell_takes(c, r->span, m, &r->span->callers[who]))
			continue;
		r->alike &= !calls_are_exact(&at->calls[i]);
		exact += at->calls[i].exact[kind];
		if (n <= 0)
			continue;
		who_set_add(&r->called, who);
		r->lacking[who] += n;
	}
	return exact;
}

// Whether somebody called within the project in the minutes whose calls may have waited for minute m.
static bool is_called(const struct cell_reader *r, int m, uint64_t project)
{
	for (int i = m - r->lookback; i <= m; i++) {
		const struct minute *at = span_minute(r->span, i);
		for (int32_t k = 0; at && k < at->ncalls; k++)
			if (at->calls[k].n > 0 && r->span->callers[at->calls[k].caller].project == project)
				return true;
	}
	return false;
}

int cell_parts(const struct cell_reader *r, int m)
{
	const struct minute *at = span_minute(r->span, m);
	return at && at->metered ? at->nprojects + !at->partial : 0;
}

// What the metric shows for the part.
static void read_metric(const struct minute *at, int part, int kind, struct cell *ret)
{
	const struct project_metric *p = &at->projects[part];
	ret->metric = part < at->nprojects ? p->metric[kind] : at->metric[kind];
	ret->samples = part < at->nprojects ? p->samples[kind] : at->samples[kind];
	ret->larger = part < at->nprojects ? p->larger[kind] : at->larger[kind];
	ret->project = part < at->nprojects ? p->project : 0;
	for (int32_t i = 0; part == at->nprojects && i < at->nprojects; i++) {
		ret->metric -= at->projects[i].metric[kind];
		ret->samples = ret->larger = 0; // not known of what is left
	}
	assert(ret->metric >= 0);
}

static void read_calls(struct cell_reader *r, int m, int part, int kind)
{
	struct cell c = {.residual = 0};
	int64_t exact = 0;
	for (int32_t i = 0; i < r->nlisted; i++)
		r->lacking[r->listed[i]] = 0;
	r->nlisted = 0;
	r->alike = true;
	read_metric(span_minute(r->span, m), part, kind, &c);
	c.last = m;
	c.first = first_minute(r, m, c.project);
	c.strangers = c.project && !is_called(r, m, c.project);
	for (int i = c.first; i <= m; i++)
		exact += add_calls(r, &c, i, kind);
	if (c.strangers)
		exact = 0; // it counts in the cell of the rest
	int64_t beyond = c.metric - exact;
	r->nlisted = who_set_take(&r->called, r->listed);
	r->alike &= r->nlisted > 0;
	for (int i = c.first - 1; beyond > 0 && r->nlisted == 0 && m - i <= r->lookback; i--) {
		add_calls(r, &c, i, kind);
		r->nlisted = who_set_take(&r->called, r->listed);
	}
	c.residual = beyond > 0 ? beyond : 0;
	c.excess = beyond < 0 ? -beyond : 0;
	c.callers = r->listed;
	c.lacking = r->lacking;
	c.ncallers = r->nlisted;
	for (int32_t i = 0; i < r->nlisted; i++)
		c.calls += r->lacking[r->listed[i]];
	assert(c.residual == 0 || c.excess == 0);
	r->cell = c;
	r->part = part;
}

void cell_read(struct cell_reader *r, int m, int part, int kind, struct cell *ret)
{
	if (r->alike && r->cell.last == m && r->part == part) {
		read_metric(span_minute(r->span, m), part, kind, &r->cell);
		r->cell.residual = r->cell.metric;
	} else {
		read_calls(r, m, part, kind);
	}
	*ret = r->cell;
}

bool cell_is_covered(const struct cell_reader *r, int m, const struct who *who)
{
	for (int i = m; i - m <= r->lookback && i < 120; i++) {
		const struct minute *at = span_minute(r->span, i);
		if (at && at->metered && (!at->partial || !who->project || minute_has_project(at, who->project)))
			return true;
	}
	return false;
}
