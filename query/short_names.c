// SPDX-License-Identifier: Apache-2.0
#include "query/short_names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arn.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "pricing/model_id.h"

#define SSO_ROLE "AWSReservedSSO_"
enum { SSO_DIGITS = 16, LETTERS_OWN = 4 };

// "Developer" of "AWSReservedSSO_Developer_0f1e2d3c4b5a6978"; other roles unchanged.
static struct str permission_set(struct str role)
{
	size_t head = sizeof SSO_ROLE - 1, tail = 1 + SSO_DIGITS;
	if (!str_starts(role, STR(SSO_ROLE)) || role.len <= head + tail || role.p[role.len - tail] != '_')
		return role;
	for (size_t i = role.len - SSO_DIGITS; i < role.len; i++)
		if (!isxdigit((unsigned char)role.p[i]))
			return role;
	return (struct str){role.p + head, role.len - head - tail};
}

static struct str short_arn(struct arena *arena, struct str arn)
{
	struct str rest = arn;
	arn_cut_account(&rest);
	struct str path = rest, kind = str_cut(&path, '/');
	if (!path.len)
		return rest.len ? rest : arn;
	if (str_is(kind, "assumed-role")) {
		struct str role = permission_set(str_cut(&path, '/'));
		return path.len ? arena_text(arena, "%.*s/%.*s", STR_ARG(role), STR_ARG(path)) : role;
	}
	struct str name = str_after_last(path, '/');
	return str_is(kind, "role") ? permission_set(name) : name;
}

// Whether a name says enough without its maker: "claude-haiku-4-5" does, "r1" does not.
static bool says_enough(struct str name)
{
	for (size_t i = 0, letters = 0; i < name.len; i++) {
		letters = islower((unsigned char)name.p[i]) ? letters + 1 : 0;
		if (letters == LETTERS_OWN)
			return true;
	}
	return false;
}

static struct str short_model(struct arena *arena, struct str id)
{
	struct model_id m;
	model_id_read(&m, id);
	struct str name = model_id_name(&m), own = name, profile = model_id_profile(&m);
	if (m.kind != MODEL_NAMED || !str_cut(&own, '.').len || !own.len)
		return id;
	if (says_enough(own))
		name = own;
	if (m.mantle)
		return arena_text(arena, "%.*s (mantle)", STR_ARG(name));
	return profile.len ? arena_text(arena, "%.*s (%.*s)", STR_ARG(name), STR_ARG(profile))
	                   : arena_str(arena, name);
}

struct str short_name(struct arena *arena, struct str name)
{
	return str_starts(name, STR("arn:")) ? short_arn(arena, name) : short_model(arena, name);
}

// ---- lists ----------------------------------------------------------------------------------------

enum { NAME_SHORT, NAME_WITH_ACCOUNT, NAME_WHOLE };

struct listed {
	struct str whole, shown;
	int form;
	bool is_shared; // another name is shown alike
};

static void set_form(struct arena *arena, struct listed *x, int form)
{
	struct str rest = x->whole, account = str_starts(rest, STR("arn:")) ? arn_cut_account(&rest) : STR_NONE;
	x->form = form == NAME_WITH_ACCOUNT && !account.len ? NAME_WHOLE : form;
	if (x->form == NAME_WHOLE) {
		x->shown = x->whole;
		return;
	}
	struct str name = short_name(arena, x->whole);
	x->shown = x->form == NAME_SHORT ? name
	                                 : arena_text(arena, "%.*s %.*s", STR_ARG(name), STR_ARG(account));
}

static bool mark_shared(struct listed *list, size_t n)
{
	struct map first = MAP_INIT;
	bool any = false;
	for (size_t i = 0; i < n; i++)
		list[i].is_shared = false;
	for (size_t i = 0; i < n; i++) {
		bool added;
		int32_t at = *map_add(&first, hash64(list[i].shown.p ? list[i].shown.p : "", list[i].shown.len),
		                      (int32_t)i, &added);
		if (added || str_eq(list[at].whole, list[i].whole))
			continue;
		list[at].is_shared = list[i].is_shared = any = true;
	}
	for (size_t i = 0; i < n; i++) { // the same name may stand in the list more than once
		const int32_t *at =
			map_find(&first, hash64(list[i].shown.p ? list[i].shown.p : "", list[i].shown.len));
		list[i].is_shared |= list[*at].is_shared;
	}
	map_release(&first);
	return any;
}

void short_names(struct arena *arena, struct str *names, size_t n)
{
	struct listed *list = xcalloc(n + 1, sizeof *list);
	for (size_t i = 0; i < n; i++) {
		list[i].whole = names[i];
		set_form(arena, &list[i], NAME_SHORT);
	}
	while (mark_shared(list, n)) {
		bool changed = false;
		for (size_t i = 0; i < n; i++)
			if (list[i].is_shared && list[i].form != NAME_WHOLE) {
				set_form(arena, &list[i], list[i].form + 1);
				changed = true;
			}
		if (!changed)
			break;
	}
	for (size_t i = 0; i < n; i++)
		names[i] = list[i].shown;
	free(list);
}

static bool has_short_names(enum group_by by)
{
	return by == BY_PRINCIPAL || by == BY_ROLE || by == BY_MODEL || by == BY_FAMILY;
}

struct str *short_names_of_groups(struct arena *arena, const struct groups *g, int32_t n, bool full)
{
	size_t rows = (size_t)n, nkeys = (size_t)g->by.n;
	struct str *names = arena_alloc(arena, (rows * nkeys + 1) * sizeof *names);
	struct str *column = arena_alloc(arena, (rows + 1) * sizeof *column);
	for (size_t i = 0; i < nkeys; i++) {
		for (size_t k = 0; k < rows; k++)
			column[k] = g->list[k].keys[i];
		if (!full && has_short_names(g->by.by[i]))
			short_names(arena, column, rows);
		for (size_t k = 0; k < rows; k++)
			names[k * nkeys + i] = column[k];
	}
	return names;
}
