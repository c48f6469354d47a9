// SPDX-License-Identifier: Apache-2.0
// Bedrock's model invocation log ("Monitor model invocation using CloudWatch Logs and Amazon S3" in the
// Amazon Bedrock User Guide). It is the only source with every token type of a call.
//
// The counts are beside the bodies, not in them. A body is the caller's own text and may hold the same words,
// so every field is read at its own place only. Three rules are our own. A count that is absent while another
// is present is zero: a call without a cache has no cache fields, an embedding has no output. What an answer
// of OpenAI's APIs says was read from the cache is no input. Cache writes
// with the one-hour TTL are read from the usage in the model's answer, if the body is there, and only if they
// do not exceed the total of the record.
#include "ingest/field.h"
#include "ingest/labels.h"
#include "ingest/principal.h"
#include "ingest/recognise_priv.h"
#include "ingest/tier.h"

// Cache writes with the one-hour TTL, of a usage object as Converse or as Anthropic's Messages API writes it.
static bool cache_write_1h_of_usage(struct json usage, uint32_t *ret)
{
	bool known = false;
	struct err ignored = ERR_INIT;
	struct json creation = json_get(usage, STR("cache_creation")),
				details = json_get(usage, STR("cacheDetails")), item;
	if (json_type(creation) == JSON_OBJECT)
		return field_tokens(json_get(creation, STR("ephemeral_1h_input_tokens")), "", &known, ret,
		                    &ignored) &&
		       known;
	if (json_type(details) != JSON_ARRAY)
		return false;
	uint64_t sum = 0;
	for (struct json_iter it = json_begin(details); json_next(&it, NULL, &item);) {
		struct str ttl;
		uint32_t n = 0;
		if (!json_str(json_get(item, STR("ttl")), &ttl) ||
		    !field_tokens(json_get(item, STR("inputTokens")), "", &known, &n, &ignored))
			return false;
		if (str_is(ttl, "1h"))
			sum += n;
	}
	*ret = (uint32_t)sum; // used only if it fits
	return known && sum <= UINT32_MAX;
}

// The usage is in the body itself, or in one of the chunks of a stream.
static bool cache_write_1h_of_body(struct json body, uint32_t *ret)
{
	struct json chunk;
	if (json_type(body) == JSON_OBJECT)
		return cache_write_1h_of_usage(json_get(body, STR("usage")), ret);
	for (struct json_iter it = json_begin(body); json_next(&it, NULL, &chunk);)
		if (cache_write_1h_of_usage(json_get(chunk, STR("usage")), ret) ||
		    cache_write_1h_of_usage(json_get(json_get(chunk, STR("message")), STR("usage")), ret) ||
		    cache_write_1h_of_usage(json_get(json_get(chunk, STR("metadata")), STR("usage")), ret))
			return true;
	return false;
}

// The tier that served, from the answer's body or a chunk of a stream. Anthropic's format has it in the
// usage.
static bool find_tier_in_body(struct json body, enum price_tier *ret)
{
	struct json chunk;
	if (json_type(body) == JSON_OBJECT)
		return tier_of_object(body, ret) || tier_of_object(json_get(body, STR("usage")), ret);
	for (struct json_iter it = json_begin(body); json_next(&it, NULL, &chunk);)
		if (tier_of_object(chunk, ret) || tier_of_object(json_get(chunk, STR("metadata")), ret) ||
		    tier_of_object(json_get(chunk, STR("usage")), ret) ||
		    tier_of_object(json_get(json_get(chunk, STR("message")), STR("usage")), ret))
			return true;
	return false;
}

// invokedModelId of the trace of an answer ("PromptRouterTrace" in the Amazon Bedrock API Reference).
static struct str invoked_of(struct json answer)
{
	struct str invoked = STR_NONE;
	struct json trace = json_get(answer, STR("trace"));
	if (json_missing(trace))
		trace = json_get(answer, STR("amazon-bedrock-trace"));
	json_str(json_get(json_get(trace, STR("promptRouter")), STR("invokedModelId")), &invoked);
	return model_served(invoked);
}

