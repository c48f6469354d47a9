// SPDX-License-Identifier: Apache-2.0
// Each message is handed over by HTTP, by SMTP, or to a command on its standard input. All messages on their
// way advance at the same time, and each ends within SEND_MS. Redirects are not followed: a webhook that has
// moved is an error to report.
//
// With a `secret`, X-Nowcast-Signature is "sha256=" and the HMAC-SHA256 of "<X-Nowcast-Timestamp>.<body>" in
// hex. X-Nowcast-Id is the same each time a message is tried, so a receiver can recognise a repetition.
#include "alert/send.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws/http_client.h"
#include "base/digest.h"
#include "base/when.h"

enum { SEND_MS = 10000, CONNECT_MS = 4000 };

struct alert_sender {
	struct http_transfers *transfers;
};

struct alert_sending {
	char *name; // of the receiver
	bool is_http;
	struct buf body;
	struct http_transfer *transfer; // NULL: a command
	pid_t pid; // of a command that runs; 0: none
	int64_t killed_ms; // when it will be (when_ticks_ms)
	bool over;
	struct err why; // not taken, because
};

// ---- http and mail ------------------------------------------------------------------------------

// "sha256=..." over the time and the body.
static void add_signature(struct buf *b, struct str secret, long long now, struct str body)
{
	char hex[SHA256_HEX_SIZE];
	struct buf text = BUF_INIT;
	buf_addf(&text, "%lld.", now);
	buf_addstr(&text, body);
	hmac_sha256_hex(secret, buf_str(&text), hex);
	buf_release(&text);
	buf_addf(b, "X-Nowcast-Signature: sha256=%s", hex);
}

static void begin_post(struct alert_sender *s, struct alert_sending *x, const struct alert_receiver *to,
                       struct str id)
{
	struct buf url = BUF_INIT, id_line = BUF_INIT, time_line = BUF_INIT, signature = BUF_INIT;
	long long now = when_now_ms() / 1000;
	buf_addstr(&url, to->url);
	if (to->kind == TO_ALERTMANAGER && !str_ends(to->url, STR("/api/v2/alerts")))
		buf_adds(&url, str_ends(to->url, STR("/")) ? "api/v2/alerts" : "/api/v2/alerts");
	buf_addf(&id_line, "X-Nowcast-Id: %.*s", STR_ARG(id));
	if (to->secret.len) {
		buf_addf(&time_line, "X-Nowcast-Timestamp: %lld", now);
		add_signature(&signature, to->secret, now, buf_str(&x->body));
	}
	const struct http_client_request r = {
		.url = url.data,
		.headers = {"Content-Type: application/json", id_line.data, time_line.data, signature.data},
		.body = buf_str(&x->body),
		.ca_file = to->ca,
		.connect_ms = CONNECT_MS,
		.total_ms = SEND_MS,
	};
	x->is_http = true;
	x->transfer = http_transfer_begin(s->transfers, &r);
	buf_release(&url);
	buf_release(&id_line);
	buf_release(&time_line);
	buf_release(&signature);
}

static void begin_mail(struct alert_sender *s, struct alert_sending *x, const struct alert_receiver *to)
{
	const struct mail_request m = {
		.url = to->url,
		.from = to->from,
		.to = to->to,
		.user = to->user,
		.password = to->password,
		.text = buf_str(&x->body),
		.ca_file = to->ca,
		.connect_ms = CONNECT_MS,
		.total_ms = SEND_MS,
	};
	x->transfer = http_transfer_begin_mail(s->transfers, &m);
}

static void check_transfer(struct alert_sending *x)
{
	long status;
	const struct err *why;
	if (!http_transfer_over(x->transfer, &status, &why))
		return;
	if (why) {
		err_set(&x->why, why->kind, "receiver %s: %s", x->name, why->msg);
	} else if (x->is_http && (status < 200 || status > 299)) {
		bool later = status >= 500 || status == 429 || status == 408;
		err_set(&x->why, later ? ERR_RETRY : ERR_CONFIG, "receiver %s: answered %ld", x->name, status);
	}
	x->over = true;
}

// ---- command ------------------------------------------------------------------------------------

