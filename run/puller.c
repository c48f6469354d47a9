// SPDX-License-Identifier: Apache-2.0
// Everything here runs on the puller's own thread, but for puller_start, _thread and _join.
#include "run/puller.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "aws/cloudtrail.h"
#include "base/log.h"
#include "base/when.h"
#include "run/settling.h"
#include "run/streams.h"
#include "store/observed.h"
#include "store/profile_import.h"
#include "store/positions.h"
#include "store/schema.h"
#include "store/source_status.h"
#include "store/tag_import.h"

enum {
	POLL_MS = 100,         // how soon it notices that it should stop
	LEASE_EVERY_MS = 3000,
	WAITING_MAX = 64,
	PLACE_SIZE = ACCOUNT_ID_SIZE + STREAM_REGION_SIZE,
	SWEEP_EVERY_MS = 3600000,
	REMOVED_MS = 86400000,   // written by nobody for so long, a source of another account is read by nobody
	ROLE_REMOVED_MS = 3600000, // the same of credentials that are refused, which are written
	SAY_AGAIN_MS = 600000,   // as often
	DRAIN_MS = 12000,      // shorter than run/daemon.c waits before it ends the process
	RATE_MAX = CLOUDTRAIL_PAGE * 1000 / CLOUDTRAIL_REQUEST_MS * 8 / 10, // of what LookupEvents gives
};

struct held_account {
	int64_t due_ms; // monotonic: when the lease is taken again
	bool ours;
	int64_t failing_ms; // since when there are no credentials for it; 0: there are
	int64_t said_ms;    // monotonic: when that was last written
};

struct puller {
	const struct conf *conf;
	struct ingest_thread thread;
	struct intake intake;
	struct redis *redis;     // for positions, leases and tags
	struct positions_scripts gaps;
	struct loss loss;        // to be noted with the next statuses; seen_ms 0: none
	struct streams streams;
	struct held_account *held;
	int64_t *in_redis;       // by stream: the position that Redis has
	int64_t *stored;         // by stream: the position that Redis was given last
	uint64_t forgotten, failures; // of the intake and of `redis`, when positions were moved last
	char owner[96];
	struct backoff backoff;
	struct stream *waiting[WAITING_MAX]; // whose spans are complete, and not yet safe in Redis
	int nwaiting;
	uint64_t batches;
	int64_t apply_due_ms; // monotonic
	int64_t sweep_due_ms;    // monotonic
	struct settling settling;
	bool tried;              // Redis did not answer, the last time
	struct err err;          // why it ended
};

static bool is_stopping(const struct puller *p)
{
	return ingest_thread_is_stopping(&p->thread);
}

// ---- what others see ----------------------------------------------------------------------------

static void publish_stats(struct puller *p)
{
	const struct ingest_stats own = {
		.batches = p->batches,
		.settle_left = (int64_t)p->settling.left,
		.waiting = p->tried,
	};
	ingest_thread_publish(&p->thread, &p->intake, own);
}

// ---- the state of a stream, in Redis ------------------------------------------------------------

static struct str place_of(const struct stream *s, char buf[PLACE_SIZE])
{
	snprintf(buf, PLACE_SIZE, "%s/%s", s->place->account->id,
	         stream_is_of_account(s->kind) ? "global" : s->place->region);
	return str_of(buf);
}

static struct source_status status_of(const struct stream *s, char place[PLACE_SIZE])
{
	bool too_much = s->kind == STREAM_CLOUDTRAIL && s->rate > RATE_MAX;
	return (struct source_status){.source = str_of(stream_word(s)),
	                              .acct_region = place_of(s, place),
	                              .position_ms = s->position_ms,
	                              .read_ms = s->read_ms,
	                              .failing_ms = s->idle ? 0 : s->failing_ms,
	                              .rate = s->rate,
	                              .state = too_much  ? SOURCE_TOO_MUCH
	                                       : s->idle ? SOURCE_IDLE
	                                                 : SOURCE_READS,
	                              .text = str_of(s->failing_ms && !s->idle ? s->why.msg : s->note)};
}

