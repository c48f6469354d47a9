// SPDX-License-Identifier: Apache-2.0
// Everything here runs on the receiver's own thread, but for receiver_take (on the http thread) and the
// functions of receiver.h.
#include "run/receiver.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/when.h"
#include "ingest/firehose.h"
#include "ingest/inflate.h"
#include "run/delivery_streams.h"
#include "run/settling.h"
#include "store/schema.h"
#include "web/deliveries.h"

enum {
	POLL_MS = 100,      // how soon it notices that it should stop
	QUEUE_MAX = 256,    // deliveries that wait; their bytes are bounded by firehose.memory
	HOLD_MS = 2000,     // how long a delivery waits for Redis before Firehose is told to try again
	STATUS_MS = 5000,   // between two writings of the states of the streams
	DRAIN_MS = 12000,   // shorter than run/daemon.c waits before it ends the process
	KEEP_BYTES = 1 << 20, // larger buffers are freed after the delivery
};

struct receiver {
	const struct conf *conf;
	struct ingest_thread thread;
	struct intake intake;
	struct redis *redis;           // for the states of the streams
	struct deliveries *deliveries;
	struct delivery_streams streams;
	pthread_mutex_t lock;          // guards the next four
	pthread_cond_t wake;
	struct http_exchange *queue, **tail;
	int queued;
	const char *closed;            // why nothing is taken now; static. NULL: it is
	// Those whose records are in the intake, the newest first; of `reading`, not all of them yet.
	struct http_exchange *held, *reading;
	int64_t held_ms;               // monotonic: since when the oldest waits
	struct buf body, data;         // inflated, decoded
	struct backoff backoff;
	uint64_t batches;
	int64_t status_due_ms; // monotonic
	struct settling settling;
	bool waiting;                  // Redis, or the place of dead letters, did not answer the last time
	struct err err;                // why it ended
};

static const char WHY_ENDING[] = "nowcast is ending: try again";
static const char WHY_AWAY[] =
	"the records cannot be stored now: Redis, or the place of dead letters, does not answer";

static bool is_stopping(const struct receiver *r)
{
	return ingest_thread_is_stopping(&r->thread);
}

static void publish_stats(struct receiver *r)
{
	const struct ingest_stats own = {
		.batches = r->batches, .settle_left = (int64_t)r->settling.left, .waiting = r->waiting};
	ingest_thread_publish(&r->thread, &r->intake, own);
}

// ---- the queue ----------------------------------------------------------------------------------

static enum http_route receiver_take(void *user, struct http_exchange *x)
{
	struct receiver *r = user;
	pthread_mutex_lock(&r->lock);
	const char *why = r->closed ? r->closed : r->queued >= QUEUE_MAX ? "too many deliveries wait" : NULL;
	if (!why) {
		x->next = NULL;
		*r->tail = x;
		r->tail = &x->next;
		r->queued++;
		pthread_cond_signal(&r->wake);
	}
	pthread_mutex_unlock(&r->lock);
	if (!why)
		return HTTP_LATER;
	deliveries_answer(x, 503, why);
	return HTTP_DONE;
}

static struct http_exchange *cut_first(struct receiver *r)
{
	struct http_exchange *x = r->queue;
	if (!x)
		return NULL;
	r->queue = x->next;
	r->queued--;
	if (!r->queue)
		r->tail = &r->queue;
	return x;
}

// The next delivery; NULL after `wait_ms` without one.
static struct http_exchange *dequeue(struct receiver *r, int64_t wait_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += wait_ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&r->lock);
	while (!r->queue && wait_ms && pthread_cond_timedwait(&r->wake, &r->lock, &until) == 0)
		;
	struct http_exchange *x = cut_first(r);
	pthread_mutex_unlock(&r->lock);
	return x;
}

static void answer(struct http_exchange *x, int status, const char *error)
{
	deliveries_answer(x, status, error);
	http_finish(x);
}

// Takes no more, for that reason; NULL: takes again. What waits is answered.
static void close_queue(struct receiver *r, const char *why)
{
	struct http_exchange *all = NULL, *x;
	pthread_mutex_lock(&r->lock);
	r->closed = why;
	if (why) {
		all = r->queue;
		r->queue = NULL;
		r->tail = &r->queue;
		r->queued = 0;
	}
	pthread_mutex_unlock(&r->lock);
	while ((x = all)) {
		all = x->next;
		answer(x, 503, why);
	}
}

// ---- to Redis -----------------------------------------------------------------------------------

// Answers all whose records are read: 200 without `error`. With it, the one that is being read too.
static void answer_held(struct receiver *r, const char *error)
{
	struct http_exchange *reading = error ? NULL : r->reading, *x;
	while ((x = r->held)) {
		r->held = x->next;
		if (x == reading)
			continue;
		delivery_streams_note(&r->streams, &x->request.delivery, error);
		answer(x, error ? 503 : 200, error);
	}
	r->reading = reading;
	r->held = reading;
	if (reading)
		reading->next = NULL;
	r->held_ms = when_ticks_ms();
}

