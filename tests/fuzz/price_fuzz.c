// SPDX-License-Identifier: Apache-2.0
// Price files, model ids and usage types from anybody: the first byte chooses, the rest is the text.
#include "pricing/price_file.h"
#include "pricing/usage_type.h"

#include <assert.h>

static void try_file(struct str text)
{
	struct catalogue *c;
	struct err err = ERR_INIT;
	if (!catalogue_parse(&c, text, "fuzz.csv", &err)) {
		assert(err.kind == ERR_CONFIG && err.msg[0]);
		return;
	}
	struct rate rate;
	const char *why = NULL;
	bool found = catalogue_rate(c, STR("acme.m"), STR_NONE, STR("eu-west-1"), TOKEN_INPUT, INT64_C(1793577600000), &rate, &why);
	assert(found ? rate.pico_per_token >= 0 && rate.from_ms < rate.to_ms : why != NULL);
	catalogue_free(c);
}

static void try_model(struct str text)
{
	struct model_id id;
	struct rate rate;
	const char *why = NULL;
	model_id_read(&id, text);
	assert(id.len <= MODEL_NAME_MAX);
	bool found = catalogue_rate(catalogue_builtin(), text, text, text, TOKEN_OUTPUT, INT64_C(1793577600000), &rate, &why);
	assert(found || why);
}

static void try_usage(struct str text)
{
	struct usage_type u;
	const char *why = NULL;
	assert(usage_type_read(&u, text, &why) || why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	struct str text = {(const char *)data + 1, size - 1};
	switch (data[0] % 3) {
	case 0: try_file(text); break;
	case 1: try_model(text); break;
	case 2: try_usage(text); break;
	}
	return 0;
}
