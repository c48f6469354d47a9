// SPDX-License-Identifier: Apache-2.0
// `price explain`: every term of a sum, with its rate, the source of the rate and its date. The sum is that
// of one call whose tokens are given, at the band of its own prompt; or that of one principal's hour in
// Redis.
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/price_priv.h"
#include "cli/session_tags.h"
#include "estimator/rate_class.h"
#include "estimator/tariff.h"
#include "ingest/pseudonym.h"
#include "store/view.h"

struct price_explanation {
	struct price_query q;
	int64_t tokens[TOKEN_TYPES];
	bool prompt_given; // q.prompt_tokens; else the tokens are those of one call
	const char *principal;
	int64_t hour;
	const struct prices *prices;
	struct usd total;
	size_t terms, unpriced;
};

static void print_term(struct price_explanation *e, enum token_type type, int64_t tokens,
                       const struct rate *rate, const struct price_source *s)
{
	char per_million[USD_SIZE], usd[USD_SIZE], from[WHEN_SIZE] = "always";
	struct usd cost = usd_price(tokens, rate->pico_per_token);
	if (rate->from_ms > 0)
		when_format(rate->from_ms, from);
	printf("  %-15s %14lld x %10s / 1M = %18s USD   %s; %s (%s:%d), from %.10s\n", token_type_names[type],
	       (long long)tokens, price_format_rate(rate->pico_per_token, per_million), usd_format(cost, 12, usd),
	       s->name, rate->source, rate->file, rate->line, from);
	price_print_remarks(rate);
	e->total = usd_add(e->total, cost);
	e->terms++;
}

static void print_units(struct price_explanation *e, int64_t units, const struct rate *rate,
                        const struct price_source *s)
{
	char each[USD_SIZE], usd[USD_SIZE], from[WHEN_SIZE] = "always";
	struct usd cost = usd_price(units, rate->pico_per_token);
	if (rate->from_ms > 0)
		when_format(rate->from_ms, from);
	printf("  %-15s %14lld x %10s / %.*s = %18s USD   %s; %s (%s:%d), from %.10s\n", "units",
	       (long long)units, usd_format((struct usd){rate->pico_per_token}, 6, each), STR_ARG(rate->unit),
	       usd_format(cost, 12, usd), s->name, rate->source, rate->file, rate->line, from);
	price_print_remarks(rate);
	e->total = usd_add(e->total, cost);
	e->terms++;
}

static void print_unpriced(struct price_explanation *e, const char *type, int64_t tokens,
                           enum price_miss miss)
{
	printf("  %-15s %14lld   unpriced: %s\n", type, (long long)tokens, price_miss_text(miss));
	e->unpriced++;
}

static void print_total(const struct price_explanation *e)
{
	char usd[USD_SIZE];
	printf("  %-15s %14s   %10s        %18s USD%s\n", "sum", "", "", usd_format(e->total, 12, usd),
	       e->unpriced ? "   without what is unpriced" : "");
}

// ---- one call -----------------------------------------------------------------------------------

// "type=n", as often as wanted: --tokens input=1200 --tokens output=80, or all in one, comma-separated.
static bool parse_tokens(struct price_explanation *e, struct str list, struct err *err)
{
	while (list.len) {
		struct str given = str_cut(&list, ','), number = given, name = str_cut(&number, '=');
		int t = 0;
		while (t < TOKEN_TYPES && !str_is(name, token_type_names[t]))
			t++;
		if (t == TOKEN_TYPES || !usd_parse_scaled(number, 0, &e->tokens[t]) || e->tokens[t] < 0)
			return err_set(
				err, ERR_CONFIG,
				"--tokens: expected TYPE=N with input, output, cache_read, cache_write_5m or cache_write_1h, got \"%.*s\"",
				STR_ARG(given));
	}
	return true;
}

