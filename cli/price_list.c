// SPDX-License-Identifier: Apache-2.0
// `price list`: the rows of each source. `price show MODEL`: the rates that apply to a model, and their
// source.
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/when.h"
#include "cli/price_priv.h"

struct row_filter {
	const char *word;   // part of the model's name; NULL: every model
	const char *source; // NULL: every source
	bool all;           // also what is not in force at `time_ms`
	int64_t time_ms;
};

static bool is_wanted(const struct row_filter *f, const struct price_row *r)
{
	return (f->all || (r->from_ms <= f->time_ms && f->time_ms < r->to_ms)) &&
	       (!f->word || memmem(r->model.p, r->model.len, f->word, strlen(f->word)));
}

static void print_row(const struct price_source *s, const struct price_row *r)
{
	char from[WHEN_SIZE] = "-", to[WHEN_SIZE] = "-", rate[USD_SIZE];
	char band[24] = "";
	struct buf model = BUF_INIT;
	price_row_add_model(&model, r);
	if (r->from_ms > 0)
		when_format(r->from_ms, from);
	if (r->to_ms != INT64_MAX)
		when_format(r->to_ms, to);
	if (r->prompt_over)
		snprintf(band, sizeof band, ">%lld", (long long)r->prompt_over);
	printf("%-9s %-40s %-8s %-15.*s %-12.*s %-8s %-8s %-10.10s %-10.10s", s->name, model.data,
	       r->scope == SCOPE_GLOBAL ? "global" : "regional", STR_ARG(r->region.len ? r->region : STR("*")),
	       STR_ARG(r->account.len ? r->account : STR("*")), price_tier_names[r->tier], band, from, to);
	for (int t = 0; t < TOKEN_TYPES; t++)
		printf(" %9s", price_format_rate(r->rate[t], rate));
	printf("  %s", r->source);
	if (r->unit.len && r->per_unit != RATE_UNKNOWN)
		printf("; %s USD per %.*s", usd_format((struct usd){r->per_unit}, 6, rate), STR_ARG(r->unit));
	else if (r->unit.len)
		printf("; per %.*s", STR_ARG(r->unit));
	putchar('\n');
	buf_release(&model);
}

static void list_table(const struct prices *p, const struct row_filter *f)
{
	printf("%-9s %-40s %-8s %-15s %-12s %-8s %-8s %-10s %-10s %9s %9s %9s %9s %9s  %s\n", "source", "model",
	       "scope", "region", "account", "tier", "prompt", "from", "to", "input", "output", "read",
	       "write 5m", "write 1h", "source of the rates; USD per million tokens");
	for (size_t i = 0; i < prices_count(p); i++) {
		struct price_source s = prices_source(p, i);
		const struct price_rows *rows = catalogue_rows(s.catalogue);
		for (size_t k = 0; k < rows->n; k++)
			if ((!f->source || strcmp(f->source, s.name) == 0) && is_wanted(f, &rows->v[k]))
				print_row(&s, &rows->v[k]);
	}
}

// The output is a price file. That of one source may be edited and used as one's own.
static void list_csv(const struct prices *p, const struct row_filter *f)
{
	struct buf csv = BUF_INIT;
	price_file_write_head(&csv);
	for (size_t i = 0; i < prices_count(p); i++) {
		struct price_source s = prices_source(p, i);
		const struct price_rows *rows = catalogue_rows(s.catalogue);
		for (size_t k = 0; k < rows->n; k++)
			if ((!f->source || strcmp(f->source, s.name) == 0) && is_wanted(f, &rows->v[k]))
				price_file_write_row(&csv, &rows->v[k]);
	}
	fwrite(csv.data, 1, csv.len, stdout);
	buf_release(&csv);
}

bool price_verb_list(struct command *c, int *ret_status, struct err *err)
{
	struct row_filter f = {.all = command_switch(c, "--all")};
	const char *format = "table";
	struct prices *p;
	(void)ret_status;
	if (!command_now(c, &f.time_ms, err) || !command_time(c, "--time", &f.time_ms, err) ||
	    !command_option(c, "--source", &f.source, err) || !command_option(c, "--format", &format, err) ||
	    !command_done(c, 0, 1, err))
		return false;
	f.word = c->argc ? c->argv[0] : NULL;
	if (strcmp(format, "table") != 0 && strcmp(format, "csv") != 0)
		return err_set(err, ERR_CONFIG, "--format: expected table or csv, got \"%s\"", format);
	if (!prices_load(&p, &c->conf, err))
		return false;
	if (strcmp(format, "csv") == 0)
		list_csv(p, &f);
	else
		list_table(p, &f);
	prices_free(p);
	return true;
}

// ---- show ---------------------------------------------------------------------------------------

