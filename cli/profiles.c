// SPDX-License-Identifier: Apache-2.0
// `nowcast profiles`: the models behind application inference profiles, whose ids name no model. Some records
// name the model (resources[]). None says whether the profile was made from a global one. `import` adds both.
// `list` shows what is known, and the profiles that were called and whose model is unknown.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "store/keys.h"
#include "store/profile.h"
#include "store/profile_import.h"
#include "store/schema.h"
#include "store/view.h"

enum { LIST_MAX = 64 << 20, LOOK_BACK_HOURS = 31 * 24 };

// ---- import -------------------------------------------------------------------------------------

static bool store_profiles(const struct conf *conf, const struct profile_import *l, int64_t from_ms,
                       struct err *err)
{
	struct redis *r;
	if (!schema_open(&r, redis_target_of(conf), SCHEMA_WRITE, err))
		return false;
	bool good = profile_import_store(l, r, conf->redis_prefix, from_ms, err);
	redis_close(r);
	return good;
}

static bool import_profiles(struct command *c, struct err *err)
{
	struct profile_import l = PROFILE_LIST_INIT;
	struct buf text = BUF_INIT;
	int64_t from_ms = -1;
	size_t global = 0;
	if (!command_time(c, "--from", &from_ms, err) || !command_done(c, 1, -1, err))
		return false;
	bool good = true;
	for (int i = 0; good && i < c->argc; i++) {
		buf_clear(&text);
		good = file_read(strcmp(c->argv[i], "-") == 0 ? "/dev/stdin" : c->argv[i], LIST_MAX, &text, err) &&
		       profile_import_read(&l, buf_str(&text), c->argv[i], err);
	}
	good = good && store_profiles(&c->conf, &l, from_ms, err);
	for (size_t i = 0; i < l.n; i++)
		global += str_starts(str_of(l.items[i].model), STR("global."));
	if (good) {
		printf("%zu application inference profile%s, %zu of them made from global ones\n", l.n,
		       text_s((int64_t)l.n), global);
		if (l.own)
			printf("%zu of AWS's own were left out: they name their model\n", l.own);
		printf("hours already computed keep their dollars until `nowcast reprice --from T`\n");
	}
	buf_release(&text);
	profile_import_release(&l);
	return good;
}

// ---- list ---------------------------------------------------------------------------------------

// A profile that was called or imported.
struct listed_profile {
	struct str id, arn, recorded; // recorded: the model that records named; none
	int64_t calls;
	struct profile profile;
};

struct profile_list {
	struct arena arena;
	struct listed_profile *list;
	size_t n, cap;
	int64_t from; // hour; figures before it are not looked at
};

static struct listed_profile *find_or_add_profile(struct profile_list *x, struct str id)
{
	for (size_t i = 0; i < x->n; i++)
		if (str_eq(x->list[i].id, id))
			return &x->list[i];
	if (x->n == x->cap)
		x->list = xrealloc(x->list, x->cap = x->cap ? x->cap * 2 : 64, sizeof *x->list);
	x->list[x->n++] = (struct listed_profile){.id = arena_str(&x->arena, id)};
	return &x->list[x->n - 1];
}

static bool add_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct profile_list *x = user;
	(void)v;
	if (!profile_is_opaque(model_hour->model))
		return true;
	struct listed_profile *k = find_or_add_profile(x, str_after_last(model_hour->model, '/'));
	if (!k->arn.len && str_starts(model_hour->model, STR("arn:")))
		k->arn = arena_str(&x->arena, model_hour->model);
	if (model_hour->foundation.len)
		k->recorded = arena_str(&x->arena, model_hour->foundation);
	for (int i = 0; i < model_hour->nrows; i++)
		k->calls += model_hour->rows[i].calls.charged;
	return true;
}

