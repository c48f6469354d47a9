// SPDX-License-Identifier: Apache-2.0
// Model ids and ARNs, names of models, usage types of the bill and of the price list. What is read of any
// text is within its limits, the key of a key is the key itself, and what a price needs a bill reads as
// well. Longest input: 256 bytes.
#include "pricing/model_id.h"
#include "pricing/model_name.h"
#include "pricing/usage_type.h"
#include "tests/fuzz/fuzz.h"

static void try_id(struct str text)
{
	struct model_id id;
	struct str rest = text, key = model_id_key(text);
	model_id_read(&id, text);
	assert(id.kind <= MODEL_OTHERS && id.scope < PRICE_SCOPES && id.len <= MODEL_NAME_MAX);
	assert(id.profile_len <= MODEL_PROFILE_MAX && key.len <= text.len && str_eq(model_id_key(key), key));
	struct str profile = model_id_cut_profile(&rest);
	assert(profile.p ? profile.len + 1 + rest.len == text.len : str_eq(rest, text));
}

static void try_name(struct str text)
{
	static struct model_names *names;
	struct buf key = BUF_INIT, again = BUF_INIT;
	if (!names)
		names = model_names_new();
	model_name_key(&key, text);
	model_name_key(&again, text);
	assert(str_eq(buf_str(&key), buf_str(&again)));
	for (size_t i = 0; i < key.len; i++)
		assert(key.data[i] == ' ' || (key.data[i] >= '0' && key.data[i] <= '9') ||
		       (key.data[i] >= 'a' && key.data[i] <= 'z'));
	struct str model = model_names_find(names, text);
	if (model.len) { // two writings of one model
		buf_clear(&again);
		model_name_key(&again, model);
		struct str back = model_names_find(names, model);
		assert(str_eq(back, model));
	}
	buf_release(&key);
	buf_release(&again);
}

static void check_usage(const struct usage_type *u)
{
	assert(u->kind < USAGE_KINDS && u->type < TOKEN_TYPES && u->scope < PRICE_SCOPES &&
	       u->tier < PRICE_TIERS);
	assert(u->modality < USAGE_MODALITIES &&
	       (u->ttl_minutes == 0 || u->ttl_minutes == 5 || u->ttl_minutes == 30 || u->ttl_minutes == 60));
	assert(u->kind != USAGE_TOKENS || u->tokens_per_unit == 1000 || u->tokens_per_unit == 1000000);
}

static void try_usage(struct input *in)
{
	static const char *const units[] = {"", "Units", "1K tokens", "1M tokens", "Images", "Seconds", "Hours"};
	struct str unit = str_of(units[take_byte(in) % (sizeof units / sizeof *units)]), text = take_rest(in);
	struct usage_type priced = {.kind = USAGE_OTHER}, billed;
	const char *why = NULL, *why_billed = NULL;
	usage_type_read_billed(&billed, text, unit, &why_billed);
	check_usage(&billed);
	assert(!why_billed || *why_billed);
	if (!usage_type_read(&priced, text, &why)) {
		assert(why && *why && priced.kind == USAGE_OTHER);
		return;
	}
	check_usage(&priced);
	assert(!priced.unsure && priced.kind != USAGE_OTHER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	switch (take_byte(&in) % 3) {
	case 0:
		try_id(take_rest(&in));
		break;
	case 1:
		try_name(take_rest(&in));
		break;
	case 2:
		try_usage(&in);
		break;
	}
	return 0;
}
