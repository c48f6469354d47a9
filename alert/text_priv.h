// SPDX-License-Identifier: Apache-2.0
// Formats the text of findings and messages. The checks (alert/check*.c) write the sentences, alert/message.c
// puts them into the form of each receiver.
#ifndef NOWCAST_ALERT_TEXT_PRIV_H
#define NOWCAST_ALERT_TEXT_PRIV_H

#include "base/arena.h"
#include "base/text.h"
#include "base/usd.h"

// Formats into the arena. Control characters become '?': names come from outside and must not steer a
// terminal nor add lines to a mail.
struct str alert_format(struct arena *arena, const char *fmt, ...) NC_PRINTF(2, 3);

// "$1,012.34", "$0.001234".
struct alert_money {
	char text[1 + TEXT_GROUPED_SIZE(USD_SIZE)];
} alert_money(struct usd u);

#endif