// The model that a prompt or a prompt router chose: beside the body, in the body, or in a chunk of a stream.
// Of other models the body is not asked: some answer what their caller likes.
static void read_served(const struct top_fields *t, struct call *c)
{
	struct json out = t->f[F_output], body = json_get(out, STR("outputBodyJson")), chunk;
	struct json beside =
		json_present(json_get(t->whole, STR("invokedModelId")), json_get(out, STR("invokedModelId")));
	struct json_iter chunks = json_begin(body);
	struct str invoked = STR_NONE;
	if (!model_is_indirect(c->model_called))
		return;
	if (json_str(beside, &invoked))
		invoked = model_served(invoked);
	if (!invoked.len)
		invoked = invoked_of(body);
	while (!chunks.object && !invoked.len && json_next(&chunks, NULL, &chunk)) {
		invoked = invoked_of(chunk);
		if (!invoked.len)
			invoked = invoked_of(json_get(chunk, STR("metadata")));
	}
	if (invoked.len)
		c->model_called = invoked;
	else
		c->served = SERVED_UNKNOWN;
}

static bool read_count(struct json side, const char *name, enum token_kind token_kind, struct call *c,
                  struct err *err)
{
	return field_tokens(json_get(side, str_of(name)), name, &c->known[token_kind], &c->tokens[token_kind],
	                    err);
}

// OpenAI's APIs count what was read from the cache among the input. Both counts of a usage object; false: it
// has none, or they do not fit.
static bool cached_of_usage(struct json usage, uint32_t *ret_input, uint32_t *ret_cached)
{
	bool has_input = false, has_cached = false;
	struct err ignored = ERR_INIT;
	struct json details = json_present(json_get(usage, STR("prompt_tokens_details")),
	                                   json_get(usage, STR("input_tokens_details")));
	struct json input =
		json_present(json_get(usage, STR("prompt_tokens")), json_get(usage, STR("input_tokens")));
	return field_tokens(input, "", &has_input, ret_input, &ignored) &&
	       field_tokens(json_get(details, STR("cached_tokens")), "", &has_cached, ret_cached, &ignored) &&
	       has_input && has_cached && *ret_cached <= *ret_input;
}

// The usage is in the body, in one of the chunks of Chat Completions, or in the last event of Responses.
static bool cached_of_body(struct json body, uint32_t *ret_input, uint32_t *ret_cached)
{
	struct json chunk;
	if (json_type(body) == JSON_OBJECT)
		return cached_of_usage(json_get(body, STR("usage")), ret_input, ret_cached);
	for (struct json_iter it = json_begin(body); json_next(&it, NULL, &chunk);)
		if (cached_of_usage(json_get(chunk, STR("usage")), ret_input, ret_cached) ||
		    cached_of_usage(json_get(json_get(chunk, STR("response")), STR("usage")), ret_input, ret_cached))
			return true;
	return false;
}

// A record that counts the whole prompt as input, as its answer shows.
static void part_cached_input(struct json body, struct call *c)
{
	uint32_t input = 0, cached = 0;
	if (c->tokens[TOKENS_CACHE_READ] || c->tokens[TOKENS_CACHE_WRITE] ||
	    !cached_of_body(body, &input, &cached) || input != c->tokens[TOKENS_INPUT])
		return;
	c->tokens[TOKENS_INPUT] -= cached;
	c->tokens[TOKENS_CACHE_READ] = cached;
}

// What is billed by the unit: the images that the record counts or the answer holds, or Cohere's search
// units.
static void read_units(struct json out, struct call *c)
{
	struct json body = json_get(out, STR("outputBodyJson")), image;
	struct json searches =
		json_get(json_get(json_get(body, STR("meta")), STR("billed_units")), STR("search_units"));
	struct json images =
		json_get(body, json_missing(json_get(body, STR("images"))) ? STR("artifacts") : STR("images"));
	struct err ignored = ERR_INIT;
	uint32_t n = 0;
	if (!field_tokens(json_get(out, STR("outputImageCount")), "", &c->known[TOKENS_UNITS],
	                  &c->tokens[TOKENS_UNITS], &ignored) ||
	    c->known[TOKENS_UNITS])
		return;
	if (!field_tokens(searches, "", &c->known[TOKENS_UNITS], &c->tokens[TOKENS_UNITS], &ignored) ||
	    c->known[TOKENS_UNITS])
		return;
	if (json_type(images) != JSON_ARRAY)
		return;
	for (struct json_iter it = json_begin(images); json_next(&it, NULL, &image);)
		n++;
	c->known[TOKENS_UNITS] = true;
	c->tokens[TOKENS_UNITS] = n;
}

