// SPDX-License-Identifier: Apache-2.0
// The statement is built from the columns that the files have: exports choose their columns, and older ones
// lack the newer. What a missing column costs is a note, unless nothing can be said without it.
//
// It groups first and understands later: rows are grouped by what stands in the columns, untouched, and only
// the groups are converted. Of ten million rows that is half of the work that a conversion of each would be.
//
//     SELECT converted FROM (SELECT columns, sums FROM file WHERE rows of one kind GROUP BY columns
//                            UNION ALL the next kind ...)
//
// Parquet is read a kind of rows at a time, each found by a comparison of one column: DuckDB decodes the
// other columns only where that holds, which is where few rows of a bill are. Text has to be read as a whole,
// so it is read once.
//
// Money and quantities are DECIMAL(30,12) in DuckDB, and integers from there on. The bill prints at most ten
// decimals, so nothing is lost.
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

// ---- columns ------------------------------------------------------------------------------------

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
	buf_adds(
		b,
		p->parquet
			? "], union_by_name=true, hive_partitioning=false)"
			: "], header=true, all_varchar=true, delim=',', quote='\"', escape='\"', comment='', skip=0, union_by_name=true, "
			  "hive_partitioning=false)");
}

static bool find_columns(struct statement *s, struct duck *duck, const struct export_period *p,
                         struct err *err)
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
	bool row = true;
	for (int cap = 0; (good = duck_next(rows, &row, err)) && row;) {
		if (s->n == cap)
			s->columns = xrealloc(s->columns, (size_t)(cap = cap ? cap * 2 : 128), sizeof *s->columns);
		struct str type = duck_text(rows, 1);
		s->columns[s->n++] = (struct column){xstrdup(duck_text(rows, 0)), str_is(type, "VARCHAR"),
		                                     str_starts(type, STR("MAP"))};
	}
	duck_done(rows);
	return good;
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

// ---- the statement ------------------------------------------------------------------------------

static void add_text(struct statement *s, const char *name)
{
	if (column(s, name))
		buf_adds(&s->sql, name);
	else
		buf_adds(&s->sql, "''");
}

// NaN, infinities, words and what no bill holds (a quintillion) become NULL, which is counted: so that no sum
// overflows.
static void add_decimal(struct statement *s, const char *name)
{
	if (!column(s, name))
		buf_adds(&s->sql, "0::DECIMAL(30,12)");
	else if (column(s, name)->is_text)
		buf_addf(&s->sql, "TRY_CAST(nullif(%s, '') AS DECIMAL(30,12))", name);
	else
		buf_addf(&s->sql, "TRY_CAST(%s AS DECIMAL(30,12))", name);
}

// `as`: the name that a grouped column of times has.
static void add_time(struct statement *s, const char *name, const char *as)
{
	const struct column *c = column(s, name);
	buf_addf(&s->sql,
	         c && c->is_text ? "epoch_ms(TRY_CAST(nullif(%s, '') AS TIMESTAMP))"
	         : c             ? "epoch_ms(%s::TIMESTAMP)"
	                         : "NULL::BIGINT",
	         as);
}

// A key of the product map, however it is written: a real map, JSON text, {k=v, k=v}; or flattened into a
// column.
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
		buf_adds(
			&s->sql,
			"CASE WHEN product LIKE '{%\"product_name\"%' THEN regexp_extract(product, '\"product_name\"\\s*:\\s*\"([^\"]*)\"', 1) "
			"ELSE regexp_extract(product, '[{, ]product_name\\s*=\\s*[''\"]?([^,}''\"]*)', 1) END, ");
	buf_adds(&s->sql, "'')");
}

// Where the product has no name, its code is what the user can match.
static void add_product_or_code(struct statement *s)
{
	bool code = column(s, "line_item_product_code");
	buf_adds(&s->sql, code ? "coalesce(nullif(" : "");
	add_product(s);
	buf_adds(&s->sql, code ? ", ''), line_item_product_code, '')" : "");
}

// ---- which rows ---------------------------------------------------------------------------------

