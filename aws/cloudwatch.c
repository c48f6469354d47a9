// SPDX-License-Identifier: Apache-2.0
#include "aws/cloudwatch.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "aws/call_priv.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/when.h"

static const struct aws_service service = {
	.endpoint = "CLOUDWATCH",
	.host = "monitoring",
	.target = "GraniteServiceVersion20100801",
	.json = "1.0",
};

const char *const cloudwatch_namespaces[] = {"AWS/Bedrock", "AWS/BedrockMantle", NULL};

static const char *const statistics[CLOUDWATCH_STATISTICS] = {"Sum", "SampleCount", "Minimum", "Maximum"};

struct cloudwatch_reading {
	json_t *queries, *results; // of all pages; results by Id
	int64_t from_ms, to_ms;
	struct buf token;
	bool incomplete, forbidden;
};

// ---- which metrics there are --------------------------------------------------------------------

void cloudwatch_metrics_clear(struct cloudwatch_metrics *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].namespace);
		free(m->v[i].name);
		free(m->v[i].dimensions);
	}
	m->n = 0;
}

void cloudwatch_metrics_release(struct cloudwatch_metrics *m)
{
	cloudwatch_metrics_clear(m);
	free(m->v);
	*m = (struct cloudwatch_metrics){0};
}

// Those that ingest/metric.c counts.
static bool counts_tokens(const char *name)
{
	static const char *const names[] = {
		"InputTokenCount",           "OutputTokenCount",       "CacheReadInputTokenCount",
		"CacheReadInputTokens",      "CacheWriteInputTokenCount", "CacheWriteInputTokens",
		"OutputImageCount",          "TotalInputTokens",       "TotalOutputTokens",
		"InputTokens",               "OutputTokens",           NULL};
	const char *const *one = names;
	while (*one && strcmp(*one, name) != 0)
		one++;
	return *one != NULL;
}

// Others, as the size of images, would cost a query and count the same tokens again.
static bool are_read(const json_t *dimensions)
{
	static const char *const words[] = {"ModelId", "Model", "ServiceTier", "ResolvedServiceTier", "Project"};
	size_t i, found = 0;
	const json_t *one;
	json_array_foreach(dimensions, i, one) {
		const char *name = json_string_value(json_object_get(one, "Name"));
		for (size_t k = 0; name && k < sizeof words / sizeof *words; k++)
			found += strcmp(name, words[k]) == 0;
	}
	return i > 0 && found == i;
}

static void add_metric(struct cloudwatch_metrics *m, const json_t *metric)
{
	const char *namespace = json_string_value(json_object_get(metric, "Namespace")),
			   *name = json_string_value(json_object_get(metric, "MetricName"));
	const json_t *dimensions = json_object_get(metric, "Dimensions");
	if (!namespace || !name || !counts_tokens(name) || !are_read(dimensions))
		return;
	if (m->n == m->cap)
		m->v = xrealloc(m->v, m->cap = m->cap ? 2 * m->cap : 16, sizeof *m->v);
	m->v[m->n++] = (struct cloudwatch_metric){xstrdup(str_of(namespace)), xstrdup(str_of(name)),
	                                          json_dumps(dimensions, JSON_COMPACT)};
}

enum aws_fault cloudwatch_list(const struct aws_place *at, const char *namespace, bool recent,
                               struct cloudwatch_metrics *m, struct buf *token, struct aws_answer *scratch,
                               struct err *err)
{
	struct buf body = BUF_INIT;
	struct json_writer j = JSON_WRITER(&body);
	jw_object(&j, NULL);
	jw_strz(&j, "Namespace", namespace);
	if (recent)
		jw_strz(&j, "RecentlyActive", "PT3H");
	if (token->len)
		jw_str(&j, "NextToken", buf_str(token));
	jw_end(&j);
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "ListMetrics",
	                              .permission = "cloudwatch:ListMetrics",
	                              .body = buf_str(&body)};
	json_t *page;
	enum aws_fault fault = aws_call_json(&r, "Metrics", scratch, &page, err);
	if (fault == AWS_NONE) {
		size_t i;
		json_t *one;
		json_array_foreach(json_object_get(page, "Metrics"), i, one)
			add_metric(m, one);
		aws_copy_text(page, "NextToken", token);
		json_decref(page);
	}
	buf_release(&body);
	return fault;
}

// ---- their values -------------------------------------------------------------------------------

static json_t *make_query(const struct cloudwatch_metric *m, size_t number, int statistic)
{
	char id[40];
	snprintf(id, sizeof id, "q%zu_%d", number, statistic);
	return json_pack("{s:s, s:{s:{s:s, s:s, s:o}, s:i, s:s}}", "Id", id, "MetricStat", "Metric", "Namespace",
	                 m->namespace, "MetricName", m->name, "Dimensions",
	                 json_loads(m->dimensions, 0, NULL), "Period", 60, "Stat", statistics[statistic]);
}

