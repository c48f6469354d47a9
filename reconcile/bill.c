// SPDX-License-Identifier: Apache-2.0
// The statement is built from the columns that the files have: exports choose their columns, and older ones lack the newer.
// What a missing column costs is a note, unless nothing can be said without it.
//
// Money and quantities leave DuckDB as DECIMAL(38,12) and are integers from there on. The bill prints at most ten decimals,
// so nothing is lost.
#include "reconcile/bill.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/when.h"
#include "ingest/principal.h"

// Columns of the result, in order.
enum {
	C_USAGE_TYPE, C_UNIT, C_MILLION, C_PRODUCT, C_RESOURCE, C_REGION, C_LINE_TYPE, C_OPERATION, C_MARKETPLACE, // the kind
	C_ACCOUNT, C_PRINCIPAL, C_CURRENCY, C_HOUR, C_HOURS, C_AMOUNT, C_COST, C_LIST, C_ROWS, C_BAD, C_INVOICED
};
enum { KIND_TEXTS = C_OPERATION + 1 };

struct column {
	char *name;
	bool is_text, is_map;
};

struct statement {
	struct column *columns;
	int n;
	struct buf sql;
};

// ---- columns -------------------------------------------------------------------------------------------------------

static void add_sql_text(struct buf *b, struct str s)
{
	buf_addc(b, '\'');
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '\'')
			buf_addc(b, '\'');
		buf_addc(b, s.p[i]);
	}
	buf_addc(b, '\'');
}

static void add_source(struct buf *b, const struct export_period *p)
{
	buf_adds(b, p->parquet ? "read_parquet([" : "read_csv([");
	for (int i = 0; i < p->nfiles; i++) {
		if (i)
			buf_addc(b, ',');
		add_sql_text(b, p->files[i]);
	}
	// Strict: a row that does not parse is an error to be told, not one to be passed over.
	buf_adds(b, p->parquet ? "], union_by_name=true, hive_partitioning=false)"
	                       : "], header=true, all_varchar=true, delim=',', quote='\"', escape='\"', union_by_name=true, "
	                         "hive_partitioning=false, max_line_size=16777216)");
}

