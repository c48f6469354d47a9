// SPDX-License-Identifier: Apache-2.0
// Which names of an ARN, a tag, a record are hashed, and which are left as they are. The hash of one name is
// that which the openssl program makes of it (tests/e2e/names.sh holds them against each other).
#include "ingest/pseudonym.h"

#include <unistd.h>

#include "tests/tap.h"

static struct arena arena;

static struct pseudonyms *open_with(const char *words, const char *key_path)
{
	struct conf conf;
	struct conf_origin here = {0};
	struct err err = ERR_INIT;
	struct pseudonyms *p = NULL;
	conf_init(&conf);
	if (!conf_set(&conf, STR("names.hash"), str_of(words), here, &err) ||
	    !conf_set(&conf, STR("names.hash.key"), str_of(key_path), here, &err) ||
	    !pseudonyms_open(&p, &conf, &err))
		diag("%s", err.msg);
	conf_release(&conf);
	return p;
}

// `want`: NULL for the same.
static void is_arn(struct pseudonyms *p, const char *arn, const char *want)
{
	struct str got = pseudonym_arn(p, &arena, str_of(arn));
	if (!ok(str_is(got, want ? want : arn), "%s", arn))
		diag("got  %.*s\n# want %s", STR_ARG(got), want ? want : arn);
}

// With the key "0123456789abcdef0123456789abcdef"; printf ann | openssl dgst -sha256 -hmac KEY
#define ANN "h_07db5b4bba5fef53c763"

static void test_arns(const char *key)
{
	struct pseudonyms *p = open_with("sessions", key), *users = open_with("users", key);
	is_arn(p, "arn:aws:sts::111122223333:assumed-role/app/ann",
	       "arn:aws:sts::111122223333:assumed-role/app/" ANN);
	is_arn(p, "arn:aws-cn:sts::111122223333:assumed-role/app/ann",
	       "arn:aws-cn:sts::111122223333:assumed-role/app/" ANN);
	is_arn(p, "arn:aws:sts::111122223333:federated-user/ann",
	       "arn:aws:sts::111122223333:federated-user/" ANN);
	is_arn(p, "arn:aws:iam::111122223333:unknown/AROAAPP:ann",
	       "arn:aws:iam::111122223333:unknown/AROAAPP:" ANN);
	is_arn(p, "arn:aws:iam::111122223333:unknown/AROAAPP", NULL);
	is_arn(p, "arn:aws:iam::111122223333:user/ann", NULL);
	is_arn(p, "arn:aws:iam::111122223333:role/ann", NULL);
	is_arn(p, "arn:aws:iam::111122223333:service/ann", NULL);
	is_arn(p, "arn:aws:iam::111122223333:root", NULL);
	is_arn(p, "arn:aws:identitystore:::user/ann", NULL);
	is_arn(p, "arn:aws:sts::111122223333:assumed-role/app", NULL);
	is_arn(p, "arn:aws:sts::111122223333:assumed-role/app/", NULL);
	is_arn(p, "ann", NULL);
	is_arn(p, "", NULL);
	is_arn(NULL, "arn:aws:sts::111122223333:assumed-role/app/ann", NULL);
	is_arn(users, "arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:user/" ANN);
	is_arn(users, "arn:aws:iam::111122223333:user/eng/ann", "arn:aws:iam::111122223333:user/eng/" ANN);
	is_arn(users, "arn:aws:sts::111122223333:assumed-role/app/ann", NULL);
	is_arn(users, "arn:aws:identitystore:::user/ann", NULL);

	// What comes in a record is hashed whatever it looks like, or one could call oneself by another's hash.
	struct str twice = pseudonym_arn(p, &arena, STR("arn:aws:sts::111122223333:assumed-role/app/" ANN));
	ok(!str_is(twice, "arn:aws:sts::111122223333:assumed-role/app/" ANN), "a hash for a name is hashed, too");
	ok(str_is(pseudonym_asked(p, &arena, STR("arn:aws:sts::111122223333:assumed-role/app/" ANN)),
	          "arn:aws:sts::111122223333:assumed-role/app/" ANN),
	   "but not when one asks by it");
	ok(str_is(pseudonym_asked(p, &arena, STR("arn:aws:sts::111122223333:assumed-role/app/ann")),
	          "arn:aws:sts::111122223333:assumed-role/app/" ANN),
	   "a name is, then as ever");
	pseudonyms_close(p);
	pseudonyms_close(users);
}

