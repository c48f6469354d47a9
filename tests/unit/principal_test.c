// SPDX-License-Identifier: Apache-2.0
// Names of callers: a table of what is recorded and what the bill shows, then random ARNs and identities,
// whose canonical form must never have a path, be its own canonical form, and keep account, kind and name.
// The seed is printed: principal_test SEED.
#include "ingest/principal.h"

#include <time.h>

#include "base/buf.h"
#include "tests/tap.h"

static struct arena arena;

static void expect(const char *recorded, const char *want)
{
	struct str got = principal_canonical(&arena, str_of(recorded));
	if (!ok(str_is(got, want), "%s", recorded))
		diag("got  \"%.*s\"\n# want \"%s\"", STR_ARG(got), want);
}

static void test_table(void)
{
	expect("arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:user/ann");
	expect("arn:aws:iam::111122223333:user/eng/ml/ann", "arn:aws:iam::111122223333:user/ann");
	expect("arn:aws-cn:iam::111122223333:user/eng/ann", "arn:aws-cn:iam::111122223333:user/ann");
	expect("arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:role/app");
	expect("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Dev_0",
	       "arn:aws:iam::111122223333:role/AWSReservedSSO_Dev_0");
	expect("arn:aws:sts::111122223333:assumed-role/app/ann@example.com",
	       "arn:aws:sts::111122223333:assumed-role/app/ann@example.com");
	expect("arn:aws:sts::111122223333:assumed-role/team/app/ann",
	       "arn:aws:sts::111122223333:assumed-role/app/ann");
	expect("arn:aws:sts::111122223333:federated-user/eve", "arn:aws:sts::111122223333:federated-user/eve");
	expect("arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:root");
	expect("arn:aws:iam::111122223333:service/lambda.amazonaws.com",
	       "arn:aws:iam::111122223333:service/lambda.amazonaws.com");
	expect("arn:aws:iam::111122223333:user/eng/ann/", "arn:aws:iam::111122223333:user/ann");
	expect("arn:aws:iam::111122223333:user/", "arn:aws:iam::111122223333:user/");
	expect("user/eng/ann", "user/eng/ann");
	expect("", "");
}

static uint64_t state;

