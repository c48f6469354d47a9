// SPDX-License-Identifier: Apache-2.0
// The sd_notify protocol: datagrams to the socket that systemd names in $NOTIFY_SOCKET. Without one, nothing
// happens.
#ifndef NOWCAST_RUN_SYSTEMD_H
#define NOWCAST_RUN_SYSTEMD_H

#include <stdint.h>

#include "base/err.h"

// "READY=1", "STATUS=..."; several assignments, each on a line.
void systemd_notify(const char *fmt, ...) NC_PRINTF(1, 2);

// How often to send WATCHDOG=1, half of what systemd allows; 0: systemd does not ask for it.
int64_t systemd_watchdog_ms(void);

#endif
