// SPDX-License-Identifier: Apache-2.0
// A redis-server of the demo's own: on a unix socket in a folder of its own, keeping nothing on disk, gone
// with us.
//
//     demo ──pipe──> keeper ──> redis-server
//
// The keeper is a child that waits for the pipe to close, which happens however the demo ends, kill -9
// included; then it ends the server and removes the folder. The kernel ends the server should the keeper
// itself be killed.
#ifndef NOWCAST_DEMO_PRIVATE_REDIS_H
#define NOWCAST_DEMO_PRIVATE_REDIS_H

#include <sys/types.h>

#include "base/err.h"

struct demo_redis {
	pid_t keeper;  // 0: not started
	int pipe;      // its closing is the end
	char dir[64];
	char url[96];  // unix:/...
};

// Call it before any thread is made: it forks. ERR_FATAL says what to install when there is no redis-server.
bool demo_redis_start(struct demo_redis *r, struct err *err) NC_CHECK;
void demo_redis_stop(struct demo_redis *r); // returns when nothing is left; fine if never started

#endif