static void show_type(const struct prices *p, struct price_query *q, bool *ret_any)
{
	struct rate rate;
	struct price_source s;
	char text[USD_SIZE], from[WHEN_SIZE] = "always", to[WHEN_SIZE] = "";
	enum price_miss miss = prices_find(p, q, &rate, &s);
	if (miss != MISS_NONE) {
		printf("  %-15s %10s  %s\n", token_type_names[q->type], "unpriced", price_miss_text(miss));
		return;
	}
	*ret_any = true;
	if (rate.from_ms > 0)
		when_format(rate.from_ms, from);
	if (rate.to_ms != INT64_MAX)
		when_format(rate.to_ms, to);
	printf("  %-15s %10s  %s; %s (%s:%d) from %.10s%s%.10s\n", token_type_names[q->type],
	       price_format_rate(rate.pico_per_token, text), s.name, rate.source, rate.file, rate.line, from,
	       *to ? " to " : "", to);
	price_print_remarks(&rate);
}

// Prints one band. Returns the longest prompt of the band.
static int64_t show_band(const struct prices *p, struct price_query *q, bool *ret_any)
{
	struct rate rate;
	int64_t most = INT64_MAX;
	for (int t = 0; t < TOKEN_TYPES; t++) {
		q->type = (enum token_type)t;
		show_type(p, q, ret_any);
		if (prices_find(p, q, &rate, NULL) == MISS_NONE && rate.prompt_max < most)
			most = rate.prompt_max;
	}
	struct price_source s;
	char usd[USD_SIZE];
	q->per_unit = true;
	if (prices_find(p, q, &rate, &s) == MISS_NONE) {
		*ret_any = true;
		printf("  %-15s %10s  %s; %s (%s:%d), USD per %.*s\n", "units",
		       usd_format((struct usd){rate.pico_per_token}, 6, usd), s.name, rate.source, rate.file,
		       rate.line, STR_ARG(rate.unit));
	}
	q->per_unit = false;
	return most;
}

static bool pays_otherwise(const struct prices *p, struct price_query q, struct str account)
{
	struct price_query of_it = q;
	of_it.account = account;
	for (int t = 0; t < TOKEN_TYPES; t++) {
		struct rate own, common;
		q.type = of_it.type = (enum token_type)t;
		if (prices_find(p, &of_it, &own, NULL) == MISS_NONE &&
		    (prices_find(p, &q, &common, NULL) != MISS_NONE ||
		     own.pico_per_token != common.pico_per_token))
			return true;
	}
	return false;
}

// Names accounts that have rates of their own for it, such as those that their bills have taught.
static void print_accounts(const struct prices *p, const struct price_query *q)
{
	enum { NAMED = 5 };
	struct str named[NAMED];
	int n = 0;
	for (size_t i = 0; i < prices_count(p); i++) {
		const struct price_rows *rows = catalogue_rows(prices_source(p, i).catalogue);
		for (size_t k = 0; k < rows->n && n < NAMED; k++) {
			struct str account = rows->v[k].account;
			bool passed = !account.len;
			for (int j = 0; j < n && !passed; j++)
				passed = str_eq(named[j], account);
			if (passed || !pays_otherwise(p, *q, account))
				continue;
			printf("%s%.*s", n ? ", " : "  other rates hold for account ", STR_ARG(account));
			named[n++] = account;
		}
	}
	if (n)
		printf("%s: --account shows them\n", n == NAMED ? " ..." : "");
}

// Ends with 3 if nothing of the model has a price.
bool price_verb_show(struct command *c, int *ret_status, struct err *err)
{
	struct price_query q = {0};
	const char *region = "us-east-1", *account = NULL, *foundation = NULL;
	struct prices *p;
	bool any = false;
	if (!command_now(c, &q.time_ms, err) || !command_time(c, "--time", &q.time_ms, err) ||
	    !price_parse_tier(c, &q.tier, err) ||
	    !command_option(c, "--region", &region, err) || !command_option(c, "--account", &account, err) ||
	    !command_option(c, "--foundation", &foundation, err) || !command_done(c, 1, 1, err) ||
	    !prices_load(&p, &c->conf, err))
		return false;
	q.model = str_of(c->argv[0]);
	q.region = str_of(region);
	q.account = str_of(account);
	q.foundation = str_of(foundation);
	const struct price_query asked = q;
	price_warn_of_region(p, q.region);
	struct model_id id;
	char when[WHEN_SIZE];
	model_id_read(&id, q.model);
	printf("%s\n  priced as %.*s, %s rate of %s, %s tier, at %s; USD per million tokens\n", c->argv[0],
	       STR_ARG(model_id_name(&id)), id.scope == SCOPE_GLOBAL ? "global" : "regional", region,
	       price_tier_names[q.tier], when_format(q.time_ms, when));
	for (int64_t most = show_band(p, &q, &any); most != INT64_MAX; most = show_band(p, &q, &any)) {
		q.prompt_tokens = most + 1;
		printf("  requests whose prompt is longer than %lld tokens:\n", (long long)most);
	}
	if (!account)
		print_accounts(p, &asked);
	if (!any)
		price_propose_model(p, q.model);
	if (!any && id.kind == MODEL_OPAQUE)
		printf("  a name without a vendor is read as the id of a profile; `nowcast price list %s` finds models by a part of "
		       "their name\n", c->argv[0]);
	prices_free(p);
	*ret_status = any ? STATUS_OK : STATUS_THRESHOLD;
	return true;
}
