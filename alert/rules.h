// SPDX-License-Identifier: Apache-2.0
// The alerts file: which conditions ring (rules), and who receives the messages (alert/receiver.h).
#ifndef NOWCAST_ALERT_RULES_H
#define NOWCAST_ALERT_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/period.h"
#include "alert/receiver.h"
#include "base/arena.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/usd.h"
#include "query/grouping.h"

enum alert_kind {
	ALERT_BUDGET,   // a share of a budget is spent
	ALERT_FORECAST, // a budget will be spent before its period ends
	ALERT_SPIKE,    // calls or dollars rise far above what is usual
	ALERT_BURN,     // a budget is spent much faster than it would last
	ALERT_NEW,      // a group spends that did not in the last 30 days
	ALERT_UNPRICED, // tokens without a price
	ALERT_SILENT,   // a signal stopped arriving
	ALERT_BILL,     // estimate and bill differ
	ALERT_KINDS
};

extern const char *const alert_kind_names[]; // in the order of the enum, ends with NULL

enum { ALERT_LEVELS_MAX = 8 };

struct alert_rule {
	struct str name;
	int line;                  // of the file, in which its section begins
	enum alert_kind kind;
	struct grouping by;        // one key, or none: everything together
	struct str only;           // this group alone; STR_NONE: each one
	enum alert_period period;
	struct usd amount;         // budget of a period
	int64_t at[ALERT_LEVELS_MAX]; // per cent of it, rising; BILL: of what is billed
	int nat;
	struct usd floor;          // below it a finding does not ring
	int64_t factor_tenths;     // SPIKE: times what busy minutes usually take, in tenths
	int64_t quiet_ms;          // SILENT: nothing arrived for so long
	int64_t clear_ms;          // an alert ends when its condition has not held for so long
	// "info", "warning" or "critical"; or one for each of `at`: "info,warning,critical"
	struct str severity;
	struct str receivers;      // names, comma-separated; STR_NONE: all
};

struct alert_rules {
	struct arena arena;        // holds all strings
	struct alert_rule *rules;
	int nrules;
	struct alert_receiver *receivers;
	int nreceivers;
};

// Reads `alerts.file`; without one, the built-in rules that need no figure of the user's: spike, new,
// unpriced, silent, bill. ERR_CONFIG names file, line, key, value and what is allowed. *ret is released by
// the caller, on failure too.
bool alert_rules_load(struct alert_rules *ret, const struct conf *conf, struct err *err) NC_CHECK;
bool alert_rules_parse(struct alert_rules *ret, struct str text, const char *file, struct caller_sources from,
                       struct err *err) NC_CHECK;
// The text of an alerts file as `run` reads it: parsed, and compared with the mapping file.
bool alert_rules_read(struct alert_rules *ret, struct str text, const char *file, const struct conf *conf,
                      struct err *err) NC_CHECK;
void alert_rules_release(struct alert_rules *r);

enum { ALERT_RULES_BYTES_MAX = 1 << 20 }; // of an alerts file
extern const char alert_rules_built_in[]; // in force without a file, as the text of one

// The severity of a rule's alert at a level: of its own `at`, or any for other kinds.
struct str alert_rule_severity(const struct alert_rule *r, int64_t level);

const struct alert_rule *alert_rule_find(const struct alert_rules *r, struct str name); // NULL: none
const struct alert_receiver *alert_receiver_find(const struct alert_rules *r, struct str name); // NULL: none

#endif
