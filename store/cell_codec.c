// SPDX-License-Identifier: Apache-2.0
#include "store/cell_codec.h"

#include <assert.h>
#include <stdio.h>

#include "base/bytes.h"

static bool read_project(struct str digits, uint64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < digits.len; i++) {
		char c = digits.p[i];
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (digit < 0)
			return false;
		*ret = *ret << 4 | (uint64_t)digit;
	}
	return true;
}

static void read_project_field(struct str field, struct cell_field *ret)
{
	int kind = field.p[CELL_AT_KIND] - CELL_FIRST_KIND;
	if (field.p[CELL_AT_MARK] != CELL_METRIC_MARK || kind < 0 || kind >= METRIC_KINDS ||
	    !read_project((struct str){field.p + CELL_AT_PROJECT, CELL_PROJECT_DIGITS}, &ret->project))
		return;
	ret->kind = (enum token_kind)kind;
	ret->form = CELL_PROJECT_METRIC;
}

static void read_metric_field(struct str field, struct cell_field *ret)
{
	int kind = field.p[CELL_AT_KIND] - CELL_FIRST_KIND;
	bool of_tier = field.len == CELL_TIER_METRIC_SIZE;
	if (field.p[CELL_AT_MARK] != CELL_METRIC_MARK || kind < 0)
		return;
	ret->kind = (enum token_kind)kind;
	if (!of_tier && (kind < METRIC_KINDS || kind == TOKENS_UNITS))
		ret->form = CELL_METRIC;
	int served = of_tier ? field.p[CELL_AT_SERVED] - CELL_FIRST_TIER : 0;
	if (of_tier && kind < METRIC_KINDS && served >= 0 && served < PRICE_TIERS) {
		ret->served = (enum price_tier)served;
		ret->form = CELL_TIER_METRIC;
	}
}

void cell_field_read(struct str field, struct cell_field *ret)
{
	*ret = (struct cell_field){0};
	if (str_is(field, "v") || str_is(field, "w")) {
		ret->form = CELL_VERSION;
		return;
	}
	if (!field.len || (unsigned char)field.p[CELL_AT_MINUTE] >= CELL_MINUTES)
		return;
	ret->minute = field.p[CELL_AT_MINUTE];
	if (field.len == CELL_TELLING_SIZE) {
		ret->form = field.p[CELL_AT_MARK] == CELL_TELLING_MARK ? CELL_TELLING : CELL_OTHER;
		return;
	}
	if (field.len == CELL_RATED_CALLS_SIZE + CELL_SECOND_SIZE ||
	    field.len == CELL_META_CALLS_SIZE + CELL_SECOND_SIZE) {
		field.len -= CELL_SECOND_SIZE;
		ret->second = bytes_get32(field.p + field.len + 1);
		ret->second_is_end =
			(uint8_t)field.p[field.len] % (1 << EVIDENCE_KIND_SHIFT) == EVIDENCE_SECOND_END;
	}
	bool has_meta = field.len == CELL_META_CALLS_SIZE;
	if (field.len == CELL_CALLS_SIZE || field.len == CELL_RATED_CALLS_SIZE || has_meta) {
		ret->caller_id = bytes_get64(field.p + CELL_AT_CALLER);
		uint8_t class = field.len > CELL_AT_RATE_CLASS ? (uint8_t)field.p[CELL_AT_RATE_CLASS] : 0;
		ret->rate_class = class & (CELL_TELEMETRY - 1);
		ret->telemetry = class & CELL_TELEMETRY;
		ret->meta_id = has_meta ? bytes_get64(field.p + CELL_AT_META) : 0;
		ret->form = CELL_CALLS;
	} else if (field.len == CELL_METRIC_SIZE || field.len == CELL_TIER_METRIC_SIZE) {
		read_metric_field(field, ret);
	} else if (field.len == CELL_PROJECT_METRIC_SIZE) {
		read_project_field(field, ret);
	}
}

void cell_calls_read(const struct cell_field *field, struct str value, struct calls *ret)
{
	*ret = (struct calls){
		.caller_id = field->caller_id,
		.meta_id = field->meta_id,
		.rate_class = field->rate_class,
		.telemetry = field->telemetry,
		.second = field->second,
		.second_is_end = field->second_is_end,
	};
	struct str rest = value, sixths = str_cut(&rest, '/');
	if (sixths.len < value.len) {
		ret->started_sixths = str_cut_count(&sixths);
		value = rest;
	}
	ret->n = str_cut_count(&value);
	ret->failed = str_cut_count(&value);
	ret->started = str_cut_count(&value);
	for (int kind = 0; kind < TOKEN_KINDS && value.len; kind++) {
		ret->exact_n[kind] = str_cut_count(&value);
		ret->exact[kind] = str_cut_count(&value);
	}
}

// The order of the tokens in the value.
static const enum token_kind told_kinds[] = {TOKENS_INPUT, TOKENS_OUTPUT, TOKENS_CACHE_READ,
                                             TOKENS_CACHE_WRITE};

bool cell_telling_read(const struct cell_field *field, struct str value, struct telling *ret)
{
	*ret = (struct telling){.minute = field->minute};
	ret->start = str_cut_count(&value);
	ret->end = str_cut_count(&value);
	for (int i = 0; i < METRIC_KINDS; i++) {
		ret->known[told_kinds[i]] = value.len && value.p[0] != '-';
		ret->tokens[told_kinds[i]] = str_cut_count(&value);
	}
	ret->user = value;
	return value.len > 0;
}

void cell_telling_write(const struct telling *t, struct buf *ret)
{
	buf_addf(ret, "%lld %lld", (long long)t->start, (long long)t->end);
	for (int i = 0; i < METRIC_KINDS; i++)
		if (t->known[told_kinds[i]])
			buf_addf(ret, " %lld", (long long)t->tokens[told_kinds[i]]);
		else
			buf_adds(ret, " -");
	buf_addf(ret, " %.*s", STR_ARG(t->user));
}

void cell_metric_read(struct str value, struct cell_metric *ret)
{
	ret->rank = str_cut_count(&value);
	ret->sum = str_cut_count(&value);
	ret->samples = str_cut_count(&value);
	ret->larger = str_cut_count(&value);
}

char *cell_metric_name(enum token_kind kind, bool of_tier, int asked, enum price_tier served, char *buf)
{
	assert(asked >= 0 && asked <= PRICE_TIERS);
	char *p = buf;
	*p++ = (char)(CELL_FIRST_KIND + (int)kind);
	if (of_tier) {
		*p++ = (char)(CELL_FIRST_TIER + asked);
		*p++ = (char)(CELL_FIRST_TIER + (int)served);
	}
	*p = '\0';
	return buf;
}

char *cell_project_metric_name(enum token_kind kind, uint64_t project, char *buf)
{
	assert(kind <= TOKENS_CACHE_WRITE);
	snprintf(buf, CELL_METRIC_NAME_SIZE, "%c%016llx", CELL_FIRST_KIND + (int)kind,
	         (unsigned long long)project);
	return buf;
}
