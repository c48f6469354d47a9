// SPDX-License-Identifier: Apache-2.0
// What one request of each kind of stream is (of invocation logs: run/stream_logs.c;
// of a trail: run/stream_trail.c).
#include <assert.h>
#include <stdio.h>

#include "aws/cloudtrail.h"
#include "aws/iam.h"
#include "base/text.h"
#include "base/when.h"
#include "run/streams_priv.h"

enum {
	RELIST_MS = 5 * 60000,     // metrics: a new model is listed within 15 minutes of its first value
	RECENT_MS = 150 * 60000,   // ListMetrics knows those of the last three hours apart
};

struct aws_place stream_at(const struct stream *s)
{
	return (struct aws_place){&s->place->account->credentials, s->place->region, s->place->account->id};
}

void stream_give(struct streams *all, const struct stream *s, struct str data)
{
	char path[96];
	snprintf(path, sizeof path, "aws:%s/%s/%s", stream_words[s->kind], s->place->account->id,
	         s->place->region);
	all->options.hooks.on_message(all->options.hooks.user, s, path, data);
}

// ---- files of S3 --------------------------------------------------------------------------------

struct giving {
	struct streams *all;
	const struct stream *stream;
};

static void give_file(void *user, const char *path, struct str data)
{
	const struct giving *g = user;
	g->all->options.hooks.on_message(g->all->options.hooks.user, g->stream, path, data);
}

// Files that may not be read do not keep the others out; then the span is a failure, and read again.
enum aws_fault stream_read_files(struct streams *all, struct stream *s, bool *ret_complete, struct err *err)
{
	const struct aws_place at = stream_at(s);
	struct giving giving = {all, s};
	bool complete = false;
	enum aws_fault fault = file_walk_step(&s->files, &at, give_file, &giving, &complete, err);
	s->events += fault == AWS_NONE;
	if (!complete)
		return fault;
	if (s->files.gone)
		s->note = "files were deleted before they were read";
	if (s->files.refused) {
		s->reading = false;
		*err = s->files.why;
		return AWS_DENIED;
	}
	*ret_complete = true;
	return AWS_NONE;
}

// ---- CloudTrail ---------------------------------------------------------------------------------

static enum aws_fault read_cloudtrail(struct streams *all, struct stream *s, bool *ret_complete,
                                      struct aws_answer *answer, struct err *err)
{
	const struct conf_list *sources = &all->options.conf->aws_event_sources;
	const struct aws_place at = stream_at(s);
	int n = 0;
	assert(s->part < (int)sources->n);
	const struct cloudtrail_query q = {.event_source = sources->items[s->part],
	                                   .from_ms = s->from_ms,
	                                   .to_ms = s->to_ms,
	                                   .token = buf_str(&s->token)};
	enum aws_fault fault = cloudtrail_lookup(&at, &q, answer, &s->token, &n, err);
	if (fault != AWS_NONE)
		return fault;
	s->events += n;
	if (n)
		stream_give(all, s, buf_str(&answer->body));
	s->part += s->token.len == 0;
	*ret_complete = s->part == (int)sources->n;
	return AWS_NONE;
}

// ---- metrics ------------------------------------------------------------------------------------

static bool is_recent(const struct stream *s)
{
	return !s->all->options.backward && s->from_ms >= when_now_ms() - RECENT_MS;
}

static enum aws_fault list_metrics(struct streams *all, struct stream *s, struct aws_answer *answer,
                                   struct err *err)
{
	const struct aws_place at = stream_at(s);
	if (!s->listing) {
		all->queries -= (int64_t)s->metrics.n * CLOUDWATCH_STATISTICS;
		cloudwatch_metrics_clear(&s->metrics);
		s->listing = true;
		s->part = 0; // of no chunk: there are no metrics now
		buf_clear(&s->token);
	}
	enum aws_fault fault = cloudwatch_list(&at, cloudwatch_namespaces[s->namespace], is_recent(s),
	                                       &s->metrics, &s->token, answer, err);
	if (fault != AWS_NONE) {
		cloudwatch_metrics_clear(&s->metrics);
		s->listing = false;
		return fault;
	}
	if (s->token.len)
		return AWS_NONE;
	s->listing = false;
	s->listed_recent = is_recent(s);
	s->listed_ms = when_ticks_ms();
	s->place->looked = true;
	s->place->used = s->place->used || s->metrics.n > 0;
	s->idle = s->metrics.n == 0;
	s->note = !s->idle       ? NULL
	          : s->namespace ? "no metrics of bedrock-mantle here: nothing has called it lately"
	                         : "no metrics of Bedrock here: nothing has called it lately";
	all->queries += (int64_t)s->metrics.n * CLOUDWATCH_STATISTICS;
	return AWS_NONE;
}

