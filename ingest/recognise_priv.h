// SPDX-License-Identifier: Apache-2.0
// Inside ingest: what the decoder asks of the file that knows a kind of record.
//
// decode.c walks wrappers and picks the top-level fields of each object once; the recogniser of its kind
// reads them into a record. Recognisers of many-pointed things (metrics) hand each point to a sink instead.
#ifndef NOWCAST_INGEST_RECOGNISE_PRIV_H
#define NOWCAST_INGEST_RECOGNISE_PRIV_H

#include "base/arena.h"
#include "base/err.h"
#include "ingest/json.h"
#include "ingest/record.h"

// Every top-level key that any wrapper or record is told by, or read from. X(name in C, name in JSON)
#define TOP_FIELDS(X)                                                                                        \
	X(eventSource, "eventSource")                                                                            \
	X(eventName, "eventName") X(eventTime, "eventTime") X(eventType, "eventType") X(                         \
		eventCategory, "eventCategory") X(managementEvent, "managementEvent") X(eventID, "eventID")          \
		X(requestID, "requestID") X(awsRegion, "awsRegion") X(recipientAccountId, "recipientAccountId") X(   \
			userIdentity, "userIdentity") X(requestParameters, "requestParameters")                          \
			X(responseElements, "responseElements") X(additionalEventData, "additionalEventData") X(         \
				AdditionalEventData, "AdditionalEventData") X(serviceEventDetails, "serviceEventDetails")    \
				X(resources, "resources") X(errorCode, "errorCode") X(addendum, "addendum")                  \
					X(sharedEventID, "sharedEventID") X(Records, "Records") X(detail, "detail") X(           \
						detail_type, "detail-type") X(messageType, "messageType") X(logEvents, "logEvents")  \
						X(awslogs, "awslogs") X(records, "records") X(Events, "Events") X(                   \
							CloudTrailEvent, "CloudTrailEvent") X(topic, "topic") X(payload, "payload")      \
							X(message, "message") X(Message, "Message") X(data, "data") X(                   \
								kinesis, "kinesis")                                                          \
								X(Sns, "Sns") X(schemaType, "schemaType") X(timestamp, "timestamp")          \
									X(accountId, "accountId") X(region, "region") X(                         \
										requestId, "requestId") X(operation, "operation")                    \
										X(modelId, "modelId") X(identity, "identity") X(input, "input") X(   \
											output, "output") X(metric_name, "metric_name")                  \
											X(namespace_, "namespace") X(account_id, "account_id")           \
												X(dimensions, "dimensions")                                  \
													X(value, "value")                                        \
														X(MetricDataQueries, "MetricDataQueries")            \
															X(MetricDataResults, "MetricDataResults")        \
																X(Query, "Query") X(Request, "Request")      \
																	X(Response, "Response")                  \
																		X(Answer, "Answer")                  \
																			X(Region, "Region")              \
																				X(AccountId, "AccountId")

#define TOP_ENUM(c, name) F_##c,
enum top_field { TOP_FIELDS(TOP_ENUM) F_COUNT };
#undef TOP_ENUM

struct top {
	struct json whole;
	struct json f[F_COUNT]; // absent where the object has no such key
};

enum verdict {
	NOT_OURS, // recognised as none of our business
	OURS,     // *r is filled; its strings live in the parser and the arena
	BROKEN,   // ours, and err says what is wrong with it
};

// bedrock
enum verdict cloudtrail_call(const struct top *t, struct arena *a, struct record *r, struct err *err);
// bedrock-mantle
enum verdict cloudtrail_mantle(const struct top *t, struct arena *a, struct record *r, struct err *err);
// sts
enum verdict cloudtrail_session(const struct top *t, struct arena *a, struct record *r, struct err *err);
// iam
enum verdict cloudtrail_principal(const struct top *t, struct arena *a, struct record *r, struct err *err);
enum verdict invocation_log(const struct top *t, struct arena *a, struct record *r, struct err *err);
enum verdict metric_stream(const struct top *t, struct arena *a, struct record *r, struct err *err);

// What a recogniser of many points tells, each once, in order.
struct sink {
	void *user;
	void (*record)(void *user, struct record *r);             // sets its index
	void (*ignored)(void *user, size_t n);                    // so many points that are none of our business
	void (*fault)(void *user, struct json part, const struct err *err); // part absent: the message
};

// GetMetricData answers that hold their query; see metric_answer.c for the shapes.
void metric_answer(const struct top *t, struct arena *a, const struct sink *sink);

// OpenTelemetry metrics. otel_plausible is a cheap look at the framing; otel_decode reads all of it.
bool otel_plausible(struct str s);
void otel_decode(struct str s, struct arena *a, const struct sink *sink);

// ---- shared by them ----

// The model key of what was called: its last segment behind '/'. ERR_SKIP if that is empty or too long.
bool model_key(struct str called, struct str *ret, struct err *err) NC_CHECK;
// The mantle's: "bedrock-mantle/" before that.
bool model_key_mantle(struct arena *a, struct str called, struct str *ret, struct err *err) NC_CHECK;
// The foundation model that an ARN names, or STR_NONE.
struct str model_of_arn(struct str arn);

// Which token type a metric counts: OURS and *kind, or NOT_OURS. *mantle as for AWS/BedrockMantle.
enum verdict metric_kind(struct str namespace, struct str name, enum token_kind *kind, bool *mantle);
// The dimensions of a data point, name by name: {0}, then add each, then read. OURS for two sets only: the
// model alone, and the model with the service tiers asked for and served.
struct metric_dims {
	int n;
	bool of_model;
	struct str model, asked, served;
};
void metric_dims_add(struct metric_dims *d, bool mantle, struct str name, struct str value);
enum verdict metric_dims_read(const struct metric_dims *d);
// Fills the record and checks it; `ms` is the start of the minute.
bool metric_fill(struct record *r, struct arena *a, bool mantle, enum token_kind kind, struct str account,
                 struct str region, const struct metric_dims *dims, int64_t ms, double sum,
                 struct err *err) NC_CHECK;

// A SampleCount as struct metric holds it: 0 where it makes no sense.
int64_t metric_samples(double count);

#endif
