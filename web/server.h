// SPDX-License-Identifier: Apache-2.0
// The dashboard, the API and /metrics at one address, for `nowcast serve` and for a daemon with `listen` set.
// The server has its own connection to Redis and shares nothing with the workers of the daemon.
#ifndef NOWCAST_WEB_SERVER_H
#define NOWCAST_WEB_SERVER_H

#include "base/conf.h"
#include "base/err.h"

#define SERVE_LISTEN "127.0.0.1:8321"

struct server;
struct deliveries;

struct server_options {
	const char *listen;            // the address
	int64_t fixed_now_ms;          // the moment to take for now; 0: the clock tells
	struct deliveries *deliveries; // what takes those of Firehose (web/deliveries.h); NULL: nothing
};

// Whether the configuration can be served: tokens, certificate and key, and who can reach the address.
// Nothing is connected to or looked up. ERR_CONFIG.
bool server_check(const struct conf *conf, struct err *err) NC_CHECK;

// `conf` and the deliveries outlive the server. It listens when this returns; Redis may come later.
// ERR_CONFIG names the key.
bool server_start(struct server **ret, const struct conf *conf, const struct server_options *o,
                  struct err *err) NC_CHECK;
void server_stop(struct server *s);

int server_port(const struct server *s);

#endif