// Before the position that is beyond it.
static void queue_gap(struct puller *p, const struct stream *s)
{
	char place[PLACE_SIZE];
	const struct gap gap = {.from_ms = s->gap_from_ms, .to_ms = s->gap_to_ms, .cause = s->gap_cause};
	if (s->gap_to_ms > s->gap_from_ms)
		positions_queue_source_gap(p->redis, p->gaps, p->conf->redis_prefix, str_of(stream_word(s)),
		                           place_of(s, place), gap);
}

static void queue_loss(struct puller *p)
{
	struct buf key = BUF_INIT;
	if (p->loss.seen_ms)
		positions_queue_loss(p->redis, &key, p->conf->redis_prefix, &p->loss);
	buf_release(&key);
}

static void report_gap(const struct stream *s)
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	if (s->gap_to_ms > s->gap_from_ms)
		log_error("AWS no longer gives records of this time: replay the files of it (nowcast replay)",
		          LOG_STR("source", stream_word(s)), LOG_STR("account", s->place->account->id),
		          LOG_STR("region", s->place->region), LOG_STR("why", gap_cause_word(s->gap_cause)),
		          LOG_STR("since", when_format(s->gap_from_ms, from)),
		          LOG_STR("until", when_format(s->gap_to_ms, to)));
}

// What the position of a stream has passed is observed, unless AWS no longer gave some of it. A queue tells
// nothing of the time before this began to read it.
static void queue_observed(struct puller *p, const struct stream *s)
{
	static const enum observed_signal signals[STREAM_KINDS] = {[STREAM_METRICS] = OBSERVED_METRICS,
	                                                           [STREAM_LOGS] = OBSERVED_LOGS};
	char place[PLACE_SIZE];
	int64_t from_ms = s->from_ms, to_ms = s->position_ms;
	bool of_queue = s->kind == STREAM_TRAIL;
	if (stream_is_of_account(s->kind) || s->kind == STREAM_PROFILES || (s->idle && !s->place->used) ||
	    (s->idle && s->kind == STREAM_LOGS) || s->gap_to_ms > s->gap_from_ms)
		return;
	if (of_queue) {
		from_ms = from_ms > p->streams.start_ms ? from_ms : p->streams.start_ms;
		to_ms -= OBSERVED_LATE_MS;
	}
	snprintf(place, sizeof place, "%s/%s", s->place->account->id, s->place->region);
	const struct observed_span span = {of_queue ? STR_NONE : str_of(place), signals[s->kind],
	                                   from_ms / MS_PER_MINUTE, to_ms / MS_PER_MINUTE};
	observed_queue(p->redis, p->conf->redis_prefix, &span, p->conf->retention_ms);
}

// Waits after a try that Redis did not answer. False: there is no use in another, or no time.
static bool wait_to_retry(struct puller *p, struct err *err)
{
	if (err->kind != ERR_RETRY || ingest_thread_has_stopped_for(&p->thread, DRAIN_MS))
		return false;
	int ms = backoff_next_ms(&p->backoff);
	log_warn("what AWS gave is kept and tried again", LOG_STR("why", err->msg), LOG_INT("wait_ms", ms));
	err_clear(err);
	p->tried = true;
	publish_stats(p);
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
	return true;
}

static bool is_of_place(const struct source_status *status, const struct stream *s)
{
	struct str rest = status->acct_region, account = str_cut(&rest, '/');
	return str_is(account, s->place->account->id) &&
	       (stream_is_of_account(s->kind) || str_is(rest, s->place->region));
}

// Older versions had one position for the metrics of both namespaces, which comes before that of one.
static bool is_of_stream(const struct source_status *status, const struct stream *s)
{
	return is_of_place(status, s) &&
	       (str_is(status->source, stream_words[s->kind]) || str_is(status->source, stream_word(s)));
}