// Bedrock by product code (AmazonBedrock, AmazonBedrockService, ...FoundationModels, ...AgentCore), family or
// service code.
static const struct {
	const char *column, *holds;
} signs[] = {
	{"line_item_product_code", "starts_with(line_item_product_code, 'AmazonBedrock')"},
	{"product_product_family", "product_product_family = 'Amazon Bedrock'"},
	{"product_servicecode", "starts_with(product_servicecode, 'AmazonBedrock')"},
};
enum { SIGNS = sizeof signs / sizeof *signs };

static const char of_marketplace[] = "bill_billing_entity = 'AWS Marketplace'",
				  of_aws[] = "coalesce(bill_billing_entity, '') <> 'AWS Marketplace'";

// Of what AWS itself sells, the service code says no more than the product code.
static int signs_of_aws(const struct statement *s, int list[SIGNS])
{
	int n = 0;
	for (int i = 0; i < SIGNS; i++)
		if ((i < SIGNS - 1 || n == 0) && column(s, signs[i].column))
			list[n++] = i;
	return n;
}

static void add_any_sign(struct statement *s)
{
	int list[SIGNS], n = signs_of_aws(s, list);
	buf_addc(&s->sql, '(');
	for (int i = 0; i < n; i++)
		buf_addf(&s->sql, "%s%s", i ? " OR " : "", signs[list[i]].holds);
	buf_addc(&s->sql, ')');
}

// The i-th sign and none before it: no row has two.
static void add_first_sign(struct statement *s, const int *list, int i)
{
	buf_adds(&s->sql, signs[list[i]].holds);
	for (int k = 0; k < i; k++)
		buf_addf(&s->sql, " AND NOT coalesce(%s, false)", signs[list[k]].holds);
}

// What the Marketplace sold may show in the product's name alone.
static void add_marketplace_sign(struct statement *s)
{
	buf_adds(&s->sql, "(contains(");
	add_product(s);
	buf_adds(&s->sql, ", 'Bedrock')");
	for (int i = 0; i < SIGNS; i++)
		if (column(s, signs[i].column))
			buf_addf(&s->sql, " OR %s", signs[i].holds);
	buf_addc(&s->sql, ')');
}

// ---- what of them -------------------------------------------------------------------------------

static bool check_columns(struct statement *s, struct bill *b, const struct export_period *p, struct err *err)
{
	static const char *const needed[] = {"line_item_usage_type", "line_item_usage_start_date",
	                                     "line_item_usage_account_id", "line_item_usage_amount",
	                                     "line_item_unblended_cost"};
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!column(s, needed[i]))
			return err_set(
				err, ERR_CONFIG,
				"%.*s: the export has no column %s: add it to the export's columns (from then on rows have it)",
				STR_ARG(p->name), needed[i]);
	b->has_principal = column(s, "line_item_iam_principal");
	b->has_resource = column(s, "line_item_resource_id");
	b->has_type = column(s, "line_item_line_item_type");
	if (!b->has_principal)
		buf_adds(
			&b->notes,
			"no column line_item_iam_principal: billed figures are compared by account and model, and shared out as the estimate has it; "
			"set INCLUDE_IAM_PRINCIPAL_DATA in the export (rows delivered before do not gain it)\n");
	if (!b->has_resource)
		buf_adds(
			&b->notes,
			"no column line_item_resource_id: which profile was called is taken from the estimate; set INCLUDE_RESOURCES in the export\n");
	if (!b->has_type)
		buf_adds(&b->notes,
		         "no column line_item_line_item_type: tax, credits and refunds cannot be told from usage\n");
	int signs_found[SIGNS];
	if (!signs_of_aws(s, signs_found))
		return err_set(
			err, ERR_CONFIG,
			"the export has none of line_item_product_code, product_product_family and product_servicecode: "
			"Bedrock's rows cannot be told; add line_item_product_code to its columns");
	if (!column(s, "pricing_unit"))
		buf_adds(
			&b->notes,
			"no column pricing_unit: the unit of each usage type is the one its grammar means, checked against the dollars\n");
	if (!column(s, "pricing_public_on_demand_cost"))
		buf_adds(
			&b->notes,
			"no column pricing_public_on_demand_cost: units and discounts are judged by what was paid\n");
	return true;
}

enum rows { OF_AWS, OF_MARKETPLACE, OF_BOTH };

