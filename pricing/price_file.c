// SPDX-License-Identifier: Apache-2.0
// Reads a price file. A wrong price is worse than none, because it looks like a figure. So every cell is
// checked, and one wrong line refuses the file: half a price list is a wrong price list.
//
// Rates are parsed from decimal text to integers. A rate of more than $10,000 per million tokens, a hundred
// times the most expensive model, is refused: its unit must be wrong. Two rows for the same place and hour
// are refused too, because their order would decide which one counts.
#include "pricing/price_file.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/when.h"

enum { FILE_MAX = 16 << 20, FIELDS_MAX = 32 };

enum column {
	COL_MODEL, COL_SCOPE, COL_REGION, COL_ACCOUNT, COL_TIER, COL_FROM, COL_TO, COL_PROMPT_OVER,
	COL_INPUT, // the token types follow in their own order
	COL_UNIT = COL_INPUT + TOKEN_TYPES, COL_PER_UNIT, COL_SOURCE, COLUMNS
};

static const struct {
	const char *name;
	bool needed;
} columns[COLUMNS] = {
	[COL_MODEL] = {"model", true},
	[COL_SCOPE] = {"scope", true},
	[COL_REGION] = {"region", true},
	[COL_ACCOUNT] = {"account", false},
	[COL_TIER] = {"tier", false},
	[COL_FROM] = {"from", true},
	[COL_TO] = {"to", true},
	[COL_PROMPT_OVER] = {"prompt_tokens_over", false},
	[COL_INPUT + TOKEN_INPUT] = {"input", true},
	[COL_INPUT + TOKEN_OUTPUT] = {"output", true},
	[COL_INPUT + TOKEN_CACHE_READ] = {"cache_read", true},
	[COL_INPUT + TOKEN_CACHE_WRITE_5M] = {"cache_write_5m", true},
	[COL_INPUT + TOKEN_CACHE_WRITE_1H] = {"cache_write_1h", true},
	[COL_UNIT] = {"unit", false},
	[COL_PER_UNIT] = {"per_unit", false},
	[COL_SOURCE] = {"source", true},
};

struct reader {
	const char *name;
	int line, record_line; // of the cursor, of the record's first field
	char *at, *end;
	int at_column[COLUMNS]; // field index, or -1
	struct price_row *rows;
	size_t nrows, cap, nlines;
	struct err *err;
};

static bool refuse_line(struct reader *r, int line, const char *fmt, ...) NC_PRINTF(3, 4);

static bool refuse_line(struct reader *r, int line, const char *fmt, ...)
{
	struct buf msg = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&msg, fmt, ap);
	va_end(ap);
	err_set(r->err, ERR_CONFIG, "%s:%d: %s; the file is not used", r->name, line, msg.data);
	buf_release(&msg);
	return false;
}

// Reads one field, unquoted in place. The cursor is then at what ended it: ',', '\n' or the end.
static bool read_field(struct reader *r, struct str *ret)
{
	char *out = r->at;
	ret->p = out;
	if (r->at == r->end || *r->at != '"') {
		while (r->at < r->end && *r->at != ',' && *r->at != '\n')
			r->at++;
		ret->len = (size_t)(r->at - ret->p);
		if (ret->len && ret->p[ret->len - 1] == '\r')
			ret->len--;
		return true;
	}
	for (r->at++;; r->at++) {
		if (r->at == r->end)
			return refuse_line(r, r->record_line, "a quoted field is not closed");
		if (*r->at == '\n')
			r->line++;
		if (*r->at == '"') {
			if (r->at + 1 == r->end || r->at[1] != '"')
				break;
			r->at++;
		}
		*out++ = *r->at;
	}
	r->at++;
	ret->len = (size_t)(out - ret->p);
	if (r->at < r->end && *r->at == '\r')
		r->at++;
	if (r->at < r->end && *r->at != ',' && *r->at != '\n')
		return refuse_line(r, r->line, "text after a closing quote");
	return true;
}

// All fields are printed to terminals and in messages.
static bool is_plain_text(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (text_control(s, i))
			return false;
	return true;
}