static void note_position(void *user, const struct source_status *status)
{
	struct puller *p = user;
	for (int i = 0; i < p->streams.n; i++)
		if (is_of_stream(status, &p->streams.v[i]))
			p->in_redis[i] = status->position_ms;
}

static bool is_waiting(const struct puller *p, const struct stream *s)
{
	for (int i = 0; i < p->nwaiting; i++)
		if (p->waiting[i] == s)
			return true;
	return false;
}

static bool is_of_queue(const struct puller *p, const struct stream *s)
{
	return s->kind == STREAM_TRAIL && !*p->conf->trail_files;
}

static bool is_ours(const struct puller *p, const struct stream *s)
{
	return p->held[s->place->account - p->streams.accounts].ours;
}

static void report_loss(struct puller *p, int64_t streams, int64_t from_ms)
{
	char when[WHEN_SIZE];
	if (!streams)
		return;
	if (p->loss.seen_ms && p->loss.held_ms < from_ms) // of one that is not noted yet
		p->loss.seen_ms = when_now_ms();
	else
		p->loss = (struct loss){when_now_ms(), from_ms};
	log_error("Redis has lost what was written to it: AWS's APIs are read again", LOG_INT("sources", streams),
	          LOG_STR("from", from_ms ? when_format(from_ms, when) : "the beginning"));
}

// Positions are written after the facts before them. Where Redis has an earlier one than it was given, it has
// lost facts: the stream reads again from there. Those of the batch in hand are looked at when it is applied.
// What a queue told of is not told again.
static bool go_back_with_redis(struct puller *p, bool of_batch, struct err *err)
{
	int64_t streams = 0, from_ms = INT64_MAX;
	memset(p->in_redis, 0, (size_t)p->streams.n * sizeof *p->in_redis);
	if (!source_status_each(p->redis, p->conf->redis_prefix, note_position, p, err))
		return false;
	for (int i = 0; i < p->streams.n; i++) {
		struct stream *s = &p->streams.v[i];
		if (is_of_queue(p, s) || p->stored[i] <= p->in_redis[i] || is_waiting(p, s) != of_batch ||
		    !is_ours(p, s))
			continue;
		stream_go_back(s, p->in_redis[i]);
		p->stored[i] = s->position_ms;
		from_ms = s->position_ms < from_ms ? s->position_ms : from_ms;
		streams++;
	}
	report_loss(p, streams, from_ms);
	return true;
}

// The position that Redis has does not tell whether it has what was read after it. That the intake says of
// its batches. What does not go through the intake, tags and profiles, may be lost if the connection
// broke. So spans under way, and those that have just ended, are read again from where Redis has them.
static void go_back_with_batches(struct puller *p)
{
	bool lost = p->intake.forgotten != p->forgotten, broken = redis_failures(p->redis) != p->failures;
	int64_t streams = 0, from_ms = INT64_MAX;
	p->forgotten = p->intake.forgotten;
	p->failures = redis_failures(p->redis);
	for (int i = 0; i < p->streams.n; i++) {
		struct stream *s = &p->streams.v[i];
		bool by_intake = !stream_is_of_account(s->kind) && s->kind != STREAM_PROFILES;
		if (!(by_intake ? lost : broken) || !(s->reading || is_waiting(p, s)) || !is_ours(p, s))
			continue;
		stream_go_back(s, is_of_queue(p, s) ? s->position_ms : p->stored[i]);
		from_ms = s->position_ms < from_ms ? s->position_ms : from_ms;
		streams += by_intake;
	}
	report_loss(p, streams, from_ms);
}

// ---- to Redis -----------------------------------------------------------------------------------

static void queue_positions(struct puller *p)
{
	struct source_status status[WAITING_MAX];
	char places[WAITING_MAX][PLACE_SIZE];
	queue_loss(p);
	for (int i = 0; i < p->nwaiting; i++) {
		status[i] = status_of(p->waiting[i], places[i]);
		queue_gap(p, p->waiting[i]);
	}
	redis_barrier(p->redis);
	source_positions_queue(p->redis, p->conf->redis_prefix, status, (size_t)p->nwaiting);
	for (int i = 0; i < p->nwaiting; i++) {
		source_status_queue(p->redis, p->conf->redis_prefix, &status[i]);
		queue_observed(p, p->waiting[i]);
	}
}

