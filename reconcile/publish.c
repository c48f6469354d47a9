// SPDX-License-Identifier: Apache-2.0
#include "reconcile/publish.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"
#include "store/actual.h"
#include "store/cardinality.h"
#include "store/keys.h"
#include "store/schema.h"
#include "store/script.h"

EMBED_SCRIPT(swap_lua, "reconcile/swap.lua")
EMBED_SCRIPT(status_lua, "reconcile/status.lua")
EMBED_SCRIPT(scores_lua, "reconcile/scores.lua")

enum { SEND_FIELDS = 1000, PIPELINE_FIELDS = 20000, STAGED_MS = MS_PER_HOUR };

bool publish_begin(struct publish *p, struct redis_target target, int64_t retention_ms, struct err *err)
{
	struct buf key = BUF_INIT;
	*p = (struct publish){.prefix = target.prefix, .retention_ms = retention_ms};
	if (!schema_open(&p->redis, target, SCHEMA_WRITE, err))
		return false;
	p->swap = redis_script(p->redis, swap_lua());
	p->status = redis_script(p->redis, status_lua());
	p->scores = redis_script(p->redis, scores_lua());
	redis_cmd(p->redis, 2, (struct str[]){STR("INCR"), key_reconcile_run(&key, target.prefix)});
	bool good = redis_exec(p->redis, err);
	if (good)
		p->run = redis_int(p->redis, 0);
	else
		publish_end(p);
	buf_release(&key);
	return good;
}

void publish_end(struct publish *p)
{
	redis_close(p->redis);
	p->redis = NULL;
}

// ---- one account and Region ---------------------------------------------------------------------

struct staging {
	struct publish *p;
	struct str acct_region;
	const struct names *names;
	const struct str *called;
	int32_t ncalled;
	struct arena arena;
	// by number of a name: as Redis has it; empty: not looked up yet
	struct str *stored;
	// of models that occur and were called by the ARN of a profile: numbers of their names, each once
	int32_t *profiles;
	int32_t nprofiles;
	bool *is_listed; // by number of a name: it is among them
	struct buf index, key, member, text; // keys of the staged sorted set and hash; scratch
	int64_t pending, unsent;             // fields that are not answered; of them, not sent
};

// Names hold no blanks in Redis.
static struct str stored_name(struct staging *s, int32_t name)
{
	struct str *stored = &s->stored[name];
	if (!stored->len) {
		*stored = arena_str(&s->arena, cardinality_stored(&s->arena, s->names->list[name]));
		for (char *p = (char *)(uintptr_t)stored->p; p < stored->p + stored->len; p++)
			if (*p == ' ')
				*p = '_';
	}
	return *stored;
}

static void add_row(struct staging *s, const struct ledger_row *row)
{
	const struct actual_row actual = {.principal = stored_name(s, row->principal),
	                                  .kind = row->type == LEDGER_UNITS ? ROW_UNITS : ROW_TOKENS,
	                                  .type = row->type == LEDGER_UNITS ? 0 : (enum token_type)row->type,
	                                  .rate_class = row->tier,
	                                  .tokens = row->tokens,
	                                  .usd = row->usd,
	                                  .list = row->list,
	                                  .tagset = row->tagset ? s->names->list[row->tagset] : STR_NONE};
	buf_clear(&s->text);
	actual_format_field(&actual, &s->text);
	redis_arg(s->p->redis, buf_str(&s->text));
	buf_clear(&s->text);
	actual_format_value(&actual, &s->text);
	redis_arg(s->p->redis, buf_str(&s->text));
}

static void note_profile(struct staging *s, int32_t model)
{
	if (model >= s->ncalled || !s->called[model].len || s->is_listed[model])
		return;
	s->is_listed[model] = true;
	s->profiles[s->nprofiles++] = model;
}

// One hash: the rows of one hour and model.
static void stage_model_hour(struct staging *s, const struct ledger_row *const *rows, int64_t n)
{
	struct redis *r = s->p->redis;
	int32_t model = rows[0]->model;
	note_profile(s, model);
	key_member(&s->member, rows[0]->hour, s->names->list[model]);
	key_staged(&s->key, s->p->prefix, s->acct_region, s->p->run, buf_str(&s->member));
	redis_begin(r, 2 + 2 * (int)n);
	redis_argz(r, "HSET");
	redis_arg(r, buf_str(&s->key));
	for (int64_t i = 0; i < n; i++)
		add_row(s, rows[i]);
	char number[24];
	snprintf(number, sizeof number, "%d", (int)STAGED_MS);
	redis_cmd(r, 3, (struct str[]){STR("PEXPIRE"), buf_str(&s->key), str_of(number)});
	snprintf(number, sizeof number, "%" PRId64, rows[0]->hour);
	redis_cmd(r, 4, (struct str[]){STR("ZADD"), buf_str(&s->index), str_of(number), buf_str(&s->member)});
	s->pending += n;
	s->unsent += n;
}

