// SPDX-License-Identifier: Apache-2.0
// What a request of the API asks for: its parameters, NAME=VALUE with NUL behind each; groupings of the
// command line. A request is refused with a reason, or its span, limit and groupings are within their
// limits. Longest input: 512 bytes.
#include "web/api_query.h"

#include "tests/fuzz/fuzz.h"

static const struct caller_sources from = {.team_tag = STR("team"),
                                           .team = STR("tag:team, meta:team, map"),
                                           .user = STR("session"),
                                           .mapped = true};

static void check_grouping(const struct grouping *g)
{
	assert(g->n >= 0 && g->n <= GROUP_KEYS_MAX);
	for (int i = 0; i < g->n; i++)
		assert(g->by[i] <= BY_MAP && g->name[i].len &&
		       ((g->by[i] != BY_TAG && g->by[i] != BY_LABEL && g->by[i] != BY_MAP) || g->tag[i].len));
}

// The names that were given mean the same groupings again.
static void try_grouping(struct str text)
{
	struct grouping g, again;
	struct err err = ERR_INIT;
	struct buf names = BUF_INIT;
	if (!grouping_parse(&g, text, from, &err)) {
		check_refusal(&err);
		return;
	}
	check_grouping(&g);
	for (int i = 0; i < g.n; i++)
		buf_adds(&names, i ? "," : ""), buf_addstr(&names, g.name[i]);
	bool good = grouping_parse(&again, buf_str(&names), from, &err);
	assert(g.n == 0 || (good && again.n == g.n));
	for (int i = 0; i < g.n; i++)
		assert(again.by[i] == g.by[i] && str_eq(again.tag[i], g.tag[i]));
	buf_release(&names);
}

static void try_request(struct input *in)
{
	struct http_request r = {.nargs = 0};
	int params = (int)take_byte(in) & 63;
	struct api_query q = {.now_ms = INT64_C(1793595967000), .limit = 100, .step = STEP_HOUR};
	struct err err = ERR_INIT;
	while (in->n && r.nargs < HTTP_ARGS_MAX) {
		struct str value = take_text(in), name = str_cut(&value, '=');
		r.args[r.nargs++] = (struct http_arg){name, value.p ? value : STR("")};
	}
	if (in->n)
		r.nargs = HTTP_ARGS_MAX + 1;
	if (!api_query_parse(&q, &r, params, 24, from, &err)) {
		check_refusal(&err);
		assert(err.kind == ERR_CONFIG);
		return;
	}
	assert(q.from < q.to && q.to - q.from <= QUERY_HOURS_MAX && q.limit >= 1 && q.limit <= QUERY_LIMIT_MAX);
	assert(q.step <= STEP_MINUTE && r.nargs <= HTTP_ARGS_MAX);
	check_grouping(&q.by);
	check_grouping(&q.only.by);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	if (take_byte(&in) % 4 == 0)
		try_grouping(take_rest(&in));
	else
		try_request(&in);
	return 0;
}
