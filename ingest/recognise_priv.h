// SPDX-License-Identifier: Apache-2.0
// Private to ingest: what the decoder asks of the file that knows a kind of record.
//
// decode_object (unwrap.c) picks the top-level fields of each object once (struct top_fields); the
// recogniser of its kind reads them into a record. A recogniser of an object with many data points
// (metrics) hands each point to a sink.
//
// To add a field of CloudTrail: its key to TOP_FIELDS if it is a top-level key; a member of struct call
// (record.h); the line that reads it in cloudtrail.c (read_common, or the function of one event); a line in
// describe.c, which the tests compare; a record with it in tests/decode/calls.txt.
#ifndef NOWCAST_INGEST_RECOGNISE_PRIV_H
#define NOWCAST_INGEST_RECOGNISE_PRIV_H

#include "base/arena.h"
#include "base/err.h"
#include "ingest/json.h"
#include "ingest/record.h"

// Every top-level key by which a record is recognised, or from which it is read.
// X(name in C, name in JSON)
#define TOP_FIELDS(X)                                                                                   \
	/* CloudTrail */                                                                                    \
	X(eventSource, "eventSource") X(eventName, "eventName") X(eventTime, "eventTime")                   \
	X(eventType, "eventType") X(eventCategory, "eventCategory")                                         \
	X(managementEvent, "managementEvent") X(eventID, "eventID") X(requestID, "requestID")               \
	X(awsRegion, "awsRegion") X(recipientAccountId, "recipientAccountId")                               \
	X(userIdentity, "userIdentity") X(requestParameters, "requestParameters")                           \
	X(responseElements, "responseElements") X(additionalEventData, "additionalEventData")               \
	X(AdditionalEventData, "AdditionalEventData") X(serviceEventDetails, "serviceEventDetails")         \
	X(resources, "resources") X(errorCode, "errorCode") X(addendum, "addendum")                         \
	X(sharedEventID, "sharedEventID")                                                                   \
	/* invocation log */                                                                                \
	X(schemaType, "schemaType") X(timestamp, "timestamp") X(accountId, "accountId")                     \
	X(region, "region") X(requestId, "requestId") X(operation, "operation") X(modelId, "modelId")       \
	X(identity, "identity") X(input, "input") X(output, "output")                                       \
	X(requestMetadata, "requestMetadata")                                                               \
	/* metric stream */                                                                                 \
	X(metric_name, "metric_name") X(namespace_, "namespace") X(account_id, "account_id")                \
	X(dimensions, "dimensions") X(value, "value")                                                       \
	/* GetMetricData */                                                                                 \
	X(MetricDataQueries, "MetricDataQueries") X(MetricDataResults, "MetricDataResults")                 \
	X(Query, "Query") X(Request, "Request") X(Response, "Response") X(Answer, "Answer")                 \
	X(Region, "Region") X(AccountId, "AccountId")                                                       \
	/* GetMetricStatistics */                                                                           \
	X(Namespace, "Namespace") X(MetricName, "MetricName") X(Dimensions, "Dimensions")                   \
	X(Period, "Period") X(Label, "Label") X(Datapoints, "Datapoints")                                   \
	/* OpenTelemetry: metrics, a log record, a span */                                                  \
	X(resourceMetrics, "resourceMetrics")                                                               \
	X(attributes, "attributes") X(timeUnixNano, "timeUnixNano")                                         \
	X(observedTimeUnixNano, "observedTimeUnixNano") X(endTimeUnixNano, "endTimeUnixNano")               \
	/* what is about calls and metrics, and is none */                                                  \
	X(insightDetails, "insightDetails") X(AlarmName, "AlarmName") X(alarmName, "alarmName")

#define TOP_ENUM(c, name) F_##c,
enum top_field { TOP_FIELDS(TOP_ENUM) F_COUNT };
#undef TOP_ENUM

struct top_fields {
	struct json whole;
	struct json f[F_COUNT]; // absent where the object has no such key
};

enum verdict {
	NOT_OURS, // a valid record that does not concern this program
	OURS,     // *r is filled; its strings live in the parser and the arena
	BROKEN,   // a record of ours, and err (ERR_SKIP) says what is wrong with it
};

