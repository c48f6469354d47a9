// SPDX-License-Identifier: Apache-2.0
#ifndef NOWCAST_ALERT_MESSAGE_PRIV_H
#define NOWCAST_ALERT_MESSAGE_PRIV_H

#include <jansson.h>

#include "alert/message.h"

enum { LISTED_MAX = 20 }; // events that one message lists; it counts the rest

// One message about an array of events (alert/state_priv.h). `id`: of the message.
void alert_message(const struct alert_receiver *to, const json_t *events, const char *id,
                   struct buf *ret_body);

// One Slack message; `list`: the same as plain text. The caller releases it.
json_t *alert_slack(const json_t *events, const struct buf *list);

// Append the sentence of an event, with short names; since when it holds, how sure it is, who contributes and
// what to do, a line each, which begin with `margin`.
void alert_add_sentence(struct buf *b, const json_t *event);
void alert_add_details(struct buf *b, const json_t *event, const char *margin);

// Appends text with a short name for each ARN in it (query/short_names.h).
void alert_add_short(struct buf *b, const char *text);

const char *alert_over_words(const json_t *event); // how its condition ended
const char *alert_advice(const json_t *event); // what to do; NULL: nothing

#endif
