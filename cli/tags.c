// SPDX-License-Identifier: Apache-2.0
// `nowcast tags`: the tags of roles, users and accounts that are known. CloudTrail records changes only.
// `import` adds the tags that existed before the first record, with a date: they count from then on, and not
// before.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "ingest/principal.h"
#include "store/keys.h"
#include "store/schema.h"
#include "store/tag_import.h"
#include "store/view.h"

enum { LIST_MAX = 256 << 20, SESSIONS_MAX = 1000, LOOK_BACK_HOURS = 24 };

// ---- import -------------------------------------------------------------------------------------

static bool store_tags(const struct conf *conf, const struct tag_import *l, int64_t from_ms,
                       struct pseudonyms *p, struct err *err)
{
	struct redis *r;
	if (!schema_open(&r, redis_target_of(conf), SCHEMA_WRITE, err))
		return false;
	bool good = tag_import_store(l, r, conf->redis_prefix, from_ms, p, err);
	redis_close(r);
	return good;
}

static bool import_tags(struct command *c, struct err *err)
{
	struct tag_import l = TAG_LIST_INIT;
	struct buf text = BUF_INIT;
	const char *principal = NULL;
	char when[WHEN_SIZE];
	int64_t from_ms = when_now_ms();
	size_t tags = 0;
	bool accounts = false;
	if (!command_time(c, "--from", &from_ms, err) || !command_option(c, "--principal", &principal, err) ||
	    !command_done(c, 1, -1, err))
		return false;
	struct pseudonyms *p;
	bool good = pseudonyms_open(&p, &c->conf, err);
	for (int i = 0; good && i < c->argc; i++) {
		buf_clear(&text);
		good = file_read(strcmp(c->argv[i], "-") == 0 ? "/dev/stdin" : c->argv[i], LIST_MAX, &text, err) &&
		       tag_import_read(&l, buf_str(&text), c->argv[i], str_of(principal), p, err);
	}
	good = good && store_tags(&c->conf, &l, from_ms, p, err);
	for (size_t i = 0; i < l.n; i++) {
		tags += l.items[i].tags;
		accounts |= str_ends(str_of(l.items[i].owner), STR(":account"));
	}
	if (good) {
		printf("%zu %s, %zu tag%s, from %s on\n", l.n,
		       l.n == 1   ? accounts ? "account" : "role or user"
		       : accounts ? "roles, users and accounts"
		                  : "roles and users",
		       tags,
		       text_s((int64_t)tags), when_format(from_ms, when));
		if (l.unknown)
			printf(
				"%zu were listed without their tags and are left as they are (get-account-authorization-details lists them with)\n",
				l.unknown);
	}
	pseudonyms_close(p);
	buf_release(&text);
	tag_import_release(&l);
	return good;
}

// ---- show ---------------------------------------------------------------------------------------

struct tag_view {
	struct str arn;
	bool json;
	char *tagsets[SESSIONS_MAX]; // of sessions of that name, each once, the newest last
	int n;
	struct table table;
	struct buf out;              // JSON, by `writer`
	struct json_writer writer;
	struct str tagset;           // in hand
};

static bool add_tagsets(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct tag_view *s = user;
	(void)v;
	for (int i = 0; i < model_hour->nrows && s->n < SESSIONS_MAX; i++) {
		if (!str_eq(model_hour->rows[i].principal, s->arn) || str_is(model_hour->rows[i].tagset, "-"))
			continue;
		int k = 0;
		while (k < s->n && !str_is(model_hour->rows[i].tagset, s->tagsets[k]))
			k++;
		if (k == s->n)
			s->tagsets[s->n++] = xstrdup(model_hour->rows[i].tagset);
	}
	return s->n < SESSIONS_MAX;
}

static void write_tag(struct json_writer *j, const struct tag_held *t, const char *of, struct str tagset)
{
	jw_line(j);
	jw_object(j, NULL);
	jw_str(j, "key", t->key);
	jw_str(j, "value", t->value.p ? t->value : STR(""));
	jw_strz(j, "of", of);
	jw_str(j, "tagset", tagset);
	jw_time_if(j, "since", !t->of_session, t->since_ms);
	jw_str(j, "event", t->event.p ? t->event : STR(""));
	jw_end(j);
}

