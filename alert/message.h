// SPDX-License-Identifier: Apache-2.0
// Messages in the format of each kind of receiver. The sentence of an alert is in its finding; the check of
// its kind wrote it (alert/check*.c).
#ifndef NOWCAST_ALERT_MESSAGE_H
#define NOWCAST_ALERT_MESSAGE_H

#include <stdint.h>

#include "alert/receiver.h"
#include "base/buf.h"

// A message that says that it is a trial (`nowcast alert test`).
void alert_message_trial(const struct alert_receiver *to, int64_t now_ms, const char *id,
                         struct buf *ret_body);

#endif
