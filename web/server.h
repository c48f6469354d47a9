// SPDX-License-Identifier: Apache-2.0
// The dashboard, the API and /metrics on one address, for `nowcast serve` and for a daemon with `listen` set.
// It reads Redis through a view of its own and shares nothing with the workers.
#ifndef NOWCAST_WEB_SERVER_H
#define NOWCAST_WEB_SERVER_H

#include "base/conf.h"
#include "base/err.h"

#define SERVE_LISTEN "127.0.0.1:8321"

struct server;

// `listen`: the address; `fixed_now_ms`: 0, or the moment to take for now. `conf` outlives the server.
// Listens when it returns; Redis need not be there yet. ERR_CONFIG names the key.
bool server_start(struct server **ret, const struct conf *conf, const char *listen, int64_t fixed_now_ms,
                  struct err *err) NC_CHECK;
void server_stop(struct server *s);

int server_port(const struct server *s);

#endif
