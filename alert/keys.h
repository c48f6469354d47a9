// SPDX-License-Identifier: Apache-2.0
// The keys of the alerts. All but the first begin with the hash tag {nowcast:alerts}, so that one
// script may write them all. store/keys.h says how keys are listed, and has all others.
#ifndef NOWCAST_ALERT_KEYS_H
#define NOWCAST_ALERT_KEYS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct redis;

enum alert_key {
	// nowcast:alerts  hash
	//     RULE|GROUP|PERIOD -> the alert that is up, as JSON. Written by commit.lua; kept until it is
	//     resolved.
	ALERT_KEY_UP,
	// {nowcast:alerts}:lease  string
	//     token of the process that evaluates. Written by turn.c; kept for three times alerts.interval.
	ALERT_KEY_LEASE,
	// {nowcast:alerts}:history  list
	//     events, newest first. Written by commit.lua; kept: the last thousand.
	ALERT_KEY_HISTORY,
	// {nowcast:alerts}:silences  hash
	//     id -> silence, as JSON. Written by cli/alert.c; kept until it is over.
	ALERT_KEY_SILENCES,
	// {nowcast:alerts}:outbox  sorted set
	//     ids of messages, by when they are due (ms). Written by commit.lua, outbox.c; kept until delivered.
	ALERT_KEY_OUTBOX,
	// {nowcast:alerts}:messages  hash
	//     id -> message, as JSON. Written by commit.lua, outbox.c; kept until delivered.
	ALERT_KEY_MESSAGES,
	// {nowcast:alerts}:dead  list
	//     messages that were given up, newest first. Written by outbox.c; kept: the last thousand.
	ALERT_KEY_DEAD,
	ALERT_KEYS
};
struct str alert_key(struct buf *b, const char *prefix, enum alert_key key);

// Of one rule; longer names than RULE_NAME_IN_KEY are cut.
enum { RULE_NAME_IN_KEY = 60 };

// {nowcast:alerts}:bill:RULE  string
//     estimate and bill of each group at the last reconciliation, as JSON. Written by check_bill.c; kept
//     for two days.
struct str alert_key_bill(struct buf *b, const char *prefix, struct str rule);

// {nowcast:alerts}:rate_monitor:RULE  hash
//     group -> its rate baseline, and the rule's clock. Written by rate_monitor.c; kept for two days.
struct str alert_key_rate_monitor(struct buf *b, const char *prefix, struct str rule);

// Gives the keys of schema 1 the names above (store/migrate.h).
bool alert_keys_migrate(struct redis *r, const char *prefix, struct err *err) NC_CHECK;

#endif
