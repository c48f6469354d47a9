// SPDX-License-Identifier: Apache-2.0
// Log records of OpenTelemetry, which collectors write into Kafka (opentelemetry-proto: logs.proto,
// common.proto). A record of AWS is the text of a log record's body, or has been taken apart into the
// attributes or the body of one. In protobuf each log record is turned into JSON, which is then searched:
//
//     {"body": BODY, "attributes": {NAME: VALUE, ...}}
//
// In JSON only what was taken apart has to be put together again; the rest is found as in any wrapper.
#ifndef NOWCAST_INGEST_OTLP_H
#define NOWCAST_INGEST_OTLP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "ingest/json.h"

// Whether the bytes are an ExportLogsServiceRequest (without a length in front, as collectors write it), or
// one of metrics. A cheap look at the framing.
bool otlp_logs_plausible(struct str s);
bool otlp_metrics_plausible(struct str s);

struct otlp_logs {
	struct str requests, resources, scopes; // what is left of each
};

struct otlp_logs otlp_logs_begin(struct str request);
// The next log record as JSON in `json`. False at the end, and (ERR_SKIP) if the rest is broken.
bool otlp_logs_next(struct otlp_logs *l, struct buf *json, struct err *err) NC_CHECK;

// In JSON: if `list` is one of attributes, [{"key": NAME, "value": {"stringValue": ...}}, ...], that are the
// fields of a record, appends them as one JSON object.
bool otlp_record_of_attributes(struct json list, struct buf *out) NC_CHECK;

#endif
