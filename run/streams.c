// SPDX-License-Identifier: Apache-2.0
#include "run/streams_priv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "aws/cloudtrail.h"
#include "aws/endpoint.h"
#include "aws/logs.h"
#include "base/usd.h"
#include "base/when.h"

#define DAYS_MS(n) ((int64_t)(n)*86400000)

enum {
	IDLE_MS = 15 * 60000,        // where nothing calls Bedrock
	REFUSED_MS = 5 * 60000,      // a person has to act
	WAIT_FIRST_MS = 1000,
	THROTTLED_MAX_MS = 5 * 60000,
	WAIT_MAX_MS = 60000,
	TAGS_EVERY_MS = 86400000,
	PROFILES_EVERY_MS = 3600000,
	FILES_LATE_MS = 3600000,     // of a trail: a file that has an older name may still come
	FILE_MS = 10,                // between two files of S3
	TRAIL_EVERY_MS = 5000,       // an empty queue is asked
	INCOMPLETES_MAX = 6,         // then what the span has is what there is
	LOGS_AGAIN_MS = 15 * 60000,  // how often all is read again in which an event may still appear
	METRICS_LATE_MS = 30 * 60000, // a metric is listed up to 15 minutes late, and the list is 5 minutes old
};

const char *const stream_words[STREAM_KINDS] = {"cloudtrail",    "metrics",  "logs", "tags",
                                                "tags_accounts", "profiles", "trail"};

const char *stream_word(const struct stream *s)
{
	return s->kind == STREAM_METRICS && s->namespace ? "metrics_mantle" : stream_words[s->kind];
}

static const struct {
	int64_t request_ms; // between two requests
	int64_t late_ms;    // how late a record may come
	int64_t slice_ms;   // of a span
	int64_t kept_ms;    // how far back AWS answers
} kinds[STREAM_KINDS] = {
	[STREAM_CLOUDTRAIL] = {CLOUDTRAIL_REQUEST_MS, CLOUDTRAIL_LATE_MS + MS_PER_MINUTE, MS_PER_HOUR,
                           DAYS_MS(90)},
	[STREAM_METRICS] = {100, METRICS_LATE_MS, CLOUDWATCH_SPAN_MS, CLOUDWATCH_KEPT_MS},
	[STREAM_LOGS] = {LOGS_REQUEST_MS, LOGS_LATEST_MS, 2 * MS_PER_HOUR, DAYS_MS(3650)},
	[STREAM_TAGS] = {500, 0, DAYS_MS(36500), DAYS_MS(36500)},
	[STREAM_ACCOUNT_TAGS] = {500, 0, DAYS_MS(36500), DAYS_MS(36500)},
	[STREAM_PROFILES] = {500, 0, DAYS_MS(36500), DAYS_MS(36500)},
	[STREAM_TRAIL] = {10, 0, DAYS_MS(36500), SQS_KEPT_MS},
};

// Regions of AWS in which Bedrock may be called, by partition. Those of other partitions than the
// credentials' are not asked.
static const char *const commercial[] = {
	"us-east-1",      "us-east-2",      "us-west-1",      "us-west-2",      "ca-central-1",
	"ca-west-1",      "mx-central-1",   "sa-east-1",      "eu-west-1",      "eu-west-2",
	"eu-west-3",      "eu-central-1",   "eu-central-2",   "eu-north-1",     "eu-south-1",
	"eu-south-2",     "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1",
	"ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",
	"ap-southeast-7", "ap-south-1",     "ap-south-2",     "ap-east-1",      "ap-east-2",
	"me-south-1",     "me-central-1",   "il-central-1",   "af-south-1",     NULL};
static const char *const government[] = {"us-gov-west-1", "us-gov-east-1", NULL};

// ---- making them --------------------------------------------------------------------------------

static void add_place(struct streams *all, struct aws_account *account, const char *region, bool named)
{
	struct stream_place *p = &all->places[all->nplaces++];
	*p = (struct stream_place){.account = account, .named = named};
	snprintf(p->region, sizeof p->region, "%s", region);
}

static void add_places(struct streams *all, struct aws_account *account, const char *home)
{
	const struct conf_list *regions = &all->options.conf->regions;
	const char *const *candidates = strncmp(home, "us-gov-", 7) == 0 ? government : commercial;
	for (size_t i = 0; i < regions->n; i++)
		add_place(all, account, regions->items[i], true);
	for (; regions->n == 0 && *candidates; candidates++)
		add_place(all, account, *candidates, false);
}

