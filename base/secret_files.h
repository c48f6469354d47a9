// SPDX-License-Identifier: Apache-2.0
// Files that hold secrets, and that every user of this machine can read: the file of the configuration if a
// password is in it, secrets.file, auth.tokens.file, firehose.keys.file, names.hash.key, alerts.file, the
// private keys of TLS.
#ifndef NOWCAST_BASE_SECRET_FILES_H
#define NOWCAST_BASE_SECRET_FILES_H

#include "base/conf.h"

// Called with the name of the key, or "--config", and the file.
typedef void secret_file_fn(void *user, const char *key, const char *path);

// Calls `fn` for each that others than its owner and its group can read.
void secret_files_each_open(const struct conf *c, secret_file_fn *fn, void *user);

// The same into the log, a warning each.
void secret_files_log_open(const struct conf *c);

#endif
