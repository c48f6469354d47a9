// SPDX-License-Identifier: Apache-2.0
// Rows of the result (bill_sql.c makes the statement) into kinds and lines.
#include "reconcile/bill.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/when.h"
#include "ingest/principal.h"

// Columns of the result, in order.
enum {
	// the kind
	C_USAGE_TYPE, C_UNIT, C_MILLION, C_PRODUCT, C_RESOURCE, C_REGION, C_LINE_TYPE, C_OPERATION, C_SELLER,
	C_ACCOUNT, C_PRINCIPAL, C_CURRENCY, C_HOUR, C_HOURS, C_AMOUNT, C_COST, C_LIST, C_ROWS, C_BAD, C_INVOICED
};
enum { KIND_TEXTS = C_OPERATION + 1 };

// a million million units: as many tokens, by the million, as can be counted
static const usd_pico AMOUNT_MAX = (usd_pico)1000000000000 * 1000000000000;

// ---- rows ---------------------------------------------------------------------------------------

static int32_t name_index(struct bill *b, struct str name)
{
	bool added;
	int32_t *at = map_add(&b->name_index, hash64(name.p ? name.p : "", name.len), b->nnames, &added);
	if (!added)
		return *at;
	if (b->nnames == b->capnames)
		b->names =
			xrealloc(b->names, (size_t)(b->capnames = b->capnames ? b->capnames * 2 : 256), sizeof *b->names);
	b->names[b->nnames] = arena_str(&b->arena, name);
	return b->nnames++;
}

// A caller as the estimate has it.
static int32_t caller_index(struct bill *b, struct str arn, struct pseudonyms *p)
{
	bool added;
	int32_t *at = map_add(&b->caller_index, hash64(arn.p ? arn.p : "", arn.len), 0, &added);
	if (added) {
		struct arena arena = ARENA_INIT;
		*at = name_index(b, arn.len ? pseudonym_arn(p, &arena, principal_canonical(&arena, arn)) : arn);
		arena_release(&arena);
	}
	return *at;
}

static int32_t kind_index(struct bill *b, struct duck_rows *r, const struct kind_names *names)
{
	struct str text[C_SELLER + 1];
	uint64_t h = 0;
	bool added;
	for (int i = 0; i <= C_SELLER; i++) {
		text[i] = duck_text(r, i);
		h = hash64_seeded(text[i].p ? text[i].p : "", text[i].len, h + text[i].len);
	}
	int32_t *at = map_add(&b->kind_index, h, b->nkinds, &added);
	if (!added)
		return *at;
	if (b->nkinds == b->capkinds)
		b->kinds =
			xrealloc(b->kinds, (size_t)(b->capkinds = b->capkinds ? b->capkinds * 2 : 256), sizeof *b->kinds);
	for (int i = 0; i < KIND_TEXTS; i++)
		text[i] = arena_str(&b->arena, text[i]);
	struct bill_kind *k = &b->kinds[b->nkinds];
	*k = (struct bill_kind){.usage_type = text[C_USAGE_TYPE],
	                        .unit = text[C_UNIT],
	                        .product = text[C_PRODUCT],
	                        .resource = text[C_RESOURCE],
	                        .region_code = text[C_REGION],
	                        .line_type = text[C_LINE_TYPE],
	                        .operation = text[C_OPERATION],
	                        .million = text[C_MILLION].len > 0,
	                        .marketplace = str_is(text[C_SELLER], "m"),
	                        .agents = str_is(text[C_SELLER], "a")};
	kind_read(k, names, &b->arena);
	return b->nkinds++;
}

static bool take_row(struct bill *b, struct duck_rows *r, const struct export_period *p,
                     const struct bill_names *names, struct err *err)
{
	struct str currency = duck_text(r, C_CURRENCY);
	if (currency.len && !str_is(currency, "USD"))
		return err_set(err, ERR_CONFIG, "the bill is in %.*s; nowcast counts in USD only", STR_ARG(currency));
	int32_t kind = kind_index(b, r, &names->models);
	struct bill_kind *k = &b->kinds[kind];
	struct bill_line line = {.kind = kind,
	                         .account = name_index(b, duck_text(r, C_ACCOUNT)),
	                         .principal = caller_index(b, duck_text(r, C_PRINCIPAL), names->callers),
	                         .hour = duck_int(r, C_HOUR),
	                         .hours = (int32_t)duck_int(r, C_HOURS),
	                         .amount = duck_wide(r, C_AMOUNT),
	                         .cost = {duck_wide(r, C_COST)},
	                         .list = {duck_wide(r, C_LIST)}};
	int64_t rows = duck_int(r, C_ROWS);
	if (line.amount > AMOUNT_MAX || line.amount < -AMOUNT_MAX) {
		line.amount = 0;
		b->bad_rows += rows;
	}
	// others say nothing of how far the bill goes
	bool counts = bill_line_counts(b, &line), timely = counts && line.hour >= p->first && line.hour < p->end;
	if (timely && line.hours > 25)
		return err_set(
			err, ERR_CONFIG,
			"the export is monthly, and a month cannot be laid on days: set TIME_GRANULARITY to HOURLY (or DAILY)");
	if (b->nlines == b->caplines)
		b->lines = xrealloc(b->lines, (size_t)(b->caplines = b->caplines ? b->caplines * 2 : 4096),
		                    sizeof *b->lines);
	line.hours = line.hours > 1 ? 24 : 1;
	b->rows += rows;
	b->bad_rows += duck_int(r, C_BAD);
	k->rows += rows;
	k->amount += line.amount;
	k->cost = usd_add(k->cost, line.cost);
	k->list = usd_add(k->list, line.list);
	if (counts) {
		b->invoiced &= duck_int(r, C_INVOICED) == rows;
		if (b->names[line.principal].len)
			b->with_principal += rows;
	}
	if (timely) {
		b->daily |= line.hours > 1;
		if (line.hour + line.hours > b->last_hour)
			b->last_hour = line.hour + line.hours;
	}
	b->lines[b->nlines++] = line;
	return true;
}

