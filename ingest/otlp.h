// SPDX-License-Identifier: Apache-2.0
// Log records and spans of OpenTelemetry, which collectors write into Kafka (opentelemetry-proto: logs.proto,
// trace.proto, common.proto). A record of AWS is the text of a log record's body, or has been taken apart
// into the attributes or the body of one. In protobuf each log record is turned into JSON, which is then
// searched:
//
//     {"body": BODY, "attributes": {NAME: VALUE, ...}}
//
// One that a program wrote of a call of its own (ingest/telemetry.h), and a span, have more around them, with
// the names of OTLP/JSON:
//
//     {"resource": {"attributes": {...}}, "scope": {"name": NAME}, "timeUnixNano": NS, "body": ..., ...}
//
// In JSON only what was taken apart has to be put together again; the rest is found as in any wrapper.
#ifndef NOWCAST_INGEST_OTLP_H
#define NOWCAST_INGEST_OTLP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "ingest/json.h"

// Whether the bytes are an ExportLogsServiceRequest (without a length in front, as collectors write it), or
// one of spans or metrics. A cheap look at the framing.
bool otlp_logs_plausible(struct str s);
bool otlp_spans_plausible(struct str s);
bool otlp_metrics_plausible(struct str s);

// The log records or the spans of a request.
struct otlp_items {
	bool spans;
	struct str requests, resources, scopes; // what is left of each
	struct str resource, scope;             // of the item in hand; STR_NONE: none
};

struct otlp_items otlp_logs_begin(struct str request);
struct otlp_items otlp_spans_begin(struct str request);
// The next item as JSON in `json`; of a span that says nothing of Bedrock, nothing. False at the end, and
// (ERR_SKIP) if the rest is broken.
bool otlp_items_next(struct otlp_items *l, struct buf *json, struct err *err) NC_CHECK;

// In JSON: if `list` is one of attributes, [{"key": NAME, "value": {"stringValue": ...}}, ...], that are the
// fields of a record, appends them as one JSON object.
bool otlp_record_of_attributes(struct json list, struct buf *out) NC_CHECK;

#endif
