// SPDX-License-Identifier: Apache-2.0
// Answers of GetMetricData and GetMetricStatistics (Amazon CloudWatch API Reference), together with their
// query.
//
// An answer does not say which metric it is of, or where. So an answer without its query is a fault. A
// program that polls CloudWatch writes one object with both, in either shape:
//
//     {"MetricDataQueries": [...], "MetricDataResults": [...], "Region": "us-east-1", "AccountId": "1111..."}
//     {"Namespace": ..., "MetricName": ..., "Dimensions": [...], "Period": 60, "Statistics": ["Sum"],
//      "Label": ..., "Datapoints": [...], "Region": ..., "AccountId": ...}
//     {"Query" or "Request":   {"MetricDataQueries": [...]} or {"Namespace": ...},
//      "Response" or "Answer": {"MetricDataResults": [...]} or {"Datapoints": [...]}, "Region": ...}
//
// Region (or region) is required. The account is AccountId in the query, else AccountId (or account_id)
// beside it, else unknown. A series is read if its query is the Sum over 60 s of a token metric by model; all
// others are ignored. A query may be a SEARCH (metric_search.h). Timestamps are seconds since 1970 or ISO
// 8601.
//
// SampleCount is the number of calls that used such tokens; Minimum and Maximum are the fewest and the most
// of one of them. GetMetricStatistics has these in the data point; GetMetricData in series of their own, of
// the same metric with another Stat, which are joined to the sums by their times. docs/operations.md says
// what a point without them lacks.
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/when.h"
#include "ingest/field.h"
#include "ingest/metric_search.h"
#include "ingest/recognise_priv.h"

// Minutes of series in one answer whose other statistics are used. A page of CloudWatch has 100,800 values,
// and the AWS CLI puts all pages into one answer.
enum { POINTS_MAX = 500000 };

// What reading one answer needs.
struct reader {
	struct metric_series place; // account and region, unless the query says another account
	struct json *queries;       // by number, which `query_numbers` has by the hash of their ids
	int32_t nqueries;
	struct map query_numbers;
	struct metric_samples *samples; // by number, which `sample_numbers` has by the hash of series and time
	int32_t nsamples;
	struct map sample_numbers;
	struct str other_statistic; // of a token metric, of which it says nothing
	bool summed;                // some series is a sum
	struct arena *arena;
	const struct sink *sink;
};

static void put_fault(struct reader *r, const struct err *err)
{
	r->sink->fault(r->sink->user, err);
}

// ---- queries

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

static enum verdict refuse_period(struct err *err)
{
	err_set(err, ERR_SKIP, "the query's period is not 60 s: ask for Period 60");
	return BROKEN;
}

static enum verdict read_metric_stat(struct reader *r, struct json query, struct metric_series *s,
                                     enum metric_statistic *ret, struct err *err)
{
	struct json stat = json_get(query, STR("MetricStat")), metric = json_get(stat, STR("Metric"));
	struct str namespace, name, kind;
	int64_t period;
	if (!json_str(json_get(metric, STR("Namespace")), &namespace) ||
	    !json_str(json_get(metric, STR("MetricName")), &name) ||
	    metric_kind(s, namespace, name) == NOT_OURS || !json_str(json_get(stat, STR("Stat")), &kind))
		return NOT_OURS;
	bool known = metric_statistic_of(kind, ret);
	if (!known || *ret > METRIC_COUNT)
		r->other_statistic = kind;
	if (!known)
		return NOT_OURS;
	enum verdict v = read_query_dimensions(json_get(metric, STR("Dimensions")), s->mantle, &s->dims, err);
	if (v != OURS)
		return v;
	return json_int(json_get(stat, STR("Period")), &period) && period == 60 ? OURS : refuse_period(err);
}

