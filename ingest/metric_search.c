// SPDX-License-Identifier: Apache-2.0
#include "ingest/metric_search.h"

#include "ingest/field.h"
#include "ingest/recognise_priv.h"

enum { WORDS_MAX = 8 }; // of a label

static bool skip_char(struct str *s, char c)
{
	*s = str_trim_start(*s);
	if (!s->len || s->p[0] != c)
		return false;
	s->p++;
	s->len--;
	return true;
}

static bool skip_name(struct str *s, struct str name)
{
	struct str t = str_trim_start(*s);
	if (t.len < name.len || strncasecmp(t.p, name.p, name.len) != 0)
		return false;
	*s = (struct str){t.p + name.len, t.len - name.len};
	return true;
}

// A text in quotes, of either kind.
static bool read_quoted(struct str *s, struct str *ret)
{
	*s = str_trim_start(*s);
	if (!s->len || (s->p[0] != '\'' && s->p[0] != '"'))
		return false;
	const char *end = memchr(s->p + 1, s->p[0], s->len - 1);
	if (!end)
		return false;
	*ret = (struct str){s->p + 1, (size_t)(end - s->p) - 1};
	*s = (struct str){end + 1, (size_t)(s->p + s->len - end) - 1};
	return true;
}

static struct str unquoted(struct str s)
{
	s = str_trim(s);
	if (s.len >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.len - 1] == s.p[0])
		return (struct str){s.p + 1, s.len - 2};
	return s;
}

// The value of name="value" in the terms, or STR_NONE. One of several, in parentheses, is no value.
static struct str value_of_term(struct str terms, struct str name)
{
	for (struct str rest = terms; rest.len;) {
		const char *at = memmem(rest.p, rest.len, name.p, name.len);
		struct str value;
		if (!at)
			break;
		rest = (struct str){at + name.len, (size_t)(rest.p + rest.len - at) - name.len};
		struct str after = rest;
		if (after.len && after.p[0] == '"')
			after.p++, after.len--;
		if (skip_char(&after, '=') && read_quoted(&after, &value))
			return value;
	}
	return STR_NONE;
}

// {AWS/Bedrock,ModelId}, and nothing else.
static bool read_schema(struct metric_search *s, struct str *terms)
{
	if (!skip_char(terms, '{'))
		return false;
	const char *end = memchr(terms->p, '}', terms->len);
	if (!end)
		return false;
	struct str schema = {terms->p, (size_t)(end - terms->p)};
	*terms = (struct str){end + 1, (size_t)(terms->p + terms->len - end) - 1};
	s->namespace = unquoted(str_cut(&schema, ','));
	struct str dimension = unquoted(schema);
	return (str_is(s->namespace, "AWS/Bedrock") && str_is(dimension, "ModelId")) ||
	       (str_is(s->namespace, "AWS/BedrockMantle") && str_is(dimension, "Model"));
}

static bool refuse(struct err *err, const char *why)
{
	return err_set(
		err, ERR_SKIP,
		"%s: ask for SEARCH('{AWS/Bedrock,ModelId} MetricName=\"InputTokenCount\"', 'Sum', 60) with the Label ${PROP('Dim.ModelId')}",
		why);
}

bool metric_search_parse(struct metric_search *ret, struct str expression, struct err *err)
{
	struct str s = expression, terms, period;
	bool ours = memmem(s.p, s.len, "AWS/Bedrock", 11) != NULL;
	*ret = (struct metric_search){.period = 0};
	if (!ours)
		return false;
	while (skip_name(&s, STR("REMOVE_EMPTY(")) || skip_name(&s, STR("SORT(")))
		;
	if (!skip_name(&s, STR("SEARCH")) || !skip_char(&s, '(') || !read_quoted(&s, &terms))
		return refuse(err, "an expression on AWS/Bedrock that is no plain SEARCH is not read");
	if (!read_schema(ret, &terms))
		return refuse(err, "a SEARCH that is not by model alone would count tokens twice");
	ret->metric = value_of_term(terms, STR("MetricName"));
	ret->model = value_of_term(terms, str_is(ret->namespace, "AWS/Bedrock") ? STR("ModelId") : STR("Model"));
	if (!skip_char(&s, ',') || !read_quoted(&s, &ret->statistic))
		return refuse(err, "a SEARCH on AWS/Bedrock without its statistic");
	if (skip_char(&s, ',')) {
		period = str_trim(str_cut(&s, ')'));
		for (size_t i = 0; i < period.len && i < 7; i++)
			ret->period =
				period.p[i] >= '0' && period.p[i] <= '9' ? ret->period * 10 + (period.p[i] - '0') : -1;
	}
	return true;
}