// The fields of the next record that is neither blank nor a comment; 0 at the end of the file.
static bool read_record(struct reader *r, struct str *fields, int *ret_n)
{
	for (;; r->at++, r->line++) {
		while (r->at < r->end && *r->at == '\r')
			r->at++;
		if (r->at < r->end && *r->at == '#')
			while (r->at < r->end && *r->at != '\n')
				r->at++;
		if (r->at == r->end) {
			*ret_n = 0;
			return true;
		}
		if (*r->at != '\n')
			break;
	}
	r->record_line = r->line;
	for (int n = 0; n < FIELDS_MAX; r->at++) {
		if (!read_field(r, &fields[n++]))
			return false;
		if (!is_plain_text(fields[n - 1]))
			return refuse_line(r, r->record_line, "field %d holds a control character", n);
		if (r->at == r->end || *r->at == '\n') {
			if (r->at < r->end) {
				r->at++;
				r->line++;
			}
			*ret_n = n;
			return true;
		}
	}
	return refuse_line(r, r->record_line, "more than %d fields", FIELDS_MAX);
}

// What is wrong with one cell or line says nothing of the others.
static bool go_on(struct reader *r, bool good)
{
	return good || err_collect(r->err);
}

static bool read_header(struct reader *r)
{
	struct str fields[FIELDS_MAX];
	size_t before = err_listed(r->err);
	int n;
	if (!read_record(r, fields, &n))
		return false;
	for (int c = 0; c < COLUMNS; c++)
		r->at_column[c] = -1;
	for (int i = 0; i < n; i++) {
		int c = 0;
		while (c < COLUMNS && !str_is(fields[i], columns[c].name))
			c++;
		bool good = c == COLUMNS
		                ? refuse_line(r, r->record_line, "unknown column \"%.*s\"", STR_ARG(fields[i]))
		                : r->at_column[c] < 0 ||
		                      refuse_line(r, r->record_line, "column \"%s\" is named twice", columns[c].name);
		if (!go_on(r, good))
			return false;
		if (good)
			r->at_column[c] = i;
	}
	for (int c = 0; c < COLUMNS; c++)
		if (!go_on(r, !columns[c].needed || r->at_column[c] >= 0 ||
		                  refuse_line(r, n ? r->record_line : 1,
		                              "column \"%s\" is missing; the first line names the columns",
		                              columns[c].name)))
			return false;
	return err_check(r->err, before);
}

static bool read_hour(struct reader *r, struct str s, const char *column, int64_t open, int64_t *ret)
{
	*ret = open;
	if (!s.len)
		return true;
	if (!when_parse(s, ret))
		return refuse_line(r, r->record_line,
		              "%s: expected a time such as 2026-11-01 or 2026-11-01T05:00Z, got \"%.*s\"", column,
		              STR_ARG(s));
	if (*ret % MS_PER_HOUR)
		return refuse_line(r, r->record_line, "%s: %.*s is not on a whole hour", column, STR_ARG(s));
	return true;
}

static bool read_rate(struct reader *r, struct str s, const char *column, int64_t *ret)
{
	*ret = RATE_UNKNOWN;
	if (!s.len)
		return true;
	if (!usd_parse_scaled(s, 6, ret))
		return refuse_line(r, r->record_line,
		              "%s: expected USD per million tokens with at most 6 decimals, got \"%.*s\"", column,
		              STR_ARG(s));
	if (*ret < 0)
		return refuse_line(r, r->record_line, "%s: %.*s is negative", column, STR_ARG(s));
	if (*ret > RATE_MAX)
		return refuse_line(r, r->record_line,
		                   "%s: %.*s is more than $10,000 per million tokens; check the unit", column,
		                   STR_ARG(s));
	return true;
}

static bool read_scope(struct reader *r, struct str s, bool *scopes)
{
	bool any = str_is(s, "any");
	scopes[SCOPE_GLOBAL] = any || str_is(s, "global");
	scopes[SCOPE_REGIONAL] = any || str_is(s, "regional");
	if (!scopes[SCOPE_GLOBAL] && !scopes[SCOPE_REGIONAL])
		return refuse_line(r, r->record_line, "scope: expected global, regional or any, got \"%.*s\"",
		                   STR_ARG(s));
	return true;
}