static enum verdict read_search(struct json query, struct json result, struct metric_series *s,
                                enum metric_statistic *ret, struct err *err)
{
	struct metric_search search;
	struct str expression, label = STR_NONE, custom = STR_NONE;
	int64_t period;
	if (!json_str(json_get(query, STR("Expression")), &expression))
		return NOT_OURS;
	if (!metric_search_parse(&search, expression, err))
		return err->kind ? BROKEN : NOT_OURS;
	if (!metric_statistic_of(search.statistic, ret))
		return NOT_OURS;
	json_str(json_get(result, STR("Label")), &label);
	json_str(json_get(query, STR("Label")), &custom);
	if (!metric_search_read_label(&search, label, custom, err))
		return BROKEN;
	if (metric_kind(s, search.namespace, search.metric) == NOT_OURS)
		return NOT_OURS;
	s->dims = (struct metric_dims){0};
	metric_dims_add(&s->dims, s->mantle, s->mantle ? STR("Model") : STR("ModelId"), search.model);
	if (json_int(json_get(query, STR("Period")), &period))
		search.period = period == 60 ? 60 : -1;
	return search.period == 60 ? OURS : refuse_period(err);
}

// ---- points

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

static void put_point(struct reader *r, const struct metric_series *s, int64_t ms, struct json value,
                      struct metric_samples samples, struct err *err)
{
	double sum;
	struct record record = {.kind = RECORD_METRIC};
	if (!err->kind && !json_double(value, &sum))
		err_set(err, ERR_SKIP, "a value should be a number, and is %s", json_type_name(json_type(value)));
	if (err->kind || !metric_fill(&record, r->arena, s, ms, sum, err)) {
		put_fault(r, err);
		return;
	}
	record.metric.final = true;
	metric_set_samples(&record.metric, samples);
	r->sink->record(r->sink->user, &record);
}

// ---- GetMetricData

static uint64_t hash_of_series(const struct metric_series *s)
{
	const struct str parts[] = {s->account, s->dims.model, s->dims.asked, s->dims.served,
	                            s->dims.project};
	uint64_t h = (uint64_t)s->token_kind * 2 + s->mantle;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		h = hash64_seeded(parts[i].len ? parts[i].p : "", parts[i].len, h + parts[i].len);
	return h;
}

static uint64_t hash_of_point(uint64_t series, int64_t ms)
{
	return hash64_seeded(&ms, sizeof ms, series);
}

static void index_queries(struct reader *r, struct json queries)
{
	struct json q;
	struct str id;
	size_t n = 0;
	bool added;
	for (struct json_iter it = json_begin(queries); json_next(&it, NULL, &q);)
		n++;
	r->queries = xcalloc(n + 1, sizeof *r->queries);
	for (struct json_iter it = json_begin(queries); json_next(&it, NULL, &q);)
		if (json_str(json_get(q, STR("Id")), &id) && r->nqueries < INT32_MAX) {
			r->queries[r->nqueries] = q;
			map_add(&r->query_numbers, hash64(id.len ? id.p : "", id.len), r->nqueries++, &added);
		}
}

// What a result is a series of. An error says what is wrong with it.
static enum verdict read_result(struct reader *r, struct json result, struct metric_series *s,
                                enum metric_statistic *ret, struct err *err)
{
	struct str id, status = STR_NONE, account;
	*s = r->place;
	if (!field_str(json_get(result, STR("Id")), "the Id of a MetricDataResult", &id, err))
		return BROKEN;
	int32_t *number = map_find(&r->query_numbers, hash64(id.p, id.len));
	if (!number) {
		err_set(err, ERR_SKIP, "the answer's series %s is not among the MetricDataQueries beside it",
		        field_show(id).z);
		return BROKEN;
	}
	struct json query = r->queries[*number];
	enum verdict v = json_missing(json_get(query, STR("MetricStat")))
	                     ? read_search(query, result, s, ret, err)
	                     : read_metric_stat(r, query, s, ret, err);
	if (v != OURS)
		return v;
	if (!field_opt_str(json_get(query, STR("AccountId")), "the query's AccountId", &account, err))
		return BROKEN;
	if (account.len)
		s->account = account;
	json_str(json_get(result, STR("StatusCode")), &status);
	if (!str_is(status, "Forbidden") && !str_is(status, "InternalError"))
		return OURS;
	err_set(err, ERR_SKIP, "CloudWatch answered %s for the series %s: ask again", field_show(status).z,
	        field_show(id).z);
	return BROKEN;
}