static bool find_columns(struct statement *s, struct duck *duck, const struct export_period *p, struct err *err)
{
	struct buf sql = BUF_INIT;
	struct duck_rows *rows;
	buf_adds(&sql, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ");
	add_source(&sql, p);
	buf_addc(&sql, ')');
	bool good = duck_query(duck, sql.data, &rows, err);
	buf_release(&sql);
	if (!good)
		return false;
	for (int cap = 0; duck_next(rows);) {
		if (s->n == cap)
			s->columns = xrealloc(s->columns, (size_t)(cap = cap ? cap * 2 : 128), sizeof *s->columns);
		struct str type = duck_text(rows, 1);
		s->columns[s->n++] = (struct column){xstrdup(duck_text(rows, 0)), str_is(type, "VARCHAR"), str_starts(type, STR("MAP"))};
	}
	duck_done(rows);
	return true;
}

static const struct column *column(const struct statement *s, const char *name)
{
	for (int i = 0; i < s->n; i++)
		if (strcmp(s->columns[i].name, name) == 0)
			return &s->columns[i];
	return NULL;
}

static void release(struct statement *s)
{
	for (int i = 0; i < s->n; i++)
		free(s->columns[i].name);
	free(s->columns);
	buf_release(&s->sql);
}

// ---- the statement -------------------------------------------------------------------------------------------------

static void add_text(struct statement *s, const char *name)
{
	if (column(s, name))
		buf_addf(&s->sql, "coalesce(%s::VARCHAR, '')", name);
	else
		buf_adds(&s->sql, "''");
}

// NaN, infinities and words become NULL, which is counted.
static void add_decimal(struct statement *s, const char *name)
{
	if (!column(s, name))
		buf_adds(&s->sql, "0::DECIMAL(38,12)");
	else if (column(s, name)->is_text)
		buf_addf(&s->sql, "TRY_CAST(nullif(%s, '') AS DECIMAL(38,12))", name);
	else
		buf_addf(&s->sql, "TRY_CAST(%s AS DECIMAL(38,12))", name);
}

static void add_time(struct statement *s, const char *name)
{
	const struct column *c = column(s, name);
	buf_addf(&s->sql, c && c->is_text ? "epoch_ms(TRY_CAST(nullif(%s, '') AS TIMESTAMP))" : c ? "epoch_ms(%s::TIMESTAMP)" : "NULL::BIGINT", name);
}

// A key of the product map, however it is written: a real map, JSON text, {k=v, k=v}; or flattened into a column.
static void add_product(struct statement *s)
{
	const struct column *map = column(s, "product");
	const char *const flat[] = {"product_product_name", "product_name"};
	buf_adds(&s->sql, "coalesce(");
	for (int i = 0; i < 2; i++)
		if (column(s, flat[i]))
			buf_addf(&s->sql, "nullif(%s::VARCHAR, ''), ", flat[i]);
	if (map && map->is_map)
		buf_adds(&s->sql, "product['product_name']::VARCHAR, ");
	else if (map && map->is_text)
		buf_adds(&s->sql, "CASE WHEN product LIKE '{%\"product_name\"%' THEN regexp_extract(product, '\"product_name\"\\s*:\\s*\"([^\"]*)\"', 1) "
		                  "ELSE regexp_extract(product, '[{, ]product_name=([^,}]*)', 1) END, ");
	buf_adds(&s->sql, "'')");
}

static const char bedrock_codes[] = "('AmazonBedrock','AmazonBedrockService','AmazonBedrockFoundationModels','AmazonBedrockAgentCore')";

// Bedrock by product code or family; of what the Marketplace sold, also by service code and by the product's name.
static bool add_filter(struct statement *s, bool marketplace, struct err *err)
{
	int n = 0;
	if (column(s, "line_item_product_code"))
		buf_addf(&s->sql, "%sline_item_product_code IN %s", n++ ? " OR " : "", bedrock_codes);
	if (column(s, "product_product_family"))
		buf_addf(&s->sql, "%sproduct_product_family = 'Amazon Bedrock'", n++ ? " OR " : "");
	if (column(s, "product_servicecode") && (marketplace || n == 0))
		buf_addf(&s->sql, "%sproduct_servicecode IN %s", n++ ? " OR " : "", bedrock_codes);
	if (marketplace) {
		buf_addf(&s->sql, "%scontains(", n++ ? " OR " : "");
		add_product(s);
		buf_adds(&s->sql, ", 'Bedrock')");
	}
	return n > 0 || err_set(err, ERR_CONFIG, "the export has none of line_item_product_code, product_product_family and product_servicecode: "
	                        "Bedrock's rows cannot be told; add line_item_product_code to its columns");
}

static bool check_columns(struct statement *s, struct bill *b, const struct export_period *p, struct err *err)
{
	static const char *const needed[] = {"line_item_usage_type", "line_item_usage_start_date", "line_item_usage_account_id", "line_item_usage_amount", "line_item_unblended_cost"};
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!column(s, needed[i]))
			return err_set(err, ERR_CONFIG, "%.*s: the export has no column %s: add it to the export's columns (from then on rows have it)", STR_ARG(p->name), needed[i]);
	b->has_principal = column(s, "line_item_iam_principal");
	b->has_resource = column(s, "line_item_resource_id");
	b->has_type = column(s, "line_item_line_item_type");
	if (!b->has_principal)
		buf_adds(&b->notes, "no column line_item_iam_principal: billed figures are compared by account and model, and shared out as the estimate has it; "
		                    "set INCLUDE_IAM_PRINCIPAL_DATA in the export (rows delivered before do not gain it)\n");
	if (!b->has_resource)
		buf_adds(&b->notes, "no column line_item_resource_id: which profile was called is taken from the estimate; set INCLUDE_RESOURCES in the export\n");
	if (!b->has_type)
		buf_adds(&b->notes, "no column line_item_line_item_type: tax, credits and refunds cannot be told from usage\n");
	if (!column(s, "pricing_unit"))
		buf_adds(&b->notes, "no column pricing_unit: the unit of each usage type is the one its grammar means, checked against the dollars\n");
	if (!column(s, "pricing_public_on_demand_cost"))
		buf_adds(&b->notes, "no column pricing_public_on_demand_cost: units and discounts are judged by what was paid\n");
	return true;
}

