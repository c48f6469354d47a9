// SPDX-License-Identifier: Apache-2.0
// Lists of tags, of inference profiles and of names, as the AWS command line and people write them. A
// text is taken whole or refused whole with a reason; what is kept of it is JSON.
// Longest input: 1024 bytes.
#include <jansson.h>

#include "pricing/price_names.h"
#include "store/profile_import.h"
#include "store/tag_import.h"
#include "tests/fuzz/fuzz.h"

static void check_object(const char *text)
{
	json_t *o = json_loads(text, JSON_ALLOW_NUL, NULL);
	assert(json_is_object(o));
	json_decref(o);
}

static void try_tags(struct input *in)
{
	struct tag_import list = TAG_LIST_INIT;
	struct err err = ERR_INIT;
	struct str arn = take_byte(in) % 2 ? STR("arn:aws:iam::111122223333:role/search") : STR_NONE;
	if (tag_import_read(&list, take_rest(in), "tags.json", arn, NULL, &err)) {
		for (size_t i = 0; i < list.n; i++) {
			assert(*list.items[i].owner && strchr(list.items[i].owner, ':') &&
			       !strchr(list.items[i].owner, ' '));
			check_object(list.items[i].change);
		}
	} else {
		check_refusal(&err);
		assert(err.kind == ERR_CONFIG);
	}
	tag_import_release(&list);
}

static void try_profiles(struct str text)
{
	struct profile_import list = PROFILE_LIST_INIT;
	struct err err = ERR_INIT;
	if (profile_import_read(&list, text, "profiles.json", &err)) {
		for (size_t i = 0; i < list.n; i++) {
			assert(*list.items[i].id && *list.items[i].model && list.items[i].from_ms >= 0);
			check_object(list.items[i].json);
		}
	} else {
		check_refusal(&err);
		assert(err.kind == ERR_CONFIG);
	}
	profile_import_release(&list);
}

static void try_names(struct str text)
{
	struct price_names names;
	struct err err = ERR_INIT;
	if (price_names_read(&names, text, "names.csv", &err))
		price_names_release(&names);
	else
		check_refusal(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	switch (take_byte(&in) % 3) {
	case 0:
		try_tags(&in);
		break;
	case 1:
		try_profiles(take_rest(&in));
		break;
	case 2:
		try_names(take_rest(&in));
		break;
	}
	return 0;
}