// What other statistics say of a point. NULL: there are too many.
static struct metric_samples *add_samples(struct reader *r, uint64_t point)
{
	bool added;
	int32_t *found = map_find(&r->sample_numbers, point);
	if (found)
		return &r->samples[*found];
	if (r->nsamples == POINTS_MAX)
		return NULL;
	if ((r->nsamples & (r->nsamples - 1)) == 0) // no room is left
		r->samples = xrealloc(r->samples, 2 * (size_t)r->nsamples + 1, sizeof *r->samples);
	map_add(&r->sample_numbers, point, r->nsamples, &added);
	r->samples[r->nsamples] = (struct metric_samples)METRIC_SAMPLES_INIT;
	return &r->samples[r->nsamples++];
}

static void index_points(struct reader *r, struct json result, uint64_t series, enum metric_statistic of)
{
	struct json_iter times = json_begin(json_get(result, STR("Timestamps"))),
					 values = json_begin(json_get(result, STR("Values")));
	struct json when, value;
	while (json_next(&times, NULL, &when) && json_next(&values, NULL, &value)) {
		struct err err = ERR_INIT;
		int64_t ms;
		double tokens;
		if (!read_timestamp(when, &ms, &err) || !json_double(value, &tokens))
			continue;
		struct metric_samples *to = add_samples(r, hash_of_point(series, ms));
		if (to)
			*(of == METRIC_COUNT ? &to->count : of == METRIC_MINIMUM ? &to->minimum : &to->maximum) = tokens;
	}
}

// A series may be in several results, as the AWS CLI puts pages one after the other.
static void index_others(struct reader *r, struct json results)
{
	struct json one;
	for (struct json_iter it = json_begin(results); json_next(&it, NULL, &one);) {
		struct metric_series s;
		struct err err = ERR_INIT;
		enum metric_statistic statistic;
		if (read_result(r, one, &s, &statistic, &err) == OURS && statistic != METRIC_SUM)
			index_points(r, one, hash_of_series(&s), statistic);
	}
}

static void decode_points(struct reader *r, struct json result, const struct metric_series *s)
{
	struct json when, value;
	struct json_iter times = json_begin(json_get(result, STR("Timestamps"))),
					 values = json_begin(json_get(result, STR("Values")));
	uint64_t series = hash_of_series(s);
	for (;;) {
		struct err err = ERR_INIT;
		struct metric_samples samples = METRIC_SAMPLES_INIT;
		int64_t ms = 0;
		bool more = json_next(&times, NULL, &when), more_values = json_next(&values, NULL, &value);
		if (!more && !more_values)
			return;
		if (more != more_values) {
			err_set(&err, ERR_SKIP, "a series has more Timestamps than Values, or fewer");
			put_fault(r, &err);
			return;
		}
		int32_t *number = NULL;
		if (read_timestamp(when, &ms, &err))
			number = map_find(&r->sample_numbers, hash_of_point(series, ms));
		if (number)
			samples = r->samples[*number];
		put_point(r, s, ms, value, samples, &err);
	}
}

static void decode_result(struct reader *r, struct json result)
{
	struct metric_series s;
	struct err err = ERR_INIT;
	enum metric_statistic statistic = METRIC_SUM;
	enum verdict v = read_result(r, result, &s, &statistic, &err);
	r->summed |= v != NOT_OURS && statistic == METRIC_SUM;
	if (v == BROKEN && statistic <= METRIC_COUNT) {
		put_fault(r, &err);
	} else if (v != OURS || statistic != METRIC_SUM) { // the sums are right without a Minimum or Maximum
		r->sink->ignored(r->sink->user, 1);
	} else {
		decode_points(r, result, &s);
	}
}

// Region and account beside an answer.
static bool read_place(const struct top_fields *t, struct reader *r, struct err *err)
{
	return field_str(json_present(t->f[F_Region], t->f[F_region]), "Region, beside an answer of CloudWatch,",
	                 &r->place.region, err) &&
	       field_opt_str(json_present(t->f[F_AccountId], t->f[F_account_id]), "AccountId", &r->place.account,
	                     err);
}

static struct json query_part(const struct top_fields *t)
{
	return json_present(t->f[F_Query], t->f[F_Request]);
}

static struct json answer_part(const struct top_fields *t)
{
	return json_present(t->f[F_Response], t->f[F_Answer]);
}