// Who sold it: 'm' the Marketplace, 'a' AWS, for AgentCore, '' AWS, for models.
static void add_seller(struct statement *s, enum rows rows)
{
	struct buf *q = &s->sql;
	bool code = column(s, "line_item_product_code");
	if (rows == OF_MARKETPLACE) {
		buf_adds(q, "'m'");
		return;
	}
	if (rows == OF_BOTH)
		buf_addf(q, "CASE WHEN %s THEN 'm' ELSE ", of_marketplace);
	buf_adds(q, code ? "CASE WHEN line_item_product_code = 'AmazonBedrockAgentCore' THEN 'a' ELSE '' END"
	                 : "''");
	buf_adds(q, rows == OF_BOTH ? " END" : "");
}

// The columns as they are, and the sums. GROUP BY ALL leaves out what is the same in every row, like the
// columns that are not there.
static void add_columns(struct statement *s, enum rows rows)
{
	struct buf *q = &s->sql;
	add_text(s, "line_item_usage_type"), buf_adds(q, " AS usage_type, ");
	add_text(s, "pricing_unit"), buf_adds(q, " AS unit, ");
	if (column(s, "line_item_line_item_description"))
		buf_adds(
			q,
			"CASE WHEN contains(lower(line_item_line_item_description), 'million') THEN 'm' END AS million, ");
	else
		buf_adds(q, "NULL::VARCHAR AS million, ");
	// The product's name is a lookup in a map, the dearest column there is, and only the Marketplace's rows
	// need it.
	if (rows == OF_BOTH)
		buf_addf(q, "CASE WHEN %s THEN ", of_marketplace);
	if (rows == OF_AWS)
		buf_adds(q, "''");
	else
		add_product_or_code(s);
	buf_addf(q, "%s AS product_title, ", rows == OF_BOTH ? " ELSE '' END" : "");
	add_text(s, "line_item_resource_id"), buf_adds(q, " AS resource, ");
	add_text(s, "product_region_code"), buf_adds(q, " AS region, ");
	add_text(s, "line_item_line_item_type"), buf_adds(q, " AS line_type, ");
	add_seller(s, rows), buf_adds(q, " AS seller, ");
	add_text(s, "line_item_usage_account_id"), buf_adds(q, " AS account, ");
	add_text(s, "line_item_iam_principal"), buf_adds(q, " AS principal, ");
	add_text(s, "line_item_currency_code"), buf_adds(q, " AS currency, ");
	buf_adds(q, "line_item_usage_start_date AS began, ");
	buf_addf(q, "%s AS ended, ", column(s, "line_item_usage_end_date") ? "line_item_usage_end_date" : "NULL");
}

static void add_sums(struct statement *s)
{
	struct buf *q = &s->sql;
	buf_adds(q, "sum("), add_decimal(s, "line_item_usage_amount"), buf_adds(q, ") AS amounts, sum(");
	add_decimal(s, "line_item_unblended_cost"), buf_adds(q, ") AS costs, coalesce(sum(");
	add_decimal(s, "pricing_public_on_demand_cost"),
		buf_adds(q, "), 0) AS lists, count(*)::BIGINT AS n, count_if(");
	add_decimal(s, "line_item_unblended_cost"), buf_adds(q, " IS NULL)::BIGINT AS no_cost, count_if(");
	add_decimal(s, "line_item_unblended_cost"), buf_adds(q, " IS NULL OR ");
	add_decimal(s, "line_item_usage_amount"), buf_adds(q, " IS NULL)::BIGINT AS no_figure, count_if(");
	add_text(s, "bill_invoice_id"), buf_adds(q, " <> '')::BIGINT AS invoiced");
}

static void add_rows(struct statement *s, const struct export_period *p, enum rows rows)
{
	buf_adds(&s->sql, "SELECT ");
	add_columns(s, rows);
	add_sums(s);
	buf_adds(&s->sql, " FROM ");
	add_source(&s->sql, p);
	buf_adds(&s->sql, " WHERE ");
}

static void add_end(struct statement *s)
{
	buf_adds(&s->sql, " GROUP BY ALL");
}