static void add_tag(void *user, const struct tag_held *t)
{
	struct tag_view *s = user;
	char since[WHEN_SIZE] = "";
	const char *from = tag_held_of(t, s->arn);
	if (!t->of_session)
		when_format(t->since_ms, since);
	if (s->json) {
		write_tag(&s->writer, t, from, s->tagset);
		return;
	}
	table_cell(&s->table, t->key);
	table_cell(&s->table, t->value);
	table_cell(&s->table, str_of(from));
	table_cell(&s->table, t->of_session ? s->tagset : str_of(since));
	table_cell(&s->table, t->event);
}

static bool gather_tags(struct tag_view *s, struct view *v, int64_t at_ms, struct err *err)
{
	int64_t hour = at_ms / MS_PER_HOUR;
	struct tag_history *b = view_tags(v);
	if (!view_each(v, hour - LOOK_BACK_HOURS + 1, hour + 1, add_tagsets, s, err) ||
	    !tag_history_read_sessions(b, view_redis(v), view_prefix(v), err))
		return false;
	if (s->n == 0)
		s->tagsets[s->n++] = xstrdup(STR("-"));
	for (int i = 0; i < s->n; i++)
		tag_history_ask(b, view_redis(v), view_prefix(v), s->arn, str_of(s->tagsets[i]));
	if (!redis_exec(view_redis(v), err))
		return false;
	tag_history_take(b, view_redis(v));
	for (int i = 0; i < s->n; i++) {
		s->tagset = str_of(s->tagsets[i]);
		// what changed at that very moment counts
		tag_history_each(b, s->arn, s->tagset, at_ms + 1, add_tag, s);
	}
	return true;
}

static void print_json(struct tag_view *s)
{
	jw_line(&s->writer);
	jw_end(&s->writer);
	buf_addc(&s->out, '\n');
	(void)!text_print(stdout, &s->out); // main looks whether all was written
}

static void print_tags(struct tag_view *s)
{
	if (s->json)
		print_json(s);
	else if (table_rows(&s->table))
		table_print(&s->table, stdout, 0, -1, "\n");
	else
		fprintf(stderr, "nowcast tags: no tags of %.*s are known at that time\n", STR_ARG(s->arn));
}

static bool show_tags(struct command *c, struct err *err)
{
	static const char *const heads[] = {"tag", "value", "of", "since, or session tags", "event"};
	struct tag_view s = {.json = false};
	struct arena arena = ARENA_INIT;
	struct view *v = NULL;
	const char *format = "table";
	int64_t at_ms;
	if (!command_now(c, &at_ms, err) || !command_time(c, "--at", &at_ms, err) ||
	    !command_option(c, "--format", &format, err) || !command_done(c, 1, 1, err))
		return false;
	if (strcmp(format, "table") != 0 && strcmp(format, "json") != 0)
		return err_set(err, ERR_CONFIG, "--format: expected table or json, got \"%s\"", format);
	s.json = strcmp(format, "json") == 0;
	if (!pseudonym_ask(&c->conf, &arena, principal_canonical(&arena, str_of(c->argv[0])), &s.arn, err)) {
		arena_release(&arena);
		return false;
	}
	if (!str_starts(s.arn, STR("arn:"))) {
		arena_release(&arena);
		return err_set(err, ERR_CONFIG,
		               "expected the ARN of a role, a user or a session, as reports show it, got \"%s\"",
		               c->argv[0]);
	}
	s.writer = JSON_WRITER(&s.out);
	jw_array(&s.writer, NULL);
	for (int i = 0; i < 5; i++)
		table_column(&s.table, str_of(heads[i]), TABLE_TEXT, 0);
	bool good = view_open(&v, redis_target_of(&c->conf), err) &&
	            gather_tags(&s, v, at_ms, err);
	if (good)
		print_tags(&s);
	for (int i = 0; i < s.n; i++)
		free(s.tagsets[i]);
	table_release(&s.table);
	buf_release(&s.out);
	view_close(v);
	arena_release(&arena);
	return good;
}

// ---- the command --------------------------------------------------------------------------------

int cmd_tags(struct command *c)
{
	struct err err = ERR_INIT;
	const char *verb = command_verb(c, "import or show", &err);
	bool good = verb && (strcmp(verb, "import") == 0 ? import_tags : show_tags)(c, &err);
	return good ? STATUS_OK : command_fail(c, &err);
}
