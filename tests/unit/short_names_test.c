// SPDX-License-Identifier: Apache-2.0
// Short names are those of people, and two names are never shown alike.
#include "query/short_names.h"
#include "tests/tap.h"

#define SSO "AWSReservedSSO_Developer_0f1e2d3c4b5a6978"
#define STS "arn:aws:sts::111122223333:assumed-role/"
#define IAM "arn:aws:iam::111122223333:"
#define MAX 8

static void shows(const char *name, const char *want)
{
	struct arena arena = ARENA_INIT;
	struct str got = short_name(&arena, str_of(name));
	ok(str_is(got, want), "%s: %s, got %.*s", name, want, STR_ARG(got));
	arena_release(&arena);
}

static void lists(const char *what, const char *const *names, const char *const *want)
{
	struct arena arena = ARENA_INIT;
	struct str list[MAX];
	size_t n = 0;
	for (; names[n]; n++)
		list[n] = str_of(names[n]);
	short_names(&arena, list, n);
	for (size_t i = 0; i < n; i++)
		ok(str_is(list[i], want[i]), "%s: %s, got %.*s", what, want[i], STR_ARG(list[i]));
	arena_release(&arena);
}

int main(void)
{
	shows(STS "app-backend/i-0a1b2c", "app-backend/i-0a1b2c");
	shows(STS SSO "/bob@example.com", "Developer/bob@example.com");
	shows(STS "AWSReservedSSO_Two_Words_0f1e2d3c4b5a6978/x", "Two_Words/x");
	shows(STS "AWSReservedSSO_Developer_short/x", "AWSReservedSSO_Developer_short/x");
	shows(STS "AWSReservedSSO__0f1e2d3c4b5a6978/x", "AWSReservedSSO__0f1e2d3c4b5a6978/x");
	shows(STS "app", "app");
	shows(IAM "role/service-role/indexer", "indexer");
	shows(IAM "role/aws-reserved/sso.amazonaws.com/" SSO, "Developer");
	shows(IAM "user/build/ci", "ci");
	shows(IAM "root", "root");
	shows("arn:aws-us-gov:sts::111122223333:federated-user/eve", "eve");
	shows("arn:", "arn:");
	shows("global.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5 (global)");
	shows("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-v2");
	shows("deepseek.r1-v1:0", "deepseek.r1");
	shows("bedrock-mantle/openai.gpt-oss-120b", "openai.gpt-oss-120b (mantle)");
	shows("k3v9q2m7x1tz", "k3v9q2m7x1tz");
	shows("(other models)", "(other models)");
	shows("payments", "payments");
	shows("", "");

	lists("callers of two accounts",
	      (const char *const[]){STS "app/i-1", "arn:aws:sts::444455556666:assumed-role/app/i-1",
	                            STS "app/i-2", NULL},
	      (const char *const[]){"app/i-1 111122223333", "app/i-1 444455556666", "app/i-2"});
	lists("a user and a federated user of one name",
	      (const char *const[]){IAM "user/eve", "arn:aws:sts::111122223333:federated-user/eve", NULL},
	      (const char *const[]){IAM "user/eve", "arn:aws:sts::111122223333:federated-user/eve"});
	lists("versions of one model",
	      (const char *const[]){"anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku",
	                            "amazon.nova-pro-v1:0", NULL},
	      (const char *const[]){"anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku",
	                            "nova-pro"});
	lists("the same name more than once",
	      (const char *const[]){STS "app/i-1", STS "app/i-1",
	                            "arn:aws:sts::444455556666:assumed-role/app/i-1", STS "app/i-1", NULL},
	      (const char *const[]){"app/i-1 111122223333", "app/i-1 111122223333", "app/i-1 444455556666",
	                            "app/i-1 111122223333"});
	lists("a name that is another's short one", (const char *const[]){IAM "user/eve", "eve", NULL},
	      (const char *const[]){"eve 111122223333", "eve"});
	return done();
}