// The tokens may be those of many calls: the rates are those of calls with prompts of this length.
static bool parse_prompt(struct price_explanation *e, const char *text, struct err *err)
{
	e->prompt_given = text != NULL;
	if (text && (!usd_parse_scaled(str_of(text), 0, &e->q.prompt_tokens) || e->q.prompt_tokens < 0))
		return err_set(err, ERR_CONFIG, "--prompt: expected the tokens of a prompt, got \"%s\"", text);
	return true;
}

static void explain_call(struct price_explanation *e)
{
	char when[WHEN_SIZE];
	for (int t = 0; !e->prompt_given && t < TOKEN_TYPES; t++)
		e->q.prompt_tokens += t == TOKEN_OUTPUT ? 0 : e->tokens[t];
	printf("%.*s in %.*s at %s, %s tier, a prompt of %lld tokens\n", STR_ARG(e->q.model),
	       STR_ARG(e->q.region), when_format(e->q.time_ms, when), price_tier_names[e->q.tier],
	       (long long)e->q.prompt_tokens);
	for (int t = 0; t < TOKEN_TYPES; t++) {
		struct rate rate;
		struct price_source s;
		e->q.type = (enum token_type)t;
		enum price_miss miss = e->tokens[t] ? prices_find(e->prices, &e->q, &rate, &s) : MISS_NONE;
		if (e->tokens[t] && miss == MISS_NONE)
			print_term(e, e->q.type, e->tokens[t], &rate, &s);
		else if (e->tokens[t])
			print_unpriced(e, token_type_names[t], e->tokens[t], miss);
	}
	print_total(e);
}

// ---- one hour of a principal --------------------------------------------------------------------

static void print_doubts(const struct priced_usage *b, const struct tariff *t, const struct view_row *rows,
                         int n)
{
	char usd[USD_SIZE];
	bool estimated;
	const struct band *band = tariff_band(t, b, &estimated);
	const char *how = estimated ? "estimated by the mean of the caller's calls, since only their sum is known"
	                            : "by the prompt of each call";
	for (int i = 0; i < n; i++)
		if (rows[i].figure.assumed)
			printf("  %lld of the tokens of %s have a TTL that no record names (%s)\n",
			       (long long)rows[i].figure.assumed, row_name(&rows[i]),
			       ttl_source_names[rows[i].figure.ttl_source]);
	int64_t cache_unknown = 0;
	for (int type = 0; type < TOKEN_TYPES; type++)
		cache_unknown += b->cache_unknown[type];
	if (cache_unknown)
		printf(
			"  %lld tokens of the prompts may be input, cache reads or cache writes: the metric counts them as one\n",
			(long long)cache_unknown);
	if (t->nbands > 1 && band->prompt_max == INT64_MAX)
		printf("  the rates are those of long prompts: %s\n", how);
	else if (t->nbands > 1)
		printf("  the rates are those of prompts up to %lld tokens: %s\n", (long long)band->prompt_max, how);
	for (int i = 0; i < n; i++)
		if (usd_cmp(rows[i].figure.more, USD_ZERO) > 0)
			printf("  %s may cost %s USD more\n", row_name(&rows[i]),
			       usd_format(rows[i].figure.more, 12, usd));
	for (int i = 0; i < n; i++)
		if (usd_cmp(rows[i].figure.less, USD_ZERO) > 0)
			printf("  %s may cost %s USD less\n", row_name(&rows[i]),
			       usd_format(rows[i].figure.less, 12, usd));
}

static void print_tokens(struct price_explanation *e, const struct tariff *t, const struct priced_usage *b)
{
	const struct band *band = tariff_band(t, b, NULL);
	for (int i = 0; i < TOKEN_TYPES; i++) {
		enum token_type type = (enum token_type)i;
		if (b->tokens[i] && band->rate[i] != RATE_UNKNOWN)
			print_term(e, type, b->tokens[i], &band->found[i], &band->source[i]);
		else if (b->tokens[i])
			print_unpriced(e, token_type_names[i], b->tokens[i], tariff_miss(t, type));
	}
}

