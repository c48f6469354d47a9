// SPDX-License-Identifier: Apache-2.0
#include "store/cardinality.h"

#include <stdlib.h>

#include "base/arn.h"
#include "base/buf.h"
#include "store/keys.h"

static const struct str sessions = {CARDINALITY_SESSIONS, sizeof CARDINALITY_SESSIONS - 1};

struct str cardinality_group(struct str arn)
{
	struct str rest = arn;
	arn_cut_account(&rest);
	bool of_role = str_starts(rest, (struct str){sessions.p + 1, sessions.len - 1});
	struct str last = str_cut(&rest, '/');
	if (of_role)
		last = str_cut(&rest, '/');
	return rest.len ? (struct str){arn.p, (size_t)(last.p + last.len + 1 - arn.p)} : STR_NONE;
}

bool cardinality_is_of_sessions(struct str group)
{
	return group.len && memmem(group.p, group.len, sessions.p, sessions.len);
}

struct str cardinality_label_owner(struct str arn)
{
	struct str group = cardinality_group(arn);
	return cardinality_is_of_sessions(group) ? group : arn;
}

struct str cardinality_label_keys(struct arena *arena, struct str owner)
{
	return arena_text(arena, "%.*s" CARDINALITY_LABEL_KEYS, STR_ARG(owner));
}

struct str cardinality_label_values(struct arena *arena, struct str owner, struct str key)
{
	return arena_text(arena, "%.*s %.*s", STR_ARG(owner), STR_ARG(key));
}

struct str overflow_name(struct arena *arena, struct str group)
{
	return arena_text(arena, "%.*s%s", STR_ARG(group),
	                  cardinality_is_of_sessions(group) ? OTHER_SESSIONS : OTHER_USERS);
}

bool is_overflow_name(struct str shown)
{
	return str_ends(shown, STR("/" OTHER_SESSIONS)) || str_ends(shown, STR("/" OTHER_USERS));
}

struct str cardinality_shown(struct arena *arena, struct str stored)
{
	struct str group = str_ends(stored, STR("/*")) ? cardinality_group(stored) : STR_NONE;
	return group.len && group.len + 1 == stored.len ? overflow_name(arena, group) : stored;
}

struct str cardinality_stored(struct arena *arena, struct str shown)
{
	struct str group = is_overflow_name(shown) ? cardinality_group(shown) : STR_NONE;
	return group.len ? arena_text(arena, "%.*s*", STR_ARG(group)) : shown;
}

// ---- reading ------------------------------------------------------------------------------------

void cardinality_ask(struct redis *r, const char *prefix, struct str acct_region, int64_t first_day,
                     int64_t last_day)
{
	struct buf key = BUF_INIT;
	for (int64_t day = first_day; day <= last_day; day++)
		redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), key_overflowed(&key, prefix, acct_region, day)});
	buf_release(&key);
}

void cardinality_take(struct cardinality *ret, struct redis *r, size_t reply, int64_t first_day,
                      int64_t last_day, struct arena *arena)
{
	size_t n = 0;
	for (int64_t day = first_day; day <= last_day; day++)
		n += redis_len(r, reply + (size_t)(day - first_day));
	*ret = (struct cardinality){.list = arena_alloc(arena, (n + 1) * sizeof *ret->list)};
	for (int64_t day = first_day; day <= last_day; day++, reply++)
		for (size_t i = 0; i < redis_len(r, reply); i++)
			ret->list[ret->n++] =
				(struct kept_names){.day = day, .group = arena_str(arena, redis_elem(r, reply, i))};
}

static bool is_models(const struct kept_names *o)
{
	return str_is(o->group, CARDINALITY_MODELS);
}

void cardinality_ask_kept(const struct cardinality *x, struct redis *r, const char *prefix,
                          struct str acct_region, struct str model)
{
	struct buf key = BUF_INIT;
	for (int i = 0; i < x->n; i++) {
		key_kept(&key, prefix, acct_region, x->list[i].day, x->list[i].group);
		if (is_models(&x->list[i]))
			redis_cmd(r, 3, (struct str[]){STR("ZSCORE"), buf_str(&key), model});
		else
			redis_cmd(r, 4, (struct str[]){STR("ZRANGE"), buf_str(&key), STR("0"), STR("-1")});
	}
	buf_release(&key);
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void cardinality_take_kept(struct cardinality *x, struct redis *r, size_t reply, struct arena *arena)
{
	for (int i = 0; i < x->n; i++, reply++) {
		struct kept_names *o = &x->list[i];
		o->keeps_model = is_models(o) && !redis_nil(r, reply);
		if (is_models(o))
			continue;
		o->n = redis_len(r, reply);
		o->names = arena_alloc(arena, (o->n + 1) * sizeof *o->names);
		for (size_t k = 0; k < o->n; k++)
			o->names[k] = arena_str(arena, redis_elem(r, reply, k));
		if (o->n > 1)
			qsort(o->names, o->n, sizeof *o->names, by_name);
	}
}

// ---- asking -------------------------------------------------------------------------------------

static const struct kept_names *find_group(const struct cardinality *x, int64_t day, struct str group)
{
	for (int i = 0; i < x->n; i++)
		if (x->list[i].day == day && str_eq(x->list[i].group, group))
			return &x->list[i];
	return NULL;
}

bool cardinality_keeps_label(const struct cardinality *x, int64_t day, struct str group, struct str name)
{
	const struct kept_names *o = find_group(x, day, group);
	return !o || (o->n && bsearch(&name, o->names, o->n, sizeof *o->names, by_name));
}

bool cardinality_keeps_caller(const struct cardinality *x, int64_t day, struct str group, struct str arn)
{
	return cardinality_keeps_label(x, day, group, (struct str){arn.p + group.len, arn.len - group.len});
}

bool cardinality_keeps_model(const struct cardinality *x, int64_t day)
{
	const struct kept_names *o = find_group(x, day, STR(CARDINALITY_MODELS));
	return !o || o->keeps_model;
}