void metric_answer(const struct top_fields *t, struct arena *a, const struct sink *sink)
{
	struct json queries =
		json_present(t->f[F_MetricDataQueries], json_get(query_part(t), STR("MetricDataQueries")));
	struct json results = json_present(t->f[F_MetricDataResults],
	                                   json_get(answer_part(t), STR("MetricDataResults"))),
				one;
	struct reader r = {.arena = a, .sink = sink};
	struct err err = ERR_INIT;
	if (json_type(queries) != JSON_ARRAY || json_type(results) != JSON_ARRAY)
		err_set(
			&err, ERR_SKIP,
			"a GetMetricData answer without its query: put MetricDataQueries and Region beside MetricDataResults");
	if (err.kind || !read_place(t, &r, &err)) {
		put_fault(&r, &err);
		return;
	}
	index_queries(&r, queries);
	index_others(&r, results);
	for (struct json_iter it = json_begin(results); json_next(&it, NULL, &one);)
		decode_result(&r, one);
	if (r.other_statistic.len && !r.summed) {
		err_set(&err, ERR_SKIP, "a token metric is asked for its %s: ask for the Stat Sum, too",
		        field_show(r.other_statistic).z);
		put_fault(&r, &err);
	}
	free(r.queries);
	free(r.samples);
	map_release(&r.query_numbers);
	map_release(&r.sample_numbers);
}

// ---- GetMetricStatistics

static struct json query_field(const struct top_fields *t, enum top_field f, const char *name)
{
	return json_present(t->f[f], json_get(query_part(t), str_of(name)));
}

static enum verdict read_statistics_query(const struct top_fields *t, struct reader *r, struct err *err)
{
	struct metric_series *s = &r->place;
	struct str namespace = STR_NONE, name = STR_NONE, label = STR_NONE;
	int64_t period;
	json_str(json_present(t->f[F_Label], json_get(answer_part(t), STR("Label"))), &label);
	if (!json_str(query_field(t, F_Namespace, "Namespace"), &namespace) ||
	    !json_str(query_field(t, F_MetricName, "MetricName"), &name)) {
		if (!metric_counts_tokens(label))
			return NOT_OURS;
		err_set(
			err, ERR_SKIP,
			"a GetMetricStatistics answer without its query: put Namespace, MetricName, Dimensions, Period and Region beside Datapoints");
		return BROKEN;
	}
	if (metric_kind(s, namespace, name) == NOT_OURS)
		return NOT_OURS;
	enum verdict v =
		read_query_dimensions(query_field(t, F_Dimensions, "Dimensions"), s->mantle, &s->dims, err);
	if (v != OURS)
		return v;
	if (!json_int(query_field(t, F_Period, "Period"), &period) || period != 60)
		return refuse_period(err);
	return read_place(t, r, err) ? OURS : BROKEN;
}

void metric_statistics(const struct top_fields *t, struct arena *a, const struct sink *sink)
{
	struct json points = json_present(t->f[F_Datapoints], json_get(answer_part(t), STR("Datapoints"))), one;
	struct reader r = {.arena = a, .sink = sink};
	struct err err = ERR_INIT;
	enum verdict v = read_statistics_query(t, &r, &err);
	if (v == OURS && json_type(points) != JSON_ARRAY) {
		err_set(&err, ERR_SKIP, "Datapoints should be a list, and is %s", json_type_name(json_type(points)));
		v = BROKEN;
	}
	if (v == BROKEN)
		put_fault(&r, &err);
	else if (v == NOT_OURS)
		sink->ignored(sink->user, 1);
	for (struct json_iter it = json_begin(points); v == OURS && json_next(&it, NULL, &one);) {
		struct metric_samples samples = METRIC_SAMPLES_INIT;
		int64_t ms = 0;
		err_clear(&err);
		read_timestamp(json_get(one, STR("Timestamp")), &ms, &err);
		json_double(json_get(one, STR("SampleCount")), &samples.count);
		json_double(json_get(one, STR("Minimum")), &samples.minimum);
		json_double(json_get(one, STR("Maximum")), &samples.maximum);
		put_point(&r, &r.place, ms, json_get(one, STR("Sum")), samples, &err);
	}
}
