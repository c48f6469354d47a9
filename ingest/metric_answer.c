// SPDX-License-Identifier: Apache-2.0
// Answers of GetMetricData (Amazon CloudWatch API Reference), together with their query.
//
// An answer names its series by the ids of the query only. So an answer without its query is a fault. A
// program that polls CloudWatch writes one object with both, in either shape:
//
//     {"MetricDataQueries": [...], "MetricDataResults": [...], "Region": "us-east-1", "AccountId": "1111..."}
//     {"Query" or "Request":   {"MetricDataQueries": [...], ...},
//      "Response" or "Answer": {"MetricDataResults": [...], ...}, "Region": ..., "AccountId": ...}
//
// Region (or region) is required. The account is AccountId in the query, else AccountId (or account_id)
// beside it, else unknown. A series is read if its query is the Sum over 60 s of a token metric by model; all
// others are ignored. Timestamps are seconds since 1970 or ISO 8601.
#include <math.h>

#include "base/when.h"
#include "ingest/field.h"
#include "ingest/recognise_priv.h"

static struct json find_query(struct json queries, struct str id)
{
	struct json q;
	struct str id_of_query;
	for (struct json_iter it = json_begin(queries); json_next(&it, NULL, &q);)
		if (json_str(json_get(q, STR("Id")), &id_of_query) &&
		    str_eq(id_of_query, id))
			return q;
	return JSON_ABSENT;
}

// [{"Name": "ModelId", "Value": model}], or with the two tiers as well
static enum verdict read_query_dimensions(struct json dimensions, bool mantle, struct metric_dims *ret,
                                          struct err *err)
{
	struct json d;
	struct str name, value;
	*ret = (struct metric_dims){0};
	for (struct json_iter it = json_begin(dimensions); json_next(&it, NULL, &d);) {
		struct json only = json_get(d, STR("Value"));
		if (!json_str(json_get(d, STR("Name")), &name))
			return NOT_OURS;
		metric_dims_add(ret, mantle, name, json_str(only, &value) ? value : STR_NONE);
		if (ret->n == 1 && str_is(name, mantle ? "Model" : "ModelId") && !ret->model.len &&
		    !field_str(only, "the Value of the query's dimension", &ret->model, err))
			return BROKEN;
	}
	return metric_dims_read(ret);
}

static enum verdict read_series(struct json query, struct metric_series *s, struct err *err)
{
	struct json stat = json_get(query, STR("MetricStat")), metric = json_get(stat, STR("Metric"));
	struct str namespace, name, kind;
	int64_t period;
	if (!json_str(json_get(metric, STR("Namespace")), &namespace) ||
	    !json_str(json_get(metric, STR("MetricName")), &name) ||
	    metric_kind(s, namespace, name) == NOT_OURS ||
	    !json_str(json_get(stat, STR("Stat")), &kind) || !str_is(kind, "Sum"))
		return NOT_OURS;
	enum verdict v = read_query_dimensions(json_get(metric, STR("Dimensions")), s->mantle, &s->dims, err);
	if (v != OURS)
		return v;
	if (!json_int(json_get(stat, STR("Period")), &period) || period != 60) {
		err_set(err, ERR_SKIP, "the query's period is not 60 s: ask for Period 60");
		return BROKEN;
	}
	struct str account;
	if (!field_opt_str(json_get(query, STR("AccountId")), "the query's AccountId", &account, err))
		return BROKEN;
	if (account.len)
		s->account = account;
	return OURS;
}

static bool read_timestamp(struct json v, int64_t *ret_ms, struct err *err)
{
	struct str s;
	double seconds;
	if (json_str(v, &s))
		return field_time(v, "a timestamp", ret_ms, err);
	if (!json_double(v, &seconds) || !(seconds >= 0 && seconds < 1e12))
		return err_set(err, ERR_SKIP, "a timestamp is neither seconds since 1970 nor text");
	*ret_ms = (int64_t)llround(seconds * 1000);
	return true;
}

static void decode_points(struct json result, const struct metric_series *s, struct arena *a,
                          const struct sink *sink)
{
	struct json when, value;
	struct json_iter times = json_begin(json_get(result, STR("Timestamps"))),
					 values = json_begin(json_get(result, STR("Values")));
	for (;;) {
		struct err err = ERR_INIT;
		struct record r;
		int64_t ms;
		double sum;
		bool more = json_next(&times, NULL, &when), more_values = json_next(&values, NULL, &value);
		if (!more && !more_values)
			return;
		if (more != more_values) {
			err_set(&err, ERR_SKIP, "a series has more Timestamps than Values, or fewer");
			sink->fault(sink->user, &err);
			return;
		}
		bool good = read_timestamp(when, &ms, &err);
		if (good && !json_double(value, &sum))
			good = err_set(&err, ERR_SKIP, "a value should be a number, and is %s",
			               json_type_name(json_type(value)));
		if (good && metric_fill(&r, a, s, ms, sum, &err)) {
			r.metric.final = true;
			sink->record(sink->user, &r);
		} else {
			sink->fault(sink->user, &err);
		}
	}
}

static void decode_result(struct json result, struct json queries, struct metric_series s, struct arena *a,
                       const struct sink *sink)
{
	struct err err = ERR_INIT;
	struct str id, status = STR_NONE;
	enum verdict v = BROKEN;
	if (field_str(json_get(result, STR("Id")), "the Id of a MetricDataResult", &id, &err)) {
		struct json query = find_query(queries, id);
		if (json_missing(query))
			err_set(&err, ERR_SKIP, "the answer's series %s is not among the MetricDataQueries beside it",
			        field_show(id).z);
		else
			v = read_series(query, &s, &err);
	}
	json_str(json_get(result, STR("StatusCode")), &status);
	if (v == OURS && (str_is(status, "Forbidden") || str_is(status, "InternalError"))) {
		err_set(&err, ERR_SKIP, "CloudWatch answered %s for the series %s: ask again", field_show(status).z,
		        field_show(id).z);
		v = BROKEN;
	}
	if (v == BROKEN)
		sink->fault(sink->user, &err);
	else if (v == NOT_OURS)
		sink->ignored(sink->user, 1);
	else
		decode_points(result, &s, a, sink);
}

void metric_answer(const struct top_fields *t, struct arena *a, const struct sink *sink)
{
	struct json query = json_present(t->f[F_Query], t->f[F_Request]),
				answer = json_present(t->f[F_Response], t->f[F_Answer]);
	struct json queries = json_present(t->f[F_MetricDataQueries], json_get(query, STR("MetricDataQueries")));
	struct json results = json_present(t->f[F_MetricDataResults], json_get(answer, STR("MetricDataResults"))),
				one;
	struct metric_series s = {.region = STR_NONE};
	struct err err = ERR_INIT;
	if (json_type(queries) != JSON_ARRAY || json_type(results) != JSON_ARRAY) {
		err_set(
			&err, ERR_SKIP,
			"a GetMetricData answer without its query: put MetricDataQueries and Region beside MetricDataResults");
		sink->fault(sink->user, &err);
		return;
	}
	if (!field_str(json_present(t->f[F_Region], t->f[F_region]), "Region, beside a GetMetricData answer,",
	               &s.region, &err) ||
	    !field_opt_str(json_present(t->f[F_AccountId], t->f[F_account_id]), "AccountId", &s.account, &err)) {
		sink->fault(sink->user, &err);
		return;
	}
	for (struct json_iter it = json_begin(results); json_next(&it, NULL, &one);)
		decode_result(one, queries, s, a, sink);
}
