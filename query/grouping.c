// SPDX-License-Identifier: Apache-2.0
#include "query/grouping.h"

#include <stdio.h>
#include <string.h>

#include "base/arn.h"
#include "base/nearest.h"
#include "base/pattern.h"
#include "estimator/rate_class.h"

static const struct {
	const char *name;
	enum group_by by;
} keys[] = {
	{"hour", BY_HOUR},           {"account", BY_ACCOUNT},
	{"region", BY_REGION},       {"model", BY_MODEL},
	{"principal", BY_PRINCIPAL}, {"role", BY_ROLE},
	{"team", BY_TEAM},           {"token_type", BY_TOKEN_TYPE},
	{"tier", BY_TIER},           {"day", BY_DAY},
	{"week", BY_WEEK},           {"month", BY_MONTH},
	{"scope", BY_SCOPE},         {"user", BY_USER},
	{"family", BY_FAMILY},
};

static bool parse_key(struct grouping *g, struct str word, struct caller_sources from, struct err *err)
{
	for (int i = 0; i < g->n; i++)
		if (str_eq(g->name[i], word))
			return err_set(err, ERR_CONFIG, "--by: %.*s is named twice", STR_ARG(word));
	g->name[g->n] = word;
	if (str_starts(word, STR("tag:")) && word.len > 4) {
		g->by[g->n] = BY_TAG;
		g->tag[g->n++] = (struct str){word.p + 4, word.len - 4};
		return true;
	}
	struct str key = word, kind = str_cut(&key, ':');
	if (key.len && (str_is(kind, "meta") || str_is(kind, "identity"))) {
		g->by[g->n] = BY_LABEL;
		g->tag[g->n++] = word;
		return true;
	}
	if (key.len && str_is(kind, "map")) {
		if (!from.mapped)
			return err_set(err, ERR_CONFIG, "--by: %.*s needs a mapping file, and map.file is not set",
			               STR_ARG(word));
		g->by[g->n] = BY_MAP;
		g->tag[g->n++] = key;
		return true;
	}
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (!str_is(word, keys[i].name))
			continue;
		g->by[g->n] = keys[i].by == BY_TEAM && !from.team.len ? BY_TAG : keys[i].by;
		g->tag[g->n++] = keys[i].by == BY_USER ? from.user : from.team.len ? from.team : from.team_tag;
		return true;
	}
	struct nearest near = nearest_of(word);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		nearest_try(&near, str_of(keys[i].name));
	if (near.word.len)
		return err_set(err, ERR_CONFIG, "--by: \"%.*s\" is no grouping; did you mean %.*s?", STR_ARG(word),
		               STR_ARG(near.word));
	return err_set(
		err, ERR_CONFIG,
		"--by: \"%.*s\" is no grouping; there are hour, day, week, month, account, region, family, model, scope, principal, role, team, user, token_type, tier, tag:KEY, meta:KEY, identity:KEY and map:KEY",
		STR_ARG(word));
}

const char *grouping_name(int i)
{
	static const char *const with_key[] = {"tag:", "meta:", "identity:", "map:"};
	int nplain = sizeof keys / sizeof *keys, nkeyed = sizeof with_key / sizeof *with_key;
	return i < 0 || i >= nplain + nkeyed ? NULL : i < nplain ? keys[i].name : with_key[i - nplain];
}

// Cuts at the first comma that has no backslash before it: the key of a tag may hold one.
static struct str cut_word(struct str *text)
{
	struct str word = *text;
	size_t i = 0;
	while (i < word.len && word.p[i] != ',')
		i += word.p[i] == '\\' && i + 1 < word.len ? 2 : 1;
	word.len = i;
	*text = i < text->len ? (struct str){text->p + i + 1, text->len - i - 1} : STR_NONE;
	return word;
}

bool grouping_parse(struct grouping *ret, struct str text, struct caller_sources from, struct err *err)
{
	*ret = (struct grouping){0};
	while (text.len) {
		if (ret->n == GROUP_KEYS_MAX)
			return err_set(err, ERR_CONFIG, "--by: more than %d groupings", GROUP_KEYS_MAX);
		if (!parse_key(ret, cut_word(&text), from, err))
			return false;
	}
	return true;
}

