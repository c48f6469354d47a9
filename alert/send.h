// SPDX-License-Identifier: Apache-2.0
// Messages on their way to receivers, all at the same time: none waits for another one. Each ends within ten
// seconds.
#ifndef NOWCAST_ALERT_SEND_H
#define NOWCAST_ALERT_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/receiver.h"
#include "base/buf.h"
#include "base/err.h"

struct alert_sender;
struct alert_sending;

struct alert_sender *alert_sender_new(void);
void alert_sender_free(struct alert_sender *s);             // after its sendings. NULL: nothing
void alert_sender_wait(struct alert_sender *s, int64_t ms); // all go on until one ends, at most for so long

// Begins to hand over a message; takes what is in `body`.
struct alert_sending *alert_send(struct alert_sender *s, const struct alert_receiver *to, struct str id,
                                 struct buf *body);

// Has it ended? *ret_why: NULL if the receiver took it; ERR_RETRY: try later; ERR_CONFIG: trying again will
// not help.
bool alert_sending_over(struct alert_sending *x, const struct err **ret_why);
void alert_sending_free(struct alert_sending *x); // one that has not ended is broken off. NULL: nothing

#endif
