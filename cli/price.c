// SPDX-License-Identifier: Apache-2.0
// `nowcast price VERB`: manages the prices. This file has the table of verbs, and the verbs check, diff and
// usage-type. price_list.c and price_explain.c show rates. price_add.c, price_import.c and price_update.c add
// new ones.
#include "cli/price_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/commands.h"
#include "pricing/discounts.h"
#include "pricing/nearest_region.h"
#include "pricing/usage_type.h"

enum { FILE_MAX = 16 << 20 };

static const struct {
	const char *name;
	bool (*run)(struct command *c, int *ret_status, struct err *err);
} verbs[] = {
	{"list", price_verb_list},     {"show", price_verb_show},       {"check", price_verb_check},
	{"diff", price_verb_diff},     {"add", price_verb_add},         {"import", price_verb_import},
	{"update", price_verb_update}, {"explain", price_verb_explain}, {"usage-type", price_verb_usage_type},
};

int cmd_price(struct command *c)
{
	struct err err = ERR_INIT;
	const char *name = command_verb(
		c, "list, show, check, diff, add, import, update, explain or usage-type", &err);
	int status = STATUS_OK;
	for (size_t i = 0; name && i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(name, verbs[i].name) == 0)
			return verbs[i].run(c, &status, &err) ? status : command_fail(c, &err);
	return command_fail(c, &err);
}

// ---- what the verbs share -----------------------------------------------------------------------

char *price_format_rate(int64_t rate, char *buf)
{
	if (rate == RATE_UNKNOWN)
		return strcpy(buf, "-");
	size_t n = strlen(usd_format(usd_price(1000000, rate), 6, buf));
	while (buf[n - 1] == '0')
		n--;
	n -= buf[n - 1] == '.';
	buf[n] = '\0';
	return buf;
}

void price_print_remarks(const struct rate *rate)
{
	char list[USD_SIZE], percent[USD_SIZE], low[USD_SIZE], high[USD_SIZE];
	const struct discount *d = rate->discount;
	if (rate->borrowed_from.len)
		printf("  %-15s %10s  the rate of %.*s, the nearest Region that has one; those of all are %s to %s\n",
		       "", "", STR_ARG(rate->borrowed_from), price_format_rate(rate->lowest_pico, low),
		       price_format_rate(rate->highest_pico, high));
	if (d)
		printf("  %-15s %9s%%  off %s%s%.*s (discounts.file:%d)\n", "",
		       price_format_rate(d->ppm * 100, percent), price_format_rate(rate->list_pico, list),
		       d->note.len ? "; " : "", STR_ARG(d->note), d->line);
}

void price_warn_of_region(const struct prices *p, struct str region)
{
	struct nearest near = nearest_of(region);
	// a geography ("eu"), or where the rate of all never holds, so that an unknown one shows as unpriced
	bool known = !region.len || !isdigit((unsigned char)region.p[region.len - 1]);
	known |= !region_is_commercial(region);
	for (size_t i = 0; region_with_place(i).len; i++) {
		known |= str_eq(region_with_place(i), region);
		nearest_try(&near, region_with_place(i));
	}
	for (size_t i = 0; i < prices_count(p); i++) {
		const struct price_rows *rows = catalogue_rows(prices_source(p, i).catalogue);
		for (size_t k = 0; k < rows->n; k++)
			known |= str_eq(rows->v[k].region, region);
	}
	if (known)
		return;
	struct buf b = BUF_INIT;
	buf_addf(&b, "nowcast price: no Region %.*s is known%s%.*s%s Where a Region has no rate of its own, that of all holds\n",
	         STR_ARG(region), near.word.len ? "; did you mean " : ".", STR_ARG(near.word),
	         near.word.len ? "?" : "");
	(void)!text_print(stderr, &b);
	buf_release(&b);
}

