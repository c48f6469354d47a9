// SPDX-License-Identifier: Apache-2.0
// Spend by the ids that models were called by: of each its family, its Region, its profile, and the name that
// the owner of an application inference profile gave it. With family=... they are all ways to one model.
#include <string.h>

#include "base/when.h"
#include "pricing/model_id.h"
#include "query/figure_json.h"
#include "store/profile.h"
#include "web/api.h"

enum { KEY_FAMILY, KEY_MODEL, KEY_REGION, KEYS };

// The geography, "application", or "".
static struct str profile_of(struct str model, char geography[MODEL_PROFILE_MAX])
{
	struct model_id id;
	model_id_read(&id, model);
	if (id.kind == MODEL_APPLICATION || (id.kind == MODEL_OPAQUE && profile_is_opaque(model)))
		return STR("application");
	memcpy(geography, id.profile, id.profile_len);
	return (struct str){geography, id.profile_len};
}

// The name of each as of the end of the span; STR_NONE: it has none.
static bool read_names(struct api *a, const struct api_query *q, const struct groups *g, int32_t n,
                       struct arena *arena, struct str *ret, struct err *err)
{
	struct view *v = rollups_view(a->rollups);
	size_t asked = 0, reply = 0;
	for (int32_t i = 0; i < n; i++) {
		struct str model = model_id_key(g->list[i].keys[KEY_MODEL]);
		if (profile_is_opaque(model)) {
			profile_ask(view_redis(v), view_prefix(v), model);
			asked++;
		}
	}
	if (asked && !redis_exec(view_redis(v), err))
		return false;
	for (int32_t i = 0; i < n; i++) {
		struct profile p;
		if (!profile_is_opaque(model_id_key(g->list[i].keys[KEY_MODEL])))
			continue;
		profile_take(view_redis(v), reply++, arena, &p);
		const struct profile_since *now = profile_at(&p, q->to * MS_PER_HOUR);
		ret[i] = now && now->name.len ? now->name : STR_NONE;
	}
	return true;
}

static void remove_empty(struct groups *g)
{
	int32_t n = 0;
	for (int32_t i = 0; i < g->n; i++)
		if (!group_is_empty(&g->list[i]))
			g->list[n++] = g->list[i];
	g->n = n;
}

static void write_model(struct json_writer *j, const struct grouping *by, const struct group *g,
                        struct str name, bool has_calls)
{
	char geography[MODEL_PROFILE_MAX];
	jw_line(j);
	jw_object(j, NULL);
	figure_json_keys(j, by, g->keys);
	jw_str(j, "profile", profile_of(g->keys[KEY_MODEL], geography));
	jw_str(j, "name", name);
	figure_json_units(j, g, has_calls);
	jw_end(j);
}

bool api_models(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	const struct grouping by = {.n = KEYS,
	                            .by = {BY_FAMILY, BY_MODEL, BY_REGION},
	                            .name = {STR("family"), STR("model"), STR("region")}};
	struct arena arena = ARENA_INIT;
	struct groups g;
	struct group total;
	bool has_calls = group_has_calls(&by, &q->only);
	groups_init(&g, &by);
	bool good = api_sum_groups(a, q, q->from, q->to, &g, err) && api_sum(a, q, q->from, q->to, &total, err);
	groups_sort(&g, ORDER_USD);
	remove_empty(&g);
	int32_t n = g.n < q->limit ? g.n : (int32_t)q->limit;
	struct str *names = arena_alloc(&arena, ((size_t)n + 1) * sizeof *names);
	for (int32_t i = 0; i < n; i++)
		names[i] = STR_NONE;
	good = good && read_names(a, q, &g, n, &arena, names, err);
	if (good) {
		jw_object(j, NULL);
		figure_json_span(j, q->from, q->to);
		jw_array(j, "models");
		for (int32_t i = 0; i < n; i++)
			write_model(j, &by, &g.list[i], names[i], has_calls);
		jw_end(j);
		jw_int(j, "all", g.n);
		jw_object(j, "total");
		figure_json_units(j, &total, has_calls);
		jw_end(j);
		jw_end(j);
	}
	arena_release(&arena);
	groups_release(&g);
	return good;
}
