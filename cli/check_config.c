// SPDX-License-Identifier: Apache-2.0
// `nowcast check-config`: is the configuration valid, and what is in force? Connects to nothing.
#include <stdio.h>

#include "base/secret_files.h"
#include "cli/commands.h"
#include "ingest/dead_letter_file.h"
#include "ingest/kafka.h"
#include "ingest/trust.h"
#include "store/mapping.h"

static void print_open_file(void *user, const char *key, const char *path)
{
	(void)user;
	fprintf(
		stderr,
		"nowcast check-config: %s %s holds secrets, and every user of this machine can read it: chmod o-r\n",
		key, path);
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
	struct mapping *mapping;
	if (!mapping_load(&mapping, &c->conf, &err))
		return command_fail(c, &err);
	conf_print_effective(&c->conf, stdout);
	if (mapping)
		fprintf(stderr, "nowcast check-config: %s has %d lines and %d keys\n", c->conf.map_file,
		        mapping_nlines(mapping), mapping_nkeys(mapping));
	mapping_free(mapping);
	secret_files_each_open(&c->conf, print_open_file, NULL);
	if (!*c->conf.brokers || !c->conf.topics.n)
		fputs("nowcast check-config: without brokers and topics `run` cannot start; replay and report can\n",
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