static void add_streams(struct streams *all)
{
	all->v = xcalloc((size_t)all->nplaces * (STREAM_KINDS + 1), sizeof *all->v);
	for (int i = 0; i < all->nplaces; i++)
		for (int kind = 0; kind < STREAM_KINDS; kind++) {
			struct stream_place *p = &all->places[i];
			// tags are the account's: its first place reads them
			bool again = stream_is_of_account(kind) && i > 0 && all->places[i - 1].account == p->account;
			bool wanted = all->options.wanted[kind == STREAM_ACCOUNT_TAGS ? STREAM_TAGS : kind];
			if (!wanted || again || p->of_trail != (kind == STREAM_TRAIL))
				continue;
			all->v[all->n++] = (struct stream){.kind = (enum stream_kind)kind, .place = p, .all = all};
			if (kind == STREAM_METRICS)
				all->v[all->n++] =
					(struct stream){.kind = STREAM_METRICS, .namespace = 1, .place = p, .all = all};
		}
}

// The queue or bucket is read by the first account.
static bool add_trail(struct streams *all, const char *home, struct err *err)
{
	const struct conf *c = all->options.conf;
	char region[STREAM_REGION_SIZE];
	if (!all->options.wanted[STREAM_TRAIL] || (!*c->trail_queue && !*c->trail_files))
		return true;
	if (*c->trail_files) // S3 says which Region the bucket is in
		snprintf(region, sizeof region, "%s", home);
	else if (!sqs_region(str_of(c->trail_queue), region, sizeof region, err))
		return conf_blame(c, "trail.queue", err);
	add_place(all, &all->accounts[0], region, true);
	all->places[all->nplaces - 1].of_trail = true;
	return true;
}

bool streams_init(struct streams *all, const struct streams_options *o, struct err *err)
{
	const struct conf *c = o->conf;
	struct usd limit;
	struct buf home = BUF_INIT;
	*all = (struct streams){.options = *o, .start_ms = when_now_ms(), .seed = (unsigned)when_now_ms()};
	if (c->regions.n == 0 && !o->wanted[STREAM_METRICS] &&
	    (o->wanted[STREAM_CLOUDTRAIL] || o->wanted[STREAM_LOGS]))
		return err_set(
			err, ERR_CONFIG,
			"regions is empty, and the metrics, which show where Bedrock is used, are not read: set regions");
	all->cost_max_pico = usd_parse(str_of(c->aws_cost_max), &limit) ? (int64_t)limit.pico : 0;
	all->naccounts = c->accounts.n ? (int)c->accounts.n : 1;
	all->accounts = xcalloc((size_t)all->naccounts, sizeof *all->accounts);
	all->places =
		xcalloc((size_t)all->naccounts * (c->regions.n + 1 + sizeof commercial / sizeof *commercial),
	            sizeof *all->places);
	aws_add_region(&home, STR_NONE);
	for (int i = 0; i < all->naccounts; i++) {
		const char *role = c->accounts.n ? c->accounts.items[i] : "own";
		aws_account_init(&all->accounts[i], strcmp(role, "own") == 0 ? NULL : role, c->accounts_external_id);
		add_places(all, &all->accounts[i], home.data);
	}
	bool good = add_trail(all, home.data, err);
	if (good)
		add_streams(all);
	buf_release(&home);
	return good;
}

void streams_release(struct streams *all)
{
	for (int i = 0; i < all->n; i++) {
		struct stream *s = &all->v[i];
		buf_release(&s->token);
		cloudwatch_metrics_release(&s->metrics);
		cloudwatch_reading_free(s->values);
		organization_free(s->organization);
		bedrock_logging_release(&s->logging);
		buf_release(&s->former);
		buf_release(&s->bucket);
		buf_release(&s->prefix);
		file_walk_release(&s->files);
		trail_folders_release(&s->folders);
		sqs_batch_release(&s->batch);
		free(s->objects);
	}
	for (int i = 0; i < all->naccounts; i++)
		aws_account_release(&all->accounts[i]);
	free(all->v);
	free(all->places);
	free(all->accounts);
	*all = (struct streams){0};
}

// ---- spans --------------------------------------------------------------------------------------

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

// A trail whose bucket is listed, in place of a queue.
static bool lists_files(const struct stream *s)
{
	return s->kind == STREAM_TRAIL && *s->all->options.conf->trail_files;
}