// Waits after a try that failed. False: there is no use in another, or no time.
static bool wait_to_retry(struct receiver *r, const char *what, struct err *err)
{
	if (err->kind != ERR_RETRY || ingest_thread_has_stopped_for(&r->thread, DRAIN_MS))
		return false;
	int ms = backoff_next_ms(&r->backoff);
	log_warn(what, LOG_STR("why", err->msg), LOG_INT("wait_ms", ms));
	err_clear(err);
	close_queue(r, is_stopping(r) ? WHY_ENDING : WHY_AWAY);
	if (r->held && when_ticks_ms() - r->held_ms >= HOLD_MS)
		answer_held(r, WHY_AWAY);
	r->waiting = true;
	publish_stats(r);
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
	return true;
}

static void end_waiting(struct receiver *r)
{
	if (!r->waiting)
		return;
	log_info("it works again: Firehose may deliver");
	r->waiting = false;
	backoff_reset(&r->backoff);
	close_queue(r, NULL);
}

// Brings the batch to safety, for as long as it takes or there is time, and answers.
static bool apply_batch(struct receiver *r, struct err *err)
{
	uint64_t logged = r->intake.dead.logged;
	r->batches += !intake_is_empty(&r->intake);
	while (!intake_is_empty(&r->intake) && !intake_apply(&r->intake, err))
		if (!wait_to_retry(r, "what Firehose delivered is kept and tried again", err))
			return false;
	end_waiting(r);
	answer_held(r, r->intake.dead.logged == logged
	                   ? NULL
	                   : "a record cannot be decoded, and there is no room for it as a dead letter: "
	                     "see dead_letter.file.max of nowcast");
	return true;
}

static bool settle_hours(struct receiver *r, bool all, struct err *err)
{
	return settling_turn(&r->settling, &r->intake, all, r->conf->settle_interval_ms, &r->backoff, err);
}

static void write_status(struct receiver *r)
{
	struct err err = ERR_INIT;
	int64_t refused_ms, now = when_ticks_ms();
	if (now < r->status_due_ms)
		return;
	r->status_due_ms = now + STATUS_MS;
	uint64_t refused = deliveries_refused_keys(r->deliveries, &refused_ms);
	delivery_streams_note_keys(&r->streams, refused, refused_ms);
	if (!delivery_streams_queue(&r->streams, r->redis, r->conf->redis_prefix))
		return;
	if (redis_exec(r->redis, &err))
		delivery_streams_written(&r->streams);
	else
		log_warn("the states of Firehose streams are written a little later", LOG_STR("why", err.msg));
}

// ---- one delivery -------------------------------------------------------------------------------

// The body, inflated if need be, and its envelope.
static bool open_body(struct receiver *r, struct http_exchange *x, struct firehose_body *ret, struct err *err)
{
	struct http_delivery *d = &x->request.delivery;
	struct str body = x->request.body;
	if (d->encoding.len) {
		buf_clear(&r->body);
		if (!inflate_gzip(body, FIREHOSE_BODY_BYTES, &r->body, err)) {
			if (r->body.len <= FIREHOSE_BODY_BYTES)
				return false;
			err_clear(err);
			return err_set(err, ERR_SKIP,
			               "the body inflates to more than 96 MiB: give the stream a smaller buffer");
		}
		body = buf_str(&r->body);
	}
	if (!firehose_body_read(body, ret, err))
		return false;
	if (d->request_id.len && !str_eq(d->request_id, ret->request_id))
		return err_set(err, ERR_SKIP, "X-Amz-Firehose-Request-Id is not the requestId of the body");
	d->request_id = arena_str(&x->arena, ret->request_id);
	return true;
}

// Every record a message of its own: what cannot be read of one is no matter of the others. False: the thread
// ends. If r->reading is no more, the delivery was answered meanwhile, and its memory is gone.
static bool read_records(struct receiver *r, struct http_exchange *x, struct firehose_body *body,
                         struct err *err)
{
	const struct http_delivery *d = &x->request.delivery;
	struct buf path = BUF_INIT, sender = BUF_INIT;
	struct err fault = ERR_INIT;
	struct str text;
	bool good = true;
	buf_addf(&path, "firehose %.*s request %.*s", STR_ARG(d->stream_arn), STR_ARG(d->request_id));
	buf_addstr(&sender, x->sender);
	struct origin origin = {.path = path.data, .firehose = buf_str(&sender), .delivered = true};
	while (good && r->reading && firehose_record_next(body, &r->data, &text, &fault)) {
		origin.line++;
		if (fault.kind)
			intake_fault(&r->intake, &origin, FAULT_BROKEN, text, fault.msg);
		else if (r->data.len)
			intake_message(&r->intake, &origin, buf_str(&r->data));
		if (intake_is_full(&r->intake))
			good = apply_batch(r, err);
	}
	buf_release(&path);
	buf_release(&sender);
	return good;
}

