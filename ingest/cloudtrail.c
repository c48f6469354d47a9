// SPDX-License-Identifier: Apache-2.0
// CloudTrail records of inference: a call, the copy of it that data events add, the completion record of a
// stream, and corrections (addenda). Formats: "Monitor Amazon Bedrock API calls using CloudTrail",
// "Stream-completion events", and "Logging Amazon Bedrock Mantle" in the Amazon Bedrock User Guide;
// "CloudTrail record contents" in the CloudTrail User Guide.
//
// One streaming call makes up to four records. They share the requestID of the call, which the completion
// record holds as parentRequestId. Only eventType distinguishes a completion from a call. Token counts (input
// and output only) are optional everywhere; they are numbers or strings, in a map or in a list of {key,
// value}.
//
// ingest/operation.h says which operations are calls. The model is under modelId or under model: not every
// operation of bedrock-runtime has the first name.
//
// A failed call is reported as failed, without tokens. A completion that has both tokens and an error is a
// stream that broke: its tokens count, and it is not marked as failed.
#include "ingest/field.h"
#include "ingest/labels.h"
#include "ingest/operation.h"
#include "ingest/principal.h"
#include "ingest/recognise_priv.h"
#include "ingest/tier.h"
#include "pricing/model_id.h"

bool model_key(struct str called, struct str *ret, struct err *err)
{
	struct str key = model_id_key(called);
	if (!key.len)
		return err_set(err, ERR_SKIP, "the model id names no model: %s", field_show(called).z);
	*ret = key;
	return true;
}

bool model_key_mantle(struct arena *a, struct str called, struct str *ret, struct err *err)
{
	static const char prefix[] = "bedrock-mantle/";
	struct str key;
	if (!model_key(called, &key, err))
		return false;
	char *p = arena_alloc(a, sizeof prefix + key.len);
	memcpy(p, prefix, sizeof prefix - 1);
	memcpy(p + sizeof prefix - 1, key.p, key.len);
	*ret = (struct str){p, sizeof prefix - 1 + key.len};
	return true;
}

struct str model_served(struct str called)
{
	struct model_id id;
	model_id_read(&id, called);
	return id.kind == MODEL_NAMED && model_id_key(called).len ? called : STR_NONE;
}

bool model_is_indirect(struct str called)
{
	struct model_id id;
	model_id_read(&id, called);
	return id.kind == MODEL_INDIRECT;
}

struct str model_of_arn(struct str arn)
{
	static const struct str mark = {":foundation-model/", sizeof ":foundation-model/" - 1};
	const char *at = str_starts(arn, STR("arn:")) ? memmem(arn.p, arn.len, mark.p, mark.len) : NULL;
	if (!at)
		return STR_NONE;
	return (struct str){at + mark.len, arn.len - (size_t)(at - arn.p) - mark.len};
}

// The project of bedrock-mantle that an ARN names, or STR_NONE.
static struct str project_of_arn(struct str arn)
{
	return arn.len && memmem(arn.p, arn.len, ":project/", 9) ? str_after_last(arn, '/') : STR_NONE;
}

// The first result of `part` over the ARNs in resources[] that is not empty, or STR_NONE. CloudTrail writes
// the key as ARN; some programs that process its records write arn.
static bool find_in_resources(struct json resources, struct str (*part)(struct str arn), struct str *ret,
                               struct err *err)
{
	struct json item;
	*ret = STR_NONE;
	for (struct json_iter it = json_begin(resources); !ret->len && json_next(&it, NULL, &item);) {
		struct json v = json_get(item, STR("ARN"));
		struct str arn;
		if (!field_opt_str(json_missing(v) ? json_get(item, STR("arn")) : v, "resources[].ARN", &arn, err))
			return false;
		*ret = part(arn);
	}
	return true;
}

