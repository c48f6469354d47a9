// SPDX-License-Identifier: Apache-2.0
// Attributes of the resource are read first, those of the record or span replace them.
#include "ingest/telemetry.h"

#include "base/text.h"
#include "base/when.h"
#include "ingest/field.h"

// X(name in C, name of the attribute)
#define ATTRIBUTES(X)                                                                                   \
	/* Claude Code */                                                                                   \
	X(event_name, "event.name") X(event_timestamp, "event.timestamp") X(event_sequence, "event.sequence") \
	X(model, "model") X(input_tokens, "input_tokens") X(output_tokens, "output_tokens")                 \
	X(cache_read_tokens, "cache_read_tokens") X(cache_creation_tokens, "cache_creation_tokens")         \
	X(duration_ms, "duration_ms") X(request_id, "request_id") X(session_id, "session.id")               \
	/* GenAI */                                                                                         \
	X(provider, "gen_ai.provider.name") X(system, "gen_ai.system")                                      \
	X(operation, "gen_ai.operation.name") X(request_model, "gen_ai.request.model")                      \
	X(response_model, "gen_ai.response.model") X(gen_input, "gen_ai.usage.input_tokens")                \
	X(gen_output, "gen_ai.usage.output_tokens")                                                         \
	X(gen_cache_read, "gen_ai.usage.cache_read.input_tokens")                                           \
	X(gen_cache_creation, "gen_ai.usage.cache_creation.input_tokens")                                   \
	/* AWS SDK */                                                                                       \
	X(aws_request_id, "aws.request_id") X(aws_region, "aws.region") X(rpc_method, "rpc.method")         \
	X(server_address, "server.address")                                                                 \
	/* whose call it is */                                                                              \
	X(account, "cloud.account.id") X(region, "cloud.region") X(principal, "nowcast.principal")          \
	X(user_email, "user.email") X(user_name, "user.name") X(user_id, "user.id")                         \
	X(enduser_id, "enduser.id")

#define ATTRIBUTE_ENUM(c, name) A_##c,
enum attribute { ATTRIBUTES(ATTRIBUTE_ENUM) A_COUNT };
#undef ATTRIBUTE_ENUM

#define ATTRIBUTE_NAME(c, name) {name, sizeof name - 1},
static const struct str attribute_names[] = {ATTRIBUTES(ATTRIBUTE_NAME)};
#undef ATTRIBUTE_NAME

struct attributes {
	struct json v[A_COUNT];
};

// Instrumentations whose source was read: they hand on the input tokens of Bedrock's answer, so without those
// of the cache.
struct instrumentation {
	struct str scope;      // that the name of the scope begins with
	const char
		*not_exact; // rpc.method whose output tokens are those of the first chunk of the stream; or NULL
};
static const struct instrumentation instrumentations[] = {
	{STR("opentelemetry.instrumentation.botocore"), NULL},
	{STR("@opentelemetry/instrumentation-aws-sdk"), "InvokeModelWithResponseStream"},
};

// ---- attributes ---------------------------------------------------------------------------------

static void take_attribute(struct attributes *a, struct str key, struct json value)
{
	for (int i = 0; i < A_COUNT; i++)
		if (str_eq(key, attribute_names[i])) {
			a->v[i] = value;
			return;
		}
}

// A list of {"key": NAME, "value": {"stringValue": ...}}, or an object of names and plain values.
static void take_attributes(struct attributes *a, struct json list)
{
	struct json item, value;
	struct str key;
	struct json_iter it = json_begin(list);
	bool object = it.object;
	while (json_next(&it, &key, &item)) {
		if (object) {
			take_attribute(a, key, item);
			continue;
		}
		struct json_iter any = json_begin(json_get(item, STR("value")));
		if (any.object && json_str(json_get(item, STR("key")), &key) && json_next(&any, NULL, &value))
			take_attribute(a, key, value);
	}
}

static struct str text_of(const struct attributes *a, enum attribute at)
{
	struct str s = STR_NONE;
	json_str(a->v[at], &s);
	return s;
}

// As a number, or as a text of digits, as some exporters write all of them.
static bool read_tokens(const struct attributes *a, enum attribute at, uint32_t *ret)
{
	bool known = false;
	struct err ignored = ERR_INIT;
	return field_tokens(a->v[at], "", &known, ret, &ignored) && known;
}

// ---- time ---------------------------------------------------------------------------------------

// Nanoseconds since 1970, a string of digits or a number; 0: none.
static int64_t time_of(struct json v)
{
	struct str s;
	int64_t ns = 0;
	if (json_int(v, &ns))
		return ns > 0 ? ns / 1000000 : 0;
	if (!json_str(v, &s) || s.len < 7 || s.len > 19)
		return 0;
	for (size_t i = 0; i < s.len - 6; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		ns = ns * 10 + (s.p[i] - '0');
	}
	return ns;
}

