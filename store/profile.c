// SPDX-License-Identifier: Apache-2.0
#include "store/profile.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/usd.h"
#include "pricing/model_id.h"
#include "store/keys.h"

bool profile_is_opaque(struct str model)
{
	struct model_id id;
	model_id_read(&id, model);
	return id.kind == MODEL_APPLICATION || id.kind == MODEL_OPAQUE;
}

void profile_ask(struct redis *r, const char *prefix, struct str model)
{
	struct buf key = BUF_INIT;
	struct str id = str_after_last(model, '/');
	redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_profile(&key, prefix, id)});
	buf_release(&key);
}

static int by_time(const void *a, const void *b)
{
	const struct profile_since *x = a, *y = b;
	return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

static struct str copied(struct arena *arena, const json_t *o, const char *key)
{
	const json_t *s = json_object_get(o, key);
	return json_is_string(s) ? arena_str(arena, (struct str){json_string_value(s), json_string_length(s)})
	                         : STR_NONE;
}

void profile_take(struct redis *r, size_t reply, struct arena *arena, struct profile *ret)
{
	size_t n = redis_len(r, reply) / 2;
	*ret = (struct profile){.list = arena_alloc(arena, (n + 1) * sizeof *ret->list)};
	for (size_t i = 0; i < n; i++) {
		struct str value = redis_elem(r, reply, 2 * i + 1);
		json_t *o = json_loadb(value.p, value.len, 0, NULL);
		struct profile_since *x = &ret->list[ret->n];
		*x = (struct profile_since){.model = copied(arena, o, "model"),
		                            .name = copied(arena, o, "name"),
		                            .arn = copied(arena, o, "arn")};
		ret->n += x->model.len && usd_parse_scaled(redis_elem(r, reply, 2 * i), 0, &x->from_ms);
		json_decref(o);
	}
	if (ret->n > 1)
		qsort(ret->list, (size_t)ret->n, sizeof *ret->list, by_time);
}

const struct profile_since *profile_at(const struct profile *p, int64_t ms)
{
	for (int i = p->n; i-- > 0;)
		if (p->list[i].from_ms < ms)
			return &p->list[i];
	return NULL;
}
