// SPDX-License-Identifier: Apache-2.0
#include "store/usage_rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "estimator/rate_class.h"

// The third word of a field, of rows that have no token type.
static const char *const kind_words[] = {
	[ROW_CALLS] = "calls", [ROW_UNITS] = "units", [ROW_UNCOUNTED] = "uncounted"};

// ---- writing ------------------------------------------------------------------------------------

void row_format_field(const struct view_row *r, struct buf *ret)
{
	char rate_class[RATE_CLASS_TEXT_SIZE];
	buf_addf(ret, "%.*s %.*s %s%s", STR_ARG(r->principal), STR_ARG(r->tagset),
	         r->kind == ROW_TOKENS ? token_type_names[r->type] : kind_words[r->kind],
	         rate_class_format(r->rate_class, rate_class));
}

void row_format_value(const struct view_row *r, struct buf *ret)
{
	const struct figure *f = &r->figure;
	char pico[USD_SIZE] = "-", more[USD_SIZE] = "0";
	if (r->kind == ROW_CALLS) {
		buf_addf(ret, "%lld %lld", (long long)r->calls.charged, (long long)r->calls.failed);
		return;
	}
	figure_check(f);
	if (f->priced) {
		usd_format_pico(f->usd, pico);
		usd_format_pico(f->more, more);
	}
	buf_addf(ret, "%lld %s %lld %lld %lld %lld %s %lld %lld%s%s", (long long)f->tokens, pico,
	         (long long)f->exact, (long long)f->allocated, (long long)f->provisional, (long long)f->assumed,
	         more, (long long)f->spread, (long long)f->noise, f->ttl_may_be_1h ? " ttl" : "",
	         f->band_estimated ? " band" : "");
	if (f->cache_unknown)
		buf_addf(ret, " cache:%lld", (long long)f->cache_unknown);
	if (f->telemetry)
		buf_addf(ret, " telemetry:%lld", (long long)f->telemetry);
	if (f->prompt_max)
		buf_addf(ret, " longest:%lld", (long long)f->prompt_max);
	if (f->scope_unknown)
		buf_adds(ret, " scope");
	if (f->ttl_source > TTL_ASSUMED)
		buf_addf(ret, " by:%s", ttl_source_names[f->ttl_source]);
	if (f->other_rate)
		buf_addf(ret, " other:%lld", (long long)f->other_rate);
	if (f->rate_borrowed || f->less.pico)
		buf_addf(ret, " %s:%s", f->rate_borrowed ? "borrowed" : "less", usd_format_pico(f->less, more));
}

// ---- reading ------------------------------------------------------------------------------------

static bool read_int(struct str *rest, int64_t *ret)
{
	return usd_parse_scaled(str_cut(rest, ' '), 0, ret);
}

static bool read_ttl_source(struct str word, struct figure *f)
{
	for (int i = TTL_ASSUMED; i < TTL_SOURCES; i++)
		if (str_is(word, ttl_source_names[i])) {
			f->ttl_source = (uint8_t)i;
			return true;
		}
	return false;
}

// One of the words behind the numbers; others are passed over.
static bool read_word(struct str word, struct figure *f)
{
	struct str number = word, name = str_cut(&number, ':');
	f->ttl_may_be_1h |= str_is(word, "ttl");
	f->band_estimated |= str_is(word, "band");
	f->scope_unknown |= str_is(word, "scope");
	f->rate_borrowed |= str_is(name, "borrowed");
	if (str_is(name, "borrowed") || str_is(name, "less"))
		return usd_parse_pico(number, &f->less);
	if (str_is(name, "by"))
		return read_ttl_source(number, f);
	if (str_is(name, "other"))
		return usd_parse_scaled(number, 0, &f->other_rate);
	if (str_is(name, "telemetry"))
		return usd_parse_scaled(number, 0, &f->telemetry);
	if (str_is(name, "longest"))
		return usd_parse_scaled(number, 0, &f->prompt_max);
	return !str_is(name, "cache") || usd_parse_scaled(number, 0, &f->cache_unknown);
}