static void add_columns(struct statement *s, bool with_product)
{
	struct buf *q = &s->sql;
	add_text(s, "line_item_usage_type"), buf_adds(q, " AS usage_type, ");
	add_text(s, "pricing_unit"), buf_adds(q, " AS unit, ");
	buf_adds(q, "(CASE WHEN lower("), add_text(s, "line_item_line_item_description"), buf_adds(q, ") LIKE '%million%' THEN 'm' ELSE '' END) AS million, ");
	if (with_product)
		add_product(s);
	buf_adds(q, with_product ? " AS product_title, " : "'' AS product_title, ");
	add_text(s, "line_item_resource_id"), buf_adds(q, " AS resource, ");
	add_text(s, "product_region_code"), buf_adds(q, " AS region, ");
	add_text(s, "line_item_line_item_type"), buf_adds(q, " AS line_type, ");
	buf_adds(q, "'' AS operation, ");
	buf_adds(q, "(CASE WHEN "), add_text(s, "bill_billing_entity"), buf_adds(q, " = 'AWS Marketplace' THEN 'm' ELSE '' END) AS marketplace, ");
	add_text(s, "line_item_usage_account_id"), buf_adds(q, " AS account, ");
	add_text(s, "line_item_iam_principal"), buf_adds(q, " AS principal, ");
	add_text(s, "line_item_currency_code"), buf_adds(q, " AS currency, ");
	buf_adds(q, "coalesce("), add_time(s, "line_item_usage_start_date"), buf_adds(q, " // 3600000, -1)::BIGINT AS hour, ");
	buf_adds(q, "coalesce(("), add_time(s, "line_item_usage_end_date"), buf_adds(q, " - "), add_time(s, "line_item_usage_start_date");
	buf_adds(q, ") // 3600000, 1)::BIGINT AS hours, ");
	add_decimal(s, "line_item_usage_amount"), buf_adds(q, " AS amount, ");
	add_decimal(s, "line_item_unblended_cost"), buf_adds(q, " AS cost, ");
	buf_adds(q, "coalesce("), add_decimal(s, "pricing_public_on_demand_cost"), buf_adds(q, ", 0) AS list_cost, ");
	add_text(s, "bill_invoice_id"), buf_adds(q, " AS invoice");
}

static bool add_branch(struct statement *s, const struct export_period *p, const char *which, bool marketplace, struct err *err)
{
	buf_adds(&s->sql, "SELECT ");
	add_columns(s, marketplace);
	buf_adds(&s->sql, " FROM ");
	add_source(&s->sql, p);
	buf_addf(&s->sql, " WHERE %s(", which);
	bool good = add_filter(s, marketplace, err);
	buf_addc(&s->sql, ')');
	return good;
}

static bool build(struct statement *s, struct bill *b, const struct export_period *p, struct err *err)
{
	if (!check_columns(s, b, p, err))
		return false;
	buf_adds(&s->sql, "SELECT usage_type, unit, million, product_title, resource, region, line_type, operation, marketplace, account, principal, currency, "
	                  "hour, hours, sum(amount), sum(cost), sum(list_cost), count(*)::BIGINT, "
	                  "count_if((amount IS NULL AND line_type IN ('Usage', '')) OR cost IS NULL OR hour < 0)::BIGINT, count_if(invoice <> '')::BIGINT FROM (");
	// The product's name is a lookup in a map, the dearest column there is: only the Marketplace's rows need it, and they are
	// found by a comparison that skips what it can.
	bool apart = column(s, "bill_billing_entity");
	if (!add_branch(s, p, apart ? "bill_billing_entity IS DISTINCT FROM 'AWS Marketplace' AND " : "", false, err))
		return false;
	buf_adds(&s->sql, apart ? " UNION ALL " : "");
	if (apart && !add_branch(s, p, "bill_billing_entity = 'AWS Marketplace' AND ", true, err))
		return false;
	buf_adds(&s->sql, ") GROUP BY 1,2,3,4,5,6,7,8,9,10,11,12,13,14");
	return true;
}

bool bill_sql(struct buf *ret, struct bill *b, struct duck *duck, const struct export_period *p, struct err *err)
{
	struct statement s = {.sql = BUF_INIT};
	bool good = duck_run(duck, "SET TimeZone = 'UTC'", err) && find_columns(&s, duck, p, err) && build(&s, b, p, err);
	if (good)
		buf_addstr(ret, buf_str(&s.sql));
	release(&s);
	return good;
}

// ---- rows ----------------------------------------------------------------------------------------------------------

static int32_t name_index(struct bill *b, struct str name, bool canonical)
{
	bool added;
	uint64_t h = XXH3_64bits_withSeed(name.p ? name.p : "", name.len, canonical);
	int32_t *at = map_add(&b->name_index, h, b->nnames, &added);
	if (!added)
		return *at;
	if (b->nnames == b->capnames)
		b->names = xrealloc(b->names, (size_t)(b->capnames = b->capnames ? b->capnames * 2 : 256), sizeof *b->names);
	struct str own = arena_str(&b->arena, name);
	b->names[b->nnames] = canonical && own.len ? principal_canonical(&b->arena, own) : own;
	return b->nnames++;
}

