// SPDX-License-Identifier: Apache-2.0
// `nowcast explain PRINCIPAL HOUR`: why a figure is what it is. For each model that a principal called in an
// hour: its calls, how its tokens are known, how many tokens a call was assumed to use and from what that was
// learned, then every term of the sum with its rate.
//
// The weights are those that Redis holds with the figure. They are not computed again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/spikes.h"
#include "base/buf.h"
#include "base/pattern.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/price_priv.h"
#include "cli/session_tags.h"
#include "ingest/pseudonym.h"
#include "estimator/rate_class.h"
#include "pricing/model_id.h"
#include "query/group.h"
#include "query/weights.h"
#include "store/usage_rows.h"
#include "store/view.h"

struct explanation {
	struct str principal;
	struct groups groups; // by principal, of that hour
	int model_hours, capmodel_hours; // that have rows of the principal
	struct model_hour *where; // account, region, model key and hour of each
	struct view *view;
	bool printed;  // a weight
	struct buf line; // in hand
	struct arena arena; // holds their strings
};

// What the rows that follow have in common.
static void print_rate_class(int rate_class)
{
	int64_t from, to;
	rate_class_prompt(rate_class, &from, &to);
	printf("  %s tier", price_tier_names[rate_class_tier(rate_class)]);
	if (rate_class_prompt_known(rate_class) && from > 0)
		printf(", prompts of more than %lld tokens", (long long)from - 1);
	else if (rate_class_prompt_known(rate_class))
		printf(", prompts of at most %lld tokens", (long long)to);
	printf(":\n");
}

// Which TTL the cache writes are taken to have that no record names one of, and why.
static void print_ttl(struct view *v, const struct model_hour *model_hour, const struct view_row *row)
{
	static const char *const why[TTL_SOURCES] = {
		[TTL_ASSUMED] = "nothing is known of it; one write in ten is taken for a 1-hour one",
		[TTL_OF_ALL] = "divided as all cache writes that were billed",
		[TTL_OF_MODEL] = "divided as those billed of all callers of the model",
		[TTL_OF_ROLE] = "divided as those billed of its role",
		[TTL_OF_CALLER] = "divided as those of the caller that were billed, or named by records",
		[TTL_BY_KEY] = "as the key cache_ttl declares",
		[TTL_BY_TAG] = "as a tag declares (cache_ttl.tag)",
		[TTL_BY_MAP] = "as the mapping file declares",
	};
	const struct figure *f = &row->figure;
	bool guessed = ttl_is_doubtful((enum ttl_source)f->ttl_source);
	const char *because = guessed && !f->other_rate ? "5 minutes, for the model has no rate for 1 hour"
	                      : f->ttl_source == TTL_ASSUMED && !f->ttl_may_be_1h
	                          ? "5 minutes, for the caller reads too little for 1 hour to pay"
	                          : why[f->ttl_source];
	printf("  %-15s %lld of them have a TTL that no record names: %s", "", (long long)f->assumed, because);
	const struct mapping_line *line = view_declared_ttl(v, model_hour, row).line;
	if (f->ttl_source == TTL_BY_MAP && line)
		printf(" (%s:%d)", view_mapping_file(v), line->number);
	printf("\n");
}

static void print_row(struct view *v, const struct model_hour *model_hour, const struct view_row *row)
{
	const struct figure *f = &row->figure;
	char usd[USD_SIZE];
	if (row->kind == ROW_CALLS) {
		printf("  calls           %lld charged, %lld refused\n", (long long)row->calls.charged,
		       (long long)row->calls.failed);
		return;
	}
	printf("  %-15s %14lld %s: ", row_name(row), (long long)f->tokens,
	       row->kind == ROW_TOKENS      ? "tokens"
	       : row->kind == ROW_UNCOUNTED ? "calls"
	                                    : "units");
	if (f->billed)
		printf("billed");
	else
		printf("%lld exact, %lld allocated (+/- %lld), %lld provisional", (long long)f->exact,
		       (long long)f->allocated, (long long)f->spread, (long long)f->provisional);
	if (f->telemetry)
		printf(" (%lld of the exact ones by the caller's telemetry alone)", (long long)f->telemetry);
	printf("; %s%s\n", f->priced ? "$" : "", f->priced ? usd_format(f->usd, 6, usd) : "unpriced");
	if (f->band_estimated)
		printf(
			"  %-15s the rate depends on the length of the prompt, which is estimated as the mean of these calls\n",
			"");
	if (f->rate_borrowed)
		printf("  %-15s the Region has no rate: that of the nearest one is used\n", "");
	if (f->scope_unknown)
		printf(
			"  %-15s the regional rate; at the global one it would be $%s: `nowcast profiles import` tells "
			"which\n",
			"", usd_format(usd_sub(f->usd, f->less), 6, usd));
	if (f->assumed && !f->billed)
		print_ttl(v, model_hour, row);
}

