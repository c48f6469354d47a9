// SPDX-License-Identifier: Apache-2.0
#include "store/plausible.h"

#include <string.h>

#include "pricing/model_id.h"

enum {
	UNITS_MAX = 1000000, // images or search units of a call
	SMALL = 32000 * PLAUSIBLE_TURNS, // believed of every model: the smallest window below
};

int64_t plausible_context(struct str model)
{
	static const struct {
		struct str name; // that the model's begins with: the first that fits counts
		int64_t tokens;
	} windows[] = {
		{STR("anthropic.claude-2"), 200000},  {STR("anthropic.claude-instant"), 200000},
		{STR("anthropic.claude-3"), 200000},  {STR("anthropic.claude-"), 1000000},
		{STR("amazon.nova-micro"), 128000},   {STR("amazon.nova-"), 1000000},
		{STR("amazon.titan-"), 32000},        {STR("meta.llama3"), 128000},
	};
	struct model_id id;
	model_id_read(&id, model);
	for (size_t i = 0; id.kind == MODEL_NAMED && i < sizeof windows / sizeof *windows; i++)
		if (str_starts((struct str){id.name, id.len}, windows[i].name))
			return windows[i].tokens;
	return PLAUSIBLE_CONTEXT;
}

static int64_t known(const struct call *c, enum token_kind kind)
{
	return c->known[kind] ? c->tokens[kind] : 0;
}

bool plausible_call(struct call *c, struct err *err)
{
	int64_t written = known(c, TOKENS_CACHE_WRITE), written_1h = known(c, TOKENS_CACHE_WRITE_1H);
	int64_t prompt = known(c, TOKENS_INPUT) + known(c, TOKENS_CACHE_READ) +
	                 (written > written_1h ? written : written_1h),
			output = known(c, TOKENS_OUTPUT), units = known(c, TOKENS_UNITS);
	if (prompt <= SMALL && output <= SMALL && units <= SMALL && known(c, TOKENS_OUTPUT_MAX) <= SMALL)
		return true; // of any model: most calls
	int64_t most = plausible_context(c->model) * PLAUSIBLE_TURNS;
	if (known(c, TOKENS_OUTPUT_MAX) > most)
		c->known[TOKENS_OUTPUT_MAX] = false; // what a caller has asked for: no limit
	if (prompt <= most && output <= most && units <= UNITS_MAX)
		return true;
	memset(c->known, 0, sizeof c->known);
	return err_set(err, ERR_SKIP,
	               "implausible: a call of %lld prompt tokens, %lld output tokens, %lld units; at most %lld tokens "
	               "are believed of this model. The call is counted, its tokens are taken from the metrics",
	               (long long)prompt, (long long)output, (long long)units, (long long)most);
}

bool plausible_metric(const struct metric *m, struct err *err)
{
	bool of_tokens = m->token_kind != TOKENS_UNITS;
	int64_t most = PLAUSIBLE_METRIC, each = plausible_context(m->model) * PLAUSIBLE_TURNS;
	if (of_tokens && m->samples > 0 && m->samples < most / each)
		most = m->samples * each;
	return m->sum <= most ||
	       err_set(err, ERR_SKIP,
	               "implausible: a metric of %lld in one minute, of %lld calls; at most %lld are believed. It is "
	               "left out",
	               (long long)m->sum, (long long)m->samples, (long long)most);
}
