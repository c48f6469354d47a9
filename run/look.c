// SPDX-License-Identifier: Apache-2.0
// `nowcast look`: who spent what in the last hours, out of AWS's APIs alone. It needs credentials, and
// nothing else: neither Kafka nor a Redis of the user's.
//
//     streams, backward (run/streams.h) --> intake --> private_redis --> reports, what was not seen; the page
//
// The newest hours are read first, so what is not read in time is the oldest. However it ends, the server and
// its folder are removed. The account is only read.
#include "run/look.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/usd.h"
#include "base/when.h"
#include "cli/commands.h"
#include "run/commands.h"
#include "run/private_redis.h"
#include "run/profile_flag.h"
#include "store/observed.h"
#include "store/profile_import.h"
#include "store/schema.h"
#include "store/tag_import.h"
#include "web/server.h"

enum {
	TICK_MS = 40,
	PROGRESS_MS = 500,
	GIVE_UP_TRIES = 6, // of a stream that AWS throttles or does not answer
	HOURS_MAX = 15 * 24, // CloudWatch keeps minutes as long
	STREAMS_START_MS = 60000, // until they start, which they count from
	WINDOW_SPARE_HOURS = 6,
};

struct looking {
	struct look look;
	struct redis *redis;   // for tags
	struct private_redis server;
	struct prices *prices;
	struct server *page;
	sigset_t signals;
	int stopped;           // the signal that ended it
	int64_t wait_ms;       // reading takes no longer
	int64_t progress_ms;   // monotonic
	bool serve;
};

// ---- arguments ----------------------------------------------------------------------------------

static bool parse_hours(const char *text, int64_t *ret, struct err *err)
{
	if (usd_parse_scaled(str_of(text), 0, ret) && *ret >= 1 && *ret <= HOURS_MAX)
		return true;
	return err_set(
		err, ERR_CONFIG,
		"--hours: expected a number from 1 to %d (CloudWatch keeps minutes for 15 days), got \"%s\"",
		HOURS_MAX, text);
}

static bool parse_wait(const char *text, int64_t *ret_ms, struct err *err)
{
	int64_t minutes;
	struct str number = str_of(text);
	if (str_ends(number, STR("m")))
		number.len--;
	if (!usd_parse_scaled(number, 0, &minutes) || minutes < 1 || minutes > 24 * 60)
		return err_set(err, ERR_CONFIG, "--wait: expected minutes from 1m to 1440m, got \"%s\"", text);
	*ret_ms = minutes * MS_PER_MINUTE;
	return true;
}

static bool set_key(struct look *l, const char *key, const char *value, struct err *err)
{
	return conf_set(l->conf, str_of(key), str_of(value), (struct conf_origin){CONF_FLAG, 0}, err);
}

static bool parse_arguments(struct looking *x, struct command *c, struct err *err)
{
	const char *hours = "24", *wait = "5m";
	x->serve = command_switch(c, "--serve");
	return profile_flags(c, err) && command_option(c, "--hours", &hours, err) &&
	       command_option(c, "--wait", &wait, err) && command_done(c, 0, 0, err) &&
	       parse_hours(hours, &x->look.hours, err) && parse_wait(wait, &x->wait_ms, err);
}

// What the user has configured for the estimate counts, and nothing of where a daemon reads and writes.
static bool set_configuration(struct looking *x, struct err *err)
{
	struct look *l = &x->look;
	char window[24];
	int64_t hours = l->hours + WINDOW_SPARE_HOURS;
	snprintf(window, sizeof window, "%" PRId64 "h", hours > 24 ? hours : 24);
	const char *const keys[][2] = {
		{"redis", x->server.url},  {"redis.prefix", "nowcast"}, {"sources", "aws"},
		{"brokers", ""},           {"window", window},          {"retention", "400d"},
		{"dead_letter.topic", ""}, {"dead_letter.file", ""},    {"alerts", "false"},
	};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!set_key(l, keys[i][0], keys[i][1], err))
			return false;
	return true;
}

// ---- reading ------------------------------------------------------------------------------------

static void on_message(void *user, const struct stream *s, const char *path, struct str data)
{
	struct looking *x = user;
	const struct origin origin = {
		.path = path, .api_account = str_of(s->place->account->id), .api_log = s->kind == STREAM_LOGS};
	intake_message(&x->look.intake, s->kind == STREAM_TRAIL ? &(struct origin){.path = path} : &origin, data);
}

// The roles and users are taken to have had their tags all the time.
static bool on_tags(void *user, const struct stream *s, struct str json, struct err *err)
{
	struct looking *x = user;
	(void)s;
	return tag_import_text(x->redis, x->look.conf->redis_prefix, json, x->look.from_ms,
	                       x->look.intake.pseudonyms, err);
}

static bool on_profiles(void *user, const struct stream *s, struct str json, struct err *err)
{
	struct looking *x = user;
	(void)s;
	return profile_import_text(x->redis, x->look.conf->redis_prefix, json, err);
}