// Of the principal, what was estimated in the model hour and is not on its bill.
static void print_unbilled(const struct explanation *x, const struct model_hour *model_hour)
{
	for (int i = 0; i < model_hour->nunbilled; i++) {
		const struct view_row *row = &model_hour->unbilled[i];
		char usd[USD_SIZE];
		if (str_eq(row->principal, x->principal))
			printf("  %-15s %14lld not on the bill, in no sum; %s%s\n", row_name(row),
			       (long long)row->figure.tokens, row->figure.priced ? "estimated at $" : "unpriced",
			       row->figure.priced ? usd_format(row->figure.usd, 6, usd) : "");
	}
}

static bool sum_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct explanation *x = user;
	groups_add(&x->groups, v, model_hour);
	return true;
}

static bool explain_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct explanation *x = user;
	bool found = false;
	int rate_class = 0;
	for (int i = 0; i < model_hour->nrows; i++) {
		if (!str_eq(model_hour->rows[i].principal, x->principal))
			continue;
		if (!found)
			printf("\n%.*s%s%.*s in %.*s, account %.*s%s\n", STR_ARG(model_hour->model),
			       model_hour->foundation.len ? ", which is " : "", STR_ARG(model_hour->foundation),
			       STR_ARG(model_hour->region), STR_ARG(model_hour->account),
			       model_hour->billed ? ": as billed" : "");
		found = true;
		if (model_hour->rows[i].rate_class != rate_class && !row_has_units(&model_hour->rows[i]))
			print_rate_class(rate_class = model_hour->rows[i].rate_class);
		print_row(v, model_hour, &model_hour->rows[i]);
	}
	if (found && (model_hour->telemetry.used || model_hour->telemetry.unjoined))
		printf(
			"  %-15s of this model and hour, of all callers: %lld calls; %lld were refused, for they exceed the metric; %lld more fit no call, or several\n",
			"telemetry", (long long)model_hour->telemetry.used, (long long)model_hour->telemetry.refused,
			(long long)model_hour->telemetry.unjoined);
	if (found)
		print_unbilled(x, model_hour);
	if (found) {
		if (x->model_hours == x->capmodel_hours)
			x->where = xrealloc(
				x->where, (size_t)(x->capmodel_hours = x->capmodel_hours ? x->capmodel_hours * 2 : 16),
				sizeof *x->where);
		x->where[x->model_hours] =
			(struct model_hour){.hour = model_hour->hour,
		                        .account = arena_str(&x->arena, model_hour->account),
		                        .region = arena_str(&x->arena, model_hour->region),
		                        .billed = model_hour->billed,
		                        .model = arena_str(&x->arena, model_id_key(model_hour->model))};
		x->model_hours++;
	}
	return true;
}

static void print_weights(void *user, const struct model_hour *model_hour, struct str tagset,
                          const struct weight_row *weights)
{
	static const char *const names[METRIC_KINDS] = {"input", "output", "cache read", "cache write"};
	struct explanation *x = user;
	if (!x->printed)
		printf("\nthe weights\n");
	x->printed = true;
	buf_clear(&x->line);
	buf_addf(&x->line, "  %.*s, %.*s", STR_ARG(model_hour->model), STR_ARG(model_hour->region));
	session_tags_add(&x->line, x->view, x->principal, tagset, model_hour->hour);
	buf_adds(&x->line, ": tokens that a call was assumed to use\n");
	(void)!text_print(stdout, &x->line); // main looks whether all was written
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		const struct weight_row *w = &weights[kind];
		if (w->milli)
			printf("    %-13s %10lld.%03lld tokens, +/- %lld %%, learned from %s\n", names[kind],
			       (long long)(w->milli / 1000), (long long)(w->milli % 1000),
			       (long long)(w->sd_permille / 10), weights_source_words(w->source));
	}
}