// The next ${PROP('...')} of a Label: its name; *rest begins behind it. STR_NONE: there is none.
static struct str next_property(struct str *rest, struct str *ret_before)
{
	static const char open[] = "${PROP(", close[] = ")}";
	const char *at = memmem(rest->p, rest->len, open, sizeof open - 1);
	const char *end = at ? memmem(at, (size_t)(rest->p + rest->len - at), close, sizeof close - 1) : NULL;
	if (!end) {
		*ret_before = *rest;
		return STR_NONE;
	}
	struct str name = {at + sizeof open - 1, (size_t)(end - at) - (sizeof open - 1)};
	*ret_before = (struct str){rest->p, (size_t)(at - rest->p)};
	*rest = (struct str){end + sizeof close - 1, (size_t)(rest->p + rest->len - end) - (sizeof close - 1)};
	return unquoted(name);
}

// Reads the label by the query's own Label, in which the properties stand between fixed texts.
static bool read_by_template(struct metric_search *s, struct str label, struct str custom)
{
	struct str before, name = next_property(&custom, &before), following;
	if (!name.len || !label.len || !str_starts(label, before))
		return false;
	label = (struct str){label.p + before.len, label.len - before.len};
	while (name.len) {
		struct str next = next_property(&custom, &following);
		const char *end = following.len ? memmem(label.p, label.len, following.p, following.len) : NULL;
		if (following.len ? !end : next.len != 0)
			return false; // two properties without anything between cannot be told apart
		size_t n = end ? (size_t)(end - label.p) : label.len;
		struct str value = {label.p, n};
		if (str_is(name, "Dim.ModelId") || str_is(name, "Dim.Model"))
			s->model = value;
		else if (str_is(name, "MetricName"))
			s->metric = value;
		label = (struct str){label.p + n + following.len, label.len - n - following.len};
		name = next;
	}
	return true;
}

// Words that say which metric or statistic it is, and one that must be the model.
static bool read_words(struct metric_search *s, struct str label, struct str *ret_model)
{
	enum metric_statistic statistic;
	*ret_model = STR_NONE;
	for (int n = 0; label.len; n++) {
		struct str word = str_cut(&label, ' ');
		if (!word.len || metric_statistic_of(word, &statistic))
			continue;
		if (metric_counts_tokens(word)) {
			if (s->metric.len && !str_eq(s->metric, word))
				return false;
			s->metric = word;
		} else if (ret_model->len || n >= WORDS_MAX) {
			return false;
		} else {
			*ret_model = word;
		}
	}
	return true;
}

bool metric_search_read_label(struct metric_search *s, struct str label, struct str custom, struct err *err)
{
	struct str model = STR_NONE;
	if (custom.len && memmem(custom.p, custom.len, "${", 2)) {
		if (!read_by_template(s, label, custom))
			return refuse(err, "the label of a SEARCH does not match the Label of its query");
	} else {
		if (custom.len && str_starts(label, custom))
			label = (struct str){label.p + custom.len, label.len - custom.len};
		if (!read_words(s, label, &model))
			return refuse(err, "the label of a SEARCH does not say which of its words is the model");
		if (!s->model.len)
			s->model = model;
	}
	if (!s->metric.len)
		return refuse(err, "neither the label of a SEARCH nor its MetricName says which metric it is");
	if (!s->model.len)
		return refuse(err, "neither the label of a SEARCH nor its ModelId says which model it is");
	return true;
}
