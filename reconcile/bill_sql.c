// SPDX-License-Identifier: Apache-2.0
// The statement is built from the columns that the files have: exports choose their columns, and older ones lack the newer.
// What a missing column costs is a note, unless nothing can be said without it.
//
// It groups first and understands later: rows are grouped by what stands in the columns, untouched, and only the groups are
// converted. Of ten million rows that is half of the work that a conversion of each would be.
//
//     SELECT converted FROM (SELECT columns, sums FROM (rows of AWS UNION ALL rows of the Marketplace) GROUP BY columns)
//
// Money and quantities leave DuckDB as DECIMAL(38,12) and are integers from there on. The bill prints at most ten decimals,
// so nothing is lost.
#include <stdlib.h>

#include "base/when.h"
#include "reconcile/bill.h"

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
		buf_adds(&s->sql, name);
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

// `as`: the name that a grouped column of times has.
static void add_time(struct statement *s, const char *name, const char *as)
{
	const struct column *c = column(s, name);
	buf_addf(&s->sql, c && c->is_text ? "epoch_ms(TRY_CAST(nullif(%s, '') AS TIMESTAMP))" : c ? "epoch_ms(%s::TIMESTAMP)" : "NULL::BIGINT", as);
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

// Bedrock by product code (AmazonBedrock, AmazonBedrockService, ...FoundationModels, ...AgentCore) or family; of what the Marketplace sold, also by service code and by the product's name.
static bool add_filter(struct statement *s, bool marketplace, struct err *err)
{
	int n = 0;
	if (column(s, "line_item_product_code"))
		buf_addf(&s->sql, "%sstarts_with(line_item_product_code, 'AmazonBedrock')", n++ ? " OR " : "");
	if (column(s, "product_product_family"))
		buf_addf(&s->sql, "%sproduct_product_family = 'Amazon Bedrock'", n++ ? " OR " : "");
	if (column(s, "product_servicecode") && (marketplace || n == 0))
		buf_addf(&s->sql, "%sstarts_with(product_servicecode, 'AmazonBedrock')", n++ ? " OR " : "");
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

// The columns of a branch, as they are.
static void add_columns(struct statement *s, bool marketplace)
{
	struct buf *q = &s->sql;
	add_text(s, "line_item_usage_type"), buf_adds(q, " AS usage_type, ");
	add_text(s, "pricing_unit"), buf_adds(q, " AS unit, ");
	if (column(s, "line_item_line_item_description"))
		buf_adds(q, "CASE WHEN contains(lower(line_item_line_item_description), 'million') THEN 'm' END AS million, ");
	else
		buf_adds(q, "NULL::VARCHAR AS million, ");
	if (marketplace)
		add_product(s);
	else
		buf_adds(q, "''");
	buf_adds(q, " AS product_title, ");
	add_text(s, "line_item_resource_id"), buf_adds(q, " AS resource, ");
	add_text(s, "product_region_code"), buf_adds(q, " AS region, ");
	add_text(s, "line_item_line_item_type"), buf_adds(q, " AS line_type, ");
	buf_addf(q, "'%s' AS marketplace, ", marketplace ? "m" : "");
	add_text(s, "line_item_usage_account_id"), buf_adds(q, " AS account, ");
	add_text(s, "line_item_iam_principal"), buf_adds(q, " AS principal, ");
	add_text(s, "line_item_currency_code"), buf_adds(q, " AS currency, ");
	buf_adds(q, "line_item_usage_start_date AS began, ");
	buf_addf(q, "%s AS ended, ", column(s, "line_item_usage_end_date") ? "line_item_usage_end_date" : "NULL");
	add_decimal(s, "line_item_usage_amount"), buf_adds(q, " AS amount, ");
	add_decimal(s, "line_item_unblended_cost"), buf_adds(q, " AS cost, ");
	add_decimal(s, "pricing_public_on_demand_cost"), buf_adds(q, " AS list_cost, ");
	add_text(s, "bill_invoice_id"), buf_adds(q, " AS invoice");
}

// The columns of the result, in the order in which bill.c takes them.
static void add_converted(struct statement *s)
{
	static const char *const texts[] = {"usage_type", "unit", "million", "product_title", "resource", "region", "line_type", NULL, "marketplace", "account", "principal", "currency"};
	buf_adds(&s->sql, "SELECT ");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		buf_addf(&s->sql, "%s%s::VARCHAR, ", texts[i] ? "" : "''", texts[i] ? texts[i] : "");
	buf_adds(&s->sql, "coalesce("), add_time(s, "line_item_usage_start_date", "began"), buf_adds(&s->sql, " // 3600000, -1)::BIGINT AS hour, coalesce((");
	add_time(s, "line_item_usage_end_date", "ended"), buf_adds(&s->sql, " - "), add_time(s, "line_item_usage_start_date", "began");
	buf_adds(&s->sql, ") // 3600000, 1)::BIGINT, amounts, costs, lists, n, CASE WHEN hour < 0 THEN n ELSE bad END, invoiced FROM (");
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
	add_converted(s);
	buf_adds(&s->sql, "SELECT usage_type, unit, million, product_title, resource, region, line_type, marketplace, account, principal, currency, began, ended, "
	                  "sum(amount) AS amounts, sum(cost) AS costs, coalesce(sum(list_cost), 0) AS lists, count(*)::BIGINT AS n, "
	                  "count_if((amount IS NULL AND coalesce(line_type, '') IN ('Usage', '')) OR cost IS NULL)::BIGINT AS bad, count_if(invoice <> '')::BIGINT AS invoiced FROM (");
	// The product's name is a lookup in a map, the dearest column there is: only the Marketplace's rows need it, and they are
	// found by a comparison that skips what it can.
	bool apart = column(s, "bill_billing_entity");
	if (!add_branch(s, p, apart ? "coalesce(bill_billing_entity, '') <> 'AWS Marketplace' AND " : "", false, err))
		return false;
	buf_adds(&s->sql, apart ? " UNION ALL " : "");
	if (apart && !add_branch(s, p, "bill_billing_entity = 'AWS Marketplace' AND ", true, err))
		return false;
	buf_adds(&s->sql, ") GROUP BY 1,2,3,4,5,6,7,8,9,10,11,12,13)");
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

// Stops at the first row that has one; where none has, it has looked at every row of Bedrock.
bool bill_has_caller_tags(struct duck *duck, const struct export_period *p, bool *ret_column, bool *ret_tags, struct err *err)
{
	struct statement s = {.sql = BUF_INIT};
	struct duck_rows *rows;
	bool good = find_columns(&s, duck, p, err);
	*ret_column = good && column(&s, "tags");
	*ret_tags = false;
	if (*ret_column) {
		buf_adds(&s.sql, "SELECT 1::BIGINT FROM ");
		add_source(&s.sql, p);
		buf_adds(&s.sql, " WHERE (");
		good = add_filter(&s, false, err);
		buf_adds(&s.sql, ") AND contains(tags::VARCHAR, 'iamPrincipal/') LIMIT 1");
		good = good && duck_query(duck, s.sql.data, &rows, err);
		if (good) {
			*ret_tags = duck_next(rows);
			duck_done(rows);
		}
	}
	release(&s);
	return good;
}