static void free_large_buffers(struct receiver *r)
{
	if (r->body.cap > KEEP_BYTES)
		buf_release(&r->body);
	if (r->data.cap > KEEP_BYTES)
		buf_release(&r->data);
}

static bool receive(struct receiver *r, struct http_exchange *x, struct err *err)
{
	struct firehose_body body;
	struct err fault = ERR_INIT;
	if (!open_body(r, x, &body, &fault)) {
		log_warn("a delivery of Firehose was refused", LOG_STR("request", x->request.delivery.request_id.p),
		         LOG_STR("stream", x->request.delivery.stream_arn.p), LOG_STR("why", fault.msg));
		delivery_streams_note(&r->streams, &x->request.delivery, fault.msg);
		answer(x, 400, fault.msg);
		free_large_buffers(r);
		return true;
	}
	if (!r->held)
		r->held_ms = when_ticks_ms();
	x->next = r->held;
	r->held = r->reading = x;
	bool good = read_records(r, x, &body, err);
	r->reading = NULL;
	free_large_buffers(r);
	return good;
}

// ---- the turn -----------------------------------------------------------------------------------

static bool run_turn(struct receiver *r, struct err *err)
{
	ingest_thread_adopt_prices(&r->thread, &r->intake);
	while (!is_stopping(r) && !intake_prepare(&r->intake, err))
		if (!wait_to_retry(r, "no delivery is taken before Redis answers", err))
			return false;
	end_waiting(r);
	struct http_exchange *x = dequeue(r, r->held ? 0 : POLL_MS);
	if (x && !receive(r, x, err))
		return false;
	bool due = !x || when_ticks_ms() - r->held_ms >= r->conf->batch_interval_ms;
	if (r->held && due && !apply_batch(r, err))
		return false;
	if (when_ticks_ms() >= r->settling.due_ms && !settle_hours(r, false, err))
		return false;
	write_status(r);
	publish_stats(r);
	return true;
}

static void *receiver_main(void *opaque)
{
	struct receiver *r = opaque;
	bool good = true;
	while (good && !is_stopping(r))
		good = run_turn(r, &r->err);
	close_queue(r, WHY_ENDING);
	good = good && apply_batch(r, &r->err);
	close_queue(r, WHY_ENDING); // if it had waited
	answer_held(r, WHY_ENDING);
	if (good) {
		ingest_thread_mark_safe(&r->thread);
		r->status_due_ms = 0;
		write_status(r);
		(void)!settle_hours(r, true, &r->err);
		engine_end_batches(r->intake.engine);
	}
	publish_stats(r);
	ingest_thread_mark_ended(&r->thread);
	return NULL;
}

// ---- life ---------------------------------------------------------------------------------------

void receiver_free(struct receiver *r)
{
	if (!r)
		return;
	deliveries_close(r->deliveries);
	if (r->intake.engine)
		intake_close(&r->intake);
	redis_close(r->redis);
	buf_release(&r->body);
	buf_release(&r->data);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->wake);
	ingest_thread_destroy(&r->thread);
	free(r);
}

bool receiver_start(struct receiver **ret, const struct conf *conf, const struct prices *prices,
                    struct err *err)
{
	struct receiver *r = xcalloc(1, sizeof *r);
	pthread_condattr_t attr;
	r->conf = conf;
	r->tail = &r->queue;
	r->closed = "nowcast is starting: try again";
	r->waiting = true; // until Redis has answered
	r->backoff.seed = (unsigned)when_now_ms();
	ingest_thread_init(&r->thread, prices);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attr);
	pthread_condattr_destroy(&attr);
	bool good = deliveries_open(&r->deliveries, conf, receiver_take, r, err) &&
	            schema_open(&r->redis, redis_target_of(conf), SCHEMA_WRITE, err) &&
	            intake_open(&r->intake, conf, prices, (size_t)conf->message_bytes, dead_letters_hooks(conf),
	                        NULL, err);
	if (good) {
		engine_run_on(r->intake.engine);
		redis_run_on(r->redis);
	}
	if (good && pthread_create(&r->thread.thread, NULL, receiver_main, r) != 0)
		good = err_set(err, ERR_FATAL, "cannot start the thread that takes deliveries of Firehose");
	if (!good) {
		receiver_free(r);
		return false;
	}
	*ret = r;
	return true;
}

struct ingest_thread *receiver_thread(struct receiver *r)
{
	return &r->thread;
}

struct deliveries *receiver_deliveries(struct receiver *r)
{
	return r->deliveries;
}

bool receiver_join(struct receiver *r, struct err *err)
{
	pthread_join(r->thread.thread, NULL);
	return r->err.kind == ERR_NONE || err_set(err, r->err.kind, "deliveries of Firehose: %s", r->err.msg);
}