// Logs: between two readings of everything that is not final, the newest minutes alone are read.
static bool reads_newest(const struct stream *s, int64_t now)
{
	return s->kind == STREAM_LOGS && !s->files_until_ms && s->whole_ms &&
	       when_ticks_ms() - s->whole_ms < LOGS_AGAIN_MS &&
	       s->position_ms >= now - LOGS_LATEST_MS - 2 * LOGS_AGAIN_MS;
}

static int64_t kept_ms(const struct stream *s)
{
	return lists_files(s) ? DAYS_MS(36500) : kinds[s->kind].kept_ms;
}

static void begin_span(const struct streams *all, struct stream *s)
{
	int64_t now = when_now_ms(), slice = lists_files(s) ? DAYS_MS(1) : kinds[s->kind].slice_ms;
	int64_t goal = later(all->start_ms - all->options.since_ms, now - kept_ms(s));
	if (all->options.backward) {
		s->to_ms = s->position_ms ? s->position_ms : all->start_ms;
		s->from_ms = later(goal, s->to_ms - slice);
	} else {
		s->wanted_ms = s->position_ms ? s->position_ms : all->start_ms - all->options.since_ms;
		s->from_ms = later(s->wanted_ms, now - kept_ms(s));
		s->newest = reads_newest(s, now);
		if (s->newest)
			s->from_ms = s->wanted_ms = later(s->from_ms, now - LOGS_LATE_MS);
		s->to_ms = earlier(now, s->from_ms + slice);
	}
	if (s->kind == STREAM_METRICS) { // whole minutes: the one that runs would be a smaller sum
		s->from_ms -= s->from_ms % MS_PER_MINUTE;
		s->to_ms -= s->to_ms % MS_PER_MINUTE;
	}
	s->began_ms = now;
	s->part = 0;
	s->events = 0;
	s->incomplete = s->incomplete && all->options.backward; // `nowcast look` says so at its end
	s->forbidden = s->given = false;
	s->listing = false;
	s->walking = false;
	buf_clear(&s->token);
	s->reading = true;
}

// The first minute whose values differ from when they were read before. Minutes that were not read before
// differ.
static int64_t unchanged_until_ms(struct stream *s)
{
	int64_t minute = s->from_ms / MS_PER_MINUTE, end = s->to_ms / MS_PER_MINUTE;
	for (; minute < end; minute++) {
		int64_t now = minute - s->digests_from[0], before = minute - s->digests_from[1];
		if (!s->digests_from[1] || before < 0 || before >= STREAM_DIGESTS || now < 0 ||
		    now >= STREAM_DIGESTS || s->digests[0][now] != s->digests[1][before])
			break;
	}
	return minute * MS_PER_MINUTE;
}

// Metrics are read again until they are half an hour old and have not changed, but no longer than three
// hours.
static int64_t metrics_position(struct stream *s)
{
	int64_t oldest = s->began_ms - CLOUDWATCH_SPAN_MS + MS_PER_MINUTE;
	int64_t settled = s->idle            ? s->began_ms
	                  : s->to_ms <= oldest ? s->to_ms
	                                       : later(oldest, unchanged_until_ms(s));
	s->digests_from[1] = s->digests_from[0];
	memcpy(s->digests[1], s->digests[0], sizeof s->digests[0]);
	return settled;
}

// How often all metrics are read: aws.every, or as seldom as aws.cost_max asks.
static int64_t metrics_every_ms(const struct streams *all)
{
	int64_t every = all->options.conf->aws_every_ms;
	__extension__ __int128 day = (__int128)all->queries * CLOUDWATCH_PICO_PER_QUERY * DAYS_MS(1);
	return all->cost_max_pico > 0 ? later(every, (int64_t)(day / all->cost_max_pico)) : every;
}

static int64_t every_ms(const struct streams *all, const struct stream *s)
{
	if (s->idle)
		return IDLE_MS;
	return stream_is_of_account(s->kind) ? TAGS_EVERY_MS
	       : s->kind == STREAM_PROFILES  ? PROFILES_EVERY_MS
	       : s->kind == STREAM_METRICS   ? metrics_every_ms(all)
	                                     : all->options.conf->aws_every_ms;
}

