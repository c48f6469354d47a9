// SPDX-License-Identifier: Apache-2.0
// Which CloudWatch metrics count tokens or images ("Amazon Bedrock runtime metrics" in the Amazon Bedrock
// User Guide), and the JSON form in which a metric stream sends them ("CloudWatch metric stream output in
// JSON format" in the Amazon CloudWatch User Guide).
//
// CloudWatch publishes the same tokens under several sets of dimensions (by model, by model and tier, by
// project, ...), so adding two sets would count them twice. The points by model alone are what is allocated
// to the calls. Of the points by model and tiers, those that the standard tier did not serve are read as
// well: they say how many of these tokens have another rate. So are the points of bedrock-mantle by model and
// project ("Monitor bedrock-mantle inference using CloudWatch metrics"): they say how many are those of a
// project. AWS has renamed the cache metrics once, and bedrock-mantle counts the same tokens under two names;
// the table has all of them, and of two points of the same minute and dimensions the larger one counts.
#include <assert.h>
#include <math.h>

#include "base/when.h"
#include "ingest/field.h"
#include "ingest/recognise_priv.h"
#include "ingest/tier.h"

static const struct {
	const char *name;
	enum token_kind token_kind;
	bool mantle;
} token_metrics[] = {
	{"InputTokenCount", TOKENS_INPUT, false},
	{"OutputTokenCount", TOKENS_OUTPUT, false},
	{"CacheReadInputTokenCount", TOKENS_CACHE_READ, false},
	{"CacheReadInputTokens", TOKENS_CACHE_READ, false},
	{"CacheWriteInputTokenCount", TOKENS_CACHE_WRITE, false},
	{"CacheWriteInputTokens", TOKENS_CACHE_WRITE, false},
	{"OutputImageCount", TOKENS_UNITS, false},
	{"TotalInputTokens", TOKENS_INPUT, true},
	{"TotalOutputTokens", TOKENS_OUTPUT, true},
	{"InputTokens", TOKENS_INPUT, true},
	{"OutputTokens", TOKENS_OUTPUT, true},
};

enum verdict metric_kind(struct metric_series *s, struct str namespace, struct str name)
{
	bool of_mantle = str_is(namespace, "AWS/BedrockMantle");
	if (!of_mantle && !str_is(namespace, "AWS/Bedrock"))
		return NOT_OURS;
	for (size_t i = 0; i < sizeof token_metrics / sizeof *token_metrics; i++) {
		if (token_metrics[i].mantle == of_mantle && str_is(name, token_metrics[i].name)) {
			s->token_kind = token_metrics[i].token_kind;
			s->mantle = of_mantle;
			return OURS;
		}
	}
	return NOT_OURS;
}

bool metric_counts_tokens(struct str name)
{
	for (size_t i = 0; i < sizeof token_metrics / sizeof *token_metrics; i++)
		if (str_is(name, token_metrics[i].name))
			return true;
	return false;
}

void metric_dims_add(struct metric_dims *d, bool mantle, struct str name, struct str value)
{
	d->n++;
	if (str_is(name, mantle ? "Model" : "ModelId")) {
		d->of_model = true;
		d->model = value;
	} else if (mantle && str_is(name, "Project")) {
		d->project = str_after_last(value, '/');
	} else if (!mantle && str_is(name, "ServiceTier")) {
		d->asked = value;
	} else if (!mantle && str_is(name, "ResolvedServiceTier")) {
		d->served = value;
	}
}

enum verdict metric_dims_read(const struct metric_dims *d)
{
	enum price_tier served;
	if (!d->of_model)
		return NOT_OURS;
	if (d->n == 1 || (d->n == 2 && d->project.len))
		return OURS;
	return d->n == 3 && d->model.len && d->asked.len && tier_of_word(d->served, &served) &&
	               served != TIER_STANDARD
	           ? OURS
	           : NOT_OURS;
}

