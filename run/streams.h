// SPDX-License-Identifier: Apache-2.0
// The records of AWS that are read by its APIs, as streams: a kind of record of an account and Region each.
//
//     cloudtrail  LookupEvents         calls, and who made them      (aws/cloudtrail.h)
//     metrics     GetMetricData        tokens by model and minute    (aws/cloudwatch.h), a stream a namespace
//     logs        FilterLogEvents, S3  invocation logs               (aws/logs.h, run/file_walk.h)
//     tags        IAM                  tags of roles and users, once a day (aws/iam.h)
//     tags_accounts  Organizations     those of accounts, with the source `tags` (aws/organizations.h)
//     profiles    ListInferenceProfiles   the models behind application inference profiles (aws/bedrock.h)
//     trail       SQS, S3              the files of a trail, as a queue tells of them (aws/sqs.h), or listed
//
// A stream reads spans of time, page by page. Forward, as the daemon does: from its position on, which is the
// time before which everything is read and nothing can still come; the newest minutes are read again each
// time, because records come late. Backward, as `nowcast look` does: from now back to a goal.
//
// stream_turn makes one request of a stream and gives what came to a hook. Requests come one after another:
// one that gets no answer holds up the others for twenty seconds (aws/call.c). A stream that fails leaves the
// others going: it waits, longer each time and never shorter than AWS asks. What was read may be read again:
// facts are joined, never added.
#ifndef NOWCAST_RUN_STREAMS_H
#define NOWCAST_RUN_STREAMS_H

#include "aws/account.h"
#include "aws/bedrock.h"
#include "aws/call.h"
#include "aws/cloudwatch.h"
#include "aws/organizations.h"
#include "aws/sqs.h"
#include "base/conf.h"
#include "ingest/position.h"
#include "run/file_walk.h"

enum stream_kind {
	STREAM_CLOUDTRAIL,
	STREAM_METRICS,
	STREAM_LOGS,
	STREAM_TAGS,
	STREAM_ACCOUNT_TAGS,
	STREAM_PROFILES,
	STREAM_TRAIL,
	STREAM_KINDS
};
extern const char *const stream_words[STREAM_KINDS]; // "cloudtrail", ...

// Whether there is one of an account, and not of each of its Regions.
static inline bool stream_is_of_account(enum stream_kind kind)
{
	return kind == STREAM_TAGS || kind == STREAM_ACCOUNT_TAGS;
}

enum { STREAM_REGION_SIZE = 32, STREAM_DIGESTS = 180 };

// An account in a Region. Unless the configuration names the Regions, those are read in which the metrics
// stream finds metrics of Bedrock.
struct stream_place {
	struct aws_account *account;
	char region[STREAM_REGION_SIZE];
	bool named;        // by the configuration
	bool of_trail;     // trail.queue or trail.files: it has the stream of that alone
	bool used;         // it has metrics of Bedrock
	bool looked;       // it was asked whether it has
};

// Which accounts and Regions a trail has, if its bucket is listed.
struct trail_folders {
	struct arena arena;
	struct str bucket;
	struct str *open;       // folders to look into, of which `at` are done
	int nopen, open_cap, at;
	struct str after;       // folder of open[at] that was the last of a page
	struct str *regions;    // ".../ACCOUNT/CloudTrail/REGION/"
	int nregions, regions_cap;
	struct s3 page;
	bool looking;
	int64_t found_ms;       // monotonic; 0: never
};

struct stream {
	enum stream_kind kind;
	int namespace;        // metrics: of cloudwatch_namespaces, so that one may be refused and the other read
	struct stream_place *place;
	const struct streams *all;

	int64_t position_ms;  // everything before is read; 0: nothing is. Backward: everything after is
	bool done;            // backward: the goal is reached, or it was given up

	// the span in hand
	bool reading;
	int64_t from_ms, to_ms, began_ms;
	int64_t wanted_ms;    // where it would begin if AWS kept everything
	int part;             // event source, namespace, chunk of metrics
	struct buf token;     // of the next page
	int64_t events;       // read of it so far

