// SPDX-License-Identifier: Apache-2.0
// `nowcast demo`: everything on this machine, without any configuration. An hour of made-up calls, whose
// truth is known, goes through the parts of a real installation:
//
//     traffic --> mock_broker --> workers --> private_redis --> top, report, truth; the dashboard
//                 (in-process)    (run/)      (its own server)
//
// The user's configuration is not read, so that no made-up figure can get into a Redis that holds real ones.
// The demo ends by itself, or on a terminal with ^C. However it ends, the server, its folder and the broker
// are removed.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/top.h"
#include "demo/billed_day.h"
#include "demo/mock_broker.h"
#include "demo/truth.h"
#include "demo/demo.h"
#include "demo/traffic.h"
#include "run/private_redis.h"
#include "run/worker.h"
#include "store/view.h"
#include "web/server.h"

enum {
	WORKERS = 1, // the mock cluster may take two that join at the same instant for one
	PARTITIONS = 4,      // of each topic
	TICK_MS = 40,
	JOIN_MS = 30000,     // until the workers have their partitions
	CATCH_UP_MS = 20000, // until they have read what was sent
	PLAIN_ROWS = 10,     // of the table where there is no terminal, the lines above it included
};

struct demo {
	int64_t seconds, seed, port;
	sigset_t signals;
	int stopped;         // the signal that ended it
	struct private_redis redis;
	struct mock_broker *broker;
	struct conf conf;
	struct traffic traffic;
	size_t sent;         // of traffic.messages
	struct worker *workers[WORKERS];
	int nworkers;
	struct ingest_stats stats; // of all workers
	struct view *view;
	struct server *server;
	char url[48];        // of the dashboard
	struct top top;
	int64_t draw_ms, draw_due_ms;
};

static bool parse_number(const char *text, const char *flag, int64_t min, int64_t max, int64_t *ret,
                         struct err *err)
{
	int64_t v;
	if (!usd_parse_scaled(str_of(text), 0, &v) || v < min || v > max)
		return err_set(err, ERR_CONFIG, "%s: expected a number from %lld to %lld, got \"%s\"", flag,
		               (long long)min, (long long)max, text);
	*ret = v;
	return true;
}

static bool parse_arguments(struct demo *d, struct command *c, struct err *err)
{
	const char *seconds = "60", *seed = "1", *port = "0";
	if (c->nflags)
		return err_set(err, ERR_CONFIG,
		               "%.*s is of the configuration, and the demo uses none; `nowcast help demo` lists its flags",
		               STR_ARG(c->flags[0].key));
	return command_option(c, "--seconds", &seconds, err) && command_option(c, "--seed", &seed, err) &&
	       command_option(c, "--port", &port, err) && command_done(c, 0, 0, err) &&
	       parse_number(seconds, "--seconds", 1, 3600, &d->seconds, err) &&
	       parse_number(seed, "--seed", 0, INT64_MAX, &d->seed, err) &&
	       parse_number(port, "--port", 0, UINT16_MAX, &d->port, err);
}

// ---- starting and stopping

// Before anything is started, so that no thread and no child process receives them.
static void block_signals(struct demo *d)
{
	sigemptyset(&d->signals);
	sigaddset(&d->signals, SIGINT);
	sigaddset(&d->signals, SIGTERM);
	sigaddset(&d->signals, SIGHUP);
	sigaddset(&d->signals, SIGQUIT);
	sigprocmask(SIG_BLOCK, &d->signals, NULL);
}

// Waits for a tick. False: a signal asked the demo to stop.
static bool wait_tick(struct demo *d)
{
	const struct timespec wait = {0, TICK_MS * 1000000L};
	int sig = sigtimedwait(&d->signals, NULL, &wait);
	if (sig > 0)
		d->stopped = sig;
	return !d->stopped;
}

static bool set_configuration(struct demo *d, struct err *err)
{
	const struct {
		const char *key, *value;
	} keys[] = {
		{"brokers", mock_broker_address(d->broker)},
		{"topics", "cloudtrail,cloudwatch"},
		{"redis", d->redis.url},
		{"batch.interval", "200ms"},   // an hour is played in a minute: the intervals are shortened alike
		{"settle.interval", "500ms"},
		{"window", "48h"},             // the calls of the day before come last
	};
	conf_init(&d->conf);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (!conf_set(&d->conf, str_of(keys[i].key), str_of(keys[i].value),
		              (struct conf_origin){CONF_FLAG, 0}, err))
			return false;
	return true;
}