static bool read_per_unit(struct reader *r, struct str s, struct str unit, int64_t *ret)
{
	struct usd usd;
	*ret = RATE_UNKNOWN;
	if (!s.len)
		return true;
	if (!unit.len)
		return refuse_line(r, r->record_line, "per_unit is %.*s, but unit is empty", STR_ARG(s));
	if (!usd_parse(s, &usd) || usd.pico < 0 || usd.pico > INT64_C(10000) * 1000000000000)
		return refuse_line(r, r->record_line, "per_unit: expected USD, 0 to 10000, got \"%.*s\"", STR_ARG(s));
	*ret = (int64_t)usd.pico;
	return true;
}

static bool read_tier(struct reader *r, struct str s, enum price_tier *ret)
{
	int t = 0;
	while (s.len && t < TIER_UNKNOWN && !str_is(s, price_tier_names[t]))
		t++;
	if (t == TIER_UNKNOWN)
		return refuse_line(r, r->record_line, "tier: expected " PRICE_TIER_WORDS ", got \"%.*s\"",
		                   STR_ARG(s));
	*ret = (enum price_tier)t;
	return true;
}

static bool valid_account(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len == 0 || s.len == 12;
}

// "eu-*" or "us-gov-*", but not "eu-west-*", which is not a geography.
static bool is_geography(struct str s)
{
	struct str name = {s.p, s.len - 2};
	return str_ends(s, STR("-*")) && str_eq(region_geography((struct str){s.p, s.len - 1}), name);
}

// "eu-west-1", "us-gov-*", or nothing. A row with a misspelt Region would never be used.
static bool valid_region(struct str s)
{
	int words = 0;
	if (s.len > 31 || str_ends(s, STR("-")) || (str_ends(s, STR("*")) && !is_geography(s)))
		return false;
	while (s.len) {
		struct str word = str_cut(&s, '-');
		bool last = !s.len, plain = true, digits = true;
		for (size_t i = 0; i < word.len; i++) {
			digits &= word.p[i] >= '0' && word.p[i] <= '9';
			plain &= (word.p[i] >= 'a' && word.p[i] <= 'z') || (word.p[i] >= '0' && word.p[i] <= '9');
		}
		if (!word.len || !(last ? str_is(word, "*") ? words >= 1 : digits && words >= 2 : plain))
			return false;
		words++;
	}
	return true;
}

// "in.anthropic.claude-haiku-4-5": the row is for calls through that profile, at its scope.
static bool read_profile(struct reader *r, struct price_row *row, bool *scopes)
{
	struct str rest = row->model, profile = model_id_cut_profile(&rest);
	enum price_scope scope = str_is(profile, "global") ? SCOPE_GLOBAL : SCOPE_REGIONAL;
	if (!profile.len)
		return true;
	if (!scopes[scope])
		return refuse_line(r, r->record_line,
		              "scope: a call through the profile \"%.*s.\" is %s, write that or any",
		              STR_ARG(profile), scope == SCOPE_GLOBAL ? "global" : "regional");
	row->model = rest;
	row->profile = profile;
	scopes[scope == SCOPE_GLOBAL ? SCOPE_REGIONAL : SCOPE_GLOBAL] = false;
	return true;
}

// A row with a name that no query asks for would never be used.
static bool check_model(struct reader *r, struct str s, bool *scopes)
{
	struct model_id id;
	bool plain = s.len > 0 && s.len <= MODEL_NAME_MAX;
	for (size_t i = 0; i < s.len; i++)
		plain &= s.p[i] > ' ' && s.p[i] < 0x7f;
	if (!plain)
		return refuse_line(
			r, r->record_line,
			"model: expected a name of 1 to %d letters, digits and signs without blanks, got \"%.*s\"",
			MODEL_NAME_MAX, STR_ARG(s));
	model_id_read(&id, s);
	if (id.kind != MODEL_NAMED)
		scopes[SCOPE_GLOBAL] = false;
	if (!scopes[SCOPE_GLOBAL] && !scopes[SCOPE_REGIONAL])
		return refuse_line(
			r, r->record_line,
			"scope: \"%.*s\" names no model, and such an id is looked up as regional: write regional or any",
			STR_ARG(s));
	if (!str_eq(model_id_name(&id), s))
		return refuse_line(r, r->record_line,
		              "model: write \"%.*s\" as \"%.*s\": no ARN, date, or version 0 or 1",
		              STR_ARG(s), STR_ARG(model_id_name(&id)));
	return true;
}