static bool read_figure(struct str value, struct figure *f)
{
	if (!read_int(&value, &f->tokens))
		return false;
	f->priced = usd_parse_pico(str_cut(&value, ' '), &f->usd);
	if (!read_int(&value, &f->exact) || !read_int(&value, &f->allocated) ||
	    !read_int(&value, &f->provisional) || !read_int(&value, &f->assumed) ||
	    !usd_parse_pico(str_cut(&value, ' '), &f->more) || !read_int(&value, &f->spread) ||
	    !read_int(&value, &f->noise))
		return false;
	f->ttl_source = f->assumed > 0 ? TTL_ASSUMED : TTL_NAMED;
	for (struct str word; (word = str_cut(&value, ' ')).len;)
		if (!read_word(word, f))
			return false;
	return figure_is_valid(f);
}

static bool read_calls(struct str value, struct call_count *c)
{
	return read_int(&value, &c->charged) && read_int(&value, &c->failed) && c->charged >= 0 && c->failed >= 0;
}

static bool read_kind(struct str word, struct view_row *ret)
{
	for (int type = 0; type < TOKEN_TYPES; type++)
		if (str_is(word, token_type_names[type])) {
			ret->kind = ROW_TOKENS;
			ret->type = (enum token_type)type;
			return true;
		}
	for (int kind = ROW_CALLS; kind <= ROW_UNCOUNTED; kind++)
		if (str_is(word, kind_words[kind])) {
			ret->kind = (enum row_kind)kind;
			return true;
		}
	return false;
}

bool row_read(struct str field, struct str value, struct view_row *ret)
{
	struct view_row row = {.principal = str_cut(&field, ' ')};
	int rate_class;
	row.tagset = str_cut(&field, ' ');
	if (!row.principal.len || !row.tagset.len || !read_kind(str_cut(&field, '@'), &row) ||
	    !rate_class_parse(field, &rate_class))
		return false;
	row.rate_class = (uint8_t)rate_class;
	if (row.kind == ROW_CALLS ? !read_calls(value, &row.calls) : !read_figure(value, &row.figure))
		return false;
	*ret = row;
	return true;
}

// ---- other fields of the meta hash --------------------------------------------------------------

const char *meta_metric_name(enum token_kind kind)
{
	static const char *const names[TOKEN_KINDS] = {[TOKENS_INPUT] = "input",
	                                               [TOKENS_OUTPUT] = "output",
	                                               [TOKENS_CACHE_READ] = "cache_read",
	                                               [TOKENS_CACHE_WRITE] = "cache_write",
	                                               [TOKENS_UNITS] = "units"};
	return names[kind];
}

const char *const weight_source_names[WEIGHT_SOURCES] = {"none",    "model", "tags", "role",
                                                         "minutes", "exact", "bill"};

void weights_format(const struct weight *w, struct buf *ret)
{
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		buf_addf(ret, "%s%lld %d %s", kind ? " " : "", (long long)w->milli[kind], (int)w->sd_permille[kind],
		         weight_source_names[w->source[kind]]);
}

bool weights_read(struct str field, struct str value, struct str *ret_principal, struct str *ret_tagset,
                  struct weight_row ret[METRIC_KINDS])
{
	struct str principal = str_cut(&field, ' '), tagset = str_cut(&field, ' ');
	if (!str_is(field, META_WEIGHTS))
		return false;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		if (!read_int(&value, &ret[kind].milli) || !read_int(&value, &ret[kind].sd_permille))
			return false;
		ret[kind].source = str_cut(&value, ' ');
		if (ret[kind].milli < 0 || ret[kind].sd_permille < 0 || !ret[kind].source.len)
			return false;
	}
	*ret_principal = principal;
	*ret_tagset = tagset;
	return true;
}

// ---- the digest ---------------------------------------------------------------------------------

uint64_t row_digest(struct str field, struct str value)
{
	return digest64_seeded(value.p ? value.p : "", value.len, digest64(field.p, field.len));
}

char *row_digest_format(uint64_t digest, char *buf)
{
	snprintf(buf, ROW_DIGEST_SIZE, "%016llx", (unsigned long long)digest);
	return buf;
}

uint64_t row_digest_parse(struct str text)
{
	char z[ROW_DIGEST_SIZE] = "";
	if (text.len != sizeof z - 1)
		return 0;
	memcpy(z, text.p, text.len);
	return strtoull(z, NULL, 16);
}
