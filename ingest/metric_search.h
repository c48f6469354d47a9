// SPDX-License-Identifier: Apache-2.0
// SEARCH expressions of GetMetricData ("Use search expressions in graphs", "Using dynamic labels" in the
// Amazon CloudWatch User Guide). One query yields many series under one id; only the label of each says
// which metric it is.
//
//     SEARCH('{AWS/Bedrock,ModelId} MetricName="InputTokenCount"', 'Sum', 60)
//
// What is read: one SEARCH, alone or within REMOVE_EMPTY or SORT, over {AWS/Bedrock,ModelId} or
// {AWS/BedrockMantle,Model}, exactly: any other set of dimensions would count tokens twice. CloudWatch
// makes the label of what differs between the series, with blanks between: "MODEL", "MODEL
// InputTokenCount", "MODEL InputTokenCount Sum", or "InputTokenCount" if there is one model only. A Label
// of the query's own stands before that; one with ${PROP('Dim.ModelId')} says exactly where the model is.
// What the label does not say has to be in the expression, as MetricName="..." or ModelId="...".
#ifndef NOWCAST_INGEST_METRIC_SEARCH_H
#define NOWCAST_INGEST_METRIC_SEARCH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct metric_search {
	struct str namespace, metric, model; // metric and model: none if they differ between the series
	struct str statistic;
	int period;                          // 0: not said
};

// False, with an error (ERR_SKIP): it is about one of these namespaces, and is not read. False without one:
// it is something else.
bool metric_search_parse(struct metric_search *ret, struct str expression, struct err *err) NC_CHECK;

// Completes metric and model from the label of a series; `custom` is the Label of its query, or none.
bool metric_search_read_label(struct metric_search *s, struct str label, struct str custom,
                              struct err *err) NC_CHECK;

#endif
