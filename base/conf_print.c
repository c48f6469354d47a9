// SPDX-License-Identifier: Apache-2.0
// Prints the commented sample file, and the effective values with their origins. Users paste the latter into
// bug reports, so secrets are masked.
#include "base/conf.h"

#include <strings.h>

#include "base/buf.h"
#include "base/conf_value.h"
#include "base/text.h"

enum { COLUMNS = 100 };

static void print_wrapped(FILE *f, const char *prefix, const char *text)
{
	size_t column = strlen(prefix);
	fputs(prefix, f);
	struct str rest = str_of(text);
	for (bool first = true; rest.len; first = false) {
		struct str word = str_cut(&rest, ' ');
		if (!first && column + 1 + word.len > COLUMNS) {
			fprintf(f, "\n%s", prefix);
			column = strlen(prefix);
			first = true;
		}
		fprintf(f, "%s%.*s", first ? "" : " ", STR_ARG(word));
		column += word.len + !first;
	}
	fputc('\n', f);
}

static void print_sample_key(FILE *f, const struct conf_key *key)
{
	struct buf allowed = BUF_INIT;
	print_wrapped(f, "# ", key->sentence);
	conf_value_allowed(key, &allowed);
	if (key->type != CONF_STRING && key->type != CONF_LIST)
		fprintf(f, "# (%s%s)\n", allowed.data, key->reloadable ? "; reloadable by SIGHUP" : "");
	fprintf(f, "#%s =%s%s\n\n", key->name, *key->init ? " " : "", key->init);
	buf_release(&allowed);
}

void conf_print_sample(FILE *f)
{
	fputs(
		"# Configuration of nowcast. Lines are `key = value`; a # at the start of a line begins a comment.\n"
		"# Keys that are commented out have their default. The key batch.records may also be set by the flag\n"
		"# --batch-records or by the variable NOWCAST_BATCH_RECORDS: a flag overrides a variable, and both override\n"
		"# this file. `nowcast check-config --config FILE` shows the effective values.\n\n",
		f);
	for (size_t i = 0; i < conf_nkeys; i++)
		print_sample_key(f, &conf_keys[i]);
	fputs(
		"# Keys that begin with trust. say what a source may carry: trust.TOPIC, trust.file:PATH or\n"
		"# trust.log_group:OWNER:NAME, which may be patterns with *. The value is a list of cloudtrail, metrics, logs,\n"
		"# telemetry, and of accounts, if it may speak of these only; or none. Where there is no rule for topics, every topic\n"
		"# may carry everything; where there is one, a topic without a rule carries nothing.\n"
		"#trust.cloudtrail = cloudtrail\n"
		"#trust.cloudwatch = metrics\n"
		"#trust.team-* = logs, 111122223333\n\n"
		"# Keys that begin with kafka. are passed to librdkafka unchanged; its CONFIGURATION.md lists them. For TLS and SASL:\n"
		"#kafka.security.protocol = SASL_SSL\n"
		"#kafka.sasl.mechanisms = SCRAM-SHA-512\n"
		"#kafka.sasl.username = nowcast\n"
		"#kafka.sasl.password =\n",
		f);
}

bool conf_is_secret(struct str key)
{
	static const char *const words[] = {"password", "secret",  "token",
	                                    "jaas",     "key.pem", "oauthbearer.config"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		for (size_t at = 0; at + strlen(words[i]) <= key.len; at++)
			if (strncasecmp(key.p + at, words[i], strlen(words[i])) == 0)
				return true;
	return false;
}

static void print_line(FILE *f, const char *name, const char *value, struct conf_origin origin,
                       const char *file)
{
	static const char *const sources[] = {"default", "file", "secrets.file", "environment", "flag"};
	int n = fprintf(f, "%s =%s%s", name, *value ? " " : "", value);
	fprintf(f, "%*s# ", n < 47 ? 48 - n : 1, "");
	if (origin.source == CONF_FILE)
		fprintf(f, "%s:%d\n", file ? file : "file", origin.line);
	else if (origin.source == CONF_SECRETS)
		fprintf(f, "%s:%d\n", sources[origin.source], origin.line);
	else
		fprintf(f, "%s\n", sources[origin.source]);
}

void conf_print_effective(const struct conf *c, FILE *f)
{
	for (size_t i = 0; i < conf_nkeys; i++) {
		struct buf value = BUF_INIT, shown = BUF_INIT;
		conf_value_format(c, &conf_keys[i], &value);
		buf_add_url_masked(&shown, buf_str(&value));
		print_line(f, conf_keys[i].name, shown.len ? shown.data : "", c->origin[i], c->file);
		buf_release(&value);
		buf_release(&shown);
	}
	for (size_t i = 0; i < c->ntrust; i++) {
		struct buf name = BUF_INIT;
		buf_addf(&name, "trust.%s", c->trust[i].key);
		print_line(f, name.data, c->trust[i].value, c->trust[i].origin, c->file);
		buf_release(&name);
	}
	for (size_t i = 0; i < c->nkafka; i++) {
		struct buf name = BUF_INIT, shown = BUF_INIT;
		buf_addf(&name, "kafka.%s", c->kafka[i].key);
		if (conf_is_secret(buf_str(&name)))
			buf_adds(&shown, "****");
		else
			buf_add_url_masked(&shown, str_of(c->kafka[i].value));
		print_line(f, name.data, shown.len ? shown.data : "", c->kafka[i].origin, c->file);
		buf_release(&name);
		buf_release(&shown);
	}
}
