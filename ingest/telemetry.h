// SPDX-License-Identifier: Apache-2.0
// What programs say of their own calls, as OpenTelemetry has it: a log record or a span that names the
// tokens of one call. docs/telemetry.md says which attributes are read and how sure each is.
//
//     log record   Claude Code's event `api_request` ("Monitoring" in the Claude Code documentation)
//     span         of a GenAI client, gen_ai.provider.name (before: gen_ai.system) = aws.bedrock ("Semantic
//                  conventions for AWS Bedrock operations"), with gen_ai.usage.*
//
// The program that made a call wrote it, so it is believed less than any record of AWS: only from a source
// that a trust rule allows to carry telemetry (ingest/trust.h), and only within the metric of its minute
// (estimator/telemetry_check.h).
//
// Whether gen_ai.usage.input_tokens counts what was read from the cache or written to it depends on who wrote
// it: the convention says that it does, the instrumentations of AWS's SDKs hand on what Bedrock answers,
// which does not. Where neither the instrumentation nor the numbers tell, the input is not known.
#ifndef NOWCAST_INGEST_TELEMETRY_H
#define NOWCAST_INGEST_TELEMETRY_H

#include "ingest/recognise_priv.h"

// A log record or a span, in the form of OTLP/JSON, and what is around it. Attributes are a list of keys and
// values, or one object.
struct telemetry_source {
	struct json item, resource, scope;
};

// OURS: *r is a RECORD_TELEMETRY. NOT_OURS: no telemetry of a call of Bedrock, or no tokens. BROKEN: it has
// no time.
enum verdict telemetry_read(const struct telemetry_source *s, struct arena *a, struct record *r,
                            struct err *err);

#endif