	struct cloudwatch_metrics metrics; // metrics: those that are read, since listed_ms
	struct cloudwatch_reading *values; // metrics: the chunk in hand
	int64_t listed_ms;    // monotonic; 0: never
	bool listed_recent, listing;
	uint64_t digests[2][STREAM_DIGESTS]; // metrics: of the values by minute, [1] when they were read before
	int64_t digests_from[2]; // minute; 0: none
	bool incomplete;      // metrics: some could not be read
	bool forbidden, given; // metrics: some may not be read, and some may
	int incompletes;      // metrics: readings of the oldest span that were incomplete, one after the other
	struct organization *organization; // account tags: the reading in hand
	struct bedrock_logging logging;    // logs: where they go, since asked_ms
	int64_t asked_ms;     // monotonic
	int64_t asked_at_ms;  // the same as a time
	struct buf former;    // logs: the log group before, read too until former_until_ms; empty: none
	int64_t former_until_ms;
	struct buf bucket, prefix; // logs: where they go on S3; read until files_until_ms; 0: they do not
	int64_t files_until_ms;
	struct file_walk files; // logs, trail: of the span, if `walking`
	struct trail_folders folders;
	bool walking;
	bool newest;          // logs: only the newest minutes are read this time
	bool was_read;        // logs: they went somewhere when another process read them last
	int64_t whole_ms;     // logs: when everything that is not final was read, monotonic; 0: not yet

	struct sqs_batch batch; // trail: messages, deleted by stream_finish
	struct stream_object {
		struct s3_name name;
		int message;      // of `batch`
	} *objects;           // trail: that they tell of, of which `part` are read
	int nobjects, objects_cap;

	// What stream_finish found that AWS no longer gives: [gap_from_ms, gap_to_ms), for gap_cause; both 0:
	// nothing. The caller writes it down.
	int64_t gap_from_ms, gap_to_ms;
	enum gap_cause gap_cause;

	int64_t due_ms;       // monotonic
	int tries;            // that failed, one after the other
	enum aws_fault fault; // of the last one
	struct err why;
	int64_t failing_ms;   // since when it fails; 0: it does not
	int64_t read_ms;      // when the last span was complete; 0: none was
	bool idle;            // there is nothing to read here; `note` says why
	int64_t rate;         // events a second of the last span
	const char *note;     // a sentence, or NULL
};

struct streams_hooks {
	// A message for the decoder. `path`: where it is from, "aws:cloudtrail/111122223333/us-east-1".
	void (*on_message)(void *user, const struct stream *s, const char *path, struct str data);
	// A page of roles and users, or of accounts, with their tags (store/tag_import.h). False: not kept, to be
	// read again. True with a message in err: some of them were not taken.
	bool (*on_tags)(void *user, const struct stream *s, struct str json, struct err *err);
	// The same of inference profiles (store/profile_import.h).
	bool (*on_profiles)(void *user, const struct stream *s, struct str json, struct err *err);
	void *user;
};

struct streams_options {
	const struct conf *conf; // outlives this
	bool wanted[STREAM_KINDS];
	bool backward;
	int64_t since_ms;        // how far back, from now
	struct streams_hooks hooks;
};

struct streams {
	struct streams_options options;
	int64_t start_ms;
	struct aws_account *accounts;
	int naccounts;
	struct stream_place *places;
	int nplaces;
	struct stream *v;
	int n;
	int64_t queries;         // of GetMetricData, for one reading of all metrics
	int64_t asked;           // of these that were made
	int64_t cost_max_pico;   // dollars a day
	unsigned seed;
};

// ERR_CONFIG. Asks AWS nothing yet.
bool streams_init(struct streams *all, const struct streams_options *o, struct err *err) NC_CHECK;
void streams_release(struct streams *all);

// The stream that is due; NULL: none is before *ret_due_ms (monotonic; INT64_MAX: none ever again).
struct stream *streams_next(struct streams *all, int64_t *ret_due_ms);

// Finds the credentials of its account, if need be; its account is known then. False: it fails, and waits.
bool stream_open(struct streams *all, struct stream *s);

// Makes one request. True: a span is complete. Once what it gave to the hook is safe, stream_finish counts it
// as read.
bool stream_turn(struct streams *all, struct stream *s);
void stream_finish(struct streams *all, struct stream *s);

// Forward: reads again from its position or an earlier one on, at once. Messages of a queue come again by
// themselves.
void stream_go_back(struct stream *s, int64_t position_ms);

const char *stream_word(const struct stream *s); // of the source: "metrics", "metrics_mantle"

#endif