// A caller of the hour: `text` as it is, or the only one that has it in its name.
static bool find_principal(struct explanation *x, struct str text, int64_t hour, struct err *err)
{
	enum { NAMED = 5 };
	struct str pattern = arena_text(&x->arena, "*%.*s*", STR_ARG(text)), found = STR_NONE;
	char when[WHEN_SIZE];
	struct buf names = BUF_INIT;
	int n = 0;
	for (int32_t i = 0; i < x->groups.n; i++) {
		struct str name = x->groups.list[i].keys[0];
		bool same = str_eq(name, text);
		if (!same && (!text.len || !pattern_matches(pattern, name)))
			continue;
		found = name;
		n++;
		if (same) {
			n = 1;
			break;
		}
		if (n <= NAMED)
			buf_addf(&names, "%s%.*s", n > 1 ? ", " : "", STR_ARG(name));
	}
	when_format(hour * MS_PER_HOUR, when);
	if (n > 1)
		err_set(err, ERR_CONFIG, "%d callers of the hour of %s have \"%.*s\" in their names: %s%s", n, when,
		        STR_ARG(text), names.data, n > NAMED ? ", ..." : "");
	else if (!n)
		err_set(
			err, ERR_CONFIG,
			"no figures of %.*s in the hour of %s: `nowcast report --by hour --principal '%.*s'` shows in which hours "
			"there are some",
			STR_ARG(text), when, STR_ARG(text));
	buf_release(&names);
	x->principal = arena_str(&x->arena, found);
	return n == 1;
}

static void print_total(const struct explanation *x, const char *hour)
{
	char usd[USD_SIZE], low[USD_SIZE], high[USD_SIZE], basis[GROUP_BASIS_SIZE];
	const struct group *g = groups_find(&x->groups, &x->principal);
	if (g)
		printf("%.*s in the hour of %s\n$%s, between $%s and $%s nine times in ten; %s\n",
		       STR_ARG(x->principal), hour, usd_format(g->usd, 6, usd), usd_format(g->usd_low, 6, low),
		       usd_format(g->usd_high, 6, high), group_basis(g, basis));
}

static bool print_unsure(const struct explanation *x, int64_t hour, struct err *err)
{
	struct spikes spikes = {.n = 0};
	char when[WHEN_SIZE];
	const struct group *g = groups_find(&x->groups, &x->principal);
	bool good = spikes_read(&spikes, NULL, view_redis(x->view), view_prefix(x->view), hour, hour + 1, err);
	int64_t since_ms = good && g ? spikes_since(&spikes, &x->groups.by, g) : 0;
	if (since_ms)
		printf("split unsure: its calls jumped at %s, and tokens are split by what its calls used before\n",
		       when_format(since_ms, when));
	spikes_release(&spikes);
	return good;
}

// *principal becomes the whole name, in `arena`.
static bool print_explanation(struct command *c, struct arena *arena, struct str *principal, int64_t hour,
                              struct err *err)
{
	struct explanation x = {.principal = STR_NONE};
	struct view *v = NULL;
	struct grouping by;
	char when[WHEN_SIZE];
	if (!grouping_parse(&by, STR("principal"), (struct caller_sources){0}, err) ||
	    !view_open(&v, redis_target_of(&c->conf), err))
		return false;
	if (!view_map(v, &c->conf, err)) {
		view_close(v);
		return false;
	}
	x.view = v;
	groups_init(&x.groups, &by);
	bool good =
		view_each(v, hour, hour + 1, sum_model_hour, &x, err) && find_principal(&x, *principal, hour, err);
	if (good)
		print_total(&x, when_format(hour * MS_PER_HOUR, when));
	good = good && print_unsure(&x, hour, err) && view_each(v, hour, hour + 1, explain_model_hour, &x, err) &&
	       weights_each(v, x.where, x.model_hours, x.principal, print_weights, &x, err);
	*principal = arena_str(arena, x.principal);
	groups_release(&x.groups);
	buf_release(&x.line);
	free(x.where);
	arena_release(&x.arena);
	view_close(v);
	return good;
}

int cmd_explain(struct command *c)
{
	struct err err = ERR_INIT;
	int64_t ms, now_ms;
	int status = STATUS_OK;
	if (!command_now(c, &now_ms, &err) || !command_done(c, 2, 2, &err))
		return command_fail(c, &err);
	if (!when_parse(str_of(c->argv[1]), &ms) && !when_parse_clock(str_of(c->argv[1]), now_ms, &ms)) {
		err_set(&err, ERR_CONFIG, "expected an hour like 2026-11-02T05:00:00Z or 05:00, got \"%s\"",
		        c->argv[1]);
		return command_fail(c, &err);
	}
	struct arena arena = ARENA_INIT;
	struct str principal;
	bool good = pseudonym_ask(&c->conf, &arena, str_of(c->argv[0]), &principal, &err) &&
	            print_explanation(c, &arena, &principal, ms / MS_PER_HOUR, &err);
	if (good)
		printf("\nthe rates\n");
	good = good && price_explain_principal(c, principal.p, ms / MS_PER_HOUR, &status, &err);
	arena_release(&arena);
	return good ? status : command_fail(c, &err);
}