static void keep_digests(struct stream *s)
{
	int64_t first = s->from_ms / MS_PER_MINUTE;
	if (s->digests_from[0] != first || s->part == 0) {
		s->digests_from[0] = first;
		memset(s->digests[0], 0, sizeof s->digests[0]);
	}
	cloudwatch_reading_digest(s->values, first, s->digests[0], STREAM_DIGESTS);
}

// All of them are refused. Where only some are, the others must not wait for them (give_up_values).
static enum aws_fault refuse_values(struct stream *s, struct err *err)
{
	s->reading = false; // the span again, once it is allowed
	err_set(err, ERR_CONFIG,
	        "%s, %s: the permission cloudwatch:GetMetricData is missing for metrics of %s (Forbidden)",
	        s->place->account->id, s->place->region, cloudwatch_namespaces[s->namespace]);
	return AWS_DENIED;
}

static enum aws_fault read_values(struct streams *all, struct stream *s, bool *ret_complete,
                                  struct aws_answer *answer, struct err *err)
{
	const struct aws_place at = stream_at(s);
	size_t first = (size_t)s->part * CLOUDWATCH_CHUNK, left = s->metrics.n - first;
	struct buf message = BUF_INIT;
	bool more = false;
	if (left > CLOUDWATCH_CHUNK)
		left = CLOUDWATCH_CHUNK;
	if (!s->values)
		s->values = cloudwatch_reading_new(s->metrics.v + first, left, s->from_ms, s->to_ms);
	all->asked += (int64_t)left * CLOUDWATCH_STATISTICS; // each page is charged
	enum aws_fault fault = cloudwatch_reading_next(s->values, &at, &more, answer, err);
	if (fault == AWS_TOKEN || (fault == AWS_NONE && !more)) {
		if (fault == AWS_NONE) {
			if (!cloudwatch_reading_write(s->values, &at, &message)) {
				s->incomplete = true;
				s->forbidden |= cloudwatch_reading_is_forbidden(s->values);
				s->note = s->forbidden ? "the permission cloudwatch:GetMetricData is missing for some metrics "
				                         "(Forbidden); the others are read"
				                       : "CloudWatch did not give the values of some metrics: this span is read again";
			}
			s->given |= cloudwatch_reading_has_results(s->values);
			keep_digests(s);
			stream_give(all, s, buf_str(&message));
			s->events += (int64_t)left;
			s->part++;
		}
		cloudwatch_reading_free(s->values);
		s->values = NULL;
	}
	*ret_complete = !s->values && (size_t)s->part * CLOUDWATCH_CHUNK >= s->metrics.n;
	buf_release(&message);
	return *ret_complete && s->forbidden && !s->given ? refuse_values(s, err) : fault;
}

static enum aws_fault read_metrics(struct streams *all, struct stream *s, bool *ret_complete,
                                   struct aws_answer *answer, struct err *err)
{
	bool fresh =
		s->listed_ms && when_ticks_ms() - s->listed_ms < RELIST_MS && s->listed_recent == is_recent(s);
	if (s->values || (s->part > 0 && !s->listing) || (fresh && !s->listing && s->metrics.n))
		return read_values(all, s, ret_complete, answer, err);
	enum aws_fault fault = list_metrics(all, s, answer, err);
	*ret_complete = fault == AWS_NONE && !s->listing && s->metrics.n == 0;
	return fault;
}

// ---- tags ---------------------------------------------------------------------------------------

// What was not taken of a page stays the note of the stream until all are read again.
static void note_skipped(struct stream *s, struct err *err)
{
	if (s->events == 0)
		s->note = NULL;
	if (err->kind == ERR_NONE)
		return;
	s->why = *err;
	s->note = s->why.msg;
	err_clear(err);
}