static bool read_token_map(struct json map, struct call *c, struct err *err)
{
	return field_tokens(json_get(map, STR("inputTokens")), "inputTokens", &c->known[TOKENS_INPUT],
	                    &c->tokens[TOKENS_INPUT], err) &&
	       field_tokens(json_get(map, STR("outputTokens")), "outputTokens", &c->known[TOKENS_OUTPUT],
	                    &c->tokens[TOKENS_OUTPUT], err);
}

// Reads token counts from additionalEventData, or from the additionalEntries within it.
static bool read_tokens(struct json data, struct call *c, struct err *err)
{
	struct json entries = json_get(data, STR("additionalEntries")), item;
	if (json_missing(entries))
		entries = data;
	if (json_type(entries) != JSON_ARRAY)
		return read_token_map(entries, c, err);
	for (struct json_iter it = json_begin(entries); json_next(&it, NULL, &item);) {
		struct str key;
		if (!json_str(json_get(item, STR("key")), &key))
			continue;
		enum token_kind token_kind = str_is(key, "inputTokens")    ? TOKENS_INPUT
		                             : str_is(key, "outputTokens") ? TOKENS_OUTPUT
		                                                           : TOKEN_KINDS;
		if (token_kind != TOKEN_KINDS &&
		    !field_tokens(json_get(item, STR("value")),
		                  token_kind == TOKENS_INPUT ? "inputTokens" : "outputTokens", &c->known[token_kind],
		                  &c->tokens[token_kind], err))
			return false;
	}
	return true;
}

// The tier that served is in additionalEventData; the tier that was asked for is in the parameters.
static void read_tier(const struct top_fields *t, struct call *c)
{
	c->tier_known =
		tier_of_object(json_present(t->f[F_additionalEventData], t->f[F_AdditionalEventData]), &c->tier) ||
		tier_of_object(t->f[F_requestParameters], &c->tier);
}

// A call from one account to a resource of another is recorded in both accounts. It is one call of the
// caller: both records are attributed to the caller's account and joined by their requestID. The record of
// the other account ranks lower (SOURCE_SHARED), because it may hide the caller.
static bool read_shared(const struct top_fields *t, struct call *c, struct err *err)
{
	struct str shared, owner;
	if (!field_opt_str(t->f[F_sharedEventID], "sharedEventID", &shared, err) ||
	    !field_opt_str(json_get(t->f[F_userIdentity], STR("accountId")), "userIdentity.accountId", &owner,
	                   err))
		return false;
	if (!shared.len || !owner.len || str_eq(owner, c->account))
		return true;
	c->account = owner;
	if (!c->source) // a completion has its source already
		c->source = SOURCE_SHARED;
	return field_account(owner, "userIdentity.accountId", err);
}

// bedrock-mantle records the metadata of a request as the caller sent it; of bedrock-runtime only the
// invocation log is known to have it.
static struct labels read_metadata(struct json params, struct arena *a)
{
	return labels_read(
		json_present(json_get(params, STR("metadata")), json_get(params, STR("requestMetadata"))), a);
}

// What all records of calls and completions have: time, place, caller, and whether the call failed.
static bool read_common(const struct top_fields *t, struct arena *a, struct call *c, struct err *err)
{
	struct str code;
	if (!field_time(t->f[F_eventTime], "eventTime", &c->time_ms, err) ||
	    !field_str(t->f[F_awsRegion], "awsRegion", &c->region, err) ||
	    !field_region(c->region, "awsRegion", err) ||
	    !field_str(json_present(t->f[F_recipientAccountId], json_get(t->f[F_userIdentity], STR("accountId"))),
	               "recipientAccountId", &c->account, err) ||
	    !field_account(c->account, "recipientAccountId", err) ||
	    !field_opt_str(t->f[F_errorCode], "errorCode", &code, err) ||
	    !principal_from_identity(a, t->f[F_userIdentity], c->account, c->region, &c->caller, err))
		return false;
	c->failed = code.len > 0;
	c->meta = read_metadata(t->f[F_requestParameters], a);
	return read_shared(t, c, err);
}

