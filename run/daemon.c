// SPDX-License-Identifier: Apache-2.0
// `nowcast run`: starts the workers, what reads AWS's APIs and what takes deliveries, then handles signals,
// the stats line and systemd. The main thread handles no record; it sleeps in sigtimedwait, so that signals
// are ordinary events and there are no handlers.
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "alert/watch.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/secret_files.h"
#include "base/version.h"
#include "base/when.h"
#include "cli/config_files.h"
#include "ingest/dead_letter_file.h"
#include "pricing/prices.h"
#include "query/snapshot.h"
#include "run/commands.h"
#include "run/puller.h"
#include "run/receiver.h"
#include "run/systemd.h"
#include "run/schedule.h"
#include "run/worker.h"
#include "web/server.h"

enum {
	TICK_MS = 200,
	STUCK_MS = 120000,
	STOP_MS = 18000, // how long the end may take, after a signal
	CLOSE_MS = 5000, // of that, once everything is committed
};

struct daemon {
	struct command *command;
	struct conf *conf;
	struct worker **workers;
	int nworkers;
	struct puller *puller; // NULL: no source of AWS is read
	struct receiver *receiver; // NULL: Firehose may not deliver
	struct ingest_thread **threads; // of the workers, the puller and the receiver
	int nthreads;
	struct prices *prices, *old_prices; // old_prices: some worker may still use them
	struct alert_watch *alerts; // NULL: `alerts` is off
	struct snapshots *snapshots; // NULL: `scoreboard.keep` is 0
	struct server *server;    // dashboard, API and /metrics; NULL: `listen` is not set
	sigset_t signals;
	struct ingest_stats last; // of the last stats line
	int64_t last_ms;
	int64_t watchdog_ms, watchdog_due_ms;
	struct schedule schedule; // of reconciliation, and of the update of prices
	bool draining;
	pthread_t last_resort;    // runs while draining, if has_last_resort
	bool has_last_resort;
	atomic_bool safe;         // all that the workers have read is committed
	atomic_bool ended;        // the last resort is not needed
};

static void add_stats(struct ingest_stats *sum, const struct ingest_stats *s)
{
	sum->messages += s->messages;
	sum->records += s->records;
	sum->calls += s->calls;
	sum->ignored += s->ignored;
	sum->faults += s->faults;
	sum->late += s->late;
	sum->future += s->future;
	sum->settled += s->settled;
	sum->batches += s->batches;
	sum->round_trips += s->round_trips;
	sum->dead_sent += s->dead_sent;
	sum->dead_filed += s->dead_filed;
	sum->dead_logged += s->dead_logged;
	sum->gap_messages += s->gap_messages;
	sum->telemetry_unused += s->telemetry_unused;
	sum->untrusted += s->untrusted;
	sum->custom_events += s->custom_events;
	sum->foreign_accounts += s->foreign_accounts;
	sum->endangered += s->endangered;
	sum->dead_waiting += s->dead_waiting;
	sum->lag += s->lag;
	// all see the same backlog
	sum->settle_left = s->settle_left > sum->settle_left ? s->settle_left : sum->settle_left;
	sum->partitions += s->partitions;
	sum->turned_ms = s->turned_ms < sum->turned_ms ? s->turned_ms : sum->turned_ms;
	sum->waiting |= s->waiting;
	sum->ended |= s->ended;
}

static struct ingest_stats sum_stats(const struct daemon *d)
{
	struct ingest_stats sum = {.turned_ms = INT64_MAX}, one;
	for (int i = 0; i < d->nthreads; i++) {
		ingest_thread_read_stats(d->threads[i], &one);
		add_stats(&sum, &one);
	}
	return sum;
}