// One try to write how far the streams that wait are read. It looks first whether Redis still has what they
// gave: a Redis, or a master, that goes after that breaks a connection of `redis`, so that nothing is
// written.
static bool move_positions(struct puller *p, struct err *err)
{
	if (!go_back_with_redis(p, true, err))
		return false;
	engine_check_loss(p->intake.engine);
	if (!intake_apply(&p->intake, err))
		return false;
	go_back_with_batches(p);
	for (int i = 0; i < p->nwaiting; i++)
		if (p->waiting[i]->due_ms == INT64_MAX) {
			stream_finish(&p->streams, p->waiting[i]);
			report_gap(p->waiting[i]);
		}
	queue_positions(p);
	if (!redis_exec(p->redis, err))
		return false;
	for (int i = 0; i < p->nwaiting; i++)
		p->stored[p->waiting[i] - p->streams.v] = p->waiting[i]->position_ms;
	return true;
}

static bool apply_batch(struct puller *p, struct err *err)
{
	p->apply_due_ms = when_ticks_ms() + p->conf->batch_interval_ms;
	p->batches += !intake_is_empty(&p->intake);
	while (!intake_is_empty(&p->intake) && !intake_apply(&p->intake, err))
		if (!wait_to_retry(p, err))
			return false;
	if (p->nwaiting == 0)
		return true;
	while (!move_positions(p, err))
		if (!wait_to_retry(p, err))
			return false;
	p->nwaiting = 0;
	p->loss = (struct loss){0};
	p->tried = false;
	backoff_reset(&p->backoff);
	return true;
}

static bool settle_hours(struct puller *p, bool all, struct err *err)
{
	return settling_turn(&p->settling, &p->intake, all, p->conf->settle_interval_ms, &p->backoff, err);
}

// ---- hooks of the streams -----------------------------------------------------------------------

static void on_message(void *user, const struct stream *s, const char *path, struct str data)
{
	struct puller *p = user;
	const struct origin origin = {
		.path = path, .api_account = str_of(s->place->account->id), .api_log = s->kind == STREAM_LOGS};
	intake_message(&p->intake, s->kind == STREAM_TRAIL ? &(struct origin){.path = path} : &origin, data);
}

// Those that were there before the first reading are taken to have been there all the time.
static bool on_tags(void *user, const struct stream *s, struct str json, struct err *err)
{
	struct puller *p = user;
	int64_t now = when_now_ms(), from = s->position_ms ? now : now - p->conf->aws_since_ms;
	return tag_import_text(p->redis, p->conf->redis_prefix, json, from, p->intake.pseudonyms, err);
}

static bool on_profiles(void *user, const struct stream *s, struct str json, struct err *err)
{
	struct puller *p = user;
	(void)s;
	return profile_import_text(p->redis, p->conf->redis_prefix, json, err);
}

// ---- the turn -----------------------------------------------------------------------------------

static void load_position(void *user, const struct source_status *status)
{
	struct puller *p = user;
	for (int i = 0; i < p->streams.n; i++) {
		struct stream *s = &p->streams.v[i];
		if (!is_of_stream(status, s) || s->reading || s->due_ms == INT64_MAX)
			continue; // a span is under way, or waits to be safe
		s->position_ms = p->stored[i] = status->position_ms;
		s->read_ms = status->read_ms;
		s->was_read = status->state == SOURCE_READS && status->position_ms > 0;
		s->place->used |= s->kind == STREAM_CLOUDTRAIL && status->position_ms > 0;
		if (stream_is_of_account(s->kind) && status->position_ms > 0) // once a day, restarts or not
			s->due_ms = when_ticks_ms() + 86400000 - (when_now_ms() - status->position_ms);
	}
}

