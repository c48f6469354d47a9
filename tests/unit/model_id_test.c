// SPDX-License-Identifier: Apache-2.0
// Model keys: the same for every form in which an id comes, and never one that reads as a foundation model
// unless it is one.
#include "pricing/model_id.h"
#include "tests/tap.h"

#define ACCOUNT "arn:aws:bedrock:us-east-1:111122223333:"

static void key_is(const char *called, const char *key, enum model_id_kind kind)
{
	struct model_id id, of_key;
	struct str got = model_id_key(str_of(called));
	model_id_read(&id, str_of(called));
	model_id_read(&of_key, got);
	if (!ok(str_is(got, key), "the key of %s", called))
		diag("got %.*s, want %s", STR_ARG(got), key);
	ok(str_is(model_id_key(got), key), "the key of that key is itself");
	ok(id.kind == kind && (of_key.kind == kind || of_key.kind == MODEL_OPAQUE) &&
	       (of_key.kind == MODEL_NAMED) == (kind == MODEL_NAMED),
	   "and it reads as what it is, or as nothing that is known");
}

int main(void)
{
	key_is("anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6", MODEL_NAMED);
	key_is("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0",
	       MODEL_NAMED);
	key_is(ACCOUNT "inference-profile/us.anthropic.claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6",
	       MODEL_NAMED);
	key_is(ACCOUNT "application-inference-profile/k3v9q2m7x1tz", "k3v9q2m7x1tz", MODEL_APPLICATION);
	// the patterns of modelId in "Converse", Amazon Bedrock API Reference
	key_is(ACCOUNT "provisioned-model/abc123def456", "abc123def456", MODEL_PROVISIONED);
	key_is(ACCOUNT "custom-model/amazon.titan-text-express-v1:0:8k/abc123def456", "abc123def456",
	       MODEL_CUSTOM);
	key_is(ACCOUNT "custom-model/anthropic.claude-3-haiku-20240307-v1:0",
	       "custom-model/anthropic.claude-3-haiku-20240307-v1:0", MODEL_CUSTOM);
	key_is(ACCOUNT "custom-model-deployment/abc123def456", "abc123def456", MODEL_CUSTOM);
	key_is(ACCOUNT "imported-model/abc123def456", "abc123def456", MODEL_CUSTOM);
	key_is(ACCOUNT "prompt/ABCDEFGHIJ:3", "ABCDEFGHIJ:3", MODEL_INDIRECT);
	key_is(ACCOUNT "prompt-router/5dxhl8ohlf4s", "5dxhl8ohlf4s", MODEL_INDIRECT);
	key_is(ACCOUNT "prompt-router/anthropic.claude-3-haiku-20240307-v1:0",
	       "prompt-router/anthropic.claude-3-haiku-20240307-v1:0", MODEL_INDIRECT);
	key_is(ACCOUNT "default-prompt-router/anthropic.claude:1", "default-prompt-router/anthropic.claude:1",
	       MODEL_INDIRECT);
	key_is(ACCOUNT "default-prompt-router/meta.llama:1", "default-prompt-router/meta.llama:1",
	       MODEL_INDIRECT);
	key_is("arn:aws:sagemaker:us-east-1:111122223333:endpoint/claude-sonnet-4-6",
	       "endpoint/claude-sonnet-4-6", MODEL_ENDPOINT);
	key_is(ACCOUNT "agent-alias/AGENT12345/TSTALIASID", "agent-alias/AGENT12345/TSTALIASID", MODEL_AGENT);
	key_is(ACCOUNT "flow/FLOW123456/alias/ALIAS12345", "flow/FLOW123456/alias/ALIAS12345", MODEL_AGENT);
	// types that AWS may add
	key_is(ACCOUNT "tuned-model/amazon.nova-pro-v1:0", "tuned-model/amazon.nova-pro-v1:0", MODEL_OPAQUE);
	key_is(ACCOUNT "tuned-model/abc123def456", "abc123def456", MODEL_OPAQUE);
	// no ids of AWS
	key_is("tuned-model/amazon.nova-pro-v1:0", "tuned-model/amazon.nova-pro-v1:0", MODEL_OPAQUE);
	key_is("bedrock-mantle/openai.gpt-oss-120b", "bedrock-mantle/openai.gpt-oss-120b", MODEL_NAMED);
	key_is("arn:drock:us-:ea3333st-2::arn:drock:us-:ea/amazon.nova-pro-v0:0", "", MODEL_OPAQUE);
	key_is(ACCOUNT ACCOUNT "tuned-model/amazon.nova-pro-v1:0", "tuned-model/amazon.nova-pro-v1:0",
	       MODEL_OPAQUE);
	key_is(ACCOUNT "prompt/" ACCOUNT "5", "prompt/" ACCOUNT "5", MODEL_INDIRECT);
	ok(model_id_key(STR(ACCOUNT "prompt-router/")).len == 0 && model_id_key(STR_NONE).len == 0,
	   "what names nothing has no key");
	return done();
}