static void log_stats_line(struct daemon *d)
{
	struct ingest_stats s = sum_stats(d);
	int64_t now = when_ticks_ms(), spent = now > d->last_ms ? now - d->last_ms : 1;
	int64_t rate = (int64_t)(s.records - d->last.records) * 1000 / spent;
	log_stats("stats", LOG_INT("records_per_s", rate), LOG_INT("messages", s.messages),
	          LOG_INT("records", s.records), LOG_INT("calls", s.calls), LOG_INT("ignored", s.ignored),
	          LOG_INT("faults", s.faults), LOG_INT("late", s.late), LOG_INT("future", s.future),
	          LOG_INT("dead_sent", s.dead_sent), LOG_INT("dead_filed", s.dead_filed),
	          LOG_INT("dead_logged", s.dead_logged), LOG_INT("dead_waiting", s.dead_waiting),
	          LOG_INT("untrusted", s.untrusted), LOG_INT("custom_events", s.custom_events),
	          LOG_INT("foreign_accounts", s.foreign_accounts),
	          LOG_INT("telemetry_unused", s.telemetry_unused), LOG_INT("missing_messages", s.gap_messages),
	          LOG_INT("endangered", s.endangered), LOG_INT("lag", s.lag), LOG_INT("partitions", s.partitions),
	          LOG_INT("batches", s.batches), LOG_INT("round_trips", s.round_trips),
	          LOG_INT("settled", s.settled), LOG_INT("settle_left", s.settle_left));
	systemd_notify("STATUS=%s%" PRId64 " records/s, lag %" PRId64 ", %" PRIu64 " faults",
	       s.waiting ? "waiting for Redis, or for room for dead letters; " : "", rate, s.lag, s.faults);
	d->last = s;
	d->last_ms = now;
}

// ---- prices

// Loaded here once, handed to every worker, read-only from then on.
static void set_prices(struct daemon *d, struct prices *fresh)
{
	d->old_prices = d->prices;
	d->prices = fresh;
	for (int i = 0; i < d->nthreads; i++)
		ingest_thread_set_prices(d->threads[i], fresh);
}

static void free_old_prices(struct daemon *d)
{
	struct ingest_stats s;
	for (int i = 0; d->old_prices && i < d->nthreads; i++) {
		ingest_thread_read_stats(d->threads[i], &s);
		if (s.prices == d->old_prices && !s.ended)
			return;
	}
	prices_free(d->old_prices);
	d->old_prices = NULL;
}

static void reload_prices(struct daemon *d)
{
	struct err err = ERR_INIT;
	struct prices *fresh;
	free_old_prices(d);
	if (d->old_prices) {
		log_warn(
			"prices were read a moment ago and are not in use by every worker yet; send the signal again");
	} else if (!prices_load(&fresh, d->conf, &err)) {
		log_error("the prices were not taken; those in force stay", LOG_STR("why", err.msg));
	} else {
		set_prices(d, fresh);
		log_info("prices read again; `nowcast reprice` brings them to the hours already computed");
	}
}

// ---- signals

static void reload_conf(struct daemon *d)
{
	struct err err = ERR_INIT;
	struct conf fresh;
	const char *restart = NULL;
	systemd_notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64, when_ticks_ms() * 1000);
	if (command_load(d->command, &fresh, &err)) {
		conf_reload(d->conf, &fresh, &restart);
		log_setup((enum log_level)d->conf->log_level, (enum log_format)d->conf->log_format,
		          d->conf->log_time);
		reload_prices(d);
		alert_watch_reload(d->alerts);
		log_info("configuration read again");
		if (restart)
			log_warn("a changed key takes effect after a restart only", LOG_STR("key", restart));
	} else {
		log_error("the configuration was not taken; what was in force stays", LOG_STR("why", err.msg));
	}
	conf_release(&fresh);
	systemd_notify("READY=1");
}

static bool all_safe(const struct daemon *d)
{
	struct ingest_stats s;
	for (int i = 0; i < d->nthreads; i++) {
		ingest_thread_read_stats(d->threads[i], &s);
		if (!s.safe)
			return false;
	}
	return true;
}