static uint32_t below(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

static const char *pick(const char *const *words, uint32_t n)
{
	return words[below(n)];
}

// Pieces of ARNs in any order, most often the right one, and noise.
static void random_arn(struct buf *b)
{
	static const char *const kinds[] = {
		"user", "role", "assumed-role", "federated-user", "root", "service", "user\n", "User", ""};
	static const char *const names[] = {"ann",
	                                    "a",
	                                    "i-0abc",
	                                    "x@y.z",
	                                    "user",
	                                    "role",
	                                    "assumed-role",
	                                    "\xc3\xa9",
	                                    "a b",
	                                    ":",
	                                    "..",
	                                    "",
	                                    "AWSReservedSSO_X_0"};
	buf_clear(b);
	buf_adds(b, below(10) ? "arn:aws:" : pick(kinds, 9));
	buf_adds(b, below(2) ? "iam" : "sts");
	buf_adds(b, below(20) ? "::" : ":");
	buf_adds(b, below(10) ? "111122223333" : pick(names, 13));
	buf_adds(b, below(20) ? ":" : "/");
	buf_adds(b, pick(kinds, 9));
	for (uint32_t n = below(6); n > 0; n--) {
		buf_addc(b, '/');
		if (below(20))
			buf_adds(b, pick(names, 13));
		else
			buf_addc(b, (char)below(256));
	}
}

static struct str kind_of(struct str arn, struct str *ret_path)
{
	for (int i = 0; i < 5; i++)
		str_cut(&arn, ':');
	struct str kind = str_cut(&arn, '/');
	*ret_path = arn;
	return kind;
}

static int slashes(struct str s)
{
	int n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == '/';
	return n;
}

static bool is_only_slashes(struct str s)
{
	return slashes(s) == (int)s.len;
}

// What must hold of every ARN, however odd.
static const char *fault_of(struct str arn)
{
	struct str once = principal_canonical(&arena, arn), twice = principal_canonical(&arena, once), path, was;
	struct str kind = kind_of(once, &path);
	if (!str_eq(once, twice))
		return "its canonical form has another";
	if (!str_eq(kind, kind_of(arn, &was)))
		return "it changes the kind";
	if (!kind.len)
		return str_eq(once, arn) ? NULL : "it changes what is no ARN";
	if (memcmp(once.p, arn.p, (size_t)(kind.p - once.p)) != 0)
		return "it changes what stands before";
	if (is_only_slashes(was))
		return str_eq(once, arn) ? NULL : "it changes what has no name";
	if ((str_is(kind, "user") || str_is(kind, "role")) && slashes(path) > 0)
		return "it has a path";
	if (str_is(kind, "assumed-role") && slashes(path) > 1)
		return "it has a path";
	return NULL;
}

static void test_random(uint64_t seed)
{
	struct buf b = BUF_INIT;
	const char *fault = NULL;
	int i = 0;
	state = seed;
	for (; i < 200000 && !fault; i++) {
		random_arn(&b);
		fault = fault_of(buf_str(&b));
		if (i % 1000 == 0)
			arena_reset(&arena);
	}
	if (!ok(!fault, "%d random ARNs (seed %llu)", i, (unsigned long long)seed))
		diag("%s: %s", b.data, fault);
	buf_release(&b);
}

// ---- identities ---------------------------------------------------------------------------------

static void add_member(struct buf *b, const char *name, const char *const *values, uint32_t n)
{
	if (below(3))
		buf_addf(b, "%s\"%s\":%s", b->len > 1 && b->data[b->len - 1] != '{' ? "," : "", name,
		         pick(values, n));
}

static void random_identity(struct buf *b)
{
	static const char *const types[] = {"\"AWSService\"",         "\"AWSAccount\"", "\"Root\"", "\"Unknown\"",
	                                    "\"IdentityCenterUser\"", "\"\"",           "7",        "null"};
	static const char *const texts[] = {"\"AWS Internal\"",
	                                    "\"lambda.amazonaws.com\"",
	                                    "\"a\\u0000b\"",
	                                    "\"\\t\"",
	                                    "\"AROA:x y\"",
	                                    "\"\xf0\x9f\x98\x80\"",
	                                    "\"\"",
	                                    "[]",
	                                    "null"};
	static const char *const accounts[] = {"\"111122223333\"", "\"444455556666\"", "\"4444 5555\"", "\"\"",
	                                       "null"};
	buf_clear(b);
	buf_addc(b, '{');
	add_member(b, "type", types, 8);
	add_member(b, "invokedBy", texts, 9);
	add_member(b, "principalId", texts, 9);
	add_member(b, "accountId", accounts, 5);
	if (!below(4)) {
		buf_addf(b, "%s\"onBehalfOf\":{", b->len > 1 ? "," : "");
		add_member(b, "userId", texts, 9);
		buf_addc(b, '}');
	}
	buf_addc(b, '}');
}

// A name is made for it, or it is refused with a reason; the name has no blanks and is canonical.
static const char *fault_of_identity(struct json_parser *parser, struct str text, int *ret_named)
{
	struct err err = ERR_INIT;
	struct json id;
	struct caller c;
	const char *why;
	if (!json_parse(parser, text, &id, &why))
		return why;
	if (!principal_from_identity(&arena, id, STR("111122223333"), STR("us-east-1"), &c, &err))
		return err.kind == ERR_SKIP && err.msg[0] ? NULL : "refused without a reason";
	++*ret_named;
	for (size_t i = 0; i < c.arn.len; i++)
		if ((unsigned char)c.arn.p[i] <= ' ' || c.arn.p[i] == 0x7f)
			return "a blank in its name";
	return !c.arn.len                                          ? "no name"
	       : str_eq(principal_canonical(&arena, c.arn), c.arn) ? NULL
	                                                           : "its name is not canonical";
}

static void test_identities(uint64_t seed)
{
	struct json_parser *parser = json_parser_new();
	struct buf b = BUF_INIT;
	const char *fault = NULL;
	int i = 0, named = 0;
	state = seed;
	for (; i < 50000 && !fault; i++) {
		random_identity(&b);
		fault = fault_of_identity(parser, buf_str(&b), &named);
		if (i % 1000 == 0)
			arena_reset(&arena);
	}
	if (!ok(!fault && named > 5000, "%d random identities, %d with a name (seed %llu)", i, named,
	        (unsigned long long)seed))
		diag("%s: %s", b.data, fault ? fault : "too few");
	buf_release(&b);
	json_parser_free(parser);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
	test_table();
	test_random(seed);
	test_identities(seed + 1);
	arena_release(&arena);
	return done();
}
