// SPDX-License-Identifier: Apache-2.0
#include "store/profile_import.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/when.h"
#include "pricing/model_id.h"
#include "store/keys.h"

enum { LISTS_DEEP = 3, TEXT_MAX = 2048, AT_ONCE = 1000 };

void profile_import_release(struct profile_import *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].id);
		free(l->items[i].json);
		free(l->items[i].model);
	}
	free(l->items);
	*l = (struct profile_import)PROFILE_LIST_INIT;
}

// Printable, without blanks: it becomes part of a key.
static bool is_clean(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return s.len > 0 && s.len <= TEXT_MAX;
}

static bool add(struct profile_import *l, struct str arn, struct str model, const char *name, int64_t from_ms,
                struct err *err)
{
	struct model_id id, of;
	struct str key = str_after_last(arn, '/');
	model_id_read(&id, arn);
	model_id_read(&of, model);
	if (!is_clean(arn) || !key.len || (id.kind != MODEL_APPLICATION && id.kind != MODEL_OPAQUE))
		return err_set(err, ERR_CONFIG,
		               "expected the ARN or id of an application inference profile, got \"%.100s\"",
		               arn.len ? arn.p : "");
	if (!is_clean(model) || of.kind != MODEL_NAMED)
		return err_set(
			err, ERR_CONFIG,
			"%.*s: expected a model like anthropic.claude-sonnet-4-6 or global.anthropic.claude-sonnet-4-6 behind it, got \"%.100s\"",
			STR_ARG(key), model.len ? model.p : "");
	json_t *o = json_object();
	if (str_starts(arn, STR("arn:")))
		json_object_set_new(o, "arn", json_stringn(arn.p, arn.len));
	json_object_set_new(o, "model", json_stringn(model.p, model.len));
	if (name)
		json_object_set_new(o, "name", json_string(name));
	if (l->n == l->cap)
		l->items = xrealloc(l->items, l->cap = l->cap ? l->cap * 2 : 64, sizeof *l->items);
	l->items[l->n++] = (struct imported_profile){xstrdup(key), json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS),
	                                             from_ms, xstrdup(model)};
	json_decref(o);
	return true;
}

// ---- as AWS lists them --------------------------------------------------------------------------

// "global.NAME" if one of the models may run anywhere, else "NAME". In `ret`.
static bool model_of(json_t *models, struct buf *ret, struct err *err)
{
	struct str name = STR_NONE;
	bool global = false;
	json_t *item;
	size_t i;
	json_array_foreach(models, i, item) {
		struct str arn = str_of(json_string_value(json_object_get(item, "modelArn"))), rest = arn,
				   last = str_after_last(arn, '/');
		for (int k = 0; k < 3; k++)
			str_cut(&rest, ':');
		if (!str_starts(arn, STR("arn:")) || !last.len)
			return err_set(err, ERR_CONFIG,
			               "models: expected entries {\"modelArn\": \"arn:...:foundation-model/...\"}");
		if (name.len && !str_eq(name, last))
			return err_set(
				err, ERR_CONFIG,
				"models: two different ones, %.*s and %.*s; name the one it is billed as in a map (profile,model)",
				STR_ARG(name), STR_ARG(last));
		name = last;
		global |= str_cut(&rest, ':').len == 0;
	}
	if (!name.len)
		return err_set(err, ERR_CONFIG, "models: expected a list that names the model, got none");
	buf_addf(ret, "%s%.*s", global ? "global." : "", STR_ARG(name));
	return true;
}

static bool read_one(struct profile_import *l, json_t *o, struct err *err)
{
	const char *arn = json_string_value(json_object_get(o, "inferenceProfileArn")),
			   *type = json_string_value(json_object_get(o, "type"));
	const char *created = json_string_value(json_object_get(o, "createdAt"));
	struct buf model = BUF_INIT;
	int64_t from_ms = 0;
	if (!arn)
		return err_set(
			err, ERR_CONFIG,
			"expected what `aws bedrock list-inference-profiles` or `get-inference-profile` prints; here is no inferenceProfileArn");
	if (type && strcmp(type, "SYSTEM_DEFINED") == 0) {
		l->own++;
		return true;
	}
	if (created && !when_parse(str_of(created), &from_ms))
		return err_set(err, ERR_CONFIG, "%s: createdAt: expected a time, got \"%.40s\"", arn, created);
	bool good = model_of(json_object_get(o, "models"), &model, err);
	good = good ? add(l, str_of(arn), buf_str(&model),
	                  json_string_value(json_object_get(o, "inferenceProfileName")), from_ms, err)
	            : err_prefix(err, "%s", arn);
	buf_release(&model);
	return good;
}