// Ends the process if its parts do not end: librdkafka may wait for ever for a topic that was deleted, and a
// Redis that hangs is waited for by whoever has asked it. What was not committed is read again.
static void *end_at_last(void *opaque)
{
	struct daemon *d = opaque;
	const struct timespec tick = {0, 50 * 1000000L};
	int64_t began = when_ticks_ms(), safe_since = 0;
	while (!atomic_load(&d->ended)) {
		int64_t now = when_ticks_ms();
		bool safe = atomic_load(&d->safe);
		if (safe && !safe_since)
			safe_since = now;
		if (safe && now - safe_since >= CLOSE_MS) {
			log_warn("ended without waiting for all parts to close; everything read is committed");
			_exit(STATUS_OK);
		}
		if (now - began >= STOP_MS) {
			log_error("ended in the middle of a batch; what was not committed will be read again");
			_exit(STATUS_FAILED);
		}
		nanosleep(&tick, NULL);
	}
	return NULL;
}

static void stop_threads(struct daemon *d)
{
	for (int i = 0; i < d->nthreads; i++)
		ingest_thread_stop(d->threads[i]);
}

static void begin_drain(struct daemon *d)
{
	if (d->draining) { // asked twice: the user does not want to wait, and nothing uncommitted is lost
		log_warn("stopped without draining; what was not committed is read again by the next worker");
		_exit(STATUS_FAILED);
	}
	d->draining = true;
	log_info("draining: finishing the batch, then ending");
	systemd_notify("STOPPING=1\nSTATUS=draining");
	schedule_stop(&d->schedule);
	alert_watch_quit(d->alerts);
	snapshots_quit(d->snapshots);
	stop_threads(d);
	d->has_last_resort = pthread_create(&d->last_resort, NULL, end_at_last, d) == 0;
	if (!d->has_last_resort)
		log_warn("cannot start a thread: the end may take longer than it should");
}

static void on_signal(struct daemon *d, int sig)
{
	if (sig == SIGHUP)
		reload_conf(d);
	else if (sig == SIGUSR1)
		log_stats_line(d);
	else
		begin_drain(d);
}

// Blocked before any thread is made, so that no thread of ours or of a library receives them.
static void block_signals(struct daemon *d)
{
	sigemptyset(&d->signals);
	sigaddset(&d->signals, SIGTERM);
	sigaddset(&d->signals, SIGINT);
	sigaddset(&d->signals, SIGHUP);
	sigaddset(&d->signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &d->signals, NULL);
}

// ---- the loop

static void run_tick(struct daemon *d)
{
	if (!d->draining && schedule_tick(&d->schedule, d->command))
		reload_prices(d);
	int64_t now = when_ticks_ms();
	struct ingest_stats s = sum_stats(d);
	atomic_store(&d->safe, all_safe(d));
	free_old_prices(d);
	if (now - d->last_ms >= d->conf->stats_interval_ms)
		log_stats_line(d);
	if (d->watchdog_ms && now >= d->watchdog_due_ms && now - s.turned_ms < STUCK_MS) {
		systemd_notify("WATCHDOG=1");
		d->watchdog_due_ms = now + d->watchdog_ms;
	}
}

static bool any_ended(const struct daemon *d)
{
	return sum_stats(d).ended;
}

static bool all_ended(const struct daemon *d)
{
	struct ingest_stats s = {0};
	for (int i = 0; i < d->nthreads; i++) {
		ingest_thread_read_stats(d->threads[i], &s);
		if (!s.ended)
			return false;
	}
	return true;
}

static void run_loop(struct daemon *d)
{
	const struct timespec wait = {0, TICK_MS * 1000000L};
	while (!all_ended(d)) {
		int sig = sigtimedwait(&d->signals, NULL, &wait);
		if (sig > 0)
			on_signal(d, sig);
		run_tick(d);
		if (!d->draining && any_ended(d)) {
			log_error(
				"a worker ended; stopping the others too, so that the supervisor starts all of them again");
			begin_drain(d);
		}
	}
}