// Notes whether the command has ended. One that takes too long is killed with its process group.
static void check_command(struct alert_sending *x)
{
	int status = 0;
	if (waitpid(x->pid, &status, WNOHANG) == 0) {
		if (when_ticks_ms() < x->killed_ms)
			return;
		kill(-x->pid, SIGKILL);
		waitpid(x->pid, &status, 0);
		err_set(&x->why, ERR_RETRY, "receiver %s: the command did not end within %d s and was killed",
		        x->name, SEND_MS / 1000);
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		err_set(&x->why, ERR_RETRY, "receiver %s: the command ended with %s %d", x->name,
		        WIFEXITED(status) ? "status" : "signal",
		        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	}
	x->pid = 0;
	x->over = true;
}

// What a command gets of our environment: nothing that is a secret, of Redis, Kafka or AWS.
struct clean_environment {
	char *words[16];
};

static char **make_environment(struct clean_environment *env)
{
	static const char *const kept[] = {"PATH", "HOME",   "USER", "LOGNAME", "SHELL",
	                                   "LANG", "LC_ALL", "TZ",   "TMPDIR"};
	extern char **environ;
	size_t n = 0;
	_Static_assert(sizeof kept / sizeof *kept < sizeof env->words / sizeof *env->words,
	               "room for all and NULL");
	for (char **word = environ; *word; word++)
		for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
			size_t len = strlen(kept[i]);
			if (n < sizeof kept / sizeof *kept && strncmp(*word, kept[i], len) == 0 && (*word)[len] == '=')
				env->words[n++] = *word;
		}
	env->words[n] = NULL;
	return env->words;
}

static void run_command(struct alert_sending *x, const struct alert_receiver *to)
{
	struct clean_environment env;
	char *command = xstrdup(to->command);
	char sh[] = "sh", dash_c[] = "-c", *argv[] = {sh, dash_c, command, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	int in = memfd_create("alert", MFD_CLOEXEC);
	if (in < 0 || write(in, x->body.data, x->body.len) != (ssize_t)x->body.len ||
	    lseek(in, 0, SEEK_SET) != 0) {
		err_set(&x->why, ERR_RETRY, "receiver %s: the message cannot be kept for it: %s", x->name,
		        strerror(errno));
		x->over = true;
		free(command);
		if (in >= 0)
			close(in);
		return;
	}
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	// sockets of other messages: the command would hold them open
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	int failed = posix_spawn(&x->pid, "/bin/sh", &files, &attributes, argv, make_environment(&env));
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	close(in);
	free(command);
	x->killed_ms = when_ticks_ms() + SEND_MS;
	if (failed) {
		x->pid = 0;
		x->over = true;
		err_set(&x->why, ERR_RETRY, "receiver %s: the command does not start: %s", x->name, strerror(failed));
	}
}

// ---- all ----------------------------------------------------------------------------------------

struct alert_sender *alert_sender_new(void)
{
	struct alert_sender *s = xcalloc(1, sizeof *s);
	s->transfers = http_transfers_new();
	return s;
}

void alert_sender_free(struct alert_sender *s)
{
	if (!s)
		return;
	http_transfers_free(s->transfers);
	free(s);
}

struct alert_sending *alert_send(struct alert_sender *s, const struct alert_receiver *to, struct str id,
                                 struct buf *body)
{
	struct alert_sending *x = xcalloc(1, sizeof *x);
	x->name = xstrdup(to->name);
	x->body = *body;
	*body = (struct buf)BUF_INIT;
	if (to->kind == TO_COMMAND)
		run_command(x, to);
	else if (to->kind == TO_EMAIL)
		begin_mail(s, x, to);
	else
		begin_post(s, x, to, id);
	return x;
}

void alert_sender_wait(struct alert_sender *s, int64_t ms)
{
	http_transfers_wait(s->transfers, ms);
}

bool alert_sending_over(struct alert_sending *x, const struct err **ret_why)
{
	if (x->pid)
		check_command(x);
	else if (x->transfer && !x->over)
		check_transfer(x);
	*ret_why = x->why.kind ? &x->why : NULL;
	return x->over;
}

void alert_sending_free(struct alert_sending *x)
{
	if (!x)
		return;
	http_transfer_free(x->transfer);
	if (x->pid) {
		kill(-x->pid, SIGKILL);
		waitpid(x->pid, NULL, 0);
	}
	buf_release(&x->body);
	free(x->name);
	free(x);
}