static bool has_same_doubt(const struct bill_kind *x, const struct bill_kind *y)
{
	return x->why == y->why && str_eq(x->usage_type, y->usage_type) && str_eq(x->line_type, y->line_type);
}

// Once for all kinds that share it: they may differ in the product and the resource.
static void tell_doubt(struct bill *b, int32_t kind)
{
	const struct bill_kind *k = &b->kinds[kind];
	bool is_usage = k->usage_type.len && (!k->line_type.len || str_is(k->line_type, "Usage"));
	struct usd cost = USD_ZERO;
	int64_t rows = 0;
	char usd[USD_SIZE];
	for (int32_t i = 0; i < b->nkinds; i++) {
		if (!has_same_doubt(&b->kinds[i], k))
			continue;
		if (i < kind)
			return;
		cost = usd_add(cost, b->kinds[i].cost);
		rows += b->kinds[i].rows;
	}
	buf_addf(&b->notes, "%.*s%s%.*s (%lld rows, %s USD): %s\n", STR_ARG(is_usage ? STR_NONE : k->line_type),
	         is_usage || !k->usage_type.len ? "" : " ", STR_ARG(k->usage_type), (long long)rows,
	         usd_format(cost, 2, usd), k->why);
}

static void tell_doubts(struct bill *b)
{
	if (b->bad_rows)
		buf_addf(&b->notes,
		         "%lld rows have a cost, an amount or a time that is no number, which counts for nothing\n",
		         (long long)b->bad_rows);
	if (b->has_principal && b->rows && !b->with_principal)
		buf_adds(
			&b->notes,
			"line_item_iam_principal is empty in every row: it is filled for usage from 2026-04-08 on, once INCLUDE_IAM_PRINCIPAL_DATA is set\n");
	for (int32_t i = 0; i < b->nkinds; i++)
		if (b->kinds[i].why && b->kinds[i].rows)
			tell_doubt(b, i);
}

bool bill_read(struct bill *ret, struct duck *duck, const struct export_period *p,
               const struct bill_names *names, int64_t lines_max, struct err *err)
{
	struct bill b = {.invoiced = true};
	struct buf sql = BUF_INIT;
	struct duck_rows *rows = NULL;
	bool good = bill_sql(&sql, &b, duck, p, err) && duck_query(duck, sql.data, &rows, err);
	for (bool row = true; good && (good = duck_next(rows, &row, err)) && row;)
		good =
			b.nlines < lines_max
				? take_row(&b, rows, p, names, err)
				: err_set(err, ERR_CONFIG,
		                  "the bill comes to more than %lld sums, which do not fit: raise reconcile.memory",
		                  (long long)lines_max);
	duck_done(rows);
	buf_release(&sql);
	if (!good) {
		bill_release(&b);
		return err_prefix(err, "%.*s", STR_ARG(p->name));
	}
	for (int32_t i = 0; i < b.nkinds; i++)
		kind_weigh(&b.kinds[i], p->first * MS_PER_HOUR);
	tell_doubts(&b);
	*ret = b;
	return true;
}

void bill_release(struct bill *b)
{
	arena_release(&b->arena);
	map_release(&b->kind_index);
	map_release(&b->name_index);
	map_release(&b->caller_index);
	free(b->kinds);
	free(b->names);
	free(b->lines);
	buf_release(&b->notes);
	*b = (struct bill){0};
}

bool bill_line_counts(const struct bill *b, const struct bill_line *line)
{
	enum bill_class class = b->kinds[line->kind].class;
	bool usage = class == BILL_USAGE || class == BILL_PROVISIONED || class == BILL_RESERVED;
	return class == BILL_INFERENCE || (usage && b->names[line->principal].len);
}

int64_t bill_quantity(const struct bill *b, const struct bill_line *line)
{
	const int64_t tera = 1000000000000;
	struct usd quantity = usd_muldiv((struct usd){line->amount}, b->kinds[line->kind].per_unit, tera);
	return (int64_t)quantity.pico;
}