static bool start_parts(struct daemon *d, struct err *err)
{
	int wanted = conf_has_source(d->conf, "kafka") ? (int)d->conf->workers : 0;
	d->workers = xcalloc((size_t)wanted + 1, sizeof *d->workers);
	d->threads = xcalloc((size_t)wanted + 2, sizeof *d->threads);
	if (conf_has_aws(d->conf)) {
		if (!puller_start(&d->puller, d->conf, d->prices, err))
			return false;
		d->threads[d->nthreads++] = puller_thread(d->puller);
	}
	if (conf_has_source(d->conf, "firehose")) {
		if (!receiver_start(&d->receiver, d->conf, d->prices, err))
			return false;
		d->threads[d->nthreads++] = receiver_thread(d->receiver);
	}
	for (; d->nworkers < wanted; d->nworkers++) {
		if (!worker_start(&d->workers[d->nworkers], d->conf, d->prices, d->nworkers, err))
			return false;
		d->threads[d->nthreads++] = worker_thread(d->workers[d->nworkers]);
	}
	if (d->conf->alerts && !alert_watch_start(&d->alerts, d->conf, err))
		return false;
	if (!snapshots_start(&d->snapshots, d->conf, err))
		return false;
	const struct server_options o = {.listen = d->conf->listen,
	                                 .deliveries = d->receiver ? receiver_deliveries(d->receiver) : NULL};
	return !*d->conf->listen || server_start(&d->server, d->conf, &o, err);
}

static void check_dead_letter_file(const char *file, int64_t max)
{
	struct err err = ERR_INIT;
	if (*file && !dead_letter_file_check(file, max, &err))
		log_error("dead letters have no place", LOG_STR("why", err.msg));
}

// Tells all that is wrong before anything is started. *ret_prices: those to begin with.
static int refuse(struct command *c, struct prices **ret_prices)
{
	struct err_list mistakes = {0};
	struct err err = {.list = &mistakes};
	struct config_files files = {.mapping = NULL};
	bool good = command_done(c, 0, 0, &err) && config_files_load(&files, &c->conf, CONFIG_OF_ALL, &err);
	int status = good ? STATUS_OK : command_fail(c, &err);
	if (good) {
		*ret_prices = files.prices;
		files.prices = NULL;
	}
	config_files_release(&files);
	err_list_release(&mistakes);
	return status;
}

int cmd_run(struct command *c)
{
	struct err err = ERR_INIT;
	struct daemon d = {
		.command = c, .conf = &c->conf, .last_ms = when_ticks_ms(), .watchdog_ms = systemd_watchdog_ms()};
	int refused = refuse(c, &d.prices);
	if (refused)
		return refused;
	secret_files_log_open(&c->conf);
	block_signals(&d);
	bool started = start_parts(&d, &err), good = started;
	if (started) {
		struct version v = version_get();
		log_info("started", LOG_STR("version", v.number), LOG_STR("commit", v.commit),
		         LOG_INT("workers", d.nworkers), LOG_STR("aws", d.puller ? "yes" : "no"),
		         LOG_STR("firehose", d.receiver ? "yes" : "no"),
		         LOG_STR("brokers", c->conf.brokers), LOG_STR("group", c->conf.group),
		         LOG_STR("listen", c->conf.listen));
		if (!*c->conf.dead_letter_topic && !*c->conf.dead_letter_file)
			log_warn(
				"neither dead_letter.topic nor dead_letter.file is set: what cannot be decoded will only be logged");
		check_dead_letter_file(c->conf.dead_letter_file, c->conf.dead_letter_file_max);
		systemd_notify("READY=1\nSTATUS=started");
		run_loop(&d);
		log_stats_line(&d);
	} else {
		stop_threads(&d);
	}
	for (int i = 0; i < d.nworkers; i++)
		good = worker_join(d.workers[i], &err) && good;
	if (d.puller)
		good = puller_join(d.puller, &err) && good;
	if (d.receiver)
		good = receiver_join(d.receiver, &err) && good;
	alert_watch_stop(d.alerts);
	snapshots_stop(d.snapshots);
	server_stop(d.server);
	receiver_free(d.receiver);
	atomic_store(&d.ended, true);
	if (d.has_last_resort)
		pthread_join(d.last_resort, NULL);
	free(d.workers);
	free(d.threads);
	prices_free(d.old_prices);
	prices_free(d.prices);
	if (started)
		log_info(good ? "ended; everything read is committed"
		              : "ended by an error; what was not committed will be read again");
	return good ? STATUS_OK : command_fail(c, &err);
}
