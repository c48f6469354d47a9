// SPDX-License-Identifier: Apache-2.0
// A record: the facts that nowcast uses, in the same form for every wrapper. One message may hold many
// records.
//
// Strings are slices of the message or of the decoder's arena; they live until the callback returns. They are
// untrusted bytes of any length up to the decoder's limit, and may not be UTF-8: code that prints them
// escapes them. An absent string is STR_NONE; the comment of a number says what an absent one is.
#ifndef NOWCAST_INGEST_RECORD_H
#define NOWCAST_INGEST_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "pricing/price.h"

enum record_kind {
	RECORD_CALL,           // a CloudTrail record of an inference call (AwsApiCall; its data-event copy too)
	RECORD_CALL_TOKENS,    // tokens of one call: a stream-completion record, or an invocation log record
	RECORD_AMENDMENT,      // a CloudTrail addendum (UPDATED_DATA): replaces the original record
	RECORD_METRIC,         // one CloudWatch token sum of one minute
	RECORD_SESSION_TAGS,   // an STS record: the tags of the credentials it returned
	RECORD_PRINCIPAL_TAGS, // an IAM record: tags set on or taken from a role or a user
	RECORD_TELEMETRY,      // what the program that made a call says of it (ingest/telemetry.h)
	RECORD_KINDS
};

// Kinds of tokens as records count them; enum token_type (pricing/price.h) has them as they are priced.
// TOKENS_CACHE_WRITE is all cache writes, TOKENS_CACHE_WRITE_1H the part of them with the one-hour TTL;
// either may be known without the other.
enum token_kind {
	TOKENS_INPUT,
	TOKENS_OUTPUT,
	TOKENS_CACHE_READ,
	TOKENS_CACHE_WRITE,
	TOKENS_CACHE_WRITE_1H,
	TOKENS_UNITS, // not tokens: images or search units, as the model is billed
	TOKENS_OUTPUT_MAX, // nothing that was used: the most output tokens that the request allowed
	TOKEN_KINDS
};

// Which kind of record says who made a call. A higher source wins over a lower one; of equal ones the bytes
// decide.
enum call_source {
	// the caller's own telemetry: knows tokens, and neither caller nor model. Alone it is no call
	SOURCE_TELEMETRY = 0,
	// AwsServiceEvent of a stream: knows its end and input and output tokens, not the model as called
	SOURCE_COMPLETION = 1,
	SOURCE_LOG = 2,        // invocation log: knows all token types
	SOURCE_SHARED = 3,     // a call as recorded in another account than the caller's: may not name the caller
	SOURCE_DATA_EVENT = 4, // data-event copy of a call
	SOURCE_API = 5,        // AwsApiCall: the call itself
	SOURCE_AMENDED = 6,    // its correction
};

// Whether the model of a call is what was called. A prompt or a prompt router is called, and another serves.
enum served {
	SERVED_CALLED,    // it is, or the record names what served: as certain as its source
	SERVED_RESOURCES, // the only model among the resources of a call of a prompt or router
	SERVED_UNKNOWN,   // the model is the prompt or the router: the record does not say what served
};

struct tag {
	struct str key, value;
};

// Pairs beside a principal or a call (ingest/labels.h), sorted by key, each key once.
struct labels {
	const struct tag *v;
	int n;
};
#define LABELS_NONE ((struct labels){NULL, 0})

// Who called. `arn` is canonical, as the bill's line_item_iam_principal shows it; see ingest/principal.h.
struct caller {
	struct str arn;           // never empty
	// sessionIssuer.arn as recorded (with its path), or none. Of a federated user: the user's
	struct str role_arn;
	// of a session (ASIA...); none for long-term keys and where CloudTrail left it empty
	struct str access_key;
	// sessionContext.attributes.creationDate; 0: unknown. With `arn` the fallback key of a session
	int64_t session_start_ms;
	struct str project;       // of bedrock-mantle, within which the call was made, or none
	struct labels identity;   // source, workload, provider, subject, on_behalf_of: those that are recorded
};

