// SPDX-License-Identifier: Apache-2.0
// Checks what the configuration names: files, addresses, words that a part of the program reads. For
// `nowcast check-config`, and for `nowcast run` before it starts anything.
#ifndef NOWCAST_CLI_CONFIG_FILES_H
#define NOWCAST_CLI_CONFIG_FILES_H

#include "base/conf.h"
#include "base/err.h"

// By what the parts themselves read it with. Connects to nothing. Goes on behind a mistake if errors are
// collected (base/err.h). ERR_CONFIG.
bool config_files_check(const struct conf *conf, struct err *err) NC_CHECK;

#endif