static bool flush(struct staging *s, struct err *err)
{
	char number[24];
	snprintf(number, sizeof number, "%d", (int)STAGED_MS);
	redis_cmd(s->p->redis, 3, (struct str[]){STR("PEXPIRE"), buf_str(&s->index), str_of(number)});
	s->pending = s->unsent = 0;
	return redis_exec(s->p->redis, err);
}

static bool stage(struct staging *s, const struct ledger_row *const *rows, int64_t n, struct err *err)
{
	for (int64_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && rows[end]->hour == rows[i]->hour && rows[end]->model == rows[i]->model;)
			end++;
		stage_model_hour(s, rows + i, end - i);
		if (s->pending >= PIPELINE_FIELDS) {
			if (!flush(s, err))
				return false;
		} else if (s->unsent >= SEND_FIELDS) { // Redis stores these while the next are written down
			if (!redis_send(s->p->redis, err))
				return false;
			s->unsent = 0;
		}
	}
	return flush(s, err);
}

static bool swap(struct staging *s, const struct publish_acct_region *acct_region, bool *ret_taken,
                 struct err *err)
{
	struct buf key = BUF_INIT;
	struct publish *p = s->p;
	redis_begin_eval(p->redis, p->swap, 1, 8 + 2 * s->nprofiles);
	redis_arg(p->redis, key_acct_region(&key, p->prefix, acct_region->acct_region));
	redis_argi(p->redis, p->run);
	redis_arg(p->redis, acct_region->period);
	redis_argi(p->redis, acct_region->first);
	redis_argi(p->redis, acct_region->end);
	redis_argi(p->redis, p->retention_ms);
	redis_argi(p->redis, acct_region->since);
	redis_argi(p->redis, acct_region->watermark);
	for (int32_t i = 0; i < s->nprofiles; i++) {
		redis_arg(p->redis, s->names->list[s->profiles[i]]);
		redis_arg(p->redis, s->called[s->profiles[i]]);
	}
	redis_barrier(p->redis); // after the figures: store/store_settle.c
	redis_cmd(p->redis, 3,
	          (struct str[]){STR("SADD"), key_acct_regions(&key, p->prefix), acct_region->acct_region});
	bool good = redis_exec(p->redis, err);
	if (good)
		*ret_taken = str_is(redis_str(p->redis, 0), "1");
	buf_release(&key);
	return good;
}

bool publish_acct_region(struct publish *p, const struct publish_acct_region *acct_region,
                         const struct names *names, const struct ledger_row *const *rows, int64_t n,
                         bool *ret_taken, struct err *err)
{
	size_t ncalled = (size_t)acct_region->ncalled;
	struct staging s = {.p = p,
	                    .acct_region = acct_region->acct_region,
	                    .names = names,
	                    .called = acct_region->called,
	                    .ncalled = acct_region->ncalled,
	                    .arena = ARENA_INIT,
	                    .stored = xcalloc((size_t)names->n + 1, sizeof *s.stored),
	                    .profiles = xcalloc(ncalled + 1, sizeof *s.profiles),
	                    .is_listed = xcalloc(ncalled + 1, sizeof *s.is_listed)};
	key_staged_index(&s.index, p->prefix, acct_region->acct_region, p->run);
	bool good = stage(&s, rows, n, err) && swap(&s, acct_region, ret_taken, err);
	arena_release(&s.arena);
	free(s.stored);
	free(s.profiles);
	free(s.is_listed);
	buf_release(&s.index);
	buf_release(&s.key);
	buf_release(&s.member);
	buf_release(&s.text);
	return good;
}

// ---- status -------------------------------------------------------------------------------------

void status_add(struct status *s, const char *field, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (s->n + 2 > s->cap)
		s->words = xrealloc(s->words, (size_t)(s->cap = s->cap ? s->cap * 2 : 64), sizeof *s->words);
	s->words[s->n++] = arena_str(&s->arena, str_of(field));
	s->words[s->n++] = arena_str(&s->arena, buf_str(&b));
	buf_release(&b);
}

void status_release(struct status *s)
{
	arena_release(&s->arena);
	free(s->words);
	*s = (struct status){0};
}

bool publish_status(struct publish *p, struct str period, const struct status *s, struct err *err)
{
	struct buf key = BUF_INIT;
	redis_begin_eval(p->redis, p->status, 1, s->n + 2);
	redis_arg(p->redis, period.len ? key_reconcile_period(&key, p->prefix, period)
	                               : key_reconcile(&key, p->prefix));
	redis_argi(p->redis, p->run);
	for (int i = 0; i < s->n; i++)
		redis_arg(p->redis, s->words[i]);
	buf_release(&key);
	return redis_exec(p->redis, err);
}

bool publish_period(struct publish *p, struct str period, struct err *err)
{
	struct buf key = BUF_INIT;
	redis_cmd(p->redis, 3, (struct str[]){STR("SADD"), key_reconcile_periods(&key, p->prefix), period});
	buf_release(&key);
	return redis_exec(p->redis, err);
}