static void print_row_of_units(struct price_explanation *e, const struct tariff *t,
                               const struct view_row *row)
{
	struct cost cost;
	if (row->kind == ROW_UNITS && tariff_price_units(t, row->figure.tokens, &cost))
		print_units(e, row->figure.tokens, &t->unit, &t->unit_source);
	else
		print_unpriced(e, row_name(row), row->figure.tokens, tariff_unit_miss(t));
}

// Rows that are priced together.
static void explain_rows(struct price_explanation *e, struct view *v, const struct model_hour *model_hour,
                         const struct view_row *rows, int n)
{
	struct priced_usage b = {.rate_class = rows->rate_class};
	struct buf where = BUF_INIT;
	struct tariffs tariffs;
	struct usd stored = USD_ZERO, before = e->total;
	char when[WHEN_SIZE], usd[USD_SIZE];
	bool billed = model_hour->billed;
	for (int i = 0; i < n; i++) {
		priced_usage_add_row(&b, &rows[i]);
		if (rows[i].figure.priced)
			stored = usd_add(stored, rows[i].figure.usd);
	}
	buf_addf(&where, "%.*s/%.*s", STR_ARG(model_hour->account), STR_ARG(model_hour->region));
	tariffs_init(&tariffs, e->prices, buf_str(&where), model_hour->model, model_hour->foundation,
	             model_hour->hour * MS_PER_HOUR);
	const struct tariff *t = tariffs_at(&tariffs, rate_class_tier(b.rate_class));
	buf_release(&where);
	struct buf caller = BUF_INIT;
	buf_addstr(&caller, rows->principal);
	session_tags_add(&caller, v, rows->principal, rows->tagset, model_hour->hour);
	(void)!text_print(stdout, &caller); // main looks whether all was written
	buf_release(&caller);
	printf(": %.*s in %.*s, account %.*s, hour %s, %s tier, %lld call%s\n", STR_ARG(model_hour->model),
	       STR_ARG(model_hour->region), STR_ARG(model_hour->account),
	       when_format(model_hour->hour * MS_PER_HOUR, when), price_tier_names[rate_class_tier(b.rate_class)],
	       (long long)b.calls, text_s(b.calls));
	e->total = USD_ZERO;
	if (row_has_units(rows))
		print_row_of_units(e, t, rows);
	else
		print_tokens(e, t, &b);
	print_total(e);
	if (!row_has_units(rows))
		print_doubts(&b, t, rows, n);
	if (billed)
		printf("  the bill says %s USD for these tokens, and that is what counts\n",
		       usd_format(stored, 12, usd));
	else if (usd_cmp(stored, e->total) != 0)
		printf("  Redis holds %s USD: it was computed at other prices; `nowcast reprice` applies these\n",
		       usd_format(stored, 12, usd));
	e->total = usd_add(billed ? stored : e->total, before);
}

static bool explain_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct price_explanation *e = user;
	for (int i = 0, end; i < model_hour->nrows; i = end) {
		const struct view_row *row = &model_hour->rows[i];
		for (end = i + 1; end < model_hour->nrows && row_shares_price(row, &model_hour->rows[end]);)
			end++;
		bool calls_only = model_hour->billed && row->kind == ROW_CALLS; // the bill's rows have none
		bool wanted = str_is(row->principal, e->principal) && !calls_only &&
		              (!e->q.model.len || str_eq(e->q.model, model_hour->model)) &&
		              (!e->q.region.len || str_eq(e->q.region, model_hour->region));
		if (wanted)
			explain_rows(e, v, model_hour, row, end - i);
	}
	return true;
}

static bool explain_hour(struct price_explanation *e, const struct conf *conf, struct err *err)
{
	struct view *v = NULL;
	char usd[USD_SIZE];
	bool good =
		view_open(&v, redis_target_of(conf), err) && view_map(v, conf, err) &&
		view_each(v, e->hour, e->hour + 1, explain_model_hour, e, err);
	if (good && e->terms + e->unpriced == 0)
		good = err_set(
			err, ERR_SKIP,
			"no figures of %s in that hour: expected a whole ARN, as `nowcast report --by hour,principal` lists them; "
			"`nowcast explain` takes a part of it, too, and shows these terms",
			e->principal);
	else if (good)
		printf("all together %s USD\n", usd_format(e->total, 12, usd));
	view_close(v);
	return good;
}