static bool start_parts(struct demo *d, struct err *err)
{
	char listen[32];
	snprintf(listen, sizeof listen, "127.0.0.1:%" PRId64, d->port);
	if (!private_redis_start(&d->redis, "demo", err) ||
	    !mock_broker_start(&d->broker, traffic_topics, TRAFFIC_TOPICS, PARTITIONS, err) ||
	    !set_configuration(d, err) ||
	    !server_start(&d->server, &d->conf, &(struct server_options){.listen = listen}, err))
		return false;
	snprintf(d->url, sizeof d->url, "http://127.0.0.1:%d/", server_port(d->server));
	printf("nowcast demo: a private Redis, a broker in this process, made-up calls; the dashboard at %s\n",
	       d->url);
	fflush(stdout);
	for (; d->nworkers < WORKERS; d->nworkers++)
		if (!worker_start(&d->workers[d->nworkers], &d->conf, NULL, d->nworkers, err))
			return false;
	traffic_make(&d->traffic, when_now_ms() - MS_PER_HOUR, (uint64_t)d->seed);
	return view_open(&d->view, redis_target_of(&d->conf), err) &&
	       grouping_parse(&d->top.by, STR("principal,model"), conf_sources(&d->conf), err);
}

static bool stop_workers(struct demo *d, struct err *err)
{
	bool good = true;
	for (int i = 0; i < d->nworkers; i++)
		ingest_thread_stop(worker_thread(d->workers[i]));
	for (int i = 0; i < d->nworkers; i++)
		good = worker_join(d->workers[i], err) && good;
	d->nworkers = 0;
	return good;
}

static void stop_parts(struct demo *d)
{
	struct err ignored = ERR_INIT;
	(void)!stop_workers(d, &ignored);
	server_stop(d->server);
	view_close(d->view);
	mock_broker_stop(d->broker);
	private_redis_stop(&d->redis);
	traffic_release(&d->traffic);
	conf_release(&d->conf);
}

// ---- playing the hour

static bool read_stats(struct demo *d, struct err *err)
{
	struct ingest_stats sum = {0}, one;
	for (int i = 0; i < d->nworkers; i++) {
		ingest_thread_read_stats(worker_thread(d->workers[i]), &one);
		sum.messages += one.messages;
		sum.partitions += one.partitions;
		if (one.ended)
			return err_set(err, ERR_FATAL, "a worker ended early");
	}
	d->stats = sum;
	return true;
}

static bool draw_table(struct demo *d, int64_t clock_ms, bool final, struct err *err)
{
	char when[WHEN_SIZE], sent[TABLE_COUNT_SIZE], read[TABLE_COUNT_SIZE], title[160];
	when_format(clock_ms, when);
	snprintf(title, sizeof title, "nowcast demo  %s  %.8s UTC, %s: %s messages sent, %s read", d->url,
	         when + 11,
	         final                         ? "the hour is over"
	         : clock_ms > d->traffic.to_ms ? "stragglers"
	                                       : "a made-up hour",
	         table_count((int64_t)d->sent, sent), table_count((int64_t)d->stats.messages, read));
	top_measure(&d->top);
	if (!d->top.terminal) {
		putchar('\n');
		d->top.rows = PLAIN_ROWS;
	}
	d->top.title = title;
	d->top.hours = 2;
	d->draw_due_ms = when_ticks_ms() + d->draw_ms;
	bool good = top_draw(&d->top, d->view, err);
	d->top.title = NULL;
	return good;
}

static bool draw_if_due(struct demo *d, int64_t clock_ms, struct err *err)
{
	return when_ticks_ms() < d->draw_due_ms || draw_table(d, clock_ms, false, err);
}

static bool wait_for_partitions(struct demo *d, struct err *err)
{
	int64_t until = when_ticks_ms() + JOIN_MS;
	while (wait_tick(d) && read_stats(d, err) && d->stats.partitions < PARTITIONS * TRAFFIC_TOPICS)
		if (when_ticks_ms() > until)
			return err_set(err, ERR_FATAL, "the workers got no partitions within %d s", JOIN_MS / 1000);
	return !d->stopped && err->kind == ERR_NONE;
}

static bool send_until(struct demo *d, int64_t clock_ms, struct err *err)
{
	for (; d->sent < d->traffic.n && d->traffic.messages[d->sent].arrives_ms <= clock_ms; d->sent++) {
		const struct traffic_message *m = &d->traffic.messages[d->sent];
		if (!mock_broker_send(d->broker, traffic_topics[m->topic], m->text, err))
			return false;
	}
	return true;
}

// From the first message to the last, the simulated clock runs some seventy minutes in d->seconds.
static bool play_traffic(struct demo *d, struct err *err)
{
	const struct traffic *t = &d->traffic;
	int64_t began = when_ticks_ms(), spent = 0, all = d->seconds * 1000;
	do {
		spent = when_ticks_ms() - began < all ? when_ticks_ms() - began : all;
		int64_t clock = t->from_ms + (t->last_ms - t->from_ms) * spent / all;
		if (!send_until(d, clock, err) || !read_stats(d, err) || !draw_if_due(d, clock, err))
			return false;
	} while (wait_tick(d) && spent < all);
	return !d->stopped && mock_broker_flush(d->broker, err);
}