// Their records are in Redis. Those that cannot be deleted come again, and change nothing.
static void delete_messages(const struct streams *all, struct stream *s)
{
	const struct aws_place at = stream_at(s);
	struct aws_answer answer = {.body = BUF_INIT};
	struct err err = ERR_INIT;
	int failed = 0;
	if (s->batch.n)
		if (sqs_delete(&at, all->options.conf->trail_queue, &s->batch, &failed, &answer, &err) != AWS_NONE)
			failed = s->batch.n;
	if (failed) {
		err_clear(&s->why);
		err_set(&s->why, err.kind, "messages of the queue that could not be deleted, and come again: %d; %s",
		        failed, err.msg);
		s->note = s->why.msg;
	}
	buf_release(&answer.body);
}

// AWS goes on deleting while a span is read, so what it no longer has is seen at the end. A Region in which
// nothing calls Bedrock lacks nothing.
static void find_gap(struct stream *s)
{
	int64_t kept = earlier(when_now_ms() - kept_ms(s), s->to_ms);
	bool unused =
		s->idle && (s->kind == STREAM_LOGS || s->namespace || (!s->place->named && !s->place->used));
	s->gap_from_ms = s->gap_to_ms = 0;
	if (unused || s->incomplete || later(kept, s->from_ms) <= s->wanted_ms)
		return;
	s->gap_from_ms = s->wanted_ms;
	s->gap_to_ms = later(kept, s->from_ms);
	s->gap_cause = GAP_AWS_RETENTION;
}

// Logging was switched off while nobody read: what was logged until then is in a group that is not known now.
static void find_lost_logs(struct stream *s)
{
	int64_t off_ms = s->began_ms - kinds[STREAM_LOGS].late_ms;
	if (s->kind == STREAM_LOGS && s->idle && s->was_read && off_ms - IDLE_MS > s->wanted_ms) {
		s->gap_from_ms = s->wanted_ms;
		s->gap_to_ms = off_ms;
		s->gap_cause = GAP_AWS_RETENTION;
	}
	s->was_read = false;
}

// A metric that CloudWatch cannot give holds the newer minutes of the others back only so long: as long as
// the span reaches up to now they are read with it, and then some times more.
static void give_up_values(struct stream *s)
{
	bool full = s->to_ms + MS_PER_MINUTE < s->began_ms;
	s->incompletes = s->incomplete && full ? s->incompletes + 1 : 0;
	if (s->incompletes < INCOMPLETES_MAX)
		return;
	s->incompletes = 0;
	s->incomplete = false;
	s->gap_from_ms = s->from_ms;
	s->gap_to_ms = s->to_ms;
	s->gap_cause = GAP_AWS_VALUES;
}

void stream_finish(struct streams *all, struct stream *s)
{
	int64_t now = when_ticks_ms(), span = s->to_ms - s->from_ms;
	assert(!s->reading);
	s->due_ms = now + kinds[s->kind].request_ms;
	s->read_ms = when_now_ms();
	s->rate = span > 0 ? s->events * 1000 / span : 0;
	if (all->options.backward) {
		s->position_ms = s->from_ms;
		s->done = stream_is_of_account(s->kind) || s->kind == STREAM_PROFILES || s->idle ||
		          s->from_ms <= all->start_ms - all->options.since_ms ||
		          s->from_ms <= s->began_ms - kept_ms(s);
		return;
	}
	if (s->kind == STREAM_TRAIL && !lists_files(s)) {
		delete_messages(all, s);
		s->gap_from_ms = s->gap_to_ms = 0;
		if (s->position_ms && !s->batch.n) // a queue has nothing of before it was read first
			find_gap(s);
		s->position_ms = s->batch.n ? s->position_ms : s->began_ms;
		s->due_ms = now + (s->batch.n ? kinds[s->kind].request_ms : TRAIL_EVERY_MS);
		return;
	}
	find_gap(s);
	find_lost_logs(s);
	give_up_values(s);
	bool current = s->to_ms + MS_PER_MINUTE >= s->began_ms || s->idle;
	int64_t late = lists_files(s) ? FILES_LATE_MS : kinds[s->kind].late_ms;
	int64_t read = s->newest ? 0 : s->began_ms - late;
	if (s->kind == STREAM_LOGS && current && !s->newest)
		s->whole_ms = now;
	if (!s->idle)
		read = earlier(read, s->to_ms);
	if (s->kind == STREAM_METRICS)
		read = earlier(read, metrics_position(s));
	if (!s->incomplete)
		s->position_ms = later(s->position_ms, read);
	if (s->kind == STREAM_LOGS || lists_files(s))
		file_walk_forget(&s->files, s->position_ms, s->began_ms);
	if (current || s->incomplete)
		s->due_ms = now + every_ms(all, s);
}

