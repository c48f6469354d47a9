// SPDX-License-Identifier: Apache-2.0
// Everything here runs on the worker's own thread, but for worker_start, _thread and _join.
// The order inside a turn is the whole point: facts, then dead letters, then offsets. A crash between any two
// of them repeats work and loses none.
#include "run/worker.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/when.h"
#include "run/backoff.h"
#include "run/settling.h"
#include "store/observed.h"
#include "store/positions.h"

enum {
	POLL_MS = 100,          // how soon a worker notices that it should stop
	CHECK_MS = 5000,        // how often Redis is asked whether it still has what was read
	// how long after it was asked to stop the last batch is tried again; one try may wait for a
	// Redis that hangs for longer (run/daemon.c then ends the process)
	DRAIN_APPLY_MS = 12000,
	DRAIN_SETTLE_MS = 5000,
};

struct worker {
	const struct conf *conf;
	int number;
	struct ingest_thread thread;
	struct intake intake;
	struct kafka_hooks hooks;
	struct kafka *kafka;
	struct backoff backoff, letters_backoff;
	int64_t letters_due_ms; // monotonic: when dead letters without a place are tried again
	bool letters_wait;
	int64_t endangered;
	uint64_t batches;
	struct settling settling;
	int64_t check_due_ms;   // monotonic
	int64_t read_minute;    // since the epoch: those before were noted as read to their end; 0: none yet
	bool waiting;
	struct err err;         // why it ended
};

// ---- what others see

static void publish_stats(struct worker *w)
{
	const struct ingest_stats own = {
		.batches = w->batches,
		.endangered = w->endangered,
		.lag = kafka_lag(w->kafka),
		.settle_left = (int64_t)w->settling.left,
		.partitions = (int64_t)kafka_positions(w->kafka)->n,
		.waiting = w->waiting,
	};
	ingest_thread_publish(&w->thread, &w->intake, own);
}

// ---- hooks of the consumer

// What was in time when it was read first is not late now.
static bool on_message(void *user, const struct origin *origin, struct str data, bool again)
{
	struct worker *w = user;
	engine_set_reopening(w->intake.engine, again);
	intake_message(&w->intake, origin, data);
	return intake_is_full(&w->intake);
}

// The offsets of letters that have no place yet are not committed.
static bool commit_safe(struct worker *w, bool wait, struct err *err)
{
	kafka_release(w->kafka);
	for (size_t i = 0; i < w->intake.dead.n; i++)
		kafka_hold(w->kafka, &w->intake.dead.letters[i].origin);
	return kafka_commit(w->kafka, wait, err);
}

// One try to make the batch safe before its partitions go, unless the worker ends because that was tried. If
// it fails, their offsets are not committed and the next owner reads the records again; ours stay in the
// batch and are applied later, which changes nothing then.
static void on_revoke(void *user)
{
	struct worker *w = user;
	struct err err = w->err;
	if (err.kind == ERR_NONE && intake_apply_facts(&w->intake, &err)) {
		bool stored = intake_store_letters(&w->intake, &err);
		if (commit_safe(w, true, &err) && stored)
			return; // what Redis has lost is not committed: the next owner goes back
	}
	log_warn("partitions given up before their last batch was safe; their next owner reads it again",
	         LOG_INT("worker", w->number), LOG_STR("why", err.msg));
}

static void on_gap(void *user, const struct gap *gap)
{
	struct worker *w = user;
	intake_gap(&w->intake, gap);
}

static void on_unreadable(void *user, const struct origin *origin, int64_t n)
{
	struct worker *w = user;
	struct buf reason = BUF_INIT;
	buf_addf(&reason,
	         "%lld messages from this offset on cannot be fetched: larger than message.bytes allows, or damaged. Raise "
	         "message.bytes, then bring them in: kcat -C -J -t %.*s -p %d -o %lld -c %lld | nowcast replay -",
	         (long long)n, STR_ARG(origin->topic), origin->partition, (long long)origin->offset,
	         (long long)n);
	intake_fault(&w->intake, origin, FAULT_LIMIT, STR(""), reason.data);
	buf_release(&reason);
}

static void on_log(void *user, int severity, const char *text)
{
	const struct worker *w = user;
	if (severity <= 3)
		log_error("kafka", LOG_INT("worker", w->number), LOG_STR("said", text));
	else if (severity == 4)
		log_warn("kafka", LOG_INT("worker", w->number), LOG_STR("said", text));
	else if (severity <= 6)
		log_info("kafka", LOG_INT("worker", w->number), LOG_STR("said", text));
	else
		log_debug("kafka", LOG_INT("worker", w->number), LOG_STR("said", text));
}

// ---- the turn

static bool is_stopping(const struct worker *w)
{
	return ingest_thread_is_stopping(&w->thread);
}