// Waits until all messages are read. Stopping the workers then computes the final figures.
static bool catch_up(struct demo *d, struct err *err)
{
	int64_t until = when_ticks_ms() + CATCH_UP_MS;
	while (wait_tick(d) && read_stats(d, err) && d->stats.messages < d->sent)
		if (when_ticks_ms() > until)
			return err_set(err, ERR_FATAL, "the workers have read %" PRIu64 " of %zu messages within %d s",
			               d->stats.messages, d->sent, CATCH_UP_MS / 1000);
	return !d->stopped && err->kind == ERR_NONE && stop_workers(d, err) &&
	       draw_table(d, d->traffic.last_ms, true, err);
}

// ---- the results

// Shows the command and what it prints.
static bool run_report(struct demo *d, const char *by)
{
	char *argv[] = {(char *)"--by", (char *)by, NULL};
	struct command c = {.name = "report", .conf = d->conf, .argc = 2, .argv = argv};
	printf("\n$ nowcast report --by %s\n", by);
	fflush(stdout);
	return cmd_report(&c) == STATUS_OK;
}

// The hour as it stands, and as it is once a day before it is billed, beside the truth.
static bool print_truth(struct demo *d, struct err *err)
{
	struct truth first, taught;
	if (!truth_read(d->view, &d->traffic, &first, err) ||
	    !billed_day_add(&d->conf, d->traffic.from_ms, (uint64_t)d->seed, err) ||
	    !truth_read(d->view, &d->traffic, &taught, err))
		return false;
	puts("\n"
	     "The demo made these calls, so it knows what each caller truly spent (dollars). It now\n"
	     "adds an hour of the day before, and AWS's bill for that. On the right is what this\n"
	     "teaches of the hour that was played, which itself is not billed yet:");
	truth_print(&first, &taught, d->top.columns);
	printf("\nThe callers' differences come to %" PRId64 ".%" PRId64
	       " %% of the dollars without any bill, to %" PRId64 ".%" PRId64 " %% after that one.\n",
	       truth_missed(&first) / 10, truth_missed(&first) % 10, truth_missed(&taught) / 10,
	       truth_missed(&taught) % 10);
	return true;
}

static bool print_results(struct demo *d, struct err *err)
{
	if (!run_report(d, "team") || !run_report(d, "principal,model"))
		return err_set(err, ERR_FATAL, "the report failed");
	if (!print_truth(d, err))
		return false;
	puts("\n"
	     "`exact` tokens are from CloudTrail. `allocated` ones are shares of a CloudWatch\n"
	     "sum; nine times in ten the truth is between low and high. `unpriced`: no price\n"
	     "list has the model, so its tokens are counted, without dollars.\n"
	     "All of it was made up, and is removed when the demo ends.\n"
	     "\n"
	     "For your own calls:\n"
	     "  nowcast look                        the last hours, straight from AWS\n"
	     "  nowcast check-config --sample > F   F: set brokers, topics and redis in it\n"
	     "  nowcast run --config F              the daemon\n"
	     "  nowcast replay FILES|FOLDER         the same from CloudTrail files\n"
	     "  nowcast top, report, doctor         who is spending, who spent, is all well\n"
	     "docs/operations.md says how to get the records out of AWS.");
	return true;
}

// On a terminal, from which it can be ended, the dashboard stays.
static void keep_dashboard(struct demo *d)
{
	if (!d->top.terminal)
		return;
	printf("\nThe dashboard stays at %s until ^C.\n", d->url);
	fflush(stdout);
	while (wait_tick(d))
		;
	d->stopped = 0;
}

static bool run_demo(struct demo *d, struct err *err)
{
	if (!start_parts(d, err) || !wait_for_partitions(d, err))
		return false;
	top_measure(&d->top);
	d->draw_ms = d->top.terminal ? 1000 : d->seconds * 100 > 3000 ? d->seconds * 100 : 3000;
	top_begin(&d->top);
	bool good = play_traffic(d, err) && catch_up(d, err);
	top_end(&d->top);
	good = good && print_results(d, err);
	if (good)
		keep_dashboard(d);
	return good;
}

int cmd_demo(struct command *c)
{
	struct err err = ERR_INIT;
	struct demo d = {.redis = {.pipe = -1}};
	if (!parse_arguments(&d, c, &err))
		return command_fail(c, &err);
	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false); // the screen shows the table
	block_signals(&d);
	bool good = run_demo(&d, &err);
	stop_parts(&d);
	if (d.stopped && err.kind == ERR_NONE)
		err_set(&err, ERR_FATAL, "stopped before its end; all of it is removed");
	return good ? STATUS_OK : command_fail(c, &err);
}
