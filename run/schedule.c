// SPDX-License-Identifier: Apache-2.0
#include "run/schedule.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/when.h"

enum { FIRST_MS = 10000 }; // after the start: workers first

// The same program with the same configuration. Everything is made before the fork: after it only system
// calls are allowed.
static char **make_arguments(const struct command *c)
{
	char **argv = xcalloc(8 + c->nflags, sizeof *argv);
	int n = 0;
	argv[n++] = xstrdup(STR("nowcast"));
	argv[n++] = xstrdup(STR("reconcile"));
	argv[n++] = xstrdup(STR("--unless-fresh"));
	if (c->config) {
		argv[n++] = xstrdup(STR("--config"));
		argv[n++] = xstrdup(str_of(c->config));
	}
	for (size_t i = 0; i < c->nflags; i++) {
		struct buf b = BUF_INIT;
		buf_addf(&b, "--%.*s=%s", STR_ARG(c->flags[i].key), c->flags[i].value);
		argv[n++] = b.data;
	}
	return argv;
}

static void start_run(struct schedule *s, const struct command *c)
{
	char **argv = make_arguments(c);
	assert(!s->child);
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		int null = open("/dev/null", O_RDWR);
		if (getppid() != parent || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
			_exit(1);
		execv("/proc/self/exe", argv);
		_exit(127);
	}
	if (child < 0)
		log_error("the reconciliation cannot be started", LOG_STR("why", strerror(errno)));
	else
		s->child = child;
	for (char **p = argv; *p; p++)
		free(*p);
	free(argv);
}

static void collect_run(struct schedule *s)
{
	int status;
	if (!s->child || waitpid(s->child, &status, WNOHANG) != s->child)
		return;
	s->child = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		log_info("reconciled with the bill; nowcast report --reconciliation shows the result");
	else
		log_warn("the reconciliation failed; its message is above, and the earlier figures stay",
		         LOG_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
}

void schedule_tick(struct schedule *s, const struct command *c)
{
	int64_t now = when_ticks_ms();
	collect_run(s);
	if (s->child || !*c->conf.reconcile_source)
		return;
	if (!s->due_ms)
		s->due_ms = now + FIRST_MS;
	if (now < s->due_ms)
		return;
	s->due_ms = now + c->conf.reconcile_every_ms;
	start_run(s, c);
}

void schedule_stop(struct schedule *s)
{
	if (!s->child)
		return;
	kill(s->child, SIGTERM);
	waitpid(s->child, NULL, 0);
	s->child = 0;
}
