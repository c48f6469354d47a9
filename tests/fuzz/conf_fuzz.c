// SPDX-License-Identifier: Apache-2.0
// Configuration files, and single values as flags and the environment give them. A file is refused with
// the key, or what it sets is within its limits, and the file of what is in force sets the same again.
// Longest input: 1024 bytes.
#include "base/conf.h"

#include "ingest/trust.h"
#include "tests/fuzz/fuzz.h"

static void check_limits(const struct conf *c)
{
	for (size_t i = 0; i < conf_nkeys; i++) {
		const struct conf_key *k = &conf_keys[i];
		const char *field = (const char *)c + k->offset;
		if (k->type == CONF_INTEGER || k->type == CONF_DURATION || k->type == CONF_BYTES)
			assert(*(const int64_t *)(const void *)field >= k->min &&
			       *(const int64_t *)(const void *)field <= k->max);
		else if (k->type == CONF_STRING)
			assert(*(char *const *)(const void *)field);
		else if (k->type == CONF_LIST)
			for (size_t n = 0; n < ((const struct conf_list *)(const void *)field)->n; n++)
				assert(((const struct conf_list *)(const void *)field)->items[n]);
	}
}

static bool read_conf(struct conf *c, struct str text)
{
	struct err err = ERR_INIT;
	conf_init(c);
	bool good = conf_read_text(c, text, "fuzz.conf", &err);
	if (!good) {
		struct conf again;
		struct err_list list = {0};
		struct err all = {.list = &list};
		check_refusal(&err);
		conf_init(&again);
		check_collected(&err, conf_read_text(&again, text, "fuzz.conf", &all), &all);
		conf_release(&again);
	}
	assert(good || err.kind == ERR_CONFIG);
	return good;
}

// The same keys twice: the text in force is the text again.
static void check_reload(struct conf *c, struct str text)
{
	struct conf again;
	const char *restart = NULL;
	bool good = read_conf(&again, text);
	assert(good);
	conf_reload(c, &again, &restart);
	assert(!restart);
	conf_release(&again);
}

// A record of telemetry's topic: counted, or refused with the key that would allow it.
static void try_trust(const struct conf *c)
{
	static const struct record metric = {
		.kind = RECORD_METRIC,
		.metric = {.account = STR("111122223333"), .region = STR("us-east-1"), .model = STR("m")}};
	const struct origin origins[] = {{.topic = STR("cloudtrail")}, {.path = "x.json", .line = 1}};
	struct err err = ERR_INIT;
	struct trust *t;
	enum fault_kind kind = FAULT_KINDS;
	if (!trust_open(&t, c, &err)) {
		check_refusal(&err);
		return;
	}
	for (int i = 0; i < 2; i++) {
		struct err why = ERR_INIT;
		if (!trust_allows(t, &origins[i], &metric, &kind, &why))
			assert(why.kind == ERR_SKIP && why.msg[0] && kind < FAULT_KINDS);
	}
	trust_close(t);
}

static void try_flag(struct input *in)
{
	struct str flag = take_text(in), key;
	struct err err = ERR_INIT;
	struct conf c;
	if (!conf_flag_key(flag, &key))
		return;
	conf_init(&c);
	if (!conf_set(&c, key, take_rest(in), (struct conf_origin){CONF_FLAG, 0}, &err))
		check_refusal(&err);
	check_limits(&c);
	conf_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct err err = ERR_INIT;
	struct conf c;
	if (take_byte(&in) % 4 == 0) {
		try_flag(&in);
		return 0;
	}
	struct str text = take_rest(&in);
	bool good = read_conf(&c, text);
	check_limits(&c);
	if (good) {
		check_reload(&c, text);
		if (!conf_check(&c, &err))
			check_refusal(&err);
		else if (!*c.accounts_file)
			try_trust(&c);
	}
	conf_release(&c);
	return 0;
}