// Which account the credentials are of is not known before they were used.
static bool knows_accounts(const struct puller *p)
{
	for (int i = 0; i < p->streams.naccounts; i++)
		if (!*p->streams.accounts[i].id)
			return false;
	return true;
}

static const struct held_account *find_account(const struct puller *p, const struct source_status *s)
{
	struct str rest = s->acct_region, account = str_cut(&rest, '/');
	bool role = str_is(s->source, "credentials");
	for (int i = 0; i < p->streams.naccounts; i++) {
		const struct aws_account *a = &p->streams.accounts[i];
		if (role ? str_is(s->acct_region, a->role_arn ? a->role_arn : "own") : str_is(account, a->id))
			return &p->held[i];
	}
	return NULL;
}

// What this process reads, and what another one seems to read.
static bool is_kept(void *user, const struct source_status *status, int64_t written_ms)
{
	struct puller *p = user;
	if (str_is(status->source, "firehose"))
		return true; // it comes by itself: run/receiver.h
	bool role = str_is(status->source, "credentials");
	const struct held_account *h = find_account(p, status);
	if (!h || (!role && !h->ours))
		return h || !knows_accounts(p) || when_now_ms() - written_ms < (role ? ROLE_REMOVED_MS : REMOVED_MS);
	if (role)
		return true;
	for (int i = 0; i < p->streams.n; i++)
		if (str_is(status->source, stream_word(&p->streams.v[i])) && is_of_place(status, &p->streams.v[i]))
			return true;
	return false;
}

static void sweep_sources(struct puller *p)
{
	struct err err = ERR_INIT;
	p->sweep_due_ms = when_ticks_ms() + SWEEP_EVERY_MS;
	if (!source_status_sweep(p->redis, p->conf->redis_prefix, is_kept, p, &err))
		log_warn("sources that were removed are still shown", LOG_STR("why", err.msg));
}

// Whether this process reads the account of the stream; if not, it is asked again in some seconds.
static bool hold_account(struct puller *p, struct stream *s)
{
	struct held_account *h = &p->held[s->place->account - p->streams.accounts];
	struct err err = ERR_INIT;
	bool had = h->ours;
	if (h->due_ms > when_ticks_ms())
		return h->ours || (s->due_ms = h->due_ms, false);
	h->due_ms = when_ticks_ms() + LEASE_EVERY_MS;
	bool good = source_lease_take(p->redis, p->conf->redis_prefix, str_of(s->place->account->id),
	                              str_of(p->owner), &h->ours, &err);
	if (good && h->ours)
		good = go_back_with_redis(p, false, &err);
	if (good && h->ours && !had) {
		log_info("reading an account of AWS", LOG_STR("account", s->place->account->id),
		         LOG_STR("credentials", s->place->account->credentials.origin));
		good = source_status_each(p->redis, p->conf->redis_prefix, load_position, p, &err);
		p->sweep_due_ms = when_ticks_ms();
		if (good && s->due_ms > when_ticks_ms())
			return false;
	}
	if (!good) {
		h->ours = false;
		log_warn("the positions of AWS's sources are not known now; trying again", LOG_STR("why", err.msg));
	}
	if (!h->ours)
		s->due_ms = h->due_ms;
	return h->ours;
}

// It has the position: first Redis is asked whether it still has that.
static void write_status(struct puller *p, const struct stream *s)
{
	struct err err = ERR_INIT;
	char place[PLACE_SIZE];
	bool good = go_back_with_redis(p, false, &err);
	const struct source_status status = status_of(s, place);
	if (good)
		source_status_queue(p->redis, p->conf->redis_prefix, &status);
	if (!good || !redis_exec(p->redis, &err))
		log_warn("the state of a source was not written; the next one covers it", LOG_STR("why", err.msg));
}

