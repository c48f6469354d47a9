// SPDX-License-Identifier: Apache-2.0
// `nowcast migrate`: rewrites a Redis of an older schema in the form that this program reads
// (docs/upgrade.md).
#include <stdio.h>

#include "alert/keys.h"
#include "base/when.h"
#include "cli/commands.h"
#include "store/migrate.h"
#include "store/migrate_ids.h"
#include "store/schema.h"
#include "store/schema_values.h"

enum { PROGRESS_MS = 1000 };

static void print_progress(void *user, const struct migrate_counts *n)
{
	int64_t *last_ms = user, now_ms = when_now_ms();
	if (*last_ms && now_ms - *last_ms < PROGRESS_MS)
		return;
	*last_ms = now_ms;
	printf("%llu keys looked at, %llu renamed\n", (unsigned long long)n->keys,
	       (unsigned long long)n->renamed);
	fflush(stdout);
}

static bool migrate(struct redis *r, const char *prefix, const struct migrate_steps *steps, struct err *err)
{
	int64_t last_ms = 0;
	struct migrate_counts n = {0}, ids = {0};
	struct migrate_options o = {
		.convert = schema_values_convert, .on_progress = print_progress, .user = &last_ms};
	printf("redis %s: from schema %d to schema %d\n", redis_where(r), (int)steps->from, SCHEMA_VERSION);
	fflush(stdout);
	if (steps->keys && (!migrate_keys(r, prefix, &o, &n, err) || !alert_keys_migrate(r, prefix, err)))
		return false;
	if (!migrate_fence(r, prefix, err) || !migrate_ids(r, prefix, &o, &ids, err) ||
	    !migrate_end(r, prefix, err))
		return false;
	printf("%llu keys looked at, %llu renamed: schema %d\n", (unsigned long long)ids.keys,
	       (unsigned long long)(n.renamed + ids.renamed), SCHEMA_VERSION);
	return true;
}

int cmd_migrate(struct command *c)
{
	struct err err = ERR_INIT;
	struct redis *r = NULL;
	struct migrate_steps steps = {0};
	const char *prefix = c->conf.redis_prefix;
	bool good = command_done(c, 0, 0, &err) && redis_open(&r, redis_target_of(&c->conf), &err) &&
	            migrate_begin(r, prefix, &steps, &err);
	if (good && steps.ids)
		good = migrate(r, prefix, &steps, &err);
	else if (good)
		printf("redis %s: nothing to do: it has schema %d, or holds no figures\n", redis_where(r),
		       SCHEMA_VERSION);
	redis_close(r);
	return good ? STATUS_OK : command_fail(c, &err);
}