static bool set_times(const struct telemetry_source *s, const struct attributes *a, struct telemetry *t,
                      struct err *err)
{
	uint32_t duration;
	struct call *c = &t->call;
	t->start_ms = time_of(json_get(s->item, STR("startTimeUnixNano")));
	c->time_ms = time_of(json_get(s->item, STR("endTimeUnixNano")));
	if (!t->start_ms) {
		if (!when_parse(text_of(a, A_event_timestamp), &c->time_ms))
			c->time_ms = time_of(json_get(s->item, STR("timeUnixNano")));
		if (!c->time_ms)
			c->time_ms = time_of(json_get(s->item, STR("observedTimeUnixNano")));
		if (c->time_ms && read_tokens(a, A_duration_ms, &duration) && duration < c->time_ms)
			t->start_ms = c->time_ms - duration;
	}
	return c->time_ms > 0 || err_set(err, ERR_SKIP, "telemetry of a call without its time");
}

// ---- whose call it is ---------------------------------------------------------------------------

// "bedrock-runtime.us-east-1.amazonaws.com"
static struct str region_of_address(struct str address)
{
	struct str rest = address;
	return str_starts(str_cut(&rest, '.'), STR("bedrock")) ? str_cut(&rest, '.') : STR_NONE;
}

static void set_place(const struct attributes *a, struct call *c)
{
	struct err ignored = ERR_INIT;
	c->account = text_of(a, A_account);
	if (c->account.len != 12 || !field_account(c->account, "", &ignored))
		c->account = STR_NONE;
	const struct str regions[] = {text_of(a, A_aws_region), region_of_address(text_of(a, A_server_address)),
	                              text_of(a, A_region)};
	for (size_t i = 0; !c->region.len && i < sizeof regions / sizeof *regions; i++) {
		ignored = (struct err)ERR_INIT;
		if (field_region(regions[i], "", &ignored))
			c->region = regions[i];
	}
}

static void set_user(const struct attributes *a, struct telemetry *t)
{
	static const enum attribute names[] = {A_user_email, A_user_name, A_enduser_id, A_user_id};
	for (size_t i = 0; !t->user.len && i < sizeof names / sizeof *names; i++)
		t->user = text_of(a, names[i]);
	t->principal = text_of(a, A_principal);
}

// Claude Code marks a model with a large context window by "[1m]", which is no part of its id.
static struct str without_window(struct str model)
{
	const char *at = model.len && model.p[model.len - 1] == ']' ? memchr(model.p, '[', model.len) : NULL;
	return at ? (struct str){model.p, (size_t)(at - model.p)} : model;
}

static void set_model(struct str called, struct call *c)
{
	struct err ignored = ERR_INIT;
	called = without_window(called);
	if (called.len && model_key(called, &c->model, &ignored))
		c->model_called = called;
}

// 8-4-4-4-12: the form of Bedrock's request ids. Those of Anthropic's own API begin with "req_".
static bool is_uuid(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s.p[i] != '-' : hex_digit(s.p[i]) < 0)
			return false;
	return s.len == 36;
}

// ---- tokens -------------------------------------------------------------------------------------

static void set_tokens(struct call *c, enum token_kind kind, bool known, uint32_t n)
{
	c->known[kind] = known;
	c->tokens[kind] = known ? n : 0;
}

// Without any cache writes there are none for an hour either.
static bool end_tokens(struct call *c)
{
	bool any = false;
	set_tokens(c, TOKENS_CACHE_WRITE_1H, c->known[TOKENS_CACHE_WRITE] && !c->tokens[TOKENS_CACHE_WRITE], 0);
	for (int kind = TOKENS_INPUT; kind <= TOKENS_CACHE_WRITE; kind++)
		any |= c->known[kind];
	return any;
}

static const struct instrumentation *find_instrumentation(struct json scope)
{
	struct str name = STR_NONE;
	json_str(json_get(scope, STR("name")), &name);
	for (size_t i = 0; i < sizeof instrumentations / sizeof *instrumentations; i++)
		if (str_starts(name, instrumentations[i].scope))
			return &instrumentations[i];
	return NULL;
}

// Cohere's and Mistral's answers to InvokeModel have no counts: instrumentations put the number of characters
// over six in their place.
static bool is_guessed(struct str model, struct str method)
{
	return str_starts(method, STR("InvokeModel")) && model.len &&
	       (memmem(model.p, model.len, "cohere", 6) || memmem(model.p, model.len, "mistral", 7));
}

static bool read_usage_of_span(const struct telemetry_source *s, const struct attributes *a, struct call *c)
{
	uint32_t input = 0, output = 0, read = 0, written = 0;
	const struct instrumentation *known = find_instrumentation(s->scope);
	struct str method = text_of(a, A_rpc_method);
	bool has_read = read_tokens(a, A_gen_cache_read, &read),
		 has_written = read_tokens(a, A_gen_cache_creation, &written),
		 has_input = read_tokens(a, A_gen_input, &input), has_output = read_tokens(a, A_gen_output, &output);
	uint64_t cached = (uint64_t)read + written;
	if (is_guessed(c->model, method))
		return false;
	// no cache was used, or more came from it than the input could have
	bool beside = has_read && has_written && (cached == 0 || cached > input);
	set_tokens(c, TOKENS_INPUT, has_input && (known || beside), input);
	set_tokens(c, TOKENS_OUTPUT,
	           has_output && !(known && known->not_exact && str_is(method, known->not_exact)), output);
	set_tokens(c, TOKENS_CACHE_READ, has_read, read);
	set_tokens(c, TOKENS_CACHE_WRITE, has_written, written);
	return end_tokens(c);
}

