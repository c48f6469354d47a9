// SPDX-License-Identifier: Apache-2.0
// Mapping files from anybody: one is refused with its line and column, or every caller has one answer,
// the same one when asked again. Longest input: 1024 bytes.
#include "store/mapping.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mapping_caller callers[] = {
		{STR("111122223333"), STR("arn:aws:sts::111122223333:assumed-role/gateway/pod-1"),
	     STR("amazon.nova-pro-v1:0")},
		{STR("111122223333"), STR("arn:aws:sts::111122223333:assumed-role/gateway/(other sessions)"),
	     STR("k3v9q2m7x1tz")},
		{STR("444455556666"), STR("arn:aws:iam::111122223333:user/ann"), STR("(other models)")},
		{STR("111122223333"), STR("(unattributed)"), STR("")},
	};
	struct mapping *m = NULL;
	struct err err = ERR_INIT;
	if (!mapping_read(&m, (struct str){(const char *)data, size}, "map.csv", NULL, &err)) {
		struct err_list list = {0};
		struct err all = {.list = &list};
		assert(err.kind == ERR_CONFIG && str_starts(str_of(err.msg), STR("map.csv:")));
		check_collected(
			&err, mapping_read(&m, (struct str){(const char *)data, size}, "map.csv", NULL, &all), &all);
		return 0;
	}
	for (size_t i = 0; i < 2 * sizeof callers / sizeof *callers; i++)
		for (int key = 0; key < mapping_nkeys(m); key++) {
			const struct mapping_caller *c = &callers[i / 2];
			struct mapped got = mapping_value(m, c, 495173, key), again = mapping_value(m, c, 495173, key);
			assert(got.line == again.line && str_eq(got.value, again.value));
			assert(!got.line || (got.line->from <= 495173 && 495173 < got.line->until));
		}
	mapping_free(m);
	return 0;
}