bool grouping_check_keys(const struct grouping *g, const struct mapping *m, struct err *err)
{
	struct buf all = BUF_INIT;
	bool good = true;
	for (int i = 0; i < mapping_nkeys(m); i++)
		buf_addf(&all, "%s%.*s", i ? ", " : "", STR_ARG(mapping_key(m, i)));
	for (int i = 0; i < g->n && m && good; i++)
		good = g->by[i] != BY_MAP || mapping_find_key(m, g->tag[i]) >= 0 ||
		       err_set(err, ERR_CONFIG, "--by: map.file has no column %.*s; there are %s", STR_ARG(g->tag[i]),
		               all.len ? all.data : "none");
	buf_release(&all);
	return good;
}

bool grouping_in_time(const struct grouping *g)
{
	return g->n && (g->by[0] == BY_HOUR || g->by[0] == BY_DAY || g->by[0] == BY_WEEK || g->by[0] == BY_MONTH);
}

int grouping_find(const struct grouping *g, enum group_by by)
{
	for (int i = 0; i < g->n; i++)
		if (g->by[i] == by)
			return i;
	return -1;
}

struct str group_filter_value(const struct group_filter *only, enum group_by by)
{
	struct str found = STR_NONE;
	for (int i = 0, n = 0; i < only->by.n; i++)
		if (only->by.by[i] == by)
			found = n++ ? STR_NONE : only->value[i];
	return found;
}

bool group_has_calls(const struct grouping *by, const struct group_filter *only)
{
	return grouping_find(by, BY_TOKEN_TYPE) < 0 && !(only && grouping_find(&only->by, BY_TOKEN_TYPE) >= 0);
}

static struct str tag_of(struct view *v, const struct model_hour *model_hour, const struct view_row *row,
                         struct str key)
{
	char plain[2048];
	size_t n = 0;
	if (!key.len || !memchr(key.p, '\\', key.len))
		return view_tag(v, model_hour, row, key);
	for (size_t i = 0; i < key.len && n < sizeof plain; i++) {
		i += key.p[i] == '\\' && i + 1 < key.len;
		plain[n++] = key.p[i];
	}
	return view_tag(v, model_hour, row, (struct str){plain, n});
}

// `word`: meta:KEY or identity:KEY.
static struct str label_of(struct view *v, const struct model_hour *model_hour, const struct view_row *row,
                           struct str word)
{
	char key[512];
	int n = snprintf(key, sizeof key, "aws:%.*s", STR_ARG(word));
	return n > 0 && n < (int)sizeof key ? tag_of(v, model_hour, row, (struct str){key, (size_t)n}) : STR_NONE;
}

static struct mapped mapped_of(struct view *v, const struct model_hour *model_hour,
                               const struct view_row *row, struct str name)
{
	int key = mapping_find_key(view_mapping(v), name);
	return key < 0 ? (struct mapped){STR_NONE, NULL} : view_mapped(v, model_hour, row, key);
}

// The name of the session, of the user of IAM, or of the federated user.
static struct str session_of(const struct view_row *row)
{
	struct str rest = row->principal;
	arn_cut_account(&rest);
	struct str kind = str_cut(&rest, '/');
	bool has = str_is(kind, "assumed-role") || str_is(kind, "user") || str_is(kind, "federated-user");
	return has ? str_after_last(rest, '/') : STR_NONE;
}

// What one source says of a caller.
static struct tag_value source_value(struct view *v, const struct model_hour *model_hour,
                                     const struct view_row *row, struct str source, const char *name)
{
	struct str key = source, kind = str_cut(&key, ':');
	if (str_is(kind, "meta") || str_is(kind, "identity"))
		return (struct tag_value){label_of(v, model_hour, row, source), TAG_OF_SESSION};
	if (str_is(source, "session"))
		return (struct tag_value){session_of(row), TAG_OF_SESSION};
	if (!str_is(kind, "map"))
		return view_find_tag(v, model_hour, row, key); // tag:KEY
	// of a view without the file: nothing, and no tag
	struct mapped m = mapped_of(v, model_hour, row, key.len ? key : str_of(name));
	bool of_account = m.line && m.line->kind == MAPPING_ACCOUNT;
	return (struct tag_value){m.value, of_account ? TAG_OF_ACCOUNT : TAG_OF_OWNER};
}

