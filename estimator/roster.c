// SPDX-License-Identifier: Apache-2.0
#include "estimator/roster.h"

#include <stdlib.h>

#include "base/buf.h"

struct str roster_role(struct str arn)
{
	static const struct str mark = {":assumed-role/", sizeof ":assumed-role/" - 1};
	const char *at = arn.len ? memmem(arn.p, arn.len, mark.p, mark.len) : NULL;
	if (!at)
		return STR_NONE;
	struct str rest = {at + mark.len, arn.len - (size_t)(at + mark.len - arn.p)}, role = str_cut(&rest, '/');
	return rest.len ? (struct str){arn.p, (size_t)(role.p + role.len + 1 - arn.p)} : STR_NONE;
}

struct str roster_shown(struct arena *arena, struct str stored)
{
	struct str role = str_ends(stored, STR("/*")) ? roster_role(stored) : STR_NONE;
	return role.len + 1 == stored.len ? arena_text(arena, "%.*s" OTHER_SESSIONS, STR_ARG(role)) : stored;
}

struct str roster_stored(struct arena *arena, struct str shown)
{
	struct str role = str_ends(shown, STR("/" OTHER_SESSIONS)) ? roster_role(shown) : STR_NONE;
	return role.len ? arena_text(arena, "%.*s*", STR_ARG(role)) : shown;
}

// ---- reading -------------------------------------------------------------------------------------------------------

void rosters_ask(struct redis *r, struct str start, int64_t first_day, int64_t last_day)
{
	struct buf key = BUF_INIT;
	for (int64_t day = first_day; day <= last_day; day++) {
		buf_clear(&key);
		buf_addf(&key, "%.*s:crowded:%lld", STR_ARG(start), (long long)day);
		redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), buf_str(&key)});
	}
	buf_release(&key);
}

void rosters_take(struct rosters *ret, struct redis *r, size_t reply, int64_t first_day, int64_t last_day, struct arena *arena)
{
	size_t n = 0;
	for (int64_t day = first_day; day <= last_day; day++)
		n += redis_len(r, reply + (size_t)(day - first_day));
	*ret = (struct rosters){.list = arena_alloc(arena, (n + 1) * sizeof *ret->list)};
	for (int64_t day = first_day; day <= last_day; day++, reply++)
		for (size_t i = 0; i < redis_len(r, reply); i++)
			ret->list[ret->n++] = (struct roster){.day = day, .role = arena_str(arena, redis_elem(r, reply, i))};
}

void rosters_ask_seats(const struct rosters *x, struct redis *r, struct str start)
{
	struct buf key = BUF_INIT;
	for (int i = 0; i < x->n; i++) {
		buf_clear(&key);
		buf_addf(&key, "%.*s:roster:%lld:%.*s", STR_ARG(start), (long long)x->list[i].day, STR_ARG(x->list[i].role));
		redis_cmd(r, 4, (struct str[]){STR("ZRANGE"), buf_str(&key), STR("0"), STR("-1")});
	}
	buf_release(&key);
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void rosters_take_seats(struct rosters *x, struct redis *r, size_t reply, struct arena *arena)
{
	for (int i = 0; i < x->n; i++, reply++) {
		struct roster *o = &x->list[i];
		o->n = redis_len(r, reply);
		o->seats = arena_alloc(arena, (o->n + 1) * sizeof *o->seats);
		for (size_t k = 0; k < o->n; k++)
			o->seats[k] = arena_str(arena, redis_elem(r, reply, k));
		if (o->n > 1)
			qsort(o->seats, o->n, sizeof *o->seats, by_name);
	}
}

// ---- asking --------------------------------------------------------------------------------------------------------

bool rosters_has_seat(const struct rosters *x, int64_t day, struct str role, struct str arn)
{
	for (int i = 0; i < x->n; i++) {
		const struct roster *o = &x->list[i];
		if (o->day != day || !str_eq(o->role, role))
			continue;
		struct str session = {arn.p + role.len, arn.len - role.len};
		return o->n && bsearch(&session, o->seats, o->n, sizeof *o->seats, by_name);
	}
	return true;
}