// A recogniser of one record. Each file names the page of AWS's documentation that it follows.
typedef enum verdict recognise_fn(const struct top_fields *t, struct arena *a, struct record *r,
                                  struct err *err);
recognise_fn cloudtrail_call;      // eventSource bedrock: a call, or the completion of a stream
recognise_fn cloudtrail_mantle;    // eventSource bedrock-mantle: a call
recognise_fn cloudtrail_session;   // eventSource sts: the tags of a session
recognise_fn cloudtrail_principal; // eventSource iam: the tags of a role or user
recognise_fn invocation_log;       // Bedrock's model invocation log
recognise_fn metric_stream;        // one data point of a metric stream in JSON

// Where a recogniser of many points hands each of them, once, in order.
struct sink {
	void *user;
	void (*record)(void *user, struct record *r);         // sets the record's index
	void (*ignored)(void *user, size_t n);                // n points that do not concern this program
	void (*fault)(void *user, const struct err *err);     // a point or a part that cannot be read
};

// Answers of GetMetricData and of GetMetricStatistics that hold their query; see metric_answer.c for the
// shapes.
typedef void metric_points_fn(const struct top_fields *t, struct arena *a, const struct sink *sink);
metric_points_fn metric_answer;
metric_points_fn metric_statistics;

// OpenTelemetry metrics. otel_plausible is a cheap look at the framing; otel_decode reads all of it.
bool otel_plausible(struct str s);
void otel_decode(struct str s, struct arena *a, const struct sink *sink);
// The same in JSON: whether the value of `resourceMetrics` has the form that is read.
bool otel_is_json(struct json list);
metric_points_fn otel_decode_json;

// ---- shared by the recognisers ----

// The model key of what was called: the last segment of `called`, after its last '/'. ERR_SKIP if it is
// empty.
bool model_key(struct str called, struct str *ret, struct err *err) NC_CHECK;
// The same for bedrock-mantle: with "bedrock-mantle/" in front, in the arena.
bool model_key_mantle(struct arena *a, struct str called, struct str *ret, struct err *err) NC_CHECK;
// What was called, if that names a model (a foundation model, or a profile of a geography); else STR_NONE.
struct str model_served(struct str called);
// Whether a prompt or a prompt router was called, which chooses the model.
bool model_is_indirect(struct str called);
// The foundation model that an ARN names, or STR_NONE.
struct str model_of_arn(struct str arn);

// The dimensions of a data point: {0}, then add each, then read. OURS for three sets of dimensions only: the
// model alone, the model with the service tiers that were asked for and that served, and, of bedrock-mantle,
// the model with the project.
struct metric_dims {
	int n;
	bool of_model;
	struct str model, asked, served, project;
};
void metric_dims_add(struct metric_dims *d, bool mantle, struct str name, struct str value);
enum verdict metric_dims_read(const struct metric_dims *d);

// A series of data points: what they count, and where.
struct metric_series {
	enum token_kind token_kind;
	bool mantle;                // of AWS/BedrockMantle
	struct str account, region; // account: none if it is not known
	struct metric_dims dims;
};
// Whether a metric of this name counts tokens, in either namespace.
bool metric_counts_tokens(struct str name);
// Which tokens the metric `name` counts, and whether it is of the mantle: OURS, or NOT_OURS.
enum verdict metric_kind(struct metric_series *s, struct str namespace, struct str name);
// Fills the record with one point and checks it; `ms` is the start of its minute.
bool metric_fill(struct record *r, struct arena *a, const struct metric_series *s, int64_t ms, double sum,
                 struct err *err) NC_CHECK;

// The statistics that are read, by CloudWatch's names.
enum metric_statistic { METRIC_SUM, METRIC_COUNT, METRIC_MINIMUM, METRIC_MAXIMUM, METRIC_STATISTICS };
bool metric_statistic_of(struct str name, enum metric_statistic *ret);

// What a point says beside its sum; -1: nothing.
struct metric_samples {
	double count, minimum, maximum;
};
#define METRIC_SAMPLES_INIT {-1, -1, -1}
// Once the sum is set. What does not fit it, or each other, is left unknown; so is a count that is not a
// whole number from 1 to 10^12.
void metric_set_samples(struct metric *m, struct metric_samples said);

#endif