// A batch that is not safe by then stays uncommitted: the next owner of its partitions reads it again.
static bool is_out_of_time(struct worker *w)
{
	return ingest_thread_has_stopped_for(&w->thread, DRAIN_APPLY_MS);
}

static bool collect_batch(struct worker *w, struct err *err)
{
	int64_t until = when_ticks_ms() + w->conf->batch_interval_ms;
	for (int64_t now = when_ticks_ms(); now < until && !is_stopping(w) && !intake_is_full(&w->intake);
	     now = when_ticks_ms())
		if (!kafka_poll(w->kafka, until - now < POLL_MS ? (int)(until - now) : POLL_MS, err))
			return false;
	return true;
}

// Waits without losing the place in the group: rebalances are served, and no new messages come.
static bool wait_in_group(struct worker *w, int ms, struct err *err)
{
	int64_t until = when_ticks_ms() + ms;
	bool good = true;
	kafka_pause(w->kafka, true);
	w->waiting = true;
	publish_stats(w);
	for (int64_t now = when_ticks_ms(); good && now < until; now = when_ticks_ms())
		good = kafka_poll(w->kafka, until - now < POLL_MS ? (int)(until - now) : POLL_MS, err);
	w->endangered = kafka_look_at_lag(w->kafka);
	return good;
}

// Waits after a try that Redis did not answer. False: there is no use in another, or no time.
static bool wait_to_retry(struct worker *w, const char *what, struct err *err)
{
	if (err->kind != ERR_RETRY || is_out_of_time(w))
		return false;
	int ms = backoff_next_ms(&w->backoff);
	log_warn(what, LOG_INT("worker", w->number), LOG_STR("why", err->msg), LOG_INT("wait_ms", ms));
	err_clear(err);
	return wait_in_group(w, ms, err);
}

static void end_waiting(struct worker *w)
{
	log_info("it works again", LOG_INT("worker", w->number));
	kafka_pause(w->kafka, false);
	w->waiting = false;
}

// Before the first message: what Redis must say.
static bool prepare(struct worker *w, struct err *err)
{
	bool waited = false;
	while (!is_stopping(w) && !intake_prepare(&w->intake, err)) {
		if (!wait_to_retry(w, "no message is read before Redis answers", err))
			return false;
		waited = true;
	}
	backoff_reset(&w->backoff);
	if (waited)
		end_waiting(w);
	return true;
}

// While their topic or file does not take them, dead letters are kept in memory and the rest goes on, until
// they are many or the worker ends.
static bool store_letters(struct worker *w, struct err *err)
{
	bool must = is_stopping(w) || intake_has_many_letters(&w->intake);
	if (!w->intake.dead.n || (!must && when_ticks_ms() < w->letters_due_ms))
		return true;
	if (intake_store_letters(&w->intake, err)) {
		if (w->letters_wait)
			log_info("dead letters have a place again", LOG_INT("worker", w->number));
		w->letters_wait = false;
		w->letters_due_ms = 0;
		backoff_reset(&w->letters_backoff);
		return true;
	}
	if (must || err->kind != ERR_RETRY)
		return false;
	int ms = backoff_next_ms(&w->letters_backoff);
	log_error("dead letters have no place; they are kept and tried again, and the rest goes on",
	          LOG_INT("worker", w->number), LOG_INT("letters", (int64_t)w->intake.dead.n),
	          LOG_STR("why", err->msg), LOG_INT("wait_ms", ms));
	err_clear(err);
	w->letters_wait = true;
	w->letters_due_ms = when_ticks_ms() + ms;
	return true;
}

static bool apply_once(struct worker *w, struct err *err)
{
	return intake_apply_facts(&w->intake, err) && store_letters(w, err);
}

// Brings the batch to safety, for as long as it takes or there is time.
static bool apply_batch(struct worker *w, struct err *err)
{
	bool waited = false;
	if (intake_is_empty(&w->intake) && !positions_are_due(kafka_positions(w->kafka)))
		return true;
	while (!apply_once(w, err)) {
		if (!wait_to_retry(w, "the batch is kept and tried again", err))
			return false;
		waited = true;
	}
	assert(engine_pending_records(w->intake.engine) == 0); // else offsets of records would be committed
	backoff_reset(&w->backoff);
	w->batches++;
	if (waited)
		end_waiting(w);
	return true;
}

static bool settle_hours(struct worker *w, bool all, struct err *err)
{
	return settling_turn(&w->settling, &w->intake, all, w->conf->settle_interval_ms, &w->backoff, err);
}

static void commit_offsets(struct worker *w, bool wait)
{
	struct err err = ERR_INIT;
	if (!commit_safe(w, wait, &err))
		log_warn("the next commit covers this one", LOG_INT("worker", w->number), LOG_STR("why", err.msg));
}

