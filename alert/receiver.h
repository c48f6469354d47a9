// SPDX-License-Identifier: Apache-2.0
// A receiver of alerts: a [receiver NAME] section of the alerts file (alert/rules.h).
#ifndef NOWCAST_ALERT_RECEIVER_H
#define NOWCAST_ALERT_RECEIVER_H

#include "base/str.h"

enum receiver_kind { TO_SLACK, TO_WEBHOOK, TO_ALERTMANAGER, TO_EMAIL, TO_COMMAND };

extern const char *const receiver_kind_names[]; // in the order of the enum, ends with NULL

// The strings live in the arena of the rules. A field that the section does not have is STR_NONE.
struct alert_receiver {
	struct str name;
	enum receiver_kind kind;
	struct str url;                // http(s), or smtp(s) for e-mail
	struct str secret;             // of the signature (alert/send.c)
	struct str from, to;           // e-mail addresses; `to` may be several, comma-separated
	struct str user, password;     // of the SMTP server
	struct str command;            // for /bin/sh -c; the message is its standard input
	// file of the authorities that its certificate may come from; STR_NONE: the system's
	struct str ca;
};

#endif
