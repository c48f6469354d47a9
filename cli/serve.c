// SPDX-License-Identifier: Apache-2.0
// `nowcast serve`: the dashboard and the API on their own, beside workers that run elsewhere.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "base/secret_files.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/config_files.h"
#include "web/server.h"

// Tells all that is wrong with what the server reads, as `check-config` does. A file that goes wrong later is
// told on the page, and read again.
static int refuse(struct command *c)
{
	struct err_list mistakes = {0};
	struct err err = {.list = &mistakes};
	struct config_files files;
	bool good = config_files_load(&files, &c->conf, CONFIG_OF_SERVER, &err);
	int status = good ? STATUS_OK : command_fail(c, &err);
	config_files_release(&files);
	err_list_release(&mistakes);
	return status;
}

int cmd_serve(struct command *c)
{
	struct err err = ERR_INIT;
	struct server *server = NULL;
	const char *now = NULL, *listen = *c->conf.listen ? c->conf.listen : SERVE_LISTEN;
	int64_t now_ms = 0;
	sigset_t signals;
	int sig;
	if (!command_option(c, "--now", &now, &err) || !command_done(c, 0, 0, &err))
		return command_fail(c, &err);
	if (now && !when_parse(str_of(now), &now_ms)) {
		err_set(&err, ERR_CONFIG, "--now: expected a time like 2026-11-02T06:00:00Z, got \"%s\"", now);
		return command_fail(c, &err);
	}
	int refused = refuse(c);
	if (refused)
		return refused;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL); // before the threads, which inherit it
	secret_files_log_open(&c->conf);
	if (!server_start(&server, &c->conf, &(struct server_options){listen, now_ms, NULL}, &err))
		return command_fail(c, &err);
	log_info("serving", LOG_STR("listen", listen), LOG_INT("port", server_port(server)),
	         LOG_STR("tls", *c->conf.listen_tls_cert ? "yes" : "no"));
	sigwait(&signals, &sig);
	log_info("ending", LOG_STR("signal", sig == SIGTERM ? "SIGTERM" : "SIGINT"));
	server_stop(server);
	return STATUS_OK;
}