static bool read_tokens(const struct top_fields *t, struct call *c, struct err *err)
{
	struct json in = t->f[F_input], out = t->f[F_output];
	if (!read_count(in, "inputTokenCount", TOKENS_INPUT, c, err) ||
	    !read_count(in, "cacheReadInputTokenCount", TOKENS_CACHE_READ, c, err) ||
	    !read_count(in, "cacheWriteInputTokenCount", TOKENS_CACHE_WRITE, c, err) ||
	    !read_count(out, "outputTokenCount", TOKENS_OUTPUT, c, err))
		return false;
	read_units(out, c);
	if (!c->known[TOKENS_INPUT] && !c->known[TOKENS_OUTPUT])
		return true;
	for (int token_kind = TOKENS_INPUT; token_kind <= TOKENS_CACHE_WRITE; token_kind++)
		c->known[token_kind] = true;
	part_cached_input(json_get(out, STR("outputBodyJson")), c);
	uint32_t written = c->tokens[TOKENS_CACHE_WRITE], hour = 0;
	if (written == 0 ||
	    (cache_write_1h_of_body(json_get(out, STR("outputBodyJson")), &hour) && hour <= written)) {
		c->known[TOKENS_CACHE_WRITE_1H] = true;
		c->tokens[TOKENS_CACHE_WRITE_1H] = hour;
	}
	return true;
}

enum verdict invocation_log(const struct top_fields *t, struct arena *a, struct record *r, struct err *err)
{
	struct call *c = &r->call;
	struct str schema, code, operation, arn;
	if (!json_str(t->f[F_schemaType], &schema) || !str_is(schema, "ModelInvocationLog"))
		return NOT_OURS;
	r->kind = RECORD_CALL_TOKENS;
	*c = (struct call){.source = SOURCE_LOG, .time_is_end = true};
	if (!field_time(t->f[F_timestamp], "timestamp", &c->time_ms, err) ||
	    !field_str(t->f[F_accountId], "accountId", &c->account, err) ||
	    !field_account(c->account, "accountId", err) ||
	    !field_str(t->f[F_region], "region", &c->region, err) || !field_region(c->region, "region", err) ||
	    !field_str(t->f[F_requestId], "requestId", &c->request_id, err) ||
	    !field_opt_str(t->f[F_operation], "operation", &operation, err) ||
	    !field_opt_str(t->f[F_errorCode], "errorCode", &code, err) ||
	    !field_opt_str(t->f[F_modelId], "modelId", &c->model_called, err))
		return BROKEN;
	c->failed = code.len > 0;
	if (c->failed && !c->model_called.len)
		return NOT_OURS;
	if (!field_str(json_get(t->f[F_identity], STR("arn")), "identity.arn", &arn, err) ||
	    !field_str(t->f[F_modelId], "modelId", &c->model_called, err))
		return BROKEN;
	read_served(t, c);
	if (!model_key(c->model_called, &c->model, err) || (!c->failed && !read_tokens(t, c, err)))
		return BROKEN;
	c->tier_known = find_tier_in_body(json_get(t->f[F_output], STR("outputBodyJson")), &c->tier) ||
	                tier_of_object(t->whole, &c->tier);
	c->streaming = operation.len >= 6 && memmem(operation.p, operation.len, "Stream", 6);
	c->foundation = model_of_arn(c->model_called);
	c->caller = (struct caller){.arn = principal_canonical(a, arn)};
	c->meta = labels_read(t->f[F_requestMetadata], a);
	return OURS;
}
