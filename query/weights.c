// SPDX-License-Identifier: Apache-2.0
#include "query/weights.h"

#include "base/buf.h"
#include "store/keys.h"
#include "store/redis.h"

const char *weights_source_words(struct str source)
{
	static const struct {
		const char *name, *words;
	} known[] = {
		{"bill", "the bill of past days"},
		{"exact", "its own exact calls"},
		{"minutes", "the metrics of the minutes it called in"},
		{"role", "others of its role"},
		{"tags", "others with its tags"},
		{"model", "all callers of the model"},
		{"none", "nothing yet"},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_is(source, known[i].name))
			return known[i].words;
	return "?";
}

static void ask(struct view *v, const struct model_hour *where)
{
	struct buf key = BUF_INIT, acct_region = BUF_INIT, member = BUF_INIT;
	buf_addf(&acct_region, "%.*s/%.*s", STR_ARG(where->account), STR_ARG(where->region));
	key_member(&member, where->hour, where->model);
	key_usage_meta(&key, view_prefix(v), buf_str(&acct_region), buf_str(&member));
	redis_cmd(view_redis(v), 2, (struct str[]){STR("HGETALL"), buf_str(&key)});
	buf_release(&key);
	buf_release(&acct_region);
	buf_release(&member);
}

bool weights_each(struct view *v, const struct model_hour *where, int n, struct str principal, weights_fn *fn,
                  void *user, struct err *err)
{
	struct redis *r = view_redis(v);
	for (int i = 0; i < n; i++)
		ask(v, &where[i]);
	if (n && !redis_exec(r, err))
		return false;
	for (int i = 0; i < n; i++) {
		redis_sort_fields(r, (size_t)i);
		for (size_t k = 0; k + 1 < redis_len(r, (size_t)i); k += 2) {
			struct weight_row weights[METRIC_KINDS];
			struct str of, tagset;
			if (weights_read(redis_elem(r, (size_t)i, k), redis_elem(r, (size_t)i, k + 1), &of, &tagset,
			                 weights) &&
			    str_eq(of, principal))
				fn(user, &where[i], tagset, weights);
		}
	}
	return true;
}
