// SPDX-License-Identifier: Apache-2.0
// A number without its unit is refused, because "30" is ambiguous; the message says what is allowed.
#include "base/conf_value.h"

#include <assert.h>
#include <stdlib.h>

struct unit {
	const char *name;
	int64_t size;
};

// Smallest first: formatting takes the largest that divides.
static const struct unit durations[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {0}};
static const struct unit sizes[] = {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {0}};
static const struct unit no_units[] = {{"", 1}, {0}};

static const struct unit *units_of(enum conf_type type)
{
	return type == CONF_DURATION ? durations : type == CONF_BYTES ? sizes : no_units;
}

static void *field_of(const struct conf *c, const struct conf_key *key)
{
	return (char *)c + key->offset;
}

static bool parse_number(struct str s, const struct unit *u, int64_t *ret)
{
	int64_t v = 0;
	size_t i = 0;
	for (; i < s.len && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, s.p[i] - '0', &v))
			return false;
	if (i == 0)
		return false;
	struct str unit = str_trim((struct str){s.p + i, s.len - i});
	for (; u->name; u++)
		if (str_is(unit, u->name))
			return !__builtin_mul_overflow(v, u->size, ret);
	return false;
}

static bool parse_word(struct str s, const char *words, int64_t *ret)
{
	struct str rest = str_of(words);
	for (int64_t i = 0; rest.len; i++)
		if (str_eq(str_cut(&rest, '|'), s)) {
			*ret = i;
			return true;
		}
	return false;
}

static bool parse_bool(struct str s, bool *ret)
{
	bool yes = str_is(s, "true") || str_is(s, "yes") || str_is(s, "on") || str_is(s, "1");
	bool no = str_is(s, "false") || str_is(s, "no") || str_is(s, "off") || str_is(s, "0");
	if (yes || no)
		*ret = yes;
	return yes || no;
}

static void list_free(struct conf_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct conf_list){0};
}

static void parse_list(struct str s, struct conf_list *list)
{
	list_free(list);
	while (s.len) {
		struct str item = str_trim(str_cut(&s, ','));
		if (!item.len)
			continue;
		list->items = xrealloc(list->items, list->n + 1, sizeof *list->items);
		list->items[list->n++] = xstrdup(item);
	}
}

static bool parse_into(void *to, const struct conf_key *key, struct str value)
{
	int64_t v;
	switch (key->type) {
	case CONF_STRING:
		free(*(char **)to);
		*(char **)to = xstrdup(value);
		return true;
	case CONF_LIST:
		parse_list(value, to);
		return true;
	case CONF_BOOL:
		return parse_bool(value, to);
	case CONF_ENUM:
		return parse_word(value, key->words, to);
	default:
		if (!parse_number(value, units_of(key->type), &v) || v < key->min || v > key->max)
			return false;
		*(int64_t *)to = v;
		return true;
	}
}

bool conf_value_parse(struct conf *c, const struct conf_key *key, struct str value, struct err *err)
{
	if (!memchr(value.p ? value.p : "", '\0', value.len) && parse_into(field_of(c, key), key, value))
		return true;
	struct buf allowed = BUF_INIT;
	conf_value_allowed(key, &allowed);
	err_set(err, ERR_CONFIG, "%s = %.*s: expected %s", key->name, (int)(value.len < 80 ? value.len : 80),
	        value.len ? value.p : "", allowed.data);
	buf_release(&allowed);
	return false;
}

static void format_number(int64_t v, const struct unit *u, struct buf *b)
{
	while (v != 0 && u[1].name && v % u[1].size == 0)
		u++;
	if (v == 0 && u == durations)
		u++; // "0s" reads better than "0ms"
	buf_addf(b, "%lld%s", (long long)(v / u->size), u->name);
}

void conf_value_format(const struct conf *c, const struct conf_key *key, struct buf *b)
{
	const void *at = field_of(c, key);
	assert(key->offset < sizeof *c);
	switch (key->type) {
	case CONF_STRING:
		buf_adds(b, *(char *const *)at);
		break;
	case CONF_LIST: {
		const struct conf_list *list = at;
		for (size_t i = 0; i < list->n; i++)
			buf_addf(b, "%s%s", i ? ", " : "", list->items[i]);
		break;
	}
	case CONF_BOOL:
		buf_adds(b, *(const bool *)at ? "true" : "false");
		break;
	case CONF_ENUM: {
		struct str rest = str_of(key->words), word = STR_NONE;
		for (int64_t i = *(const int64_t *)at; i >= 0; i--)
			word = str_cut(&rest, '|');
		buf_addstr(b, word);
		break;
	}
	default:
		format_number(*(const int64_t *)at, units_of(key->type), b);
	}
}

void conf_value_allowed(const struct conf_key *key, struct buf *b)
{
	static const char *const nouns[] = {
		[CONF_STRING] = "text",
		[CONF_INTEGER] = "a whole number",
		[CONF_DURATION] = "a duration",
		[CONF_BYTES] = "a size",
		[CONF_BOOL] = "true or false",
		[CONF_ENUM] = "one of ",
		[CONF_LIST] = "a list, comma-separated",
	};
	static const char *const examples[] = {
		[CONF_DURATION] = ", such as 500ms, 5m or 24h", [CONF_BYTES] = ", such as 64MiB"};
	buf_adds(b, nouns[key->type]);
	if (key->type == CONF_ENUM) {
		struct str rest = str_of(key->words);
		for (int i = 0; rest.len; i++) {
			buf_adds(b, i ? ", " : "");
			buf_addstr(b, str_cut(&rest, '|'));
		}
	} else if (key->type == CONF_INTEGER || key->type == CONF_DURATION || key->type == CONF_BYTES) {
		buf_adds(b, " from ");
		format_number(key->min, units_of(key->type), b);
		buf_adds(b, " to ");
		format_number(key->max, units_of(key->type), b);
		buf_adds(b, key->type == CONF_INTEGER ? "" : examples[key->type]);
	}
}

void conf_value_free(struct conf *c, const struct conf_key *key)
{
	if (key->type == CONF_STRING) {
		free(*(char **)field_of(c, key));
		*(char **)field_of(c, key) = NULL;
	} else if (key->type == CONF_LIST) {
		list_free(field_of(c, key));
	}
}
