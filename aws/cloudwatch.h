// SPDX-License-Identifier: Apache-2.0
// The token metrics of Bedrock in CloudWatch: which there are (ListMetrics), and their values by minute
// (GetMetricData). Values by minute are kept for 15 days.
//
// GetMetricData costs $0.01 per 1,000 metrics asked for, whatever the span. It is counted here as if each
// statistic were a metric, which is the most that it may cost. (Amazon CloudWatch Pricing; API Reference.)
#ifndef NOWCAST_AWS_CLOUDWATCH_H
#define NOWCAST_AWS_CLOUDWATCH_H

#include "aws/call.h"

struct cloudwatch_metric {
	char *namespace, *name;
	char *dimensions; // a JSON array, as CloudWatch lists it
};

struct cloudwatch_metrics {
	struct cloudwatch_metric *v;
	size_t n, cap;
};

enum {
	CLOUDWATCH_STATISTICS = 4,   // Sum, SampleCount, Minimum, Maximum: a query each
	CLOUDWATCH_CHUNK = 120,      // metrics of one request: 480 of the 500 queries that are allowed
	CLOUDWATCH_SPAN_MS = 3 * 3600000, // of one request: 86,400 of the 100,800 values that are allowed
	CLOUDWATCH_KEPT_MS = 15 * 86400000,
	CLOUDWATCH_PICO_PER_QUERY = 10000000, // picodollars
};

extern const char *const cloudwatch_namespaces[]; // AWS/Bedrock, AWS/BedrockMantle, NULL

void cloudwatch_metrics_clear(struct cloudwatch_metrics *m);
void cloudwatch_metrics_release(struct cloudwatch_metrics *m);

// Appends a page of the token metrics of a namespace: by model, by model and service tier, by project and
// model, which are what ingest/metric.c reads. `recent`: only those with values of the last three hours; else
// of the last two weeks. A metric is listed up to 15 minutes after its first value. `token`: of
// this page, empty for the first; then of the next one, or empty at the last.
enum aws_fault cloudwatch_list(const struct aws_place *at, const char *namespace, bool recent,
                               struct cloudwatch_metrics *m, struct buf *token, struct aws_answer *scratch,
                               struct err *err) NC_CHECK;

// The values of some metrics, page by page, and in the end one message for the decoder: the queries beside
// all results (ingest/metric_answer.c). The results of a metric may lie on several pages.
struct cloudwatch_reading;
struct cloudwatch_reading *cloudwatch_reading_new(const struct cloudwatch_metric *v, size_t n,
                                                  int64_t from_ms, int64_t to_ms);
void cloudwatch_reading_free(struct cloudwatch_reading *r); // NULL: nothing

// Reads the next page. *ret_more: there is one more.
enum aws_fault cloudwatch_reading_next(struct cloudwatch_reading *r, const struct aws_place *at,
                                       bool *ret_more, struct aws_answer *scratch, struct err *err) NC_CHECK;

// Appends the message. False: CloudWatch could not read some of the metrics (InternalError, Forbidden), which
// are left out; the span is to be read again.
bool cloudwatch_reading_write(struct cloudwatch_reading *r, const struct aws_place *at, struct buf *ret);

// Whether some of them are refused (Forbidden), so that a person has to act; and whether some are not.
bool cloudwatch_reading_is_forbidden(const struct cloudwatch_reading *r);
bool cloudwatch_reading_has_results(const struct cloudwatch_reading *r);

// Adds to digests[i] what was read for minute `from` + i, i < n: the same values give the same digest, in
// whatever order they come.
void cloudwatch_reading_digest(const struct cloudwatch_reading *r, int64_t from_minute, uint64_t *digests,
                               int n);

#endif
