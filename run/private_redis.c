// SPDX-License-Identifier: Apache-2.0
// The keeper inherits the command's blocked signals, so that ^C, which goes to the whole process group, ends
// the command alone. That then stops what uses the server first, and the server last.
#include "run/private_redis.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/when.h"

enum { START_MS = 10000, SOCKET_PATH_MAX = 100 }; // a unix socket's path ends at 107 bytes

static bool in_path(const char *program)
{
	struct str path = str_of(getenv("PATH"));
	bool found = false;
	while (path.len && !found) {
		struct str dir = str_cut(&path, ':');
		struct buf file = BUF_INIT;
		buf_addf(&file, "%.*s/%s", STR_ARG(dir), program);
		found = access(file.data, X_OK) == 0;
		buf_release(&file);
	}
	return found;
}

static void path_of(const struct private_redis *r, const char *name, char ret[SOCKET_PATH_MAX])
{
	snprintf(ret, SOCKET_PATH_MAX, "%s/%s", r->dir, name);
}

// Replaces this process with the server.
static void exec_server(const struct private_redis *r, const char *program, pid_t keeper)
{
	char socket[SOCKET_PATH_MAX], log[SOCKET_PATH_MAX];
	path_of(r, "redis.sock", socket);
	path_of(r, "redis.log", log);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600), in = open("/dev/null", O_RDONLY);
	if (getppid() != keeper || out < 0 || in < 0 || chdir(r->dir) != 0 || dup2(in, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		_exit(127);
	execlp(program, program, "--port", "0", "--unixsocket", socket, "--unixsocketperm", "600", "--save", "",
	       "--appendonly", "no", "--daemonize", "no", (char *)NULL);
	_exit(127);
}

static void remove_folder(const struct private_redis *r)
{
	static const char *const files[] = {"redis.sock", "redis.log"};
	char path[SOCKET_PATH_MAX];
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		path_of(r, files[i], path);
		unlink(path);
	}
	rmdir(r->dir);
}

static void run_keeper(const struct private_redis *r, const char *program, int end)
{
	char byte;
	pid_t me = getpid(), server = fork();
	if (server == 0)
		exec_server(r, program, me);
	while (read(end, &byte, 1) < 0 && errno == EINTR)
		;
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	remove_folder(r);
	_exit(0);
}

// The last line of the server's log, for the error.
static void read_last_line(const struct private_redis *r, char *ret, size_t size)
{
	char path[SOCKET_PATH_MAX], line[256];
	path_of(r, "redis.log", path);
	FILE *f = fopen(path, "r");
	snprintf(ret, size, "nothing");
	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			snprintf(ret, size, "%.*s", (int)size - 1, line);
	}
	if (f)
		fclose(f);
}

// The socket is there a moment before anybody listens at it.
static bool listens(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	bool good = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

static bool wait_for_socket(const struct private_redis *r, const char *program, struct err *err)
{
	char path[SOCKET_PATH_MAX], said[200];
	path_of(r, "redis.sock", path);
	for (int64_t until = when_ticks_ms() + START_MS; when_ticks_ms() < until; usleep(10000))
		if (listens(path))
			return true;
	read_last_line(r, said, sizeof said);
	return err_set(err, ERR_FATAL, "%s did not start within %d s; its last words: %s", program,
	               START_MS / 1000, said);
}

static bool make_folder(struct private_redis *r, const char *name, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	if (!tmp || !*tmp || strlen(tmp) > 40)
		tmp = "/tmp";
	snprintf(r->dir, sizeof r->dir, "%s/nowcast-%s-XXXXXX", tmp, name);
	if (!mkdtemp(r->dir))
		return err_set(err, ERR_FATAL, "cannot make a folder in %s: %s", tmp, strerror(errno));
	snprintf(r->url, sizeof r->url, "unix:%s/redis.sock", r->dir);
	return true;
}

bool private_redis_start(struct private_redis *r, const char *name, struct err *err)
{
	int ends[2];
	const char *program = in_path("redis-server")    ? "redis-server"
	                      : in_path("valkey-server") ? "valkey-server"
	                                                 : NULL;
	*r = (struct private_redis){.pipe = -1};
	if (!program)
		return err_set(
			err, ERR_FATAL,
			"redis-server is not installed: `apt-get install redis-server` (or valkey-server), or run "
			"deploy/install-deps, which installs all that nowcast needs");
	if (!make_folder(r, name, err))
		return false;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		rmdir(r->dir);
		return err_set(err, ERR_FATAL, "cannot make a pipe for %s: %s", program, strerror(errno));
	}
	r->keeper = fork();
	if (r->keeper < 0) {
		err_set(err, ERR_FATAL, "cannot start a process for %s: %s", program, strerror(errno));
		r->keeper = 0;
		close(ends[0]);
		close(ends[1]);
		rmdir(r->dir);
		return false;
	}
	if (r->keeper == 0) {
		close(ends[1]);
		run_keeper(r, program, ends[0]);
	}
	close(ends[0]);
	r->pipe = ends[1];
	if (wait_for_socket(r, program, err))
		return true;
	private_redis_stop(r);
	return false;
}

void private_redis_stop(struct private_redis *r)
{
	if (!r->keeper)
		return;
	close(r->pipe);
	waitpid(r->keeper, NULL, 0);
	r->keeper = 0;
}
