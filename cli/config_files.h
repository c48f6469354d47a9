// SPDX-License-Identifier: Apache-2.0
// Reads and checks what the configuration names: files, addresses, words that a part of the program reads.
// For `nowcast check-config`, and for `nowcast run` and `nowcast serve` before they start anything.
#ifndef NOWCAST_CLI_CONFIG_FILES_H
#define NOWCAST_CLI_CONFIG_FILES_H

#include "alert/rules.h"
#include "base/conf.h"
#include "base/err.h"
#include "pricing/prices.h"
#include "store/mapping.h"

// The files that a caller goes on with. It may take one and leave NULL in its place.
struct config_files {
	struct mapping *mapping; // NULL: map.file is not set
	struct prices *prices;
	struct alert_rules rules;
};

enum config_reader {
	CONFIG_OF_ALL,    // everything
	CONFIG_OF_SERVER, // what the dashboard and the API read. Secrets of workers may be kept from them
};

// By what the parts themselves read it with. Connects to nothing. Goes on behind a mistake if errors are
// collected (base/err.h). ERR_CONFIG. The caller releases *ret, also on failure.
bool config_files_load(struct config_files *ret, const struct conf *conf, enum config_reader reader,
                       struct err *err) NC_CHECK;
void config_files_release(struct config_files *f);

#endif