static void test_tags_and_records(const char *key)
{
	struct pseudonyms *p = open_with("sessions, tag:Email", key);
	ok(str_is(pseudonym_tag(p, &arena, STR("email"), STR("ann")), ANN), "a tag in any case");
	ok(str_is(pseudonym_tag(p, &arena, STR("team"), STR("ann")), "ann"), "another tag stays");
	ok(pseudonym_tag(p, &arena, STR("email"), STR("")).len == 0, "an empty value stays");
	ok(str_is(pseudonym_user(p, &arena, STR("ann")), "ann"), "users stay, unless they are named");

	struct record r = {.kind = RECORD_SESSION_TAGS};
	r.session_tags.arn = STR("arn:aws:sts::111122223333:assumed-role/app/ann");
	r.session_tags.ntags = 2;
	r.session_tags.tags[0] = (struct tag){STR("EMAIL"), STR("ann")};
	r.session_tags.tags[1] = (struct tag){STR("team"), STR("search")};
	pseudonym_record(p, &arena, &r);
	ok(str_is(r.session_tags.arn, "arn:aws:sts::111122223333:assumed-role/app/" ANN) &&
	       str_is(r.session_tags.tags[0].value, ANN) && str_is(r.session_tags.tags[1].value, "search"),
	   "a record of STS");
	struct record call = {.kind = RECORD_CALL};
	call.call.caller.arn = STR("arn:aws:sts::111122223333:assumed-role/app/ann");
	pseudonym_record(p, &arena, &call);
	ok(str_eq(call.call.caller.arn, r.session_tags.arn), "a call of the same session has the same name");

	bool same = true, apart = true; // more than are remembered
	struct str first = pseudonym_of(p, &arena, STR("name-0"));
	for (int i = 1; i < 120000; i++) {
		char name[24];
		snprintf(name, sizeof name, "name-%d", i);
		apart &= !str_eq(pseudonym_of(p, &arena, str_of(name)), first);
	}
	same = str_eq(pseudonym_of(p, &arena, STR("name-0")), first);
	ok(same && apart, "a hundred thousand names are a hundred thousand hashes, the same each time");
	pseudonyms_close(p);
}

static void test_labels(const char *key)
{
	struct pseudonyms *p = open_with("sessions, meta:User, identity:workload", key);
	const struct tag meta[] = {{STR("team"), STR("ann")}, {STR("user"), STR("ann")}};
	const struct tag identity[] = {{STR("on_behalf_of"), STR("ann")},
	                               {STR("source"), STR("ann")},
	                               {STR("subject"), STR("ann")},
	                               {STR("workload"), STR("ann")}};
	struct record r = {.kind = RECORD_CALL};
	r.call.caller.arn = STR("arn:aws:iam::111122223333:user/ann");
	r.call.meta = (struct labels){meta, 2};
	r.call.caller.identity = (struct labels){identity, 4};
	struct record hidden = r;
	pseudonym_record(p, &arena, &hidden);
	ok(str_is(hidden.call.meta.v[0].value, "ann") && str_is(hidden.call.meta.v[1].value, ANN),
	   "of metadata the keys that are named, in any case");
	const struct tag *v = hidden.call.caller.identity.v;
	ok(str_is(v[0].value, "ann") && str_is(v[1].value, ANN) && str_is(v[2].value, ANN) &&
	       str_is(v[3].value, ANN),
	   "who is behind a session is hashed with the sessions; other labels where they are named");
	ok(str_is(meta[1].value, "ann"), "the record that was read stays as it was");
	pseudonyms_close(p);
	p = open_with("users", key);
	pseudonym_record(p, &arena, &r);
	ok(str_is(r.call.caller.identity.v[1].value, "ann"), "without sessions they stay");
	pseudonyms_close(p);
	ok(!open_with("meta:", key) && !open_with("meta", key) && !open_with("label:x", key),
	   "a word without a key, or of another kind, is refused");
}

int main(void)
{
	char path[] = "/tmp/nowcast-key.XXXXXX", mark[PSEUDONYM_MARK], other[PSEUDONYM_MARK];
	int fd = mkstemp(path);
	if (fd < 0 || write(fd, "0123456789abcdef0123456789abcdef\n", 33) != 33) {
		printf("Bail out! no temporary file\n");
		return 1;
	}
	close(fd);
	test_arns(path);
	test_tags_and_records(path);
	test_labels(path);
	struct pseudonyms *p = open_with("sessions,tag:a,tag:b", path),
					  *q = open_with("tag:b,sessions,tag:a", path);
	pseudonyms_mark(p, mark);
	pseudonyms_mark(q, other);
	is_str(mark, other, "the same words in another order have the same mark");
	pseudonyms_close(q);
	q = open_with("sessions", path);
	pseudonyms_mark(q, other);
	ok(strcmp(mark, other) != 0, "others have another");
	pseudonyms_close(p);
	pseudonyms_close(q);
	unlink(path);
	arena_release(&arena);
	return done();
}