static void report_change(struct puller *p, const struct stream *s, int64_t failed_ms)
{
	const char *word = stream_word(s), *account = s->place->account->id, *region = s->place->region;
	if (s->failing_ms && !failed_ms && !s->idle)
		log_warn("AWS does not give records; the other sources go on", LOG_STR("source", word),
		         LOG_STR("account", account), LOG_STR("region", region), LOG_STR("why", s->why.msg));
	else if (s->failing_ms && !failed_ms && s->kind == STREAM_ACCOUNT_TAGS) // idle: once
		log_info("tags of accounts are not read by an account; the rest goes on", LOG_STR("account", account),
		         LOG_STR("why", s->idle ? s->note : s->why.msg), LOG_STR("answer", s->why.msg));
	else if (!s->failing_ms && failed_ms && !s->idle)
		log_info("AWS gives records again", LOG_STR("source", word), LOG_STR("account", account),
		         LOG_STR("region", region));
	if (*account && (s->failing_ms || failed_ms))
		write_status(p, s);
}

// Without credentials the account may not even be known: they have a state of their own, named after the
// role.
static bool open_account(struct puller *p, struct stream *s)
{
	struct aws_account *a = s->place->account;
	struct held_account *h = &p->held[a - p->streams.accounts];
	struct err err = ERR_INIT;
	bool good = stream_open(&p->streams, s);
	bool same = good == (h->failing_ms == 0);
	if (same && (good || when_ticks_ms() - h->said_ms < SAY_AGAIN_MS))
		return good;
	h->said_ms = when_ticks_ms();
	h->failing_ms = good ? 0 : s->failing_ms;
	const struct source_status status = {.source = STR("credentials"),
	                                     .acct_region = str_of(a->role_arn ? a->role_arn : "own"),
	                                     .read_ms = good ? when_now_ms() : 0,
	                                     .failing_ms = h->failing_ms,
	                                     .text = str_of(good ? NULL : s->why.msg)};
	source_status_queue(p->redis, p->conf->redis_prefix, &status);
	if (good && !same)
		log_info("there are credentials for AWS again", LOG_STR("account", a->id));
	else if (!same)
		log_warn("no credentials for an account of AWS; the others are read",
		         LOG_STR("account", a->role_arn ? a->role_arn : "own"), LOG_STR("why", s->why.msg));
	if (!redis_exec(p->redis, &err)) {
		h->failing_ms = good ? 1 : 0; // written with the next try
		log_warn("the state of a source was not written", LOG_STR("why", err.msg));
	}
	return good;
}

static bool turn_stream(struct puller *p, struct stream *s, struct err *err)
{
	int64_t failed_ms = s->failing_ms;
	if (!open_account(p, s) || !hold_account(p, s))
		return true;
	int64_t position_ms = s->position_ms;
	bool complete = stream_turn(&p->streams, s);
	report_change(p, s, failed_ms); // it may find that the stream has to go back
	if (complete && s->position_ms == position_ms) {
		s->due_ms = INT64_MAX; // until stream_finish
		p->waiting[p->nwaiting++] = s;
	}
	bool full = intake_is_full(&p->intake) || p->nwaiting == WAITING_MAX;
	return !full || apply_batch(p, err);
}

static bool run_turn(struct puller *p, struct err *err)
{
	int64_t due_ms;
	ingest_thread_adopt_prices(&p->thread, &p->intake);
	while (!is_stopping(p) && !intake_prepare(&p->intake, err))
		if (!wait_to_retry(p, err))
			return false;
	struct stream *s = streams_next(&p->streams, &due_ms);
	if (s && !turn_stream(p, s, err))
		return false;
	int64_t now = when_ticks_ms();
	if (now >= p->apply_due_ms && !apply_batch(p, err))
		return false;
	if (now >= p->sweep_due_ms)
		sweep_sources(p);
	if (now >= p->settling.due_ms && !settle_hours(p, false, err))
		return false;
	publish_stats(p);
	int64_t wait = s ? 0 : due_ms - now < POLL_MS ? due_ms - now : POLL_MS;
	if (wait > 0)
		nanosleep(&(struct timespec){0, wait * 1000000L}, NULL);
	return true;
}