static enum aws_fault read_tags(struct streams *all, struct stream *s, bool *ret_complete,
                                struct aws_answer *answer, struct err *err)
{
	const struct aws_place at = stream_at(s);
	struct buf json = BUF_INIT, next = BUF_INIT;
	enum aws_fault fault = iam_list_tags(&at, buf_str(&s->token), &json, &next, answer, err);
	if (fault == AWS_NONE && !all->options.hooks.on_tags(all->options.hooks.user, s, buf_str(&json), err))
		fault = AWS_UNREACHABLE;
	if (fault == AWS_NONE) {
		note_skipped(s, err);
		buf_clear(&s->token);
		buf_addstr(&s->token, buf_str(&next));
		s->events++;
		*ret_complete = s->token.len == 0;
	}
	buf_release(&json);
	buf_release(&next);
	return fault;
}

// Most accounts may not list their organisation, and need not: that is no failure, unless they could before.
static void note_no_organization(struct stream *s, enum aws_fault fault, const struct aws_answer *answer)
{
	bool none = strcmp(answer->code, ORGANIZATION_NONE) == 0;
	s->idle = !s->position_ms && !s->events && (none || fault == AWS_DENIED);
	if (s->idle)
		s->note = none ? "the account is in no organisation, so there are no tags of accounts"
		               : "the permission organizations:ListAccounts is missing, or the account does not manage its "
						 "organisation: tags of accounts are not read";
}

// What could not be kept is asked for again. `nowcast look` has no figures of other accounts.
static enum aws_fault read_account_tags(struct streams *all, struct stream *s, bool *ret_complete,
                                        struct aws_answer *answer, struct err *err)
{
	const struct aws_place at = stream_at(s);
	struct buf json = BUF_INIT;
	bool more = false, kept = true;
	if (!s->organization)
		s->organization = organization_new(all->accounts, all->options.backward ? all->naccounts : 0);
	enum aws_fault fault = organization_next(s->organization, &at, &json, &more, answer, err);
	if (fault == AWS_NONE && json.len)
		kept = all->options.hooks.on_tags(all->options.hooks.user, s, buf_str(&json), err);
	buf_release(&json);
	if (!kept || (fault == AWS_NONE && !more)) {
		organization_free(s->organization);
		s->organization = NULL;
	}
	s->reading = s->reading && kept;
	if (!kept)
		return AWS_UNREACHABLE;
	if (fault != AWS_NONE) {
		note_no_organization(s, fault, answer);
		return fault;
	}
	s->idle = false;
	note_skipped(s, err);
	s->events++;
	*ret_complete = !more;
	return AWS_NONE;
}

static enum aws_fault read_profiles(struct streams *all, struct stream *s, bool *ret_complete,
                                    struct aws_answer *answer, struct err *err)
{
	const struct aws_place at = stream_at(s);
	struct buf token = BUF_INIT;
	buf_addstr(&token, buf_str(&s->token));
	enum aws_fault fault = bedrock_list_profiles(&at, &token, answer, err);
	if (fault == AWS_NONE &&
	    !all->options.hooks.on_profiles(all->options.hooks.user, s, buf_str(&answer->body), err))
		fault = AWS_UNREACHABLE;
	if (fault == AWS_NONE) {
		note_skipped(s, err);
		buf_clear(&s->token);
		buf_addstr(&s->token, buf_str(&token));
		s->events++;
		*ret_complete = s->token.len == 0;
	}
	buf_release(&token);
	return fault;
}

enum aws_fault stream_read(struct streams *all, struct stream *s, bool *ret_complete,
                           struct aws_answer *answer, struct err *err)
{
	static enum aws_fault (*const reads[STREAM_KINDS])(struct streams *, struct stream *, bool *,
	                                                   struct aws_answer *, struct err *) = {
		[STREAM_CLOUDTRAIL] = read_cloudtrail,
		[STREAM_METRICS] = read_metrics,
		[STREAM_LOGS] = stream_read_logs,
		[STREAM_TAGS] = read_tags,
		[STREAM_ACCOUNT_TAGS] = read_account_tags,
		[STREAM_PROFILES] = read_profiles,
		[STREAM_TRAIL] = stream_read_trail,
	};
	*ret_complete = false;
	return reads[s->kind](all, s, ret_complete, answer, err);
}