// Kind, source and requestID of a call; an addendum has the requestID of the record that it corrects.
static bool read_source(const struct top_fields *t, struct record *r, struct err *err)
{
	struct call *c = &r->call;
	struct json addendum = t->f[F_addendum];
	struct str reason, original = STR_NONE;
	if (!field_opt_str(json_get(addendum, STR("reason")), "addendum.reason", &reason, err) ||
	    !field_opt_str(json_get(addendum, STR("originalRequestID")), "addendum.originalRequestID", &original,
	                   err))
		return false;
	r->kind = RECORD_CALL;
	if (c->source != SOURCE_SHARED)
		c->source = operation_is_data_event(t) ? SOURCE_DATA_EVENT : SOURCE_API;
	bool amends = str_is(reason, "UPDATED_DATA");
	if (amends) {
		r->kind = RECORD_AMENDMENT;
		c->source = SOURCE_AMENDED;
	}
	c->request_id = original;
	return (amends && original.len) || field_str(t->f[F_requestID], "requestID", &c->request_id, err);
}

// What was called: modelId; model, as OpenAI's and Anthropic's APIs name it; or the modelArn of Rerank
// ("Rerank" in the Amazon Bedrock API Reference).
static struct json called_of(const struct top_fields *t)
{
	static const struct str rerank[] = {STR("rerankingConfiguration"), STR("bedrockRerankingConfiguration"),
	                                    STR("modelConfiguration"), STR("modelArn")};
	struct json params = t->f[F_requestParameters], deep = params;
	struct json called = json_present(json_get(params, STR("modelId")), json_get(params, STR("model")));
	for (size_t i = 0; json_missing(called) && i < sizeof rerank / sizeof *rerank; i++)
		deep = json_get(deep, rerank[i]);
	return json_missing(called) ? deep : called;
}

// Reads the model key. A failed call without a model does not concern this program.
static enum verdict read_model_key(struct arena *a, struct call *c, struct err *err)
{
	struct str named = c->model_called.len ? c->model_called : c->foundation;
	if (!named.len && c->failed)
		return NOT_OURS;
	if (!named.len) {
		err_set(err, ERR_SKIP, "neither requestParameters nor resources[] names a model");
		return BROKEN;
	}
	bool good = c->mantle ? model_key_mantle(a, named, &c->model, err) : model_key(named, &c->model, err);
	return good ? OURS : BROKEN;
}

static enum verdict read_completion(const struct top_fields *t, struct arena *a, enum operation operation,
                                    struct record *r, struct err *err)
{
	struct call *c = &r->call;
	struct json details = t->f[F_serviceEventDetails], parent = json_get(details, STR("parentRequestId"));
	struct json data = json_present(json_get(details, STR("AdditionalEventData")),
	                                json_get(details, STR("additionalEventData")));
	if (operation == OPERATION_AGENT || (json_missing(parent) && operation != OPERATION_INFERENCE))
		return NOT_OURS; // the state of a job
	r->kind = RECORD_CALL_TOKENS;
	c->source = SOURCE_COMPLETION;
	c->time_is_end = true;
	c->streaming = true;
	if (!read_common(t, a, c, err) ||
	    !field_str(parent, "serviceEventDetails.parentRequestId", &c->request_id, err) ||
	    !read_tokens(data, c, err) ||
	    !read_tokens(json_present(t->f[F_additionalEventData], t->f[F_AdditionalEventData]), c, err) ||
	    !find_in_resources(t->f[F_resources], model_of_arn, &c->foundation, err) ||
	    !field_opt_str(called_of(t), "requestParameters.modelId", &c->model_called, err))
		return BROKEN;
	if (c->known[TOKENS_INPUT] || c->known[TOKENS_OUTPUT])
		c->failed = false;
	c->tier_known = tier_of_object(json_present(json_get(data, STR("additionalEntries")), data), &c->tier);
	return read_model_key(a, c, err);
}

