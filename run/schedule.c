// SPDX-License-Identifier: Apache-2.0
#include "run/schedule.h"

#include <assert.h>
#include <ctype.h>
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
enum { DAY_MS = 86400000 };

static const struct {
	const char *words[3];
	const char *cannot_start, *done, *failed;
} runs[SCHEDULES] = {
	[SCHEDULE_RECONCILE] = {{"reconcile", "--unless-fresh"},
                            "the reconciliation cannot be started",
                            "reconciled with the bill; nowcast report --reconciliation shows the result",
                            "the reconciliation failed; its message is above, and the earlier figures stay"},
	[SCHEDULE_PRICES] = {{"price", "update"},
                         "the update of the prices cannot be started",
                         "AWS's price lists were looked up, what changed is above",
                         "the prices were not all updated; the reason is above, and those in force stay"},
};

static bool is_wanted(const struct conf *conf, int run)
{
	return run == SCHEDULE_RECONCILE ? *conf->reconcile_source != '\0' : conf->prices_update != 0;
}

// The variable of a key, as base/conf.h names it.
static void add_variable_name(struct buf *b, struct str key)
{
	buf_adds(b, "NOWCAST_");
	for (size_t i = 0; i < key.len; i++)
		buf_addc(b, isalnum((unsigned char)key.p[i]) ? (char)toupper((unsigned char)key.p[i]) : '_');
}

// The environment, and the flags that hold secrets: everybody can read the arguments of a process.
static char **make_environment(const struct command *c)
{
	size_t n = 0, have = 0;
	while (environ[have])
		have++;
	char **env = xcalloc(have + c->nflags + 1, sizeof *env);
	for (size_t i = 0; i < c->nflags; i++) {
		struct buf b = BUF_INIT;
		if (!command_flag_is_secret(c->flags[i]))
			continue;
		add_variable_name(&b, c->flags[i].key);
		buf_addf(&b, "=%s", c->flags[i].value);
		env[n++] = b.data;
	}
	size_t secrets = n;
	for (size_t i = 0; i < have; i++) {
		bool replaced = false;
		for (size_t k = 0; k < secrets; k++)
			replaced |= strncmp(environ[i], env[k], strcspn(env[k], "=") + 1) == 0;
		if (!replaced)
			env[n++] = xstrdup(str_of(environ[i]));
	}
	return env;
}

static void free_words(char **words)
{
	for (char **p = words; *p; p++)
		free(*p);
	free(words);
}

// The same program with the same configuration. Everything is made before the fork: after it only system
// calls are allowed.
static char **make_arguments(const struct command *c, int run)
{
	char **argv = xcalloc(8 + c->nflags, sizeof *argv);
	int n = 0;
	argv[n++] = xstrdup(STR("nowcast"));
	for (const char *const *word = runs[run].words; *word; word++)
		argv[n++] = xstrdup(str_of(*word));
	if (c->config) {
		argv[n++] = xstrdup(STR("--config"));
		argv[n++] = xstrdup(str_of(c->config));
	}
	for (size_t i = 0; i < c->nflags; i++) {
		struct buf b = BUF_INIT;
		if (command_flag_is_secret(c->flags[i]))
			continue;
		buf_addf(&b, "--%.*s=%s", STR_ARG(c->flags[i].key), c->flags[i].value);
		argv[n++] = b.data;
	}
	return argv;
}

static void start_run(struct schedule *s, const struct command *c, int run)
{
	char **argv = make_arguments(c, run), **env = make_environment(c);
	assert(!s->runs[run].child);
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		int null = open("/dev/null", O_RDWR);
		// the changes of prices, on standard output, belong to the log; a bill's summary does not
		int out = run == SCHEDULE_PRICES ? 2 : null;
		if (getppid() != parent || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0)
			_exit(1);
		execve("/proc/self/exe", argv, env);
		_exit(127);
	}
	if (child < 0)
		log_error(runs[run].cannot_start, LOG_STR("why", strerror(errno)));
	else
		s->runs[run].child = child;
	free_words(argv);
	free_words(env);
}

// True: a run has ended well.
static bool collect_run(struct schedule *s, int run)
{
	int status;
	if (!s->runs[run].child || waitpid(s->runs[run].child, &status, WNOHANG) != s->runs[run].child)
		return false;
	s->runs[run].child = 0;
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (good)
		log_info(runs[run].done);
	else
		log_warn(runs[run].failed,
		         LOG_INT("status", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
	return good;
}

bool schedule_tick(struct schedule *s, const struct command *c)
{
	int64_t now = when_ticks_ms();
	bool updated = false;
	for (int run = 0; run < SCHEDULES; run++) {
		int64_t *due = &s->runs[run].due_ms;
		bool good = collect_run(s, run);
		updated |= good && run == SCHEDULE_PRICES;
		if (s->runs[run].child || !is_wanted(&c->conf, run))
			continue;
		if (!*due)
			*due = now + FIRST_MS;
		if (now < *due)
			continue;
		*due = now + (run == SCHEDULE_RECONCILE ? c->conf.reconcile_every_ms : DAY_MS);
		start_run(s, c, run);
	}
	return updated;
}

void schedule_stop(struct schedule *s)
{
	for (int run = 0; run < SCHEDULES; run++) {
		if (!s->runs[run].child)
			continue;
		kill(s->runs[run].child, SIGTERM);
		waitpid(s->runs[run].child, NULL, 0);
		s->runs[run].child = 0;
	}
}