static int32_t kind_index(struct bill *b, struct duck_rows *r)
{
	struct str text[C_MARKETPLACE + 1];
	uint64_t h = 0;
	bool added;
	for (int i = 0; i <= C_MARKETPLACE; i++) {
		text[i] = duck_text(r, i);
		h = XXH3_64bits_withSeed(text[i].p ? text[i].p : "", text[i].len, h + text[i].len);
	}
	int32_t *at = map_add(&b->kind_index, h, b->nkinds, &added);
	if (!added)
		return *at;
	if (b->nkinds == b->capkinds)
		b->kinds = xrealloc(b->kinds, (size_t)(b->capkinds = b->capkinds ? b->capkinds * 2 : 256), sizeof *b->kinds);
	for (int i = 0; i < KIND_TEXTS; i++)
		text[i] = arena_str(&b->arena, text[i]);
	struct bill_kind *k = &b->kinds[b->nkinds];
	*k = (struct bill_kind){.usage_type = text[C_USAGE_TYPE], .unit = text[C_UNIT], .product = text[C_PRODUCT], .resource = text[C_RESOURCE],
	                        .region_code = text[C_REGION], .line_type = text[C_LINE_TYPE], .operation = text[C_OPERATION],
	                        .million = text[C_MILLION].len > 0, .marketplace = text[C_MARKETPLACE].len > 0};
	kind_read(k, &b->arena);
	return b->nkinds++;
}

static bool take_row(struct bill *b, struct duck_rows *r, const struct export_period *p, struct err *err)
{
	struct str currency = duck_text(r, C_CURRENCY);
	if (currency.len && !str_is(currency, "USD"))
		return err_set(err, ERR_CONFIG, "%.*s: the bill is in %.*s; nowcast counts in USD only", STR_ARG(p->name), STR_ARG(currency));
	int32_t kind = kind_index(b, r);
	struct bill_kind *k = &b->kinds[kind];
	struct bill_line line = {
		.kind = kind, .account = name_index(b, duck_text(r, C_ACCOUNT), false), .principal = name_index(b, duck_text(r, C_PRINCIPAL), true),
		.hour = duck_int(r, C_HOUR), .hours = (int32_t)duck_int(r, C_HOURS), .amount = duck_wide(r, C_AMOUNT),
		.cost = {duck_wide(r, C_COST)}, .list = {duck_wide(r, C_LIST)}};
	int64_t rows = duck_int(r, C_ROWS);
	if (k->class == BILL_TOKENS && line.hours > 25)
		return err_set(err, ERR_CONFIG, "%.*s: the export is monthly, and a month cannot be laid on days: set TIME_GRANULARITY to HOURLY (or DAILY)", STR_ARG(p->name));
	if (b->nlines == b->caplines)
		b->lines = xrealloc(b->lines, (size_t)(b->caplines = b->caplines ? b->caplines * 2 : 4096), sizeof *b->lines);
	line.hours = line.hours > 1 ? 24 : 1;
	b->rows += rows;
	b->bad_rows += duck_int(r, C_BAD);
	k->rows += rows;
	k->amount += line.amount;
	k->cost = usd_add(k->cost, line.cost);
	k->list = usd_add(k->list, line.list);
	if (k->class == BILL_TOKENS) {
		b->daily |= line.hours > 1;
		b->invoiced &= duck_int(r, C_INVOICED) == rows;
		if (b->names[line.principal].len)
			b->with_principal += rows;
		if (line.hour + line.hours > b->last_hour)
			b->last_hour = line.hour + line.hours;
	}
	b->lines[b->nlines++] = line;
	return true;
}

static void tell_doubts(struct bill *b)
{
	if (b->bad_rows)
		buf_addf(&b->notes, "%lld rows have a cost, an amount or a time that is no number: they count for nothing\n", (long long)b->bad_rows);
	if (b->has_principal && b->rows && !b->with_principal)
		buf_adds(&b->notes, "line_item_iam_principal is empty in every row: it is filled for usage from 2026-04-08 on, once INCLUDE_IAM_PRINCIPAL_DATA is set\n");
	for (int32_t i = 0; i < b->nkinds; i++) {
		const struct bill_kind *k = &b->kinds[i];
		char usd[USD_SIZE];
		if (k->why && k->rows)
			buf_addf(&b->notes, "%.*s (%lld rows, %s USD): %s\n", STR_ARG(k->usage_type.len ? k->usage_type : k->line_type), (long long)k->rows,
			         usd_format(k->cost, 2, usd), k->why);
	}
}

bool bill_read(struct bill *ret, struct duck *duck, const struct export_period *p, struct err *err)
{
	struct bill b = {.invoiced = true};
	struct buf sql = BUF_INIT;
	struct duck_rows *rows = NULL;
	bool good = bill_sql(&sql, &b, duck, p, err) && duck_query(duck, sql.data, &rows, err);
	while (good && duck_next(rows))
		good = take_row(&b, rows, p, err);
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
	free(b->kinds);
	free(b->names);
	free(b->lines);
	buf_release(&b->notes);
	*b = (struct bill){0};
}

int64_t bill_tokens(const struct bill *b, const struct bill_line *line)
{
	const int64_t tera = 1000000000000;
	struct usd tokens = usd_muldiv((struct usd){line->amount}, b->kinds[line->kind].tokens_per_unit, tera);
	return (int64_t)tokens.pico;
}
