// SPDX-License-Identifier: Apache-2.0
// The records of the demo as AWS writes them. Each function appends one JSON object to `b`; what wraps it is
// the caller's.
#ifndef NOWCAST_DEMO_RECORD_H
#define NOWCAST_DEMO_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum demo_kind {
	DEMO_USER,    // an IAM user with a key of its own
	DEMO_API_KEY, // the IAM user behind a Bedrock API key
	DEMO_ROLE,    // a service's role, tagged in IAM
	DEMO_SSO,     // a person who came by SAML, tags in the session
	DEMO_GATEWAY, // a gateway's role, one session a user, tags in the session
};

struct demo_tag {
	const char *key, *value;
};

enum { DEMO_TAGS_MAX = 3 };

struct demo_caller {
	enum demo_kind kind;
	const char *account, *region;
	const char *name;    // of the user or role
	const char *session; // NULL: a user has none
	struct demo_tag tags[DEMO_TAGS_MAX];
	const char *model;   // as called
};

struct demo_call {
	int64_t start_ms, end_ms;
	bool streaming;
	const char *error;      // errorCode, or NULL
	int64_t input, output;
	bool tokens_known;       // CloudTrail knows input and output
	const char *request_id, *event_id;
};

struct demo_metric {
	const char *name;       // "InputTokenCount"
	int64_t minute;         // since the epoch
	int64_t count, sum, min, max;
};

bool demo_has_session_tags(const struct demo_caller *c);
void demo_add_arn(struct buf *b, const struct demo_caller *c); // as the bill shows it

// `since_ms`: when the caller's session began.
void demo_add_call(struct buf *b, const struct demo_caller *c, const struct demo_call *call,
                   int64_t since_ms);
void demo_add_completion(struct buf *b, const struct demo_caller *c, const struct demo_call *call,
                         int64_t since_ms);

// The record that carries the caller's tags: of STS for those with session tags, of IAM for the others.
void demo_add_tagging(struct buf *b, const struct demo_caller *c, int64_t at_ms, const char *event_id);

void demo_add_metric(struct buf *b, const struct demo_caller *c, const struct demo_metric *m);

// The frame that EventBridge puts around a record of a service ("bedrock", "sts", "iam"): open, record,
// close.
void demo_open_event(struct buf *b, const struct demo_caller *c, const char *service, bool service_event,
                     const char *id);
void demo_close_event(struct buf *b);

#endif