static void add_row(struct reader *r, const struct price_row *row)
{
	assert(row->from_ms < row->to_ms && row->model.len);
	if (r->nrows == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 256;
		r->rows = xrealloc(r->rows, r->cap, sizeof(*r->rows));
	}
	r->rows[r->nrows++] = *row;
}

static bool read_place(struct reader *r, const struct str *cell, struct price_row *row, bool *scopes)
{
	row->model = cell[COL_MODEL];
	row->region = cell[COL_REGION];
	row->account = cell[COL_ACCOUNT];
	return go_on(r, read_scope(r, cell[COL_SCOPE], scopes) && read_profile(r, row, scopes) &&
	                    check_model(r, row->model, scopes)) &&
	       go_on(r, valid_region(row->region) ||
	                    refuse_line(r, row->line,
	                                "region: expected a Region in lower case such as eu-west-1, a geography such as "
	                                "eu-*, or nothing, got \"%.*s\"",
	                                STR_ARG(row->region))) &&
	       go_on(r, valid_account(row->account) ||
	                    refuse_line(r, row->line, "account: expected 12 digits or nothing, got \"%.*s\"",
	                                STR_ARG(row->account))) &&
	       go_on(r, read_tier(r, cell[COL_TIER], &row->tier));
}

static bool read_interval(struct reader *r, const struct str *cell, struct price_row *row)
{
	return read_hour(r, cell[COL_FROM], "from", 0, &row->from_ms) &&
	       read_hour(r, cell[COL_TO], "to", INT64_MAX, &row->to_ms) &&
	       (row->to_ms > row->from_ms ||
	        refuse_line(r, row->line, "to: %.*s is not after from", STR_ARG(cell[COL_TO])));
}

static bool read_rates(struct reader *r, const struct str *cell, struct price_row *row)
{
	bool over = !cell[COL_PROMPT_OVER].len ||
	            (usd_parse_scaled(cell[COL_PROMPT_OVER], 0, &row->prompt_over) && row->prompt_over > 0);
	if (!go_on(r, over || refuse_line(r, row->line, "prompt_tokens_over: expected a number of tokens, got \"%.*s\"",
	                                  STR_ARG(cell[COL_PROMPT_OVER]))))
		return false;
	for (int t = 0; t < TOKEN_TYPES; t++)
		if (!go_on(r, read_rate(r, cell[COL_INPUT + t], columns[COL_INPUT + t].name, &row->rate[t])))
			return false;
	row->unit = cell[COL_UNIT];
	return go_on(r, read_per_unit(r, cell[COL_PER_UNIT], row->unit, &row->per_unit));
}

static bool read_row(struct reader *r, const struct str *fields)
{
	struct price_row row = {.line = r->record_line};
	struct str cell[COLUMNS];
	bool scopes[PRICE_SCOPES];
	size_t before = err_listed(r->err);
	for (int c = 0; c < COLUMNS; c++)
		cell[c] = r->at_column[c] < 0 ? STR_NONE : fields[r->at_column[c]];
	if (!read_place(r, cell, &row, scopes) || !go_on(r, read_interval(r, cell, &row)) ||
	    !read_rates(r, cell, &row))
		return false;
	if (err_listed(r->err) > before)
		return true; // the line is not used, and its mistakes are collected
	// After a field comes its comma, quote or newline, or the NUL of the copy. All of these are read already,
	// so a NUL may replace them.
	struct str source = cell[COL_SOURCE];
	((char *)(uintptr_t)source.p)[source.len] = '\0';
	row.source = source.p;
	for (int s = 0; s < PRICE_SCOPES; s++)
		if (scopes[s]) {
			row.scope = (enum price_scope)s;
			add_row(r, &row);
		}
	return true;
}

int price_row_compare_place(const struct price_row *a, const struct price_row *b)
{
	int c = str_cmp(a->model, b->model);
	if (!c)
		c = (a->scope > b->scope) - (a->scope < b->scope);
	if (!c)
		c = (a->tier > b->tier) - (a->tier < b->tier);
	if (!c)
		c = str_cmp(a->region, b->region);
	if (!c)
		c = str_cmp(a->profile, b->profile);
	if (!c)
		c = str_cmp(a->account, b->account);
	if (!c)
		c = (a->prompt_over > b->prompt_over) - (a->prompt_over < b->prompt_over);
	return c;
}

