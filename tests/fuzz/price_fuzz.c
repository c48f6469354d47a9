// SPDX-License-Identifier: Apache-2.0
// Price files, price lists, model ids and usage types from anybody: the first byte chooses, the rest is the
// text. Longest input: 2048 bytes.
#include "pricing/discounts.h"
#include "pricing/import_litellm.h"
#include "pricing/import_pricelist.h"
#include "pricing/price_file.h"
#include "pricing/price_merge.h"
#include "pricing/usage_type.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>

// Every other row as what an import said, the rest as what the next one says: what comes out is a price file,
// and stays.
static void try_merge(const struct price_rows *rows)
{
	struct price_rows old = {.v = xcalloc(rows->n + 1, sizeof *old.v)},
					  new = {.v = xcalloc(rows->n + 1, sizeof *new.v)}, merged;
	struct price_merge m, again;
	struct err err = ERR_INIT;
	for (size_t i = 0; i < rows->n; i++)
		*(i % 2 ? &new.v[new.n++] : &old.v[old.n++]) = rows->v[i];
	price_merge_init(&m, &old, &new, "fuzz", INT64_C(1793577600000));
	bool good = price_file_read(&merged, buf_str(&m.csv), "merged.csv", &err);
	assert(good && merged.n == m.rows);
	price_merge_init(&again, &merged, &new, "fuzz", INT64_C(1793588400000));
	assert(str_eq(buf_str(&again.csv), buf_str(&m.csv)));
	price_merge_release(&again);
	price_merge_release(&m);
	price_rows_release(&merged);
	free(old.v);
	free(new.v);
}

static void try_file(struct str text)
{
	struct catalogue *c;
	struct err_list list = {0};
	struct err err = ERR_INIT, all = {.list = &list};
	if (!catalogue_parse(&c, text, "fuzz.csv", &err)) {
		assert(err.kind == ERR_CONFIG && err.msg[0]);
		check_collected(&err, catalogue_parse(&c, text, "fuzz.csv", &all), &all);
		return;
	}
	struct rate rate;
	struct price_query q = {
		.model = STR("acme.m"), .region = STR("eu-west-1"), .time_ms = INT64_C(1793577600000)};
	assert(catalogue_find(c, &q, &rate) != MISS_NONE ||
	       (rate.pico_per_token >= 0 && rate.from_ms < rate.to_ms));
	try_merge(catalogue_rows(c));
	catalogue_free(c);
}

static void try_model(struct str text)
{
	struct model_id id;
	struct rate rate;
	struct price_query q = {.model = text,
	                        .region = text,
	                        .foundation = text,
	                        .type = TOKEN_OUTPUT,
	                        .time_ms = INT64_C(1793577600000)};
	model_id_read(&id, text);
	assert(id.len <= MODEL_NAME_MAX);
	assert(*price_miss_text(catalogue_find(catalogue_builtin(), &q, &rate)));
}

static void try_usage(struct str text)
{
	struct usage_type u;
	const char *why = NULL;
	assert(usage_type_read(&u, text, &why) || why);
	struct price_names names;
	struct err err = ERR_INIT;
	if (price_names_read(&names, text, "names.csv", &err))
		price_names_release(&names);
	else
		assert(err.kind == ERR_CONFIG && err.msg[0]);
}

static void try_discounts(struct str text)
{
	struct discounts *d;
	struct err_list list = {0};
	struct err err = ERR_INIT, all = {.list = &list};
	if (!discounts_read(&d, text, "discounts.csv", &err)) {
		assert(err.kind == ERR_CONFIG && err.msg[0]);
		check_collected(&err, discounts_read(&d, text, "discounts.csv", &all), &all);
		return;
	}
	const struct discount *found =
		discounts_find(d, STR("111122223333"), STR("anthropic.claude-opus-5"), INT64_C(1793577600000));
	assert(!found || (found->ppm >= 0 && found->ppm <= DISCOUNT_WHOLE && found->from_ms < found->to_ms));
	discounts_free(d);
}

// What an importer writes is a price file that is read or refused like any other.
static void try_import(struct str text, bool litellm)
{
	struct buf csv = BUF_INIT, notes = BUF_INIT;
	struct litellm_counts l;
	struct pricelist_counts p;
	struct err err = ERR_INIT;
	struct price_rows rows;
	bool good = litellm ? litellm_import(&csv, &notes, &l, text, INT64_C(1793577600000), "fuzz", &err)
	                    : pricelist_import(&csv, &notes, &p, text, NULL, &err);
	assert(good ? csv.len > 0 : csv.len == 0 && err.kind == ERR_CONFIG);
	if (good && price_file_read(&rows, buf_str(&csv), "imported.csv", &err))
		price_rows_release(&rows);
	buf_release(&csv);
	buf_release(&notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	struct str text = {(const char *)data + 1, size - 1};
	switch (data[0] % 6) {
	case 0: try_file(text); break;
	case 1: try_model(text); break;
	case 2: try_usage(text); break;
	case 3: try_import(text, true); break;
	case 4: try_import(text, false); break;
	case 5: try_discounts(text); break;
	}
	return 0;
}