// Waits for a moment. False: a signal asked it to stop.
static bool wait_tick(struct looking *x, int64_t ms)
{
	const struct timespec wait = {0, (ms < TICK_MS ? ms : TICK_MS) * 1000000L};
	int sig = sigtimedwait(&x->signals, NULL, &wait);
	if (sig > 0)
		x->stopped = sig;
	return !x->stopped;
}

static void show_progress(struct looking *x)
{
	const struct decode_counts *d = decoder_counts(x->look.intake.decoder);
	int64_t now = when_ticks_ms(), back = x->look.to_ms;
	char when[WHEN_SIZE];
	int places = 0;
	if (!isatty(STDERR_FILENO) || now - x->progress_ms < PROGRESS_MS)
		return;
	x->progress_ms = now;
	for (int i = 0; i < x->look.streams.n; i++) {
		const struct stream *s = &x->look.streams.v[i];
		places += s->kind == STREAM_METRICS && !s->namespace && s->place->looked;
		if (s->kind == STREAM_CLOUDTRAIL && s->place->used && !s->done)
			back = s->position_ms ? s->position_ms : x->look.to_ms;
	}
	fprintf(stderr, "\r\033[Kreading: %d of %d Regions looked at, %" PRIu64 " calls, back to %.16s", places,
	        x->look.streams.nplaces, d->records[RECORD_CALL], when_format(back, when));
	fflush(stderr);
}

// There is no daemon here that would try for ever.
static void give_up(struct stream *s)
{
	bool helpless = s->fault == AWS_DENIED || s->fault == AWS_REFUSED || s->fault == AWS_REGION_OFF;
	if (s->failing_ms && (helpless || s->tries >= GIVE_UP_TRIES || (s->fault == AWS_EXPIRED && s->tries > 1)))
		s->done = true;
}

static bool apply(struct looking *x, struct err *err)
{
	dead_letters_clear(
		&x->look.intake.dead); // counted (engine_count_fault), and shown with what was not seen
	return intake_apply(&x->look.intake, err);
}

// Its account has no credentials: what it has is not seen. Of one account there is nothing else to see.
static bool leave_account(struct looking *x, const struct stream *s, struct err *err)
{
	struct streams *all = &x->look.streams;
	if (all->naccounts == 1)
		return err_set(err, s->why.kind, "%s", s->why.msg);
	for (int i = 0; i < all->n; i++)
		all->v[i].done |= all->v[i].place->account == s->place->account;
	return true;
}

// What was read of is observed, also where there was nothing (store/observed.h).
static bool note_observed(struct looking *x, const struct stream *s, struct err *err)
{
	char place[ACCOUNT_ID_SIZE + STREAM_REGION_SIZE];
	struct observed_span span = {.from = s->from_ms / MS_PER_MINUTE, .to = s->to_ms / MS_PER_MINUTE};
	if (s->idle || s->incomplete || (s->kind != STREAM_CLOUDTRAIL && s->kind != STREAM_METRICS))
		return true;
	snprintf(place, sizeof place, "%s/%s", s->place->account->id, s->place->region);
	span.acct_region = str_of(place);
	span.signal = s->kind == STREAM_METRICS ? OBSERVED_METRICS : OBSERVED_CALLS;
	observed_queue(x->redis, x->look.conf->redis_prefix, &span, x->look.conf->retention_ms);
	return redis_exec(x->redis, err);
}

static bool turn(struct looking *x, struct stream *s, struct err *err)
{
	struct streams *all = &x->look.streams;
	if (!stream_open(all, s))
		return leave_account(x, s, err);
	bool complete = stream_turn(all, s);
	give_up(s);
	if (!complete)
		return !intake_is_full(&x->look.intake) || apply(x, err);
	if (!apply(x, err))
		return false;
	stream_finish(all, s);
	return note_observed(x, s, err);
}

static bool read_all(struct looking *x, struct err *err)
{
	int64_t end = when_ticks_ms() + x->wait_ms, due;
	for (;;) {
		struct stream *s = streams_next(&x->look.streams, &due);
		if (!s && due == INT64_MAX)
			break;
		if (when_ticks_ms() >= end) {
			x->look.out_of_time = true;
			break;
		}
		if (s ? !turn(x, s, err) || !wait_tick(x, 0) : !wait_tick(x, due - when_ticks_ms()))
			break;
		show_progress(x);
	}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	return !x->stopped && err->kind == ERR_NONE && apply(x, err);
}

static bool settle_all(struct looking *x, struct err *err)
{
	size_t left = 1;
	while (left > 0)
		if (!engine_settle(x->look.intake.engine, true, &left, err))
			return false;
	return true;
}

// ---- starting and stopping ----------------------------------------------------------------------

