// SPDX-License-Identifier: Apache-2.0
// One value of the configuration: text to the field of struct conf, and back. For conf*.c.
#ifndef NOWCAST_BASE_CONF_VALUE_H
#define NOWCAST_BASE_CONF_VALUE_H

#include "base/buf.h"
#include "base/conf.h"

// Parses `value` into the field of `key` and frees the old value. ERR_CONFIG names the key, the value and
// what is allowed.
bool conf_value_parse(struct conf *c, const struct conf_key *key, struct str value, struct err *err) NC_CHECK;

// Appends the field as text of the file.
void conf_value_format(const struct conf *c, const struct conf_key *key, struct buf *b);

// Appends what is allowed: "a duration from 1s to 400d, such as 500ms, 5m or 24h".
void conf_value_allowed(const struct conf_key *key, struct buf *b);

void conf_value_free(struct conf *c, const struct conf_key *key);

#endif