// `from`: sources in the order of preference (base/conf.h). What is said of the account alone comes after all
// that is said of the caller itself. Tags that follow one another in the list are several names of one tag:
// that of the session comes before that of the role or user. `name`: the column that `map` alone means.
static struct str source_of(struct view *v, const struct model_hour *model_hour, const struct view_row *row,
                            struct str from, const char *name)
{
	struct tag_value best = {STR_NONE, TAG_OF_ACCOUNT};
	while (from.len) {
		struct str source = str_trim(str_cut(&from, ','));
		bool is_tag = str_starts(source, STR("tag:"));
		if (best.of < TAG_OF_ACCOUNT && !is_tag)
			break;
		struct tag_value x = source_value(v, model_hour, row, source, name);
		if (x.value.len && !is_tag && x.of < TAG_OF_ACCOUNT)
			return x.value;
		if (x.value.len && (x.of < best.of || !best.value.len))
			best = x;
	}
	return best.value;
}

// The scope of the rate that a row goes at, as the bill has it.
static struct str scope_of(const struct model_hour *model_hour)
{
	struct model_id id;
	model_id_read(&id, model_hour->foundation.len ? model_hour->foundation : model_hour->model);
	return id.scope == SCOPE_GLOBAL ? STR("global") : STR("regional");
}

struct model_hour_names model_hour_names_of(const struct model_hour *model_hour)
{
	struct model_hour_names names = {.family_len = 0};
	struct model_id id;
	when_format(model_hour->hour * MS_PER_HOUR, names.hour);
	when_format(when_week_start(model_hour->hour) * MS_PER_HOUR, names.week);
	model_id_read(&id, model_hour->foundation.len ? model_hour->foundation : model_hour->model);
	if (id.kind == MODEL_NAMED) {
		names.family_len = id.len;
		memcpy(names.family, id.name, id.len);
	}
	return names;
}

struct str grouping_key(const struct grouping *by, int i, struct view *v, const struct model_hour *model_hour,
                        const struct view_row *row, const struct model_hour_names *names)
{
	switch (by->by[i]) {
	case BY_HOUR:
		return str_of(names->hour);
	case BY_DAY:
		return (struct str){names->hour, 10}; // "2026-11-02"
	case BY_WEEK:
		return (struct str){names->week, 10};
	case BY_MONTH:
		return (struct str){names->hour, 7};
	case BY_ACCOUNT:
		return model_hour->account;
	case BY_REGION:
		return model_hour->region;
	case BY_MODEL:
		return model_hour->model;
	case BY_FAMILY:
		return names->family_len ? (struct str){names->family, names->family_len} : model_hour->model;
	case BY_SCOPE:
		return scope_of(model_hour);
	case BY_PRINCIPAL:
		return row->principal;
	case BY_ROLE:
		return row->role;
	case BY_TOKEN_TYPE:
		return row->kind == ROW_CALLS ? STR("") : str_of(row_name(row));
	case BY_TIER:
		return str_of(price_tier_names[rate_class_tier(row->rate_class)]);
	case BY_TEAM:
		return source_of(v, model_hour, row, by->tag[i], "team");
	case BY_USER:
		return source_of(v, model_hour, row, by->tag[i], "user");
	case BY_MAP:
		return mapped_of(v, model_hour, row, by->tag[i]).value;
	case BY_TAG:
		return tag_of(v, model_hour, row, by->tag[i]);
	case BY_LABEL:
		return label_of(v, model_hour, row, by->tag[i]);
	}
	return STR_NONE;
}

bool group_filter_passes(const struct group_filter *only, struct view *v, const struct model_hour *model_hour,
                         const struct view_row *row, const struct model_hour_names *names)
{
	for (int i = 0; only && i < only->by.n; i++) {
		struct str key = grouping_key(&only->by, i, v, model_hour, row, names);
		if (!(only->is_pattern[i] ? pattern_matches(only->value[i], key) : str_eq(key, only->value[i])))
			return false;
	}
	return true;
}
