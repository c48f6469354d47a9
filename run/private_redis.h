// SPDX-License-Identifier: Apache-2.0
// A redis-server of one command's own (demo, look): on a unix socket in a folder of its own, without
// persistence. It ends with the command.
//
//     command ──pipe──> keeper ──> redis-server
//
// The keeper is a child process that waits for the pipe to close, which happens however the command ends,
// kill -9 included. Then it ends the server and removes the folder. If the keeper itself is killed, the
// kernel ends the server.
#ifndef NOWCAST_RUN_PRIVATE_REDIS_H
#define NOWCAST_RUN_PRIVATE_REDIS_H

#include <sys/types.h>

#include "base/err.h"

struct private_redis {
	pid_t keeper;  // 0: not started
	int pipe;      // closing it ends the keeper
	char dir[64];
	char url[96];  // unix:/...
};

// `name`: of the command; the folder is "nowcast-NAME-...". It forks, so it is called before any thread is
// made. ERR_FATAL says what to install if there is no redis-server.
bool private_redis_start(struct private_redis *r, const char *name, struct err *err) NC_CHECK;
void private_redis_stop(struct private_redis *r); // returns when nothing is left; fine if never started

#endif