void price_propose_model(const struct prices *p, struct str model)
{
	struct model_id id;
	model_id_read(&id, model);
	struct nearest near = nearest_of(model_id_name(&id));
	for (size_t i = 0; i < prices_count(p); i++) {
		const struct price_rows *rows = catalogue_rows(prices_source(p, i).catalogue);
		for (size_t k = 0; k < rows->n; k++)
			nearest_try(&near, rows->v[k].model);
	}
	if (!near.word.len || str_eq(near.word, near.given)) // that one has prices, at another time or place
		return;
	struct buf b = BUF_INIT;
	buf_addf(&b, "nowcast price: no model %.*s has a price; did you mean %.*s?\n", STR_ARG(model),
	         STR_ARG(near.word));
	(void)!text_print(stderr, &b);
	buf_release(&b);
}

bool price_parse_tier(struct command *c, enum price_tier *ret, struct err *err)
{
	const char *text = NULL;
	if (!command_option(c, "--tier", &text, err))
		return false;
	for (int t = 0; text && t < TIER_UNKNOWN; t++)
		if (strcmp(text, price_tier_names[t]) == 0) {
			*ret = (enum price_tier)t;
			return true;
		}
	return !text || err_set(err, ERR_CONFIG, "--tier: expected " PRICE_TIER_WORDS ", got \"%s\"", text);
}

// ---- check and diff -----------------------------------------------------------------------------

static bool read_rows(const char *path, struct price_rows *ret, struct err *err)
{
	struct buf text = BUF_INIT;
	bool good = file_read(path, FILE_MAX, &text, err) && price_file_read(ret, buf_str(&text), path, err);
	buf_release(&text);
	return good;
}

static bool check_files(char **paths, struct err *err)
{
	for (; *paths; paths++) {
		struct price_rows rows;
		if (!read_rows(*paths, &rows, err))
			return false;
		printf("ok  %s: %zu row%s\n", *paths, rows.nlines, text_s((int64_t)rows.nlines));
		price_rows_release(&rows);
	}
	return true;
}

// Without arguments it checks what the daemon would load.
bool price_verb_check(struct command *c, int *ret_status, struct err *err)
{
	struct prices *p;
	(void)ret_status;
	if (!command_done(c, 0, -1, err))
		return false;
	if (c->argc)
		return check_files(c->argv, err);
	if (!prices_load(&p, &c->conf, err))
		return false;
	for (size_t i = 0; i < prices_count(p); i++) {
		struct price_source s = prices_source(p, i);
		size_t n = catalogue_rows(s.catalogue)->nlines;
		printf("ok  %-10s %s: %zu row%s\n", s.name, s.file, n, text_s((int64_t)n));
	}
	prices_free(p);
	return true;
}

void price_diff_in_force(struct price_diff *ret, struct prices **ret_in_force, const struct conf *conf,
                         const struct price_rows *rows)
{
	struct err bad = ERR_INIT;
	*ret_in_force = NULL;
	if (!prices_load(ret_in_force, conf, &bad))
		fprintf(stderr, "the prices in force cannot be read (%s); compared with the built-in ones\n",
		        bad.msg);
	price_diff_init(ret, *ret_in_force, rows);
}

void price_print_diff(const struct price_diff *d)
{
	struct buf line = BUF_INIT;
	for (size_t i = 0; i < d->n; i++) {
		buf_clear(&line);
		price_change_describe(&d->changes[i], &line);
		puts(line.data);
	}
	buf_release(&line);
}

// What the old file has and the new one has not: the difference the other way round.
static bool print_removed(const char *old_path, const char *new_path, size_t *ret_gone, struct err *err)
{
	struct prices *new = NULL;
	struct price_rows old;
	struct price_diff d;
	struct buf line = BUF_INIT;
	if (!prices_load_file(&new, new_path, err))
		return false;
	if (!read_rows(old_path, &old, err)) {
		prices_free(new);
		return false;
	}
	price_diff_init(&d, new, &old);
	for (size_t i = d.differing; i < d.n; i++) { // they come behind those that differ
		struct price_change c = d.changes[i];
		c.was = c.is;
		c.is = RATE_UNKNOWN;
		c.source = (struct price_source){.name = old_path};
		buf_clear(&line);
		price_change_describe(&c, &line);
		puts(line.data);
	}
	*ret_gone = d.fresh;
	price_diff_release(&d);
	price_rows_release(&old);
	prices_free(new);
	buf_release(&line);
	return true;
}

