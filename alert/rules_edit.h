// SPDX-License-Identifier: Apache-2.0
// Changes the text of an alerts file (alert/rules.h) and keeps what it does not change: comments, order,
// blanks and line ends, byte for byte.
//
//     [rule payments-month]           # the value of a key takes the place of its last one;
//     amount = 5000  ->  amount = 8000
//     at = 50,80                      # a key that is not there goes behind the last one of the section
//
// A rule that is not there becomes a section at the end of the text.
#ifndef NOWCAST_ALERT_RULES_EDIT_H
#define NOWCAST_ALERT_RULES_EDIT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

// Sets one key of [rule NAME]. The result is not checked: alert_rules_read does that. ERR_CONFIG: name or
// value cannot stand in such a file, which has one of them a line.
bool alert_rules_edit(struct buf *text, struct str name, struct str key, struct str value,
                      struct err *err) NC_CHECK;

#endif
