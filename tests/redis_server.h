// SPDX-License-Identifier: Apache-2.0
// A private redis-server on a unix socket, for tests in C. It dies with the test, however that ends. With
// NOWCAST_TEST_REDIS=URL the one there is used, which is empty and stays as it is left.
#ifndef NOWCAST_TESTS_REDIS_SERVER_H
#define NOWCAST_TESTS_REDIS_SERVER_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct redis_server {
	pid_t pid;
	char dir[64];
	char url[128];
};

// The socket is there a moment before anybody listens at it.
static inline bool redis_server_listens(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	bool listens = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
	if (fd >= 0)
		close(fd);
	return listens;
}

// False if there is no redis-server on this machine.
static inline bool redis_server_start(struct redis_server *s)
{
	char sock[96];
	const char *url = getenv("NOWCAST_TEST_REDIS");
	s->pid = 0;
	snprintf(s->url, sizeof s->url, "%s", url ? url : "");
	if (url)
		return true;
	snprintf(s->dir, sizeof s->dir, "/tmp/nowcast-test-XXXXXX");
	if (!mkdtemp(s->dir))
		return false;
	snprintf(sock, sizeof sock, "%s/redis.sock", s->dir);
	snprintf(s->url, sizeof s->url, "unix:%s", sock);
	pid_t parent = getpid();
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		if (!freopen("/dev/null", "w", stdout) || chdir(s->dir) != 0)
			_exit(1);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", sock, "--save", "",
		       "--appendonly", "no", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500; i++) {
		int status;
		if (redis_server_listens(sock))
			return true;
		if (waitpid(s->pid, &status, WNOHANG) == s->pid)
			return false;
		usleep(10000);
	}
	return false;
}

static inline void redis_server_stop(struct redis_server *s)
{
	char sock[96];
	if (!s->pid)
		return;
	snprintf(sock, sizeof sock, "%s/redis.sock", s->dir);
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	unlink(sock);
	rmdir(s->dir);
}

#endif