// ---- the verb -----------------------------------------------------------------------------------

// Names the flags that are missing: those of an hour if some of them are there, else those of a call.
static bool check_given(const char *model, const char *region, const char *tokens, const char *principal,
                        int64_t hour_ms, struct err *err)
{
	bool hour = principal || hour_ms >= 0;
	const struct {
		const char *flag;
		bool missing;
	} flags[] = {
		{"--principal", hour && !principal}, {"--hour", hour && hour_ms < 0}, {"--model", !hour && !model},
		{"--region", !hour && !region},      {"--tokens", !hour && !tokens},
	};
	struct buf missing = BUF_INIT;
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (flags[i].missing)
			buf_addf(&missing, "%s%s", missing.len ? ", " : "", flags[i].flag);
	bool good = !missing.len ||
	            err_set(err, ERR_CONFIG,
	                    "without %s: expected --model M --region R --tokens TYPE=N,... for a call, or --principal ARN "
	                    "--hour T for an hour", missing.data);
	buf_release(&missing);
	return good;
}

bool price_verb_explain(struct command *c, int *ret_status, struct err *err)
{
	struct price_explanation e = {0};
	const char *model = NULL, *region = NULL, *account = NULL, *foundation = NULL, *tokens = NULL;
	const char *prompt = NULL;
	struct prices *prices = NULL;
	int64_t hour_ms = -1;
	if (!command_option(c, "--principal", &e.principal, err) || !command_time(c, "--hour", &hour_ms, err) ||
	    !command_now(c, &e.q.time_ms, err) || !command_time(c, "--time", &e.q.time_ms, err) ||
	    !price_parse_tier(c, &e.q.tier, err) || !command_option(c, "--model", &model, err) ||
	    !command_option(c, "--region", &region, err) || !command_option(c, "--account", &account, err) ||
	    !command_option(c, "--foundation", &foundation, err) ||
	    !command_option(c, "--tokens", &tokens, err) || !command_option(c, "--prompt", &prompt, err) ||
	    !parse_prompt(&e, prompt, err) || !command_done(c, 0, 0, err))
		return false;
	if (!check_given(model, region, tokens, e.principal, hour_ms, err))
		return false;
	struct arena arena = ARENA_INIT;
	struct str principal = STR_NONE;
	if (!parse_tokens(&e, str_of(tokens), err) ||
	    (e.principal && !pseudonym_ask(&c->conf, &arena, str_of(e.principal), &principal, err)) ||
	    !prices_load(&prices, &c->conf, err)) {
		arena_release(&arena);
		return false;
	}
	e.principal = principal.p;
	e.q.model = str_of(model);
	e.q.region = str_of(region);
	e.q.account = str_of(account);
	e.q.foundation = str_of(foundation);
	e.hour = hour_ms / MS_PER_HOUR;
	e.prices = prices;
	price_warn_of_region(prices, e.q.region);
	bool good = true;
	if (e.principal)
		good = explain_hour(&e, &c->conf, err);
	else
		explain_call(&e);
	if (e.unpriced && !e.principal)
		price_propose_model(prices, e.q.model);
	prices_free(prices);
	arena_release(&arena);
	*ret_status = e.unpriced ? STATUS_THRESHOLD : STATUS_OK;
	return good;
}

bool price_explain_principal(struct command *c, const char *principal, int64_t hour, int *ret_status,
                        struct err *err)
{
	struct price_explanation e = {.principal = principal, .hour = hour};
	struct prices *prices = NULL;
	if (!prices_load(&prices, &c->conf, err))
		return false;
	e.prices = prices;
	bool good = explain_hour(&e, &c->conf, err);
	prices_free(prices);
	*ret_status = e.unpriced ? STATUS_THRESHOLD : STATUS_OK;
	return good;
}
