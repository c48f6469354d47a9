// SPDX-License-Identifier: Apache-2.0
// Figures as Redis holds them: the rows of the estimate and of the bill, weights, digests, tags. A row is
// refused, or its figure is valid, and it is written and read again as what it was.
// Longest input: 256 bytes.
#include <jansson.h>

#include "estimator/rate_class.h"
#include "store/actual.h"
#include "store/tagset.h"
#include "store/usage_rows.h"
#include "tests/fuzz/fuzz.h"

static void check_same(const struct view_row *a, const struct view_row *b)
{
	const struct figure *f = &a->figure, *g = &b->figure;
	assert(row_cmp(a, b) == 0 && a->kind == b->kind && a->type == b->type && a->rate_class == b->rate_class);
	assert(f->tokens == g->tokens && f->exact == g->exact && f->allocated == g->allocated);
	assert(f->provisional == g->provisional && f->billed == g->billed && f->telemetry == g->telemetry &&
	       f->assumed == g->assumed);
	assert(f->cache_unknown == g->cache_unknown && f->prompt_max == g->prompt_max && f->spread == g->spread);
	assert(f->noise == g->noise && usd_cmp(f->usd, g->usd) == 0 && usd_cmp(f->more, g->more) == 0);
	assert(usd_cmp(f->less, g->less) == 0 && usd_cmp(f->list, g->list) == 0 && f->priced == g->priced);
	assert(f->ttl_may_be_1h == g->ttl_may_be_1h && f->rate_borrowed == g->rate_borrowed);
	assert(f->ttl_source == g->ttl_source && f->other_rate == g->other_rate);
	assert(f->band_estimated == g->band_estimated && a->calls.charged == b->calls.charged);
	assert(a->calls.failed == b->calls.failed);
}

static void try_row(struct str field, struct str value)
{
	struct view_row row, again;
	struct buf f = BUF_INIT, v = BUF_INIT;
	if (!row_read(field, value, &row))
		return;
	assert(figure_is_valid(&row.figure) && row.principal.len && *row_name(&row));
	row_format_field(&row, &f);
	row_format_value(&row, &v);
	bool good = row_read(buf_str(&f), buf_str(&v), &again);
	assert(good || memchr(field.p, '\0', field.len));
	if (good)
		check_same(&row, &again);
	buf_release(&f);
	buf_release(&v);
}

static void try_actual(struct str field, struct str value)
{
	struct view_row row, again;
	struct buf f = BUF_INIT, v = BUF_INIT;
	if (!actual_read(field, value, &row))
		return;
	assert(figure_is_valid(&row.figure) && row.figure.billed == row.figure.tokens);
	struct actual_row a = {
		row.principal,     row.kind,       row.type,        row.rate_class,
		row.figure.tokens, row.figure.usd, row.figure.list, str_is(row.tagset, "-") ? STR_NONE : row.tagset};
	actual_format_field(&a, &f);
	actual_format_value(&a, &v);
	bool good = actual_read(buf_str(&f), buf_str(&v), &again);
	assert(good || memchr(value.p, '\0', value.len));
	if (good && str_eq(row.tagset, again.tagset))
		check_same(&row, &again);
	buf_release(&f);
	buf_release(&v);
}

static void try_weights(struct str field, struct str value)
{
	struct weight_row w[METRIC_KINDS];
	struct str principal, tagset;
	if (!weights_read(field, value, &principal, &tagset, w))
		return;
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		assert(w[kind].milli >= 0 && w[kind].sd_permille >= 0 && w[kind].source.len);
}

static void try_digest(struct str text)
{
	char z[ROW_DIGEST_SIZE];
	uint64_t digest = row_digest_parse(text);
	assert(row_digest_parse(str_of(row_digest_format(digest, z))) == digest);
}

static void try_rate_class(struct str text)
{
	char z[RATE_CLASS_TEXT_SIZE];
	int class, again;
	if (!rate_class_parse(text, &class))
		return;
	struct str back = str_of(rate_class_format((uint8_t) class, z));
	bool good = rate_class_parse((struct str){back.p + (back.len > 0), back.len - (back.len > 0)}, &again);
	assert(class >= 0 && class <= UINT8_MAX && good && again == class);
}

static void check_tagset(const struct tagset *t)
{
	json_t *o = json_loadb(t->json.p, t->json.len, JSON_ALLOW_NUL, NULL);
	assert(json_is_object(o) && (str_is(t->id, "-") == (json_object_size(o) == 0)));
	json_decref(o);
}

// The tags of a session, and what its records say beside: any JSON, or none. Without labels they are the
// same, and one value says that there were some.
static void try_tagset(struct input *in)
{
	struct str names[] = {STR("meta:team")};
	struct kept_names kept = {.day = 20759, .group = STR("role/x labels"), .names = names, .n = 1};
	const struct cardinality some = {&kept, (int)(take_byte(in) % 2)};
	const struct tagset_limits limits = {&some, STR("role/x"), 20759};
	struct arena arena = ARENA_INIT;
	struct str base = take_text(in), identity = take_text(in), meta = take_rest(in);
	struct tagset t = tagset_none();
	json_t *o = json_loadb(base.len ? base.p : "", base.len, JSON_ALLOW_NUL, NULL);
	if (json_object_size(o))
		t = tagset_of(base, &arena);
	json_decref(o);
	struct tagset with = tagset_with_labels(&t, identity, meta, &limits, &arena),
				  less = tagset_fold(&with, &arena);
	check_tagset(&with);
	check_tagset(&less);
	o = json_loadb(less.json.p, less.json.len, JSON_ALLOW_NUL, NULL);
	const char *key;
	json_t *value;
	json_object_foreach(o, key, value) assert(!tagset_is_label(key) || strcmp(key, TAG_LABELS) == 0);
	json_decref(o);
	arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	unsigned which = take_byte(&in) % 6;
	if (which == 5) {
		try_tagset(&in);
		return 0;
	}
	struct str field = take_text(&in), value = take_rest(&in);
	switch (which) {
	case 0:
		try_row(field, value);
		break;
	case 1:
		try_actual(field, value);
		break;
	case 2:
		try_weights(field, value);
		break;
	case 3:
		try_digest(field);
		break;
	case 4:
		try_rate_class(field);
		break;
	}
	return 0;
}
