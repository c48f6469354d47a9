// SPDX-License-Identifier: Apache-2.0
#ifndef NOWCAST_ALERT_MESSAGE_PRIV_H
#define NOWCAST_ALERT_MESSAGE_PRIV_H

#include <jansson.h>

#include "alert/message.h"

// One message about an array of events (alert/state_priv.h). `id`: of the message.
void alert_message(const struct alert_receiver *to, const json_t *events, const char *id,
                   struct buf *ret_body);

#endif
