// SPDX-License-Identifier: Apache-2.0
// The configuration, as a table: text in, and either the value that is in force or the error a user would
// read. A new key or a new complaint is a new row of tests/conf.table.
//
//     <lines of a file>
//     --
//     key => value            in force (the printed form), or
//     error: text             contained in the error
//     ==
#include "base/conf.h"

#include "base/buf.h"
#include "base/conf_value.h"
#include "base/text.h"
#include "tests/tap.h"

static bool value_of(const struct conf *c, struct str key, struct buf *ret)
{
	buf_clear(ret);
	for (size_t i = 0; i < conf_nkeys; i++)
		if (str_is(key, conf_keys[i].name)) {
			conf_value_format(c, &conf_keys[i], ret);
			return true;
		}
	for (size_t i = 0; i < c->nkafka; i++)
		if (str_starts(key, STR("kafka.")) && strcmp(key.p + 6, c->kafka[i].key) == 0) {
			buf_adds(ret, c->kafka[i].value);
			return true;
		}
	return false;
}

static void expect_line(const struct conf *c, const struct err *err, struct str line)
{
	char *want = xstrdup(line);
	char *arrow = strstr(want, " => ");
	if (strncmp(want, "error: ", 7) == 0) {
		if (!ok(strstr(err->msg, want + 7) != NULL && err->kind == ERR_CONFIG, "%s", want))
			diag("got \"%s\"", err->msg);
	} else if (ok(arrow != NULL, "a row is key => value or error: text: %s", want)) {
		struct buf got = BUF_INIT;
		*arrow = '\0';
		ok(err->kind == ERR_NONE && value_of(c, str_of(want), &got), "%s is set (%s)", want, err->msg);
		is_str(got.len ? got.data : "", arrow + 4, want);
		buf_release(&got);
	}
	free(want);
}

static void run_case(struct str text)
{
	struct err err = ERR_INIT;
	struct conf c;
	const char *middle = memmem(text.p, text.len, "--\n", 3);
	if (!ok(middle != NULL, "a case has a -- line"))
		return;
	struct str input = {text.p, (size_t)(middle - text.p)}, rest = {middle + 3, text.len - input.len - 3};
	conf_init(&c);
	if (conf_read_text(&c, input, "test.conf", &err) && !conf_check(&c, &err))
		ok(err.kind == ERR_CONFIG, "conf_check fails as a configuration error");
	while (rest.len) {
		struct str line = str_cut(&rest, '\n');
		if (line.len)
			expect_line(&c, &err, line);
	}
	conf_release(&c);
}

static void run_table(const char *path)
{
	static char text[64 * 1024];
	FILE *f = fopen(path, "r");
	if (!ok(f != NULL, "%s opens", path))
		return;
	struct str rest = {text, fread(text, 1, sizeof text - 1, f)};
	fclose(f);
	while (rest.len) {
		const char *end = memmem(rest.p, rest.len, "==\n", 3);
		struct str one = {rest.p, end ? (size_t)(end - rest.p) : rest.len};
		run_case(one);
		rest.p += one.len + (end ? 3 : 0);
		rest.len -= one.len + (end ? 3 : 0);
	}
}

static bool set(struct conf *c, const char *key, const char *value, enum conf_source source)
{
	struct err err = ERR_INIT;
	return conf_set(c, str_of(key), str_of(value), (struct conf_origin){source, 0}, &err);
}

static void precedence(void)
{
	struct conf c;
	struct err err = ERR_INIT;
	char batch[] = "NOWCAST_BATCH_RECORDS=20", ca[] = "NOWCAST_REDIS_CA=/ca",
		 id[] = "NOWCAST_KAFKA_CLIENT_ID=me";
	char home[] = "HOME=/", service[] = "NOWCAST_KAFKA_SERVICE_HOST=10.0.0.1",
		 port[] = "NOWCAST_PORT=tcp://x";
	char window[] = "NOWCAST_WINDOW=24";
	char *env[] = {batch, ca, id, home, service, port, NULL};
	conf_init(&c);
	ok(set(&c, "batch.records", "30", CONF_FLAG) && conf_read_env(&c, env, &err) &&
	       conf_read_text(&c, STR("batch.records = 10\nredis.ca = /other\n"), "f", &err),
	   "flag, environment and file are read (%s)", err.msg);
	is_int(c.batch_records, 30, "a flag is stronger than the environment and the file");
	is_str(c.redis_ca, "/ca", "the environment is stronger than the file");
	ok(c.nkafka == 1 && strcmp(c.kafka[0].key, "client.id") == 0,
	   "NOWCAST_KAFKA_ is a property, a service link is not");
	char *bad[] = {window, NULL};
	ok(!conf_read_env(&c, bad, &err) && strstr(err.msg, "NOWCAST_WINDOW"), "an error names the variable: %s",
	   err.msg);
	conf_release(&c);

	struct str key;
	ok(conf_flag_key(STR("batch-records"), &key) && str_is(key, "batch.records"), "--batch-records");
	ok(conf_flag_key(STR("dead-letter-file"), &key) && str_is(key, "dead_letter.file"), "--dead-letter-file");
	ok(!conf_flag_key(STR("by"), &key), "--by is nobody's key");
}

static void reload(void)
{
	struct conf c, fresh;
	const char *restart = "";
	conf_init(&c);
	conf_init(&fresh);
	ok(set(&fresh, "log.level", "debug", CONF_FILE) && set(&fresh, "workers", "3", CONF_FILE),
	   "a changed file");
	conf_reload(&c, &fresh, &restart);
	is_int(c.log_level, 3, "a reloadable key takes its new value");
	is_int(c.workers, 1, "another does not");
	is_str(restart, "workers", "and is named");
	conf_release(&c);
	conf_release(&fresh);
}

static void printing(void)
{
	char *text = NULL;
	size_t size = 0;
	struct conf c;
	struct err err = ERR_INIT;
	FILE *f = open_memstream(&text, &size);
	conf_print_sample(f);
	fclose(f);
	static char kept[64 * 1024];
	f = fopen("deploy/nowcast.conf", "re");
	if (ok(f != NULL, "deploy/nowcast.conf is there")) {
		kept[fread(kept, 1, sizeof kept - 1, f)] = '\0';
		fclose(f);
		ok(strcmp(kept, text) == 0,
		   "and is what the table prints: else run make sample-config and commit it");
	}
	for (char *p = text; (p = strstr(p, "\n#")); p++) // what is commented out becomes what is said
		if (p[2] >= 'a' && p[2] <= 'z')
			p[1] = ' ';
	conf_init(&c);
	ok(conf_read_text(&c, (struct str){text, size}, "sample", &err), "the sample file is a valid file (%s)",
	   err.msg);
	free(text);

	ok(set(&c, "redis", "rediss://u:pass@word@h:1/2", CONF_FLAG) &&
	       set(&c, "kafka.sasl.password", "sesame", CONF_FLAG),
	   "secrets");
	f = open_memstream(&text, &size);
	conf_print_effective(&c, f);
	fclose(f);
	ok(!strstr(text, "word") || strstr(text, "password ="), "no password");
	ok(!strstr(text, "pass@") && !strstr(text, "sesame") && strstr(text, "rediss://u:****@h:1/2"),
	   "secrets are blotted out");
	free(text);
	conf_release(&c);
}

int main(void)
{
	run_table("tests/conf.table");
	precedence();
	reload();
	printing();
	return done();
}