static void end_leases(struct puller *p)
{
	struct err err = ERR_INIT;
	for (int i = 0; i < p->streams.naccounts; i++)
		if (p->held[i].ours)
			source_lease_queue_end(p->redis, p->conf->redis_prefix, str_of(p->streams.accounts[i].id));
	(void)!redis_exec(p->redis, &err); // it ends by itself soon
}

static void *puller_main(void *opaque)
{
	struct puller *p = opaque;
	bool good = true;
	while (good && !is_stopping(p))
		good = run_turn(p, &p->err);
	if (good && apply_batch(p, &p->err)) {
		ingest_thread_mark_safe(&p->thread);
		good = settle_hours(p, true, &p->err);
		engine_end_batches(p->intake.engine);
		end_leases(p);
	}
	publish_stats(p);
	ingest_thread_mark_ended(&p->thread);
	return NULL;
}

// ---- life ---------------------------------------------------------------------------------------

static void puller_free(struct puller *p)
{
	streams_release(&p->streams);
	if (p->intake.engine)
		intake_close(&p->intake);
	redis_close(p->redis);
	free(p->held);
	free(p->in_redis);
	free(p->stored);
	ingest_thread_destroy(&p->thread);
	free(p);
}

static bool open_parts(struct puller *p, struct err *err)
{
	struct streams_options o = {.conf = p->conf,
	                            .since_ms = p->conf->aws_since_ms,
	                            .hooks = {on_message, on_tags, on_profiles, p}};
	for (int kind = 0; kind < STREAM_KINDS; kind++)
		o.wanted[kind] = conf_has_source(p->conf, stream_words[kind]);
	if (!streams_init(&p->streams, &o, err) ||
	    !schema_open(&p->redis, redis_target_of(p->conf), SCHEMA_WRITE, err) ||
	    !intake_open(&p->intake, p->conf, p->thread.prices, (size_t)p->conf->message_bytes,
	                 dead_letters_hooks(p->conf), NULL, err))
		return false;
	engine_run_on(p->intake.engine);
	redis_run_on(p->redis);
	engine_set_noting_losses(p->intake.engine, false); // the positions of the streams say since when
	redis_keep_whole(p->redis, true);
	p->gaps = positions_scripts_of(p->redis);
	p->held = xcalloc((size_t)p->streams.naccounts, sizeof *p->held);
	p->sweep_due_ms = when_ticks_ms() + SWEEP_EVERY_MS;
	p->in_redis = xcalloc((size_t)p->streams.n, sizeof *p->in_redis);
	p->stored = xcalloc((size_t)p->streams.n, sizeof *p->stored);
	return true;
}

bool puller_start(struct puller **ret, const struct conf *conf, const struct prices *prices, struct err *err)
{
	struct puller *p = xcalloc(1, sizeof *p);
	char host[64] = "";
	gethostname(host, sizeof host - 1);
	snprintf(p->owner, sizeof p->owner, "%s:%d:%lld", host, (int)getpid(), (long long)when_now_ms());
	p->conf = conf;
	ingest_thread_init(&p->thread, prices);
	p->backoff.seed = (unsigned)when_now_ms();
	bool good = open_parts(p, err);
	if (good && pthread_create(&p->thread.thread, NULL, puller_main, p) != 0)
		good = err_set(err, ERR_FATAL, "cannot start the thread that reads AWS");
	if (!good) {
		puller_free(p);
		return false;
	}
	*ret = p;
	return true;
}

struct ingest_thread *puller_thread(struct puller *p)
{
	return &p->thread;
}

bool puller_join(struct puller *p, struct err *err)
{
	pthread_join(p->thread.thread, NULL);
	bool good = p->err.kind == ERR_NONE;
	if (!good)
		err_set(err, p->err.kind, "reading AWS: %s", p->err.msg);
	puller_free(p);
	return good;
}