// The only model that resources[] names, by its profile if that is there too. STR_NONE if there are several:
// those among which a router chose.
static struct str only_model(struct json resources)
{
	struct json item;
	struct str found = STR_NONE, arn;
	struct model_id id, other;
	for (struct json_iter it = json_begin(resources); json_next(&it, NULL, &item);) {
		if (!json_str(json_present(json_get(item, STR("ARN")), json_get(item, STR("arn"))), &arn) ||
		    !str_starts(arn, STR("arn:")) || !model_served(arn).len)
			continue;
		model_id_read(&id, found);
		model_id_read(&other, arn);
		if (found.len && !str_eq(model_id_name(&id), model_id_name(&other)))
			return STR_NONE;
		if (!found.len || !model_of_arn(arn).len)
			found = arn;
	}
	return found;
}

// The profile that was called, of a record whose parameters CloudTrail left out. A foundation model says
// less.
static struct str profile_of_resources(struct json resources)
{
	struct str found = only_model(resources);
	return model_of_arn(found).len ? STR_NONE : found;
}

// A prompt or a prompt router was called: looks for the model that served.
static bool read_served(const struct top_fields *t, struct call *c, struct err *err)
{
	struct json data = json_present(t->f[F_additionalEventData], t->f[F_AdditionalEventData]);
	struct str invoked;
	if (!model_is_indirect(c->model_called))
		return true;
	if (!field_opt_str(json_get(data, STR("invokedModelId")), "additionalEventData.invokedModelId", &invoked,
	                   err))
		return false;
	c->served = model_served(invoked).len ? SERVED_CALLED : SERVED_RESOURCES;
	if (c->served == SERVED_RESOURCES)
		invoked = only_model(t->f[F_resources]);
	if (invoked.len)
		c->model_called = invoked;
	else
		c->served = SERVED_UNKNOWN;
	c->foundation = STR_NONE;
	return true;
}

// The limit that the request set to its output, by its name in each API: Messages and Chat Completions,
// Responses, Converse. What is no count is passed over.
static void read_output_limit(const struct top_fields *t, struct call *c)
{
	static const struct str names[] = {STR("max_tokens"), STR("max_output_tokens"),
	                                   STR("max_completion_tokens"), STR("maxTokens")};
	struct json params = t->f[F_requestParameters], config = json_get(params, STR("inferenceConfig"));
	struct json limit = json_get(config, STR("maxTokens"));
	struct err ignored = ERR_INIT;
	for (size_t i = 0; json_missing(limit) && i < sizeof names / sizeof *names; i++)
		limit = json_get(params, names[i]);
	if (!c->failed && !field_tokens(limit, "", &c->known[TOKENS_OUTPUT_MAX], &c->tokens[TOKENS_OUTPUT_MAX],
	                                &ignored))
		c->known[TOKENS_OUTPUT_MAX] = false;
}

static void read_timing(const struct top_fields *t, struct str name, struct call *c)
{
	bool known;
	operation_streams(t, name, &c->streaming, &known);
	c->time_is_end = known && !c->streaming;
}

// The agent or flow that an ARN names, without the execution of a flow; or STR_NONE.
static struct str agent_of_arn(struct str arn)
{
	struct model_id id;
	model_id_read(&id, arn);
	const char *execution = arn.len ? memmem(arn.p, arn.len, "/execution/", 11) : NULL;
	if (execution)
		arn.len = (size_t)(execution - arn.p);
	return id.kind == MODEL_AGENT ? arn : STR_NONE;
}