void stream_go_back(struct stream *s, int64_t position_ms)
{
	assert(position_ms <= s->position_ms);
	cloudwatch_reading_free(s->values);
	s->values = NULL;
	organization_free(s->organization);
	s->organization = NULL;
	file_walk_release(&s->files); // what was read is to be read again
	s->whole_ms = 0;
	s->reading = false;
	s->position_ms = position_ms;
	s->due_ms = when_ticks_ms();
}

// ---- whose turn it is ---------------------------------------------------------------------------

// Where the Regions are not named, the metrics show which ones are used.
static bool is_asleep(const struct stream *s)
{
	bool unused = !s->place->named && !s->place->used;
	return s->done || (s->kind != STREAM_METRICS && !stream_is_of_account(s->kind) && unused);
}

struct stream *streams_next(struct streams *all, int64_t *ret_due_ms)
{
	struct stream *first = NULL;
	*ret_due_ms = INT64_MAX;
	for (int i = 0; i < all->n; i++) {
		struct stream *s = &all->v[i];
		if (is_asleep(s) || (first && s->due_ms >= first->due_ms))
			continue;
		first = s;
		*ret_due_ms = s->due_ms;
	}
	return first && first->due_ms <= when_ticks_ms() ? first : NULL;
}

static int64_t growing_wait(struct streams *all, const struct stream *s, int64_t most)
{
	int64_t ms = earlier(most, (int64_t)WAIT_FIRST_MS << earlier(s->tries - 1, 16));
	return ms / 2 + rand_r(&all->seed) % (ms / 2 + 1);
}

static int64_t wait_after(struct streams *all, struct stream *s, int64_t asked_ms)
{
	switch (s->fault) {
	case AWS_THROTTLED:
		return later(asked_ms, growing_wait(all, s, THROTTLED_MAX_MS));
	case AWS_DENIED:
	case AWS_REFUSED:
		return REFUSED_MS;
	case AWS_REGION_OFF:
		return s->place->named || s->place->used ? REFUSED_MS : MS_PER_HOUR;
	case AWS_TOKEN:
		return WAIT_FIRST_MS;
	default:
		return later(asked_ms, growing_wait(all, s, WAIT_MAX_MS));
	}
}

static void fail(struct streams *all, struct stream *s, enum aws_fault fault, int64_t asked_ms,
                 const struct err *why)
{
	s->fault = fault;
	s->why = *why;
	s->tries++;
	if (!s->failing_ms)
		s->failing_ms = when_now_ms();
	if (fault == AWS_TOKEN)
		s->reading = false;
	if (fault == AWS_EXPIRED || fault == AWS_REGION_OFF) // the keys may have been taken back
		aws_account_forget(s->place->account);
	s->due_ms = when_ticks_ms() + wait_after(all, s, asked_ms);
	if (s->kind == STREAM_ACCOUNT_TAGS && s->idle) // each refusal is a record in somebody's trail
		s->due_ms = when_ticks_ms() + TAGS_EVERY_MS;
	// Nobody asked for this Region: that it is not enabled, or not allowed, is no failure.
	if (s->kind == STREAM_METRICS && !s->place->named && !s->place->used &&
	    (fault == AWS_REGION_OFF || fault == AWS_DENIED)) {
		s->place->looked = true;
		s->idle = true;
		s->note = "the Region is not enabled, or not allowed";
		s->due_ms = when_ticks_ms() + MS_PER_HOUR;
	}
}

bool stream_open(struct streams *all, struct stream *s)
{
	struct err err = ERR_INIT;
	if (aws_account_open(s->place->account, &err))
		return true;
	fail(all, s, err.kind == ERR_RETRY ? AWS_UNREACHABLE : AWS_REFUSED, 0, &err);
	return false;
}

bool stream_turn(struct streams *all, struct stream *s)
{
	struct aws_answer answer = {.body = BUF_INIT};
	struct err err = ERR_INIT;
	bool complete = false;
	assert(s->place->account->found_ms);
	if (!s->reading)
		begin_span(all, s);
	enum aws_fault fault = stream_read(all, s, &complete, &answer, &err);
	if (fault != AWS_NONE) {
		fail(all, s, fault, answer.wait_ms, &err);
	} else {
		s->fault = AWS_NONE;
		s->tries = 0;
		s->failing_ms = 0;
		s->due_ms = when_ticks_ms() + (s->walking ? FILE_MS : kinds[s->kind].request_ms);
		s->reading = !complete;
	}
	buf_release(&answer.body);
	return fault == AWS_NONE && complete;
}