bool price_row_same_place(const struct price_row *a, const struct price_row *b)
{
	return str_eq(a->model, b->model) && a->scope == b->scope && a->tier == b->tier &&
	       str_eq(a->region, b->region) && str_eq(a->profile, b->profile) && str_eq(a->account, b->account);
}

static int compare_rows(const void *pa, const void *pb)
{
	const struct price_row *a = pa, *b = pb;
	int c = price_row_compare_place(a, b);
	if (!c)
		c = (a->from_ms > b->from_ms) - (a->from_ms < b->from_ms);
	return c ? c : (a->line > b->line) - (a->line < b->line);
}

static bool check_overlaps(struct reader *r)
{
	for (size_t i = 1; i < r->nrows; i++) {
		const struct price_row *a = &r->rows[i - 1], *b = &r->rows[i];
		if (price_row_compare_place(a, b) || a->to_ms <= b->from_ms)
			continue;
		int line = a->line > b->line ? a->line : b->line, other = a->line > b->line ? b->line : a->line;
		bool same = a->from_ms == b->from_ms && a->to_ms == b->to_ms;
		refuse_line(r, line,
		            "%.*s: %s line %d (same model, scope, tier, region, profile, account and prompt length)",
		            STR_ARG(b->model), same ? "duplicates" : "its interval overlaps that of", other);
		if (!err_collect(r->err))
			return false;
		while (i + 1 < r->nrows && r->rows[i + 1].line == b->line)
			i++; // the other scope of the same line
	}
	return true;
}

// Behind a record that cannot be cut into fields.
static void skip_line(struct reader *r)
{
	while (r->at < r->end && *r->at != '\n')
		r->at++;
	if (r->at < r->end) {
		r->at++;
		r->line++;
	}
}

static bool read_rows(struct reader *r)
{
	int want = 0;
	for (int c = 0; c < COLUMNS; c++)
		want += r->at_column[c] >= 0;
	for (;;) {
		struct str fields[FIELDS_MAX];
		int n;
		if (!read_record(r, fields, &n)) {
			if (!err_collect(r->err))
				return false;
			skip_line(r);
			continue;
		}
		if (!n)
			return true;
		r->nlines++;
		bool good = n == want ? read_row(r, fields)
		                      : refuse_line(r, r->record_line, "the line has %d fields, the first line names %d", n,
		                                    want);
		if (!go_on(r, good))
			return false;
	}
}

bool price_file_read(struct price_rows *ret, struct str text, const char *name, struct err *err)
{
	size_t before = err_listed(err);
	if (text.len > FILE_MAX)
		return err_set(err, ERR_CONFIG, "%s: %zu bytes; a price file has at most %d", name, text.len,
		               FILE_MAX);
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = (struct str){text.p + 3, text.len - 3};
	struct reader r = {.name = name, .line = 1, .record_line = 1, .err = err};
	char *copy = xstrdup(text);
	r.at = copy;
	r.end = copy + text.len;
	bool good = read_header(&r) && read_rows(&r);
	if (good && r.nrows)
		qsort(r.rows, r.nrows, sizeof(*r.rows), compare_rows);
	if (!good || !check_overlaps(&r) || !err_check(err, before)) {
		free(r.rows);
		free(copy);
		return false;
	}
	*ret = (struct price_rows){r.rows, r.nrows, r.nlines, copy};
	return true;
}

void price_rows_release(struct price_rows *r)
{
	if (!r)
		return;
	free(r->v);
	free(r->text);
	*r = (struct price_rows){0};
}

bool region_is_commercial(struct str region)
{
	struct str geography = region_geography(region);
	return !str_is(geography, "us-gov") && !str_is(geography, "us-iso") && !str_is(geography, "cn");
}

struct str region_geography(struct str region)
{
	if (str_starts(region, STR("us-gov-")))
		return STR("us-gov");
	if (str_starts(region, STR("us-iso")))
		return STR("us-iso");
	struct str rest = region;
	return str_cut(&rest, '-');
}
