// SPDX-License-Identifier: Apache-2.0
// Reads a model id: which model it names, if any, and at which scope that is priced. Ids are those of the
// Bedrock runtime API (`modelId` of Converse, in the Amazon Bedrock API Reference).
//
//     arn:aws:bedrock:us-east-1::foundation-model/  us.   anthropic.claude-3-5-sonnet  -20241022  -v2  :0
//     bedrock-mantle/                               |     |                            |          |    |
//     `-- where it was called (cut off)             scope name ----------------------- date       version
//
// The name is the key of the price catalogue: without date, and without version 0 or 1. Later versions are
// kept ("anthropic.claude-3-5-sonnet-v2"): they are priced as models of their own.
//
// A profile is a short geography before the vendor ("us.", "in.", "us-gov."). AWS adds geographies: before a
// vendor that is known, one that is not known is a profile too, regional like every one but "global.".
#ifndef NOWCAST_PRICING_MODEL_ID_H
#define NOWCAST_PRICING_MODEL_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum price_scope {
	SCOPE_GLOBAL,   // a global. profile: the call may run in any Region
	// a plain id, or a profile of one geography (us., eu., ...): the rate of the source Region
	SCOPE_REGIONAL,
	PRICE_SCOPES
};

enum model_id_kind {
	MODEL_NAMED,       // `name` is a foundation model
	MODEL_APPLICATION, // an application inference profile, known by its ARN
	MODEL_OPAQUE,      // an id that names no model, such as the last segment of such a profile
	MODEL_PROVISIONED, // provisioned throughput: billed by the hour
	MODEL_CUSTOM,      // custom or imported model: not the foundation model's rate
	MODEL_INDIRECT,    // prompt or prompt router, which chooses the model
	MODEL_ENDPOINT,    // a SageMaker endpoint: not billed by Bedrock
	MODEL_AGENT,       // an agent or a flow, which calls models under a role of its own
	MODEL_OTHERS,      // not an id: the sum of models beyond models.max
};

// The sum of models beyond models.max, as users read it, and as Redis has it, where names have no blanks.
#define MODEL_OTHERS_SHOWN "(other models)"
#define MODEL_OTHERS_STORED "*"

// What model keys of calls of bedrock-mantle begin with.
#define MODEL_MANTLE "bedrock-mantle/"

enum { MODEL_NAME_MAX = 128 }; // the longest id known has 50 bytes
enum { MODEL_PROFILE_MAX = 10 }; // "us-gov" has 6

struct model_id {
	enum model_id_kind kind;
	enum price_scope scope;
	bool mantle;
	uint8_t profile_len;             // 0: a plain id
	char profile[MODEL_PROFILE_MAX]; // "global", "us", "in", ...; not NUL-terminated
	// of name; an id that is too long is MODEL_OPAQUE with an empty name
	size_t len;
	// not NUL-terminated; for all kinds but MODEL_NAMED the last segment, unchanged
	char name[MODEL_NAME_MAX];
};

// Reads any text: no id is wrong, but it may name no model.
void model_id_read(struct model_id *ret, struct str id);

// The model key of what was called, an id or an ARN: its calls, metrics and figures are kept under it. It is
// the last segment, which is all that metrics have of an ARN. The type stays in front where the last segment
// alone would read as a foundation model and the ARN's type says that it is none, and of agents and flows, of
// which many have an alias of the same id:
//
//     arn:...::foundation-model/amazon.nova-pro-v1:0                amazon.nova-pro-v1:0
//     arn:...:inference-profile/us.anthropic.claude-sonnet-4-6      us.anthropic.claude-sonnet-4-6
//     arn:...:application-inference-profile/k3v9q2m7x1tz            k3v9q2m7x1tz
//     arn:...:default-prompt-router/anthropic.claude:1              default-prompt-router/anthropic.claude:1
//     arn:...:agent-alias/AGENT12345/TSTALIASID                     agent-alias/AGENT12345/TSTALIASID
//
// The key of a key is the key itself. Empty: what was called names nothing.
struct str model_id_key(struct str called);

static inline struct str model_id_name(const struct model_id *m)
{
	return (struct str){m->name, m->len};
}

static inline struct str model_id_profile(const struct model_id *m)
{
	return (struct str){m->profile, m->profile_len};
}

// Takes the geography and its dot off an id that has one: "in.anthropic.claude-haiku-4-5" leaves
// "anthropic.claude-haiku-4-5" and returns "in". STR_NONE: it has none.
struct str model_id_cut_profile(struct str *id);

#endif