bool metric_fill(struct record *r, struct arena *a, const struct metric_series *s, int64_t ms, double sum,
                 struct err *err)
{
	const struct metric_dims *dims = &s->dims;
	const int64_t last_ms = 253402300799999; // the year 9999
	struct metric *m = &r->metric;
	r->kind = RECORD_METRIC;
	assert(s->dims.of_model && s->token_kind < TOKEN_KINDS);
	*m = (struct metric){.account = s->account,
	                     .region = s->region,
	                     .minute = ms / MS_PER_MINUTE,
	                     .token_kind = s->token_kind,
	                     .project = dims->project,
	                     .of_tier = dims->n > 2};
	if (m->of_tier && (!tier_of_word(dims->served, &m->served) || !tier_of_word(dims->asked, &m->asked)))
		m->asked = PRICE_TIERS; // the tier that served is known: metric_dims_read has checked it
	if (ms < 0 || ms > last_ms || ms % MS_PER_MINUTE)
		return err_set(err, ERR_SKIP,
		               "the data point's time is not the start of a minute: %lld ms since 1970",
		               (long long)ms);
	if (dims->model.len > FIELD_STRING_MAX)
		return err_set(err, ERR_SKIP, "the model's name is %zu bytes long, of at most %d", dims->model.len,
		               FIELD_STRING_MAX);
	return (!s->account.len || field_account(s->account, "the metric's account", err)) &&
	       field_region(s->region, "the metric's region", err) &&
	       field_sum(sum, "the metric's sum", &m->sum, err) &&
	       (s->mantle ? model_key_mantle(a, dims->model, &m->model, err)
	                  : model_key(dims->model, &m->model, err));
}

bool metric_statistic_of(struct str name, enum metric_statistic *ret)
{
	static const char *const names[METRIC_STATISTICS] = {"Sum", "SampleCount", "Minimum", "Maximum"};
	for (int i = 0; i < METRIC_STATISTICS; i++)
		if (str_is(name, names[i])) {
			*ret = (enum metric_statistic)i;
			return true;
		}
	return false;
}

// Of two calls Minimum and Maximum are the tokens of both. Of more they say too little to be kept.
void metric_set_samples(struct metric *m, struct metric_samples said)
{
	bool counted = said.count >= 1 && said.count <= 1e12 && floor(said.count) == said.count;
	m->samples = counted ? (int64_t)said.count : 0;
	bool both = m->samples == 2 && said.minimum >= 0 && said.minimum <= said.maximum &&
	            floor(said.maximum) == said.maximum && said.minimum + said.maximum == (double)m->sum;
	m->larger = both ? (int64_t)said.maximum : 0;
}

// {"ModelId": model}, or with the two tiers as well.
static enum verdict read_dimensions(struct json dimensions, bool mantle, struct metric_dims *ret,
                                    struct err *err)
{
	struct str key, value;
	struct json v, model = JSON_ABSENT;
	*ret = (struct metric_dims){0};
	for (struct json_iter it = json_begin(dimensions); it.object && json_next(&it, &key, &v);) {
		if (str_is(key, mantle ? "Model" : "ModelId"))
			model = v;
		metric_dims_add(ret, mantle, key, json_str(v, &value) ? value : STR_NONE);
	}
	if (ret->n == 1 && json_type(model) != JSON_NONE &&
	    !field_str(model, "the metric's model", &ret->model, err))
		return BROKEN;
	return metric_dims_read(ret);
}

enum verdict metric_stream(const struct top_fields *t, struct arena *a, struct record *r, struct err *err)
{
	struct str namespace, name;
	struct metric_series s;
	if (!json_str(t->f[F_namespace_], &namespace) || !json_str(t->f[F_metric_name], &name) ||
	    metric_kind(&s, namespace, name) == NOT_OURS)
		return NOT_OURS;
	enum verdict v = read_dimensions(t->f[F_dimensions], s.mantle, &s.dims, err);
	if (v != OURS)
		return v;
	int64_t ms;
	double sum;
	struct json value = json_get(t->f[F_value], STR("sum"));
	if (!field_str(t->f[F_account_id], "account_id", &s.account, err) ||
	    !field_str(t->f[F_region], "region", &s.region, err))
		return BROKEN;
	if (!json_int(t->f[F_timestamp], &ms)) {
		err_set(err, ERR_SKIP, "timestamp should be a whole number of milliseconds, and is %s",
		        json_type_name(json_type(t->f[F_timestamp])));
		return BROKEN;
	}
	struct metric_samples samples = METRIC_SAMPLES_INIT;
	json_double(json_get(t->f[F_value], STR("count")), &samples.count);
	json_double(json_get(t->f[F_value], STR("min")), &samples.minimum);
	json_double(json_get(t->f[F_value], STR("max")), &samples.maximum);
	if (!json_double(value, &sum)) {
		err_set(err, ERR_SKIP, "value.sum should be a number, and is %s", json_type_name(json_type(value)));
		return BROKEN;
	}
	if (!metric_fill(r, a, &s, ms, sum, err))
		return BROKEN;
	metric_set_samples(&r->metric, samples);
	return OURS;
}