struct cloudwatch_reading *cloudwatch_reading_new(const struct cloudwatch_metric *v, size_t n,
                                                  int64_t from_ms, int64_t to_ms)
{
	struct cloudwatch_reading *r = xcalloc(1, sizeof *r);
	r->queries = json_array();
	r->results = json_object();
	r->from_ms = from_ms;
	r->to_ms = to_ms;
	for (size_t i = 0; i < n; i++)
		for (int s = 0; s < CLOUDWATCH_STATISTICS; s++) {
			json_t *query = make_query(&v[i], i, s); // NULL: a name that is not UTF-8, which no metric has
			if (query)
				json_array_append_new(r->queries, query);
		}
	return r;
}

void cloudwatch_reading_free(struct cloudwatch_reading *r)
{
	if (!r)
		return;
	json_decref(r->queries);
	json_decref(r->results);
	buf_release(&r->token);
	free(r);
}

static void extend_list(json_t *to, const char *member, const json_t *from)
{
	json_t *list = json_object_get(to, member);
	if (json_is_array(list) && json_is_array(json_object_get(from, member)))
		json_array_extend(list, json_object_get(from, member));
}

static void add_result(struct cloudwatch_reading *r, json_t *result)
{
	const char *id = json_string_value(json_object_get(result, "Id")),
			   *status = json_string_value(json_object_get(result, "StatusCode"));
	if (!id)
		return;
	if (status && (strcmp(status, "InternalError") == 0 || strcmp(status, "Forbidden") == 0)) {
		r->incomplete = true;
		r->forbidden |= strcmp(status, "Forbidden") == 0;
		return;
	}
	json_t *have = json_object_get(r->results, id);
	if (!have) {
		json_object_set(r->results, id, result);
		return;
	}
	extend_list(have, "Timestamps", result);
	extend_list(have, "Values", result);
	json_object_set(have, "StatusCode", json_object_get(result, "StatusCode"));
}

static char *write_request(const struct cloudwatch_reading *r)
{
	json_t *body = json_pack("{s:O, s:I, s:I, s:s}", "MetricDataQueries", r->queries, "StartTime",
	                         (json_int_t)(r->from_ms / 1000), "EndTime", (json_int_t)(r->to_ms / 1000),
	                         "ScanBy", "TimestampAscending");
	if (r->token.len)
		json_object_set_new(body, "NextToken", json_stringn(r->token.data, r->token.len));
	char *text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return text;
}

enum aws_fault cloudwatch_reading_next(struct cloudwatch_reading *r, const struct aws_place *at,
                                       bool *ret_more, struct aws_answer *scratch, struct err *err)
{
	char *text = write_request(r);
	const struct aws_request request = {.service = &service,
	                                    .at = at,
	                                    .operation = "GetMetricData",
	                                    .permission = "cloudwatch:GetMetricData",
	                                    .body = str_of(text)};
	json_t *page;
	enum aws_fault fault = aws_call_json(&request, "MetricDataResults", scratch, &page, err);
	if (fault == AWS_NONE) {
		size_t i;
		json_t *one;
		json_array_foreach(json_object_get(page, "MetricDataResults"), i, one)
			add_result(r, one);
		aws_copy_text(page, "NextToken", &r->token);
		*ret_more = r->token.len > 0;
		json_decref(page);
	}
	free(text);
	return fault;
}

bool cloudwatch_reading_write(struct cloudwatch_reading *r, const struct aws_place *at, struct buf *ret)
{
	json_t *results = json_array(), *one;
	const char *id;
	json_object_foreach(r->results, id, one)
		json_array_append(results, one);
	json_t *message = json_pack("{s:s, s:O, s:o}", "Region", at->region, "MetricDataQueries", r->queries,
	                            "MetricDataResults", results);
	if (*at->account)
		json_object_set_new(message, "AccountId", json_string(at->account));
	char *text = json_dumps(message, JSON_COMPACT);
	buf_adds(ret, text);
	free(text);
	json_decref(message);
	return !r->incomplete;
}

bool cloudwatch_reading_is_forbidden(const struct cloudwatch_reading *r)
{
	return r->forbidden;
}

bool cloudwatch_reading_has_results(const struct cloudwatch_reading *r)
{
	return json_object_size(r->results) > 0;
}

static bool minute_of(const json_t *when, int64_t *ret)
{
	int64_t ms;
	if (json_is_number(when))
		*ret = (int64_t)json_number_value(when) / 60;
	else if (json_is_string(when) && when_parse(str_of(json_string_value(when)), &ms))
		*ret = ms / MS_PER_MINUTE;
	else
		return false;
	return true;
}

void cloudwatch_reading_digest(const struct cloudwatch_reading *r, int64_t from_minute, uint64_t *digests,
                               int n)
{
	const char *id;
	json_t *one;
	json_object_foreach(r->results, id, one) {
		const json_t *times = json_object_get(one, "Timestamps"), *values = json_object_get(one, "Values");
		uint64_t seed = hash64(id, strlen(id));
		for (size_t i = 0; i < json_array_size(times) && i < json_array_size(values); i++) {
			int64_t minute;
			double value = json_number_value(json_array_get(values, i));
			if (minute_of(json_array_get(times, i), &minute) && minute >= from_minute &&
			    minute < from_minute + n)
				digests[minute - from_minute] += hash64_seeded(&value, sizeof value, seed);
		}
	}
}