// The ARN of an agent or a flow from the parameters of the call, which have ids, or ARNs already.
static struct str agent_of_params(struct arena *a, struct json params, const struct call *c)
{
	struct str agent = STR_NONE, alias = STR_NONE, rest = c->caller.arn;
	const char *type = "agent-alias", *between = "";
	json_str(json_get(params, STR("agentId")), &agent);
	json_str(json_get(params, STR("agentAliasId")), &alias);
	if (!agent.len && json_str(json_get(params, STR("flowIdentifier")), &agent)) {
		json_str(json_get(params, STR("flowAliasIdentifier")), &alias);
		type = "flow";
		between = "alias/";
	}
	if (agent_of_arn(alias).len)
		return alias;
	str_cut(&rest, ':');
	struct str partition = str_cut(&rest, ':');
	if (!agent.len || !alias.len)
		return arena_text(a, "arn:%.*s:bedrock:%.*s:%.*s:inline-agent/inline", STR_ARG(partition),
		                  STR_ARG(c->region), STR_ARG(c->account));
	agent = str_after_last(agent, '/');
	return arena_text(a, "arn:%.*s:bedrock:%.*s:%.*s:%s/%.*s/%s%.*s", STR_ARG(partition), STR_ARG(c->region),
	                  STR_ARG(c->account), type, STR_ARG(agent), between, STR_ARG(alias));
}

// A call of an agent or a flow: who called it, and no tokens. Its calls of models have records of their own.
static enum verdict read_agent(const struct top_fields *t, struct arena *a, struct record *r, struct err *err)
{
	struct call *c = &r->call;
	struct str arn;
	if (!read_common(t, a, c, err) || !read_source(t, r, err) ||
	    !find_in_resources(t->f[F_resources], agent_of_arn, &arn, err))
		return BROKEN;
	if (c->failed)
		return NOT_OURS;
	c->model_called = arn.len ? arn : agent_of_params(a, t->f[F_requestParameters], c);
	return read_model_key(a, c, err);
}

// A call by a record of its own, of either endpoint.
static enum verdict read_call(const struct top_fields *t, struct arena *a, struct record *r, struct err *err)
{
	struct call *c = &r->call;
	struct str name, type;
	if (!field_str(t->f[F_eventName], "eventName", &name, err) ||
	    !field_opt_str(t->f[F_eventType], "eventType", &type, err))
		return BROKEN;
	enum operation operation = operation_of(t, name);
	struct json called = called_of(t);
	if (operation == OPERATION_OTHER)
		return NOT_OURS;
	if (str_is(type, "AwsServiceEvent"))
		return read_completion(t, a, operation, r, err);
	if (operation == OPERATION_AGENT)
		return read_agent(t, a, r, err);
	if (operation != OPERATION_INFERENCE && json_type(called) != JSON_STRING)
		return NOT_OURS;
	if (!field_opt_str(called, "requestParameters.modelId", &c->model_called, err) ||
	    !read_common(t, a, c, err) || !read_source(t, r, err) ||
	    !find_in_resources(t->f[F_resources], model_of_arn, &c->foundation, err) ||
	    !find_in_resources(t->f[F_resources], project_of_arn, &c->caller.project, err))
		return BROKEN;
	if (!c->failed &&
	    !read_tokens(json_present(t->f[F_additionalEventData], t->f[F_AdditionalEventData]), c, err))
		return BROKEN;
	read_tier(t, c);
	read_timing(t, name, c);
	read_output_limit(t, c);
	if (!read_served(t, c, err))
		return BROKEN;
	if (!c->model_called.len)
		c->model_called = profile_of_resources(t->f[F_resources]);
	if (!c->foundation.len)
		c->foundation = model_of_arn(c->model_called);
	return read_model_key(a, c, err);
}

enum verdict cloudtrail_call(const struct top_fields *t, struct arena *a, struct record *r, struct err *err)
{
	r->call = (struct call){.mantle = false};
	return read_call(t, a, r, err);
}

enum verdict cloudtrail_mantle(const struct top_fields *t, struct arena *a, struct record *r, struct err *err)
{
	r->call = (struct call){.mantle = true};
	return read_call(t, a, r, err);
}
