// SPDX-License-Identifier: Apache-2.0
#include "ingest/operation.h"

static const char *const inference[] = {
	"Converse",  "ConverseStream",  "InvokeModel", "InvokeModelWithResponseStream",
	"Responses", "ChatCompletions", "Messages",    "InvokeModelWithBidirectionalStream",
	"CreateInference" /* bedrock-mantle */,        "StartAsyncInvoke",
};

// Operations of agents and flows. The models that these call have records of their own, under the role of the
// agent.
static const char *const agents[] = {"InvokeAgent", "InvokeInlineAgent", "InvokeFlow", "StartFlowExecution"};

// The first words of operations that read, or that manage something, and of those that are billed otherwise:
// guardrails by the text unit, data automation by the page.
static const char *const administration[] = {
	"Accept", "Add", "Apply", "Archive", "Associate", "Attach", "Authorize", "Cancel",
	"Check", "Copy", "Count", "Delete", "Deregister", "Describe", "Detach", "Disable",
	"Disassociate", "Enable", "End", "Enroll", "Estimate", "Export", "Get", "Grant", "Import",
	"Ingest", "List", "Migrate", "Optimize", "Pause", "Prepare", "Publish", "Purge", "Put",
	"Register", "Reject", "Render", "Request", "Reset", "Restore", "Resume", "Retry", "Revoke",
	"Rotate", "Save", "Search", "Set", "Share", "Stop", "Submit", "Subscribe", "Synchronize", "Tag",
	"Unsubscribe", "Untag", "Update", "Upload", "Validate", "InvokeBlueprint", "InvokeDataAutomation",
	"InvokeGuardrail",
};

static const char *const makers[] = {"Create", "Start"};

static bool is_one_of(struct str name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(name, list[i]))
			return true;
	return false;
}

// Whether the name begins with one of these words: "Get" is the first word of "GetModel", not of "Getaway".
static bool begins_with(struct str name, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct str word = str_of(words[i]);
		if (!str_starts(name, word))
			continue;
		char next = name.len > word.len ? name.p[word.len] : 'A';
		if (next < 'a' || next > 'z')
			return true;
	}
	return false;
}

static bool contains(struct str s, const char *part)
{
	return s.len && memmem(s.p, s.len, part, strlen(part));
}

// The host that the client called: "bedrock-runtime.us-east-1.amazonaws.com",
// "vpce-1a2b.bedrock-runtime.us-east-1.vpce.amazonaws.com".
static struct str host_of(const struct top_fields *t)
{
	struct str host = STR_NONE;
	json_str(json_get(json_get(t->whole, STR("tlsDetails")), STR("clientProvidedHostHeader")), &host);
	return host;
}

static bool is_host_of_runtime(struct str host)
{
	return contains(host, "bedrock-runtime") || contains(host, "bedrock-mantle");
}

static bool is_host_of_control(struct str host)
{
	return !is_host_of_runtime(host) && (contains(host, "bedrock.") || contains(host, "bedrock-fips."));
}

bool operation_is_data_event(const struct top_fields *t)
{
	struct str category = STR_NONE;
	bool management = true;
	json_str(t->f[F_eventCategory], &category);
	json_bool(t->f[F_managementEvent], &management);
	return category.len ? str_is(category, "Data") : !management;
}

static bool makes_no_resource(const struct top_fields *t, struct str name, struct str host)
{
	bool read_only = false;
	json_bool(json_get(t->whole, STR("readOnly")), &read_only);
	return read_only || is_host_of_runtime(host) ||
	       (operation_is_data_event(t) && !str_ends(name, STR("Job")));
}

enum operation operation_of(const struct top_fields *t, struct str name)
{
	if (is_one_of(name, inference, sizeof inference / sizeof *inference))
		return OPERATION_INFERENCE;
	if (is_one_of(name, agents, sizeof agents / sizeof *agents))
		return OPERATION_AGENT;
	if (str_starts(name, STR("Batch"))) // BatchDeleteEvaluationJob
		name = (struct str){name.p + 5, name.len - 5};
	if (begins_with(name, administration, sizeof administration / sizeof *administration) ||
	    str_ends(name, STR("CountTokens")))
		return OPERATION_OTHER;
	struct str host = host_of(t);
	if (begins_with(name, makers, sizeof makers / sizeof *makers))
		return makes_no_resource(t, name, host) ? OPERATION_UNKNOWN : OPERATION_OTHER;
	return is_host_of_control(host) ? OPERATION_OTHER : OPERATION_UNKNOWN;
}

void operation_streams(const struct top_fields *t, struct str name, bool *ret_streams, bool *ret_known)
{
	*ret_known = true;
	if (contains(name, "Stream")) {
		*ret_streams = true;
		return;
	}
	*ret_streams = false;
	if (json_bool(json_get(t->f[F_requestParameters], STR("stream")), ret_streams))
		return;
	*ret_known = str_is(name, "Converse") || str_is(name, "InvokeModel") || str_is(name, "CreateInference");
}

bool operation_is_network_activity(const struct top_fields *t)
{
	struct str type = STR_NONE, category = STR_NONE;
	json_str(t->f[F_eventType], &type);
	json_str(t->f[F_eventCategory], &category);
	return str_is(type, "AwsVpceEvent") || str_is(category, "NetworkActivity");
}