// One kind of rows after the other. Without an entity nobody can tell the Marketplace's.
static void add_kinds(struct statement *s, const struct export_period *p)
{
	int list[SIGNS], n = signs_of_aws(s, list);
	bool apart = column(s, "bill_billing_entity");
	for (int i = 0; i < n; i++) {
		buf_adds(&s->sql, i ? " UNION ALL " : "");
		add_rows(s, p, OF_AWS);
		add_first_sign(s, list, i);
		if (apart)
			buf_addf(&s->sql, " AND %s", of_aws);
		add_end(s);
	}
	if (!apart)
		return;
	buf_adds(&s->sql, " UNION ALL ");
	add_rows(s, p, OF_MARKETPLACE);
	buf_addf(&s->sql, "%s AND ", of_marketplace);
	add_marketplace_sign(s);
	add_end(s);
}

static void add_all(struct statement *s, const struct export_period *p)
{
	bool apart = column(s, "bill_billing_entity");
	add_rows(s, p, apart ? OF_BOTH : OF_AWS);
	add_any_sign(s);
	if (apart) {
		buf_addf(&s->sql, " OR %s AND ", of_marketplace);
		add_marketplace_sign(s);
	}
	add_end(s);
}

// The columns of the result, in the order in which bill.c takes them.
static void add_converted(struct statement *s)
{
	static const char *const texts[] = {"usage_type",  "unit",    "million",   "product_title",
	                                    "resource",    "region",  "line_type", NULL,
	                                    "seller", "account", "principal", "currency"};
	buf_adds(&s->sql, "SELECT ");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		buf_addf(&s->sql, "%s%s::VARCHAR, ", texts[i] ? "" : "''", texts[i] ? texts[i] : "");
	buf_adds(&s->sql, "coalesce("), add_time(s, "line_item_usage_start_date", "began"),
		buf_adds(&s->sql, " // 3600000, -1)::BIGINT AS hour, coalesce((");
	add_time(s, "line_item_usage_end_date", "ended"), buf_adds(&s->sql, " - "),
		add_time(s, "line_item_usage_start_date", "began");
	buf_adds(
		&s->sql,
		") // 3600000, 1)::BIGINT, amounts, costs, lists, n, "
		// Only usage has to have an amount.
		"CASE WHEN hour < 0 THEN n WHEN coalesce(line_type, '') IN ('Usage', '') THEN no_figure ELSE no_cost END, invoiced FROM (");
}

static bool build(struct statement *s, struct bill *b, const struct export_period *p, struct err *err)
{
	if (!check_columns(s, b, p, err))
		return false;
	add_converted(s);
	if (p->parquet)
		add_kinds(s, p);
	else
		add_all(s, p);
	buf_addc(&s->sql, ')');
	return true;
}

bool bill_sql(struct buf *ret, struct bill *b, struct duck *duck, const struct export_period *p,
              struct err *err)
{
	struct statement s = {.sql = BUF_INIT};
	struct err ignored = ERR_INIT;
	// the footers of the files are wanted once a kind of rows
	bool cached = duck_run(duck, "SET parquet_metadata_cache = true", &ignored);
	// a DuckDB that has no such setting is slower, no more
	(void)cached;
	bool good =
		duck_run(duck, "SET TimeZone = 'UTC'", err) && find_columns(&s, duck, p, err) && build(&s, b, p, err);
	if (good)
		buf_addstr(ret, buf_str(&s.sql));
	release(&s);
	return good;
}

// Stops at the first row that has one; where none has, it has looked at every row of Bedrock.
bool bill_has_caller_tags(struct duck *duck, const struct export_period *p, bool *ret_column, bool *ret_tags,
                          struct err *err)
{
	struct statement s = {.sql = BUF_INIT};
	struct duck_rows *rows;
	bool good = find_columns(&s, duck, p, err);
	*ret_column = good && column(&s, "tags");
	*ret_tags = false;
	if (*ret_column) {
		buf_adds(&s.sql, "SELECT 1::BIGINT FROM ");
		add_source(&s.sql, p);
		buf_adds(&s.sql, " WHERE ");
		add_any_sign(&s);
		buf_adds(&s.sql, " AND contains(tags::VARCHAR, 'iamPrincipal/') LIMIT 1");
		good = duck_query(duck, s.sql.data, &rows, err);
		if (good) {
			good = duck_next(rows, ret_tags, err);
			duck_done(rows);
		}
	}
	release(&s);
	return good;
}