static bool read_value(struct profile_import *l, json_t *v, int deep, struct err *err)
{
	json_t *list = json_is_array(v) ? v : json_object_get(v, "inferenceProfileSummaries"), *item;
	size_t i;
	if (deep > LISTS_DEEP)
		return err_set(err, ERR_CONFIG, "lists within lists");
	if (!list)
		return read_one(l, v, err);
	json_array_foreach(list, i, item)
		if (!read_value(l, item, deep + 1, err)) {
			if (!l->skips)
				return false;
			if (!l->skipped++)
				l->why = *err;
			err_clear(err);
		}
	return json_is_array(list) || err_set(err, ERR_CONFIG, "inferenceProfileSummaries: expected a list");
}

static bool read_json(struct profile_import *l, struct str text, struct err *err)
{
	json_error_t e;
	size_t at = 0;
	for (;;) {
		while (at < text.len && text.p[at] && strchr(" \t\r\n", text.p[at]))
			at++;
		if (at == text.len)
			return true;
		json_t *v = json_loadb(text.p + at, text.len - at, JSON_DISABLE_EOF_CHECK, &e);
		if (!v)
			return err_set(err, ERR_CONFIG, "no JSON at byte %zu: %s", at + (size_t)e.position, e.text);
		at += (size_t)e.position;
		bool good = read_value(l, v, 0, err);
		json_decref(v);
		if (!good)
			return false;
	}
}

// ---- a map --------------------------------------------------------------------------------------

static struct str trimmed(struct str s)
{
	while (s.len && strchr(" \t\r", s.p[s.len - 1]))
		s.len--;
	while (s.len && strchr(" \t", s.p[0]))
		s = (struct str){s.p + 1, s.len - 1};
	return s;
}

static bool read_map(struct profile_import *l, struct str text, struct err *err)
{
	bool headed = false;
	for (int line = 1; text.len; line++) {
		struct str model = trimmed(str_cut(&text, '\n')), profile = trimmed(str_cut(&model, ','));
		char profile_z[TEXT_MAX + 1];
		model = trimmed(model);
		if ((!profile.len && !model.len) || (profile.len && profile.p[0] == '#'))
			continue;
		if (!headed && !(headed = str_is(profile, "profile") && str_is(model, "model")))
			return err_set(
				err, ERR_CONFIG,
				"line %d: expected JSON of the AWS command line, or a map that begins with the line profile,model",
				line);
		if (str_is(profile, "profile"))
			continue;
		char model_z[TEXT_MAX + 1];
		snprintf(profile_z, sizeof profile_z, "%.*s", STR_ARG(profile)); // messages end where the word does
		snprintf(model_z, sizeof model_z, "%.*s", STR_ARG(model));
		if (!add(l, str_of(profile_z), str_of(model_z), NULL, 0, err))
			return err_prefix(err, "line %d", line);
	}
	return true;
}

bool profile_import_read(struct profile_import *l, struct str text, const char *file, struct err *err)
{
	size_t at = 0;
	while (at < text.len && text.p[at] && strchr(" \t\r\n", text.p[at]))
		at++;
	bool json = at < text.len && (text.p[at] == '{' || text.p[at] == '[');
	return (json ? read_json(l, text, err) : read_map(l, text, err)) || err_prefix(err, "%s", file);
}

bool profile_import_store(const struct profile_import *l, struct redis *r, const char *prefix,
                          int64_t from_ms, struct err *err)
{
	struct buf key = BUF_INIT, all = BUF_INIT;
	char field[24];
	bool good = true;
	key_profiles(&all, prefix);
	for (size_t i = 0; good && i < l->n; i++) {
		buf_clear(&key);
		key_profile(&key, prefix, str_of(l->items[i].id));
		snprintf(field, sizeof field, "%lld", (long long)(from_ms >= 0 ? from_ms : l->items[i].from_ms));
		redis_cmd(r, 4, (struct str[]){STR("HSET"), buf_str(&key), str_of(field), str_of(l->items[i].json)});
		redis_cmd(r, 3, (struct str[]){STR("SADD"), buf_str(&all), str_of(l->items[i].id)});
		if (i % AT_ONCE == AT_ONCE - 1 || i + 1 == l->n)
			good = redis_exec(r, err);
	}
	buf_release(&key);
	buf_release(&all);
	return good;
}

bool profile_import_text(struct redis *r, const char *prefix, struct str text, struct err *err)
{
	struct profile_import l = {.skips = true};
	bool good = profile_import_read(&l, text, "ListInferenceProfiles", err) &&
	            profile_import_store(&l, r, prefix, -1, err);
	if (good && l.skipped)
		err_set(err, ERR_SKIP, "%zu inference profile%s not taken: %s", l.skipped,
		        l.skipped == 1 ? " is" : "s are", l.why.msg);
	profile_import_release(&l);
	return good;
}