struct call {
	// the identity of a call: shared by all its records. For a completion record: its parent's
	struct str request_id;
	enum call_source source;
	int64_t time_ms;          // eventTime or the log's timestamp
	// the call ended at time_ms, so its metric is of that minute; false: a stream's start
	bool time_is_end;
	bool streaming;
	bool failed;              // an errorCode: no tokens, no charge
	bool mantle;              // bedrock-mantle
	bool telemetry; // all that is known of it is the caller's telemetry, in an account without CloudTrail
	bool tier_known;          // the record says the service tier:
	enum price_tier tier;     // asked for, or (invocation log) that served; TIER_STANDARD if not known
	// that made the call and pays for it, 12 digits: the recording account, or the caller's if shared
	struct str account;
	struct str region;        // awsRegion: the source Region, which prices it
	// the model key: last segment of what was called; mantle's is prefixed "bedrock-mantle/"
	struct str model;
	struct str model_called;  // modelId, as in the record; of a prompt or router what served, if known
	enum served served;
	struct str foundation;    // foundation model named by resources[] or by an ARN; none if not known
	struct caller caller;
	struct labels meta;       // request metadata
	bool known[TOKEN_KINDS];  // which of the tokens below are exact
	uint32_t tokens[TOKEN_KINDS];
};

struct metric {
	struct str account, region; // account may be none in a GetMetricData answer whose query does not say it
	struct str model;           // the model key, as in struct call
	int64_t minute;             // minutes since the epoch: start of the period
	enum token_kind token_kind;       // INPUT, OUTPUT, CACHE_READ, CACHE_WRITE or UNITS
	int64_t sum;                // tokens, 0 to 2^40
	int64_t samples;            // SampleCount: calls that used tokens of this kind; 0: unknown
	int64_t larger;             // of two such calls, the tokens of the larger one, sum / 2 to sum; 0: unknown
	// only the tokens of calls that asked for a tier and were served by one (not both the standard):
	bool of_tier;
	enum price_tier asked;      // PRICE_TIERS: not a known tier ("auto")
	enum price_tier served;
	struct str project;         // only those of the calls within this project of bedrock-mantle; none: all
	// from GetMetricData, which sees later corrections; a streamed point is sent once
	bool final;
};

enum { TAGS_MAX = 64 }; // AWS allows 50 a principal

struct session_tags {
	int64_t time_ms;          // the session's creation
	struct str access_key;    // of the credentials that STS returned
	struct str arn;           // of the session: assumedRoleUser.arn or federatedUser.arn, canonical
	struct str role_arn;      // that was assumed, or none
	int ntags;
	struct tag tags[TAGS_MAX];    // session tags, inherited transitive ones included; unordered
};

enum tag_change {
	TAGS_SET,     // TagRole, TagUser: sets these
	TAGS_UNSET,   // UntagRole, UntagUser: tags[].key only
	TAGS_CREATED, // CreateRole, CreateUser: exactly these, from now
	TAGS_DELETED, // DeleteRole, DeleteUser: none, from now
};

struct principal_tags {
	int64_t time_ms;
	struct str event_id;   // orders changes of the same millisecond
	struct str account;    // 12 digits
	bool is_role;          // else a user
	struct str name;       // role or user name, without path
	enum tag_change change;
	int ntags;
	struct tag tags[TAGS_MAX];
};

// One call, as told by the program that made it (ingest/telemetry.h).
struct telemetry {
	// source SOURCE_TELEMETRY; request_id, account, region and model may be none, caller is empty; time_ms is
	// the end of the call by the clock of that program
	struct call call;
	int64_t start_ms;      // by the same clock; 0: unknown
	struct str user;       // who it says made the call: a mail address or an id; none
	struct str principal;  // ARN that it, or its resource, gives as that of the caller; none
	struct str item;       // names this telemetry among all of its source; none
};

// What the wrappers around a record say of who wrote it (ingest/trust.h). AWS writes them, if they are what
// they seem to be; each may be none.
struct carrier {
	struct str custom_source; // of an EventBridge event that is not AWS's own
	// of a CloudWatch Logs subscription: the account of the log group, and its name
	struct str log_owner, log_group;
};

struct record {
	enum record_kind kind;
	// position in its message, from 0; with topic, partition and offset it locates a record or a fault
	int index;
	struct str recorder;    // account whose trail or log it is of: recipientAccountId, accountId; or none
	struct carrier carrier;
	union {
		struct call call; // CALL, CALL_TOKENS, AMENDMENT
		struct metric metric;
		struct session_tags session_tags;
		struct principal_tags principal_tags;
		struct telemetry telemetry;
	};
};

#endif