// The usage of the answer, in which the input is without that of the cache.
static bool read_usage_of_event(const struct attributes *a, struct call *c)
{
	static const struct {
		enum attribute at;
		enum token_kind kind;
	} counts[] = {{A_input_tokens, TOKENS_INPUT},
	              {A_output_tokens, TOKENS_OUTPUT},
	              {A_cache_read_tokens, TOKENS_CACHE_READ},
	              {A_cache_creation_tokens, TOKENS_CACHE_WRITE}};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		uint32_t n = 0;
		bool known = read_tokens(a, counts[i].at, &n);
		set_tokens(c, counts[i].kind, known, n);
	}
	return end_tokens(c);
}

// ---- the two forms ------------------------------------------------------------------------------

// One request of a model; an agent's span sums up those of several.
static bool is_one_call(struct str operation)
{
	return !operation.len || str_is(operation, "chat") || str_is(operation, "text_completion") ||
	       str_is(operation, "generate_content") || str_is(operation, "embeddings");
}

static bool read_span(const struct telemetry_source *s, const struct attributes *a, struct telemetry *t,
                      struct arena *arena)
{
	struct str provider = text_of(a, A_provider), trace = STR_NONE, span = STR_NONE;
	if (!str_is(provider.len ? provider : text_of(a, A_system), "aws.bedrock") ||
	    !is_one_call(text_of(a, A_operation)))
		return false;
	struct str called = text_of(a, A_request_model);
	set_model(called.len ? called : text_of(a, A_response_model), &t->call);
	t->call.request_id = text_of(a, A_aws_request_id);
	if (json_str(json_get(s->item, STR("traceId")), &trace) &&
	    json_str(json_get(s->item, STR("spanId")), &span) && trace.len && span.len)
		t->item = arena_text(arena, "%.*s:%.*s", STR_ARG(trace), STR_ARG(span));
	return read_usage_of_span(s, a, &t->call);
}

static bool is_event(const struct telemetry_source *s, const struct attributes *a)
{
	struct str name = text_of(a, A_event_name), body = STR_NONE;
	struct json text = json_get(s->item, STR("body"));
	if (!json_str(text, &body))
		json_str(json_get(text, STR("stringValue")), &body);
	return str_is(body, "claude_code.api_request") || str_is(name, "claude_code.api_request") ||
	       (str_is(name, "api_request") && a->v[A_cache_read_tokens].doc);
}

// Models of Bedrock have their vendor in front, or an ARN. Anthropic's own API has neither.
static bool is_model_of_bedrock(struct str model)
{
	return str_starts(model, STR("arn:")) ||
	       (model.len && memmem(model.p, model.len, "anthropic.", 10) != NULL);
}

static bool read_event(const struct telemetry_source *s, const struct attributes *a, struct telemetry *t,
                       struct arena *arena)
{
	struct str id = text_of(a, A_request_id), session = text_of(a, A_session_id),
			   sequence = text_of(a, A_event_sequence);
	int64_t number;
	if (!is_event(s, a) || !(is_uuid(id) || is_model_of_bedrock(text_of(a, A_model))))
		return false;
	set_model(text_of(a, A_model), &t->call);
	if (is_uuid(id))
		t->call.request_id = id;
	if (json_int(a->v[A_event_sequence], &number))
		sequence = arena_text(arena, "%lld", (long long)number);
	if (session.len && sequence.len)
		t->item = arena_text(arena, "%.*s:%.*s", STR_ARG(session), STR_ARG(sequence));
	return read_usage_of_event(a, &t->call);
}

enum verdict telemetry_read(const struct telemetry_source *s, struct arena *arena, struct record *r,
                            struct err *err)
{
	struct attributes a = {{{0}}};
	struct telemetry *t = &r->telemetry;
	bool is_span = json_get(s->item, STR("endTimeUnixNano")).doc != NULL;
	take_attributes(&a, json_get(s->resource, STR("attributes")));
	take_attributes(&a, json_get(s->item, STR("attributes")));
	r->kind = RECORD_TELEMETRY;
	*t = (struct telemetry){.call = {.source = SOURCE_TELEMETRY, .time_is_end = true}};
	if (!(is_span ? read_span(s, &a, t, arena) : read_event(s, &a, t, arena)))
		return NOT_OURS;
	set_place(&a, &t->call);
	set_user(&a, t);
	return set_times(s, &a, t, err) ? OURS : BROKEN;
}
