// SPDX-License-Identifier: Apache-2.0
// `nowcast check-config`: is the configuration valid, and what is in force? All mistakes of it and of the
// files that it names are reported in one run. Connects to nothing but to Redis, and to that only if a rule
// of alerts names somebody: whether that name was ever seen.
#include <stdio.h>

#include "alert/unmatched.h"
#include "base/secret_files.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/config_files.h"
#include "ingest/dead_letter_file.h"
#include "store/mapping.h"

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

// How much is in the files of rules and of the mapping, which are right.
static void print_counts(const struct config_files *f, const struct conf *conf)
{
	if (f->mapping)
		fprintf(stderr, "nowcast check-config: %s has %d line%s and %d key%s\n", conf->map_file,
		        mapping_nlines(f->mapping), text_s(mapping_nlines(f->mapping)), mapping_nkeys(f->mapping),
		        text_s(mapping_nkeys(f->mapping)));
	if (*conf->alerts_file)
		fprintf(stderr, "nowcast check-config: %s has %d rule%s and %d receiver%s\n", conf->alerts_file,
		        f->rules.nrules, text_s(f->rules.nrules), f->rules.nreceivers,
		        text_s(f->rules.nreceivers));
	if (alert_rules_name_somebody(&f->rules))
		check_names(&f->rules, conf);
}

// Every mistake of the configuration and of what it names.
static bool check_all(struct command *c, struct err *err)
{
	struct config_files files = {.mapping = NULL};
	size_t before = err_listed(err);
	bool good = (command_configure(c, err) || err_collect(err)) &&
	            (config_files_load(&files, &c->conf, CONFIG_OF_ALL, err) || err_collect(err)) &&
	            err_check(err, before);
	if (good)
		print_counts(&files, &c->conf);
	config_files_release(&files);
	return good;
}

static void print_hints(const struct conf *conf)
{
	struct err err = ERR_INIT;
	secret_files_each_open(conf, print_open_file, NULL);
	if (conf_has_source(conf, "kafka") && (!*conf->brokers || !conf->topics.n))
		fputs("nowcast check-config: without brokers and topics `run` cannot start, unless `sources` names others; "
		      "replay and report can\n",
		      stderr);
	if (!*conf->dead_letter_topic && !*conf->dead_letter_file)
		fputs(
			"nowcast check-config: neither dead_letter.topic nor dead_letter.file is set: what cannot be decoded will only be "
			"logged\n",
			stderr);
	if (*conf->dead_letter_file &&
	    !dead_letter_file_check(conf->dead_letter_file, conf->dead_letter_file_max, &err))
		fprintf(stderr, "nowcast check-config: %s\n", err.msg);
}

int cmd_check_config(struct command *c)
{
	struct err_list mistakes = {0};
	struct err err = {.list = &mistakes};
	bool sample = command_switch(c, "--sample"), man = command_switch(c, "--man");
	bool good = command_done(c, 0, 0, &err);
	if (good && (sample || man)) {
		(sample ? conf_print_sample : conf_print_man)(stdout);
		return STATUS_OK;
	}
	good = good && check_all(c, &err);
	if (good) {
		conf_print_effective(&c->conf, stdout);
		print_hints(&c->conf);
	}
	int status = good ? STATUS_OK : command_fail(c, &err);
	err_list_release(&mistakes);
	return status;
}