// Where all is read, every minute whose records have had the time to come was observed, those in which this
// worker was behind or away too.
static void note_read(struct worker *w)
{
	int64_t now = when_now_ms(), until = (now - OBSERVED_LATE_MS) / MS_PER_MINUTE, since_ms;
	if (!kafka_has_read_all(w->kafka, &since_ms))
		return;
	if (!w->read_minute)
		w->read_minute = (since_ms ? since_ms : now) / MS_PER_MINUTE + 1;
	if (w->read_minute >= until)
		return;
	engine_note_read(w->intake.engine, w->read_minute, until);
	w->read_minute = until;
}

// Now and then Redis is asked even if nothing is read: it may have lost what it had.
static void check_positions(struct worker *w)
{
	struct err err = ERR_INIT;
	if (!kafka_resolve(w->kafka, &err))
		log_warn("nothing can be committed yet", LOG_INT("worker", w->number), LOG_STR("why", err.msg));
	if (when_ticks_ms() < w->check_due_ms)
		return;
	kafka_look_for_gaps(w->kafka);
	w->endangered = kafka_look_at_lag(w->kafka);
	kafka_check_positions(w->kafka);
	note_read(w);
	w->check_due_ms = when_ticks_ms() + CHECK_MS;
}

static void go_back_with_redis(struct worker *w)
{
	struct loss loss = {.seen_ms = when_now_ms()};
	if (kafka_go_back(w->kafka, &loss.held_ms))
		engine_note_loss(w->intake.engine, &loss);
}

static bool run_turn(struct worker *w, struct err *err)
{
	ingest_thread_adopt_prices(&w->thread, &w->intake);
	if (!collect_batch(w, err))
		return false;
	check_positions(w);
	if (!apply_batch(w, err))
		return false;
	go_back_with_redis(w);
	commit_offsets(w, false);
	if (when_ticks_ms() >= w->settling.due_ms && !settle_hours(w, false, err))
		return false;
	publish_stats(w);
	return true;
}

static bool drain_worker(struct worker *w, struct err *err)
{
	if (!apply_batch(w, err))
		return false;
	commit_offsets(w, true);
	ingest_thread_mark_safe(&w->thread);
	if (is_out_of_time(w))
		return true;
	int64_t until = when_ticks_ms() + DRAIN_SETTLE_MS;
	do {
		if (!settle_hours(w, true, err))
			return false;
	} while (w->settling.left > 0 && when_ticks_ms() < until && w->settling.due_ms <= when_ticks_ms());
	return true;
}

static void *worker_main(void *opaque)
{
	struct worker *w = opaque;
	bool good = prepare(w, &w->err);
	while (good && !is_stopping(w))
		good = run_turn(w, &w->err);
	if (good)
		drain_worker(w, &w->err);
	publish_stats(w);
	kafka_close(w->kafka); // on_revoke runs
	w->kafka = NULL;
	ingest_thread_mark_ended(&w->thread);
	return NULL;
}

// ---- life

static void worker_free(struct worker *w)
{
	kafka_close(w->kafka);
	intake_close(&w->intake);
	ingest_thread_destroy(&w->thread);
	free(w);
}

bool worker_start(struct worker **ret, const struct conf *conf, const struct prices *prices, int number,
                  struct err *err)
{
	struct worker *w = xcalloc(1, sizeof *w);
	w->conf = conf;
	w->number = number;
	ingest_thread_init(&w->thread, prices);
	w->hooks = (struct kafka_hooks){on_message, on_revoke, on_gap, on_unreadable, on_log, w, conf};
	w->backoff.seed = (unsigned)when_now_ms() + (unsigned)number * 7919u;
	w->letters_backoff.seed = w->backoff.seed;
	bool good = intake_open(&w->intake, conf, prices, (size_t)conf->message_bytes, &w->hooks, NULL, err) &&
	            kafka_open(&w->kafka, conf, &w->hooks, err);
	if (good) {
		engine_run_on(w->intake.engine);
		intake_track(&w->intake, kafka_positions(w->kafka));
	}
	if (good && pthread_create(&w->thread.thread, NULL, worker_main, w) != 0)
		good = err_set(err, ERR_FATAL, "cannot start a thread for worker %d", number);
	if (!good) {
		worker_free(w);
		return false;
	}
	*ret = w;
	return true;
}

struct ingest_thread *worker_thread(struct worker *w)
{
	return &w->thread;
}

bool worker_join(struct worker *w, struct err *err)
{
	pthread_join(w->thread.thread, NULL);
	bool good = w->err.kind == ERR_NONE;
	if (!good)
		err_set(err, w->err.kind, "worker %d: %s", w->number, w->err.msg);
	worker_free(w);
	return good;
}
