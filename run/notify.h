// SPDX-License-Identifier: Apache-2.0
// The sd_notify protocol: datagrams to the socket that systemd names in $NOTIFY_SOCKET. Without one, nothing
// happens.
#ifndef NOWCAST_RUN_NOTIFY_H
#define NOWCAST_RUN_NOTIFY_H

#include <stdint.h>

#include "base/err.h"

// "READY=1", "STATUS=..."; several assignments on lines of their own
void notify(const char *fmt, ...) NC_PRINTF(1, 2);

// how often to send WATCHDOG=1 (half of what systemd allows); 0: it does not ask
int64_t notify_watchdog_ms(void);

#endif