static bool read_profiles(struct profile_list *x, struct view *v, struct err *err)
{
	struct redis *r = view_redis(v);
	struct buf key = BUF_INIT;
	if (!view_each(v, x->from, INT32_MAX, add_model_hour, x, err))
		return false;
	key_profiles(&key, view_prefix(v));
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), buf_str(&key)});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	for (size_t i = 0; i < redis_len(r, 0); i++)
		find_or_add_profile(x, redis_elem(r, 0, i));
	for (size_t i = 0; i < x->n; i++)
		profile_ask(r, view_prefix(v), x->list[i].id);
	if (!redis_exec(r, err))
		return false;
	for (size_t i = 0; i < x->n; i++)
		profile_take(r, i, &x->arena, &x->list[i].profile);
	return true;
}

static void add_row(struct table *t, const struct listed_profile *k, const struct profile_since *p)
{
	char from[WHEN_SIZE], calls[TABLE_COUNT_SIZE];
	table_cell(t, k->arn.len ? k->arn : p && p->arn.len ? p->arn : k->id);
	table_cell(t, p ? p->model : k->recorded.len ? k->recorded : STR("unresolved"));
	table_cell(t, p ? p->name : STR(""));
	table_cell(t, p ? STR("import") : k->recorded.len ? STR("records") : STR("unknown"));
	table_cell(t, p && p->from_ms ? str_of(when_format(p->from_ms, from)) : STR(""));
	table_cell(t, str_of(table_count(k->calls, calls)));
}

static int compare_ids(const void *a, const void *b)
{
	return str_cmp(((const struct listed_profile *)a)->id, ((const struct listed_profile *)b)->id);
}

static bool list_profiles(struct command *c, size_t *ret_unresolved, struct err *err)
{
	static const char *const heads[] = {"profile", "model", "name", "source", "from", "calls"};
	int64_t from_ms;
	struct table t = TABLE_INIT;
	struct view *v = NULL;
	*ret_unresolved = 0;
	if (!command_now(c, &from_ms, err))
		return false;
	from_ms -= (int64_t)LOOK_BACK_HOURS * MS_PER_HOUR;
	if (!command_time(c, "--from", &from_ms, err))
		return false;
	struct profile_list x = {.from = from_ms / MS_PER_HOUR};
	bool good = command_done(c, 0, 0, err) &&
	            view_open(&v, redis_target_of(&c->conf), err) &&
	            read_profiles(&x, v, err);
	for (int i = 0; i < 6; i++)
		table_column(&t, str_of(heads[i]), i == 0 ? TABLE_NAME : i == 5 ? TABLE_NUMBER : TABLE_TEXT, 0);
	if (x.n > 1)
		qsort(x.list, x.n, sizeof *x.list, compare_ids);
	for (size_t i = 0; good && i < x.n; i++) {
		struct listed_profile *k = &x.list[i];
		*ret_unresolved += !k->profile.n && !k->recorded.len;
		if (!k->profile.n)
			add_row(&t, k, NULL);
		for (int j = 0; j < k->profile.n; j++)
			add_row(&t, k, &k->profile.list[j]);
	}
	if (good && x.n)
		table_print(&t, stdout, 0, -1, "\n");
	else if (good)
		fprintf(
			stderr,
			"nowcast profiles: none was called (in the last 31 days, or since --from), and none was imported\n");
	if (*ret_unresolved)
		fprintf(
			stderr,
			"nowcast profiles: %zu unresolved: `aws bedrock list-inference-profiles --type-equals APPLICATION >profiles.json`, "
			"then `nowcast profiles import profiles.json`\n",
			*ret_unresolved);
	table_release(&t);
	free(x.list);
	arena_release(&x.arena);
	view_close(v);
	return good;
}

// ---- the command --------------------------------------------------------------------------------

int cmd_profiles(struct command *c)
{
	struct err err = ERR_INIT;
	const char *verb = command_verb(c, "import or list", &err);
	size_t unresolved = 0;
	bool good = verb && (strcmp(verb, "import") == 0 ? import_profiles(c, &err)
	                                                 : list_profiles(c, &unresolved, &err));
	return !good ? command_fail(c, &err) : unresolved ? STATUS_THRESHOLD : STATUS_OK;
}
