// SPDX-License-Identifier: Apache-2.0
// Who may say what. Content says what a record is; it does not say who wrote it. Whoever can write to a
// topic, a file or a log group could write a record of somebody else's call. So the configuration says what
// a source may carry, and nothing else counts from there:
//
//     trust.SOURCE = WORD, ... [ACCOUNT, ...]
//
//     SOURCE   TOPIC                  a Kafka topic
//              file:PATH              a file of `replay`, as the command line names it; - is standard input
//              firehose:NAME          what Firehose delivers with the key NAME of firehose.keys.file;
//                                     firehose alone, if it is one of `sources`: with any key
//              log_group:OWNER:NAME   a CloudWatch Logs log group, with the account that it is of
//     WORD     cloudtrail             calls, sessions and tags
//              metrics                token metrics of CloudWatch
//              logs                   invocation logs
//              telemetry              what programs say of their own calls (ingest/telemetry.h)
//              none                   nothing
//     ACCOUNT  12 digits              the only accounts of which it may speak; none: all that are allowed
//
// A SOURCE may be a pattern (base/pattern.h). An exact name comes before all patterns; of several patterns
// the first in the configuration decides. A line of a file that says of which topic or key it was (kcat, a
// dead letter) must be allowed by both.
//
// Without a rule: where no rule is of its class (topic, file, Firehose, log group), a source carries
// everything, but for log groups. A log group speaks of its owner only, and not at all if its name says that
// an application writes it (/aws/lambda/...). Where there are rules of its class and none matches, it carries
// nothing.
// Telemetry needs a rule in any case: who makes a call could say that it was small.
//
// What AWS's APIs answer (run/streams.h) needs no rule: AWS wrote it, but for the texts of log groups, which
// speak of the account that was asked only.
//
// Three things hold in any case. What is in an EventBridge event whose source does not begin with "aws." is
// refused: PutEvents cannot use that prefix ("PutEvents" in the Amazon EventBridge API Reference). The
// outermost wrapper decides: what is within it may imitate another. And with accounts.allowed or
// accounts.file, every record of another account is refused.
//
// An instance belongs to one thread.
#ifndef NOWCAST_INGEST_TRUST_H
#define NOWCAST_INGEST_TRUST_H

#include "base/conf.h"
#include "ingest/decode.h"
#include "ingest/origin.h"

struct trust;

// ERR_CONFIG: a rule that is none, a topic of `topics` that no rule names while others are named, or
// accounts.file cannot be read. `conf` outlives it.
bool trust_open(struct trust **ret, const struct conf *conf, struct err *err) NC_CHECK;
void trust_close(struct trust *t); // NULL: nothing

// Reads accounts.file again if it changed. False: the accounts stay as they were, and err says why, once.
bool trust_refresh(struct trust *t, struct err *err) NC_CHECK;

// Whether a record that came from `origin` counts. False: *ret_kind is the kind of the fault, and the message
// of err (ERR_SKIP) says why and which key would allow it.
bool trust_allows(const struct trust *t, const struct origin *origin, const struct record *r,
                  enum fault_kind *ret_kind, struct err *err) NC_CHECK;

// Whether some rule allows telemetry. If none does it is not asked for, and no fault where it comes.
bool trust_expects_telemetry(const struct trust *t);

// Whether anything says which topics carry what, or which accounts count: else every writer of a topic is
// believed.
bool trust_has_rules(const struct conf *conf);

#endif