static void block_signals(struct looking *x)
{
	static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	sigemptyset(&x->signals);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		sigaddset(&x->signals, all[i]);
	sigprocmask(SIG_BLOCK, &x->signals, NULL);
}

static bool start_parts(struct looking *x, struct err *err)
{
	struct look *l = &x->look;
	int64_t now = when_now_ms();
	l->from_ms = (now - l->hours * MS_PER_HOUR) / MS_PER_HOUR * MS_PER_HOUR; // figures are of whole hours
	if (!private_redis_start(&x->server, "look", err) || !set_configuration(x, err) ||
	    !prices_load(&x->prices, l->conf, err) ||
	    !schema_open(&x->redis, redis_target_of(l->conf), SCHEMA_WRITE, err) ||
	    !intake_open(&l->intake, l->conf, x->prices, (size_t)l->conf->message_bytes, NULL, NULL, err) ||
	    !intake_prepare(&l->intake, err))
		return false;
	struct streams_options o = {.conf = l->conf,
	                            .backward = true,
	                            .since_ms = now - l->from_ms + STREAMS_START_MS,
	                            .hooks = {on_message, on_tags, on_profiles, x}};
	for (int kind = 0; kind < STREAM_KINDS; kind++)
		o.wanted[kind] = kind != STREAM_TRAIL;
	if (!streams_init(&l->streams, &o, err))
		return false;
	l->to_ms = l->streams.start_ms;
	return true;
}

static void stop_parts(struct looking *x)
{
	server_stop(x->page);
	streams_release(&x->look.streams);
	if (x->look.intake.engine)
		intake_close(&x->look.intake);
	redis_close(x->redis);
	prices_free(x->prices);
	private_redis_stop(&x->server);
}

// ---- what it found ------------------------------------------------------------------------------

static void print_head(const struct look *l)
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	int regions = 0;
	printf("nowcast look: Amazon Bedrock from %.16s to %.16s UTC\n", when_format(l->from_ms, from),
	       when_format(l->to_ms, to));
	for (int i = 0; i < l->streams.naccounts; i++) {
		const struct aws_account *a = &l->streams.accounts[i];
		if (!a->found_ms) {
			printf("account %s: no credentials\n", *a->id ? a->id : "own");
			continue;
		}
		printf("account %s (credentials: %s), used in", a->id, a->credentials.origin);
		for (int k = 0; k < l->streams.nplaces; k++)
			if (l->streams.places[k].account == a && l->streams.places[k].used)
				printf("%s %s", regions++ ? "," : "", l->streams.places[k].region);
		puts(regions ? "" : " no Region");
		regions = 0;
	}
}

static bool print_report(struct look *l, const char *by)
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	char *argv[] = {(char *)"--by",
	                (char *)by,
	                (char *)"--from",
	                when_format(l->from_ms, from),
	                (char *)"--to",
	                when_format((l->to_ms / MS_PER_HOUR + 1) * MS_PER_HOUR, to),
	                NULL};
	struct command c = {.name = "report", .conf = *l->conf, .argc = 6, .argv = argv};
	printf("\nWho spent it, by %s:\n\n", by);
	fflush(stdout);
	return cmd_report(&c) == STATUS_OK;
}

static bool print_results(struct looking *x, struct err *err)
{
	struct look *l = &x->look;
	const struct engine_counts *e = engine_counts(l->intake.engine);
	print_head(l);
	if (e->calls_new == 0 && e->metrics == 0)
		puts("\nNothing called Bedrock in this time, as far as could be seen.");
	else if (!print_report(l, "team") || !print_report(l, "principal") || !print_report(l, "model"))
		return err_set(err, ERR_FATAL, "the report failed");
	return look_print_unseen(l, err);
}

static bool serve(struct looking *x, struct err *err)
{
	const char *listen = *x->look.conf->listen ? x->look.conf->listen : SERVE_LISTEN;
	if (!server_start(&x->page, x->look.conf, &(struct server_options){.listen = listen}, err))
		return false;
	printf("\nThe page is at http://127.0.0.1:%d/ until ^C.\n", server_port(x->page));
	fflush(stdout);
	while (wait_tick(x, TICK_MS))
		;
	x->stopped = 0;
	return true;
}

int cmd_look(struct command *c)
{
	struct err err = ERR_INIT;
	struct looking x = {.look = {.conf = &c->conf}, .server = {.pipe = -1}};
	if (!parse_arguments(&x, c, &err))
		return command_fail(c, &err);
	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false);
	block_signals(&x);
	bool good = start_parts(&x, &err) && read_all(&x, &err) && settle_all(&x, &err) &&
	            print_results(&x, &err) && (!x.serve || serve(&x, &err));
	stop_parts(&x);
	if (x.stopped && err.kind == ERR_NONE)
		err_set(&err, ERR_FATAL, "stopped before its end; nothing is left behind");
	return good ? STATUS_OK : command_fail(c, &err);
}
