// SPDX-License-Identifier: Apache-2.0
// Log lines that end in JSON: what CloudWatch Logs exports, syslog (RFC 5424 and 3164), container runtimes,
// loggers and consoles write in front of a message.
//
//     2026-11-20T09:12:31.000Z {...}
//     <134>1 2026-11-20T09:12:31Z host app - - - {...}
//     Nov 20 09:12:31 host app[17]: {...}
//     2026-11-20T09:12:31.000000000Z stdout F {...}
//     [2026-11-20 09:12:31,000] INFO {...}            INFO:root:{...}
//     time="2026-11-20T09:12:31Z" level=info msg="{\"...\"}"
//     KEY<tab>{...}                                    data: {...}
//
// The head has to begin as such lines do, and the value has to be the end of the line. So a value in the
// middle of prose, or behind a few words of it, is none: it is a quotation.
#ifndef NOWCAST_INGEST_LOG_LINE_H
#define NOWCAST_INGEST_LOG_LINE_H

#include <stdbool.h>

#include "base/str.h"

// The value at the end of the first line of `text`, which does not begin with a value itself. The value may
// go on over more lines, if at most *scan_left bytes are read in search of its end; they are taken off.
// STR_NONE if the line is none of the above.
struct str log_line_value(struct str text, size_t *scan_left);

#endif
