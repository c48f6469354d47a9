// SPDX-License-Identifier: Apache-2.0
// The records of the made-up traffic as AWS writes them: CloudTrail, CloudWatch metric streams, EventBridge.
//
// A function that takes a JSON writer writes one object as its next value.
#ifndef NOWCAST_DEMO_TRAFFIC_RECORD_PRIV_H
#define NOWCAST_DEMO_TRAFFIC_RECORD_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json_writer.h"

enum caller_kind {
	CALLER_USER,    // an IAM user with an access key
	CALLER_API_KEY, // the IAM user behind a Bedrock API key
	CALLER_ROLE,    // a service's role, tagged in IAM
	CALLER_SSO,     // a person signed on by SAML, tags in the session
	CALLER_GATEWAY, // a gateway's role, one session a user, tags in the session
};

enum { CALLER_TAGS_MAX = 3 };

struct traffic_caller {
	enum caller_kind kind;
	const char *account, *region;
	const char *name;    // of the user or role
	const char *session; // NULL: a user has none
	struct {
		const char *key, *value;
	} tags[CALLER_TAGS_MAX];
	const char *model;   // as called
};

struct traffic_call {
	int64_t start_ms, end_ms;
	bool streaming;
	const char *error;      // errorCode, or NULL
	int64_t input, output;  // tokens
	bool tokens_known;      // CloudTrail says input and output
	const char *request_id, *event_id;
};

struct traffic_metric {
	const char *name;       // "InputTokenCount"
	int64_t minute;         // since the epoch
	int64_t count, sum, min, max;
};

bool caller_has_session_tags(const struct traffic_caller *c);
void caller_add_arn(struct buf *b, const struct traffic_caller *c); // as the bill shows it

// `since_ms`: when the caller's session began.
void write_call_record(struct json_writer *j, const struct traffic_caller *c, const struct traffic_call *call,
                       int64_t since_ms);
void write_completion_record(struct json_writer *j, const struct traffic_caller *c,
                             const struct traffic_call *call, int64_t since_ms);

// The record that carries the caller's tags: of STS for those with session tags, of IAM for the others.
void write_tagging_record(struct json_writer *j, const struct traffic_caller *c, int64_t at_ms,
                          const char *event_id);

// Appends the metric and a line break.
void add_metric_line(struct buf *b, const struct traffic_caller *c, const struct traffic_metric *m);

// Opens the object that EventBridge puts around a record of a service ("bedrock", "sts", "iam"). The record
// is the next value; then jw_end closes the object.
void open_eventbridge_event(struct json_writer *j, const struct traffic_caller *c, const char *service,
                            bool service_event, const char *id);

#endif