// Like diff(1) it ends with 0 where nothing differs; 3 where something does.
bool price_verb_diff(struct command *c, int *ret_status, struct err *err)
{
	struct prices *old = NULL;
	struct price_rows rows;
	size_t gone = 0;
	if (!command_done(c, 1, 2, err) || !read_rows(c->argv[c->argc - 1], &rows, err))
		return false;
	bool good = c->argc == 2 ? prices_load_file(&old, c->argv[0], err) : prices_load(&old, &c->conf, err);
	if (good) {
		struct price_diff d;
		price_diff_init(&d, old, &rows);
		price_print_diff(&d);
		good = c->argc < 2 || print_removed(c->argv[0], c->argv[1], &gone, err);
		fprintf(stderr, "rates: %zu differ, %zu new, %zu the same", d.differing, d.fresh, d.same);
		if (c->argc == 2)
			fprintf(stderr, ", %zu gone", gone);
		fputc('\n', stderr);
		*ret_status = d.n || gone ? STATUS_THRESHOLD : STATUS_OK;
		price_diff_release(&d);
	}
	prices_free(old);
	price_rows_release(&rows);
	return good;
}

// ---- usage types --------------------------------------------------------------------------------

static void write_word(struct json_writer *j, const char *key, struct str value)
{
	jw_str(j, key, value.len ? value : STR_NONE);
}

static void write_token_words(struct json_writer *j, const struct usage_type *u)
{
	static const char *const modalities[USAGE_MODALITIES] = {"text", "speech", "image", "video"};
	jw_strz(j, "token_type", token_type_names[u->type]);
	if (u->ttl_minutes)
		jw_strz(j, "ttl", u->ttl_minutes == 60 ? "1h" : u->ttl_minutes == 30 ? "30m" : "5m");
	else
		jw_null(j, "ttl");
	jw_strz(j, "tier", price_tier_names[u->tier]);
	jw_strz(j, "scope", u->scope == SCOPE_GLOBAL ? "global" : "regional");
	jw_strz(j, "unit", u->tokens_per_unit == 1000000 ? "1M tokens" : "1K tokens");
	jw_strz(j, "modality", modalities[u->modality]);
	jw_bool(j, "long_prompt", u->long_prompt);
	jw_bool(j, "custom_model", u->custom);
}

static void describe_usage_type(struct buf *b, struct str text, int *ret_status)
{
	struct json_writer j = JSON_WRITER(b);
	struct usage_type u;
	const char *why;
	bool known = usage_type_read(&u, text, &why);
	jw_object(&j, NULL);
	jw_str(&j, "usage_type", text);
	jw_bool(&j, "known", known);
	if (known) {
		jw_strz(&j, "kind", usage_kind_names[u.kind]);
		write_word(&j, "region", u.region);
		write_word(&j, "model", u.model);
		write_word(&j, "model_written", u.model_written);
		if (u.kind == USAGE_TOKENS)
			write_token_words(&j, &u);
	} else {
		jw_strz(&j, "why", why);
		*ret_status = STATUS_THRESHOLD;
	}
	jw_end(&j);
	buf_addc(b, '\n');
}

// Prints a line of JSON for each; "-" reads them from standard input, one a line. Status 3: one is unknown.
bool price_verb_usage_type(struct command *c, int *ret_status, struct err *err)
{
	struct buf b = BUF_INIT;
	char *line = NULL;
	size_t size = 0;
	if (!command_done(c, 1, -1, err))
		return false;
	for (int i = 0; i < c->argc; i++) {
		if (strcmp(c->argv[i], "-") != 0) {
			describe_usage_type(&b, str_of(c->argv[i]), ret_status);
			continue;
		}
		while (getline(&line, &size, stdin) >= 0) {
			line[strcspn(line, "\r\n")] = '\0';
			describe_usage_type(&b, str_of(line), ret_status);
		}
	}
	(void)!text_print(stdout, &b); // main looks whether all was written
	buf_release(&b);
	free(line);
	return true;
}
