// SPDX-License-Identifier: Apache-2.0
// `nowcast check-config`: is the configuration valid, and what is in force? Connects to nothing but to
// Redis, and to that only if a rule of alerts names somebody: whether that name was ever seen.
#include <stdio.h>

#include "alert/unmatched.h"
#include "base/secret_files.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/commands.h"
#include "ingest/dead_letter_file.h"
#include "ingest/kafka.h"
#include "ingest/pseudonym.h"
#include "ingest/trust.h"
#include "pricing/prices.h"
#include "store/mapping.h"
#include "web/auth.h"

static void print_open_file(void *user, const char *key, const char *path)
{
	(void)user;
	fprintf(
		stderr,
		"nowcast check-config: %s %s holds secrets, and every user of this machine can read it: chmod o-r\n",
		key, path);
}

static void warn_of_rule(void *user, const char *text)
{
	const struct conf *conf = user;
	fprintf(stderr, "nowcast check-config: warning: %s: %s\n", conf->alerts_file, text);
}

static void check_names(const struct alert_rules *rules, const struct conf *conf)
{
	struct rollups *rollups = NULL;
	struct err err = ERR_INIT;
	bool good = rollups_open(&rollups, redis_target_of(conf), &err) &&
	            view_map(rollups_view(rollups), conf, &err) &&
	            alert_rules_each_unmatched(rules, rollups, when_now_ms(), warn_of_rule,
	                                       (void *)(uintptr_t)conf, &err);
	if (!good)
		fprintf(
			stderr,
			"nowcast check-config: whether the names in `only` were ever seen was not checked, for that takes "
			"Redis: %s\n",
			err.msg);
	rollups_close(rollups);
}

static bool check_alerts_file(const struct conf *conf, struct err *err)
{
	struct alert_rules rules;
	bool good = alert_rules_load(&rules, conf, err);
	if (good && *conf->alerts_file)
		fprintf(stderr, "nowcast check-config: %s has %d rule%s and %d receiver%s\n", conf->alerts_file,
		        rules.nrules, text_s(rules.nrules), rules.nreceivers, text_s(rules.nreceivers));
	if (good && alert_rules_name_somebody(&rules))
		check_names(&rules, conf);
	alert_rules_release(&rules);
	return good;
}

// Reads every file that the configuration names, as `run` does when it starts.
static bool check_files(const struct conf *conf, struct err *err)
{
	struct mapping *mapping = NULL;
	struct prices *prices = NULL;
	struct pseudonyms *pseudonyms = NULL;
	struct auth *auth = NULL, *keys = NULL;
	bool good = mapping_load(&mapping, conf, err) && prices_load(&prices, conf, err) &&
	            pseudonyms_open(&pseudonyms, conf, err) &&
	            auth_open(&auth, "auth.tokens.file", conf->auth_tokens_file, conf->listen_rate, err) &&
	            auth_open(&keys, "firehose.keys.file", conf->firehose_keys_file, conf->listen_rate, err) &&
	            check_alerts_file(conf, err);
	if (good && mapping)
		fprintf(stderr, "nowcast check-config: %s has %d lines and %d keys\n", conf->map_file,
		        mapping_nlines(mapping), mapping_nkeys(mapping));
	mapping_free(mapping);
	prices_free(prices);
	pseudonyms_close(pseudonyms);
	auth_close(auth);
	auth_close(keys);
	return good;
}

int cmd_check_config(struct command *c)
{
	struct err err = ERR_INIT;
	struct trust *trust = NULL;
	bool sample = command_switch(c, "--sample"), man = command_switch(c, "--man");
	if (!command_done(c, 0, 0, &err))
		return command_fail(c, &err);
	if (sample || man) {
		(sample ? conf_print_sample : conf_print_man)(stdout);
		return STATUS_OK;
	}
	if (!kafka_check(&c->conf, &err) || !trust_open(&trust, &c->conf, &err))
		return command_fail(c, &err);
	trust_close(trust);
	if (!check_files(&c->conf, &err))
		return command_fail(c, &err);
	conf_print_effective(&c->conf, stdout);
	secret_files_each_open(&c->conf, print_open_file, NULL);
	if (conf_has_source(&c->conf, "kafka") && (!*c->conf.brokers || !c->conf.topics.n))
		fputs("nowcast check-config: without brokers and topics `run` cannot start, unless `sources` names others; "
		      "replay and report can\n",
		      stderr);
	if (!*c->conf.dead_letter_topic && !*c->conf.dead_letter_file)
		fputs(
			"nowcast check-config: neither dead_letter.topic nor dead_letter.file is set: what cannot be decoded will only be "
			"logged\n",
			stderr);
	if (*c->conf.dead_letter_file &&
	    !dead_letter_file_check(c->conf.dead_letter_file, c->conf.dead_letter_file_max, &err))
		fprintf(stderr, "nowcast check-config: %s\n", err.msg);
	return STATUS_OK;
}
