// SPDX-License-Identifier: Apache-2.0
// The mapping file: what is refused and where, which line decides, from when, and what is said of callers
// that were counted together.
#include "tests/tap.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/when.h"
#include "estimator/figure.h"
#include "store/cardinality.h"
#include "store/mapping.h"

#define A "111122223333"
#define B "444455556666"
#define SESSION(role, name) "arn:aws:sts::" A ":assumed-role/" role "/" name
#define USER(name) "arn:aws:iam::" A ":user/" name

static int64_t hour_of(const char *text)
{
	int64_t ms = -1;
	return when_parse(str_of(text), &ms) ? ms / MS_PER_HOUR : -1;
}

static struct mapping *must_read(const char *text)
{
	struct mapping *m = NULL;
	struct err err = ERR_INIT;
	if (!mapping_read(&m, str_of(text), "m.csv", NULL, &err)) {
		ok(false, "read: %s", err.msg);
		exit(1);
	}
	return m;
}

// "VALUE:LINE" of the first key.
static void must_map(struct mapping *m, const char *principal, const char *model, const char *when,
                     const char *want)
{
	struct mapping_caller c = {STR(A), str_of(principal), str_of(model)};
	struct mapped got = mapping_value(m, &c, hour_of(when), 0);
	char text[300];
	snprintf(text, sizeof text, "%.*s:%d", STR_ARG(got.value), got.line ? got.line->number : 0);
	is_str(text, want, principal);
}

static void check_bad_lines(void)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{"", "m.csv:1:1: expected a first line with the columns kind and name"},
		{"# only a comment\n\n", "m.csv:1:1: expected a first line"},
		{"kind,team\n", "m.csv:1:1: expected a first line with the columns kind and name"},
		{"kind,name,name\n", "m.csv:1:11: expected each column once"},
		{"kind,name,team,Team\n", "m.csv:1:16: expected each column once, letters in either case"},
		{"kind,name,cost centre\n", "m.csv:1:11: expected the name of a column"},
		{"kind,name,\n", "m.csv:1:11: expected the name of a column"},
		{"kind,name,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\n", "m.csv:1:43: expected at most 16 columns beside"},
		{"kind,name,team\nroles,x,y\n", "m.csv:2:1: kind: expected account, role, user, session or profile"},
		{"kind,name,team\nrole,,y\n", "m.csv:2:6: name: expected a name or a pattern"},
		{"kind,name,team\nrole,x\n", "m.csv:2:6: expected 3 fields as in the first line, there are 2"},
		{"kind,name,team\nrole,x,y,\n", "m.csv:2:10: expected 3 fields as in the first line, there are 4"},
		{"kind,name,team\naccount,1234,y\n", "m.csv:2:9: name: expected an account of 12 digits, or *"},
		{"kind,name,account\naccount," A "," A "\n", "m.csv:2:22: account: expected nothing"},
		{"kind,name,account\nrole,x,123\n", "m.csv:2:8: account: expected 12 digits or nothing, got \"123\""},
		{"kind,name,from\nrole,x,2026-11-02T05:30:00Z\n", "m.csv:2:8: from: expected a whole hour"},
		{"kind,name,from\nrole,x,soon\n", "m.csv:2:8: from: expected a whole hour"},
		{"kind,name,team\nsession,gateway,y\n", "m.csv:2:9: name: expected ROLE/SESSION"},
		{"kind,name,team\nsession,a/b/c,y\n", "m.csv:2:9: name: expected ROLE/SESSION"},
		{"kind,name,team\nrole,path/x,y\n", "m.csv:2:6: name: expected a name without its path, or an ARN"},
		{"kind,name,team\nrole,arn:aws:iam::" A ":user/ann,y\n",
	     "m.csv:2:6: name: expected the ARN of what the kind"},
		{"kind,account,name\nrole," B ",arn:aws:iam::" A ":role/x\n",
	     "m.csv:2:6: account: expected that of the ARN"},
		{"kind,name,team\nrole,\"x,y\n", "m.csv:2:6: expected a quote at the end of the field"},
		{"kind,name,team\nrole,\"x\"y,z\n", "m.csv:2:9: expected a comma after the quote"},
		{"kind,name,team\nrole,x\x1b[2J,z\n", "m.csv:2:7: expected no control characters"},
		{"kind,name,team\n\nrole,x,y\n#\nROLE,x,z\n", "m.csv:5:1: kind: expected"},
		{"kind,name,team\nrole,x,y\nrole,X,z\n", "m.csv:3:6: expected a line once, and line 2 says the same"},
		{"kind,name,from,team\nrole,x,2026-11-01,y\nrole,x,2026-11-01T00:00:00Z,z\n",
	     "m.csv:3:6: expected a line once"},
		{"kind,name,team\nrole,arn:aws:iam::" A ":role/x,y\nrole,arn:aws:iam::" A ":role/p/x,y\n",
	     "m.csv:3:6: expected a line once"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct mapping *m = NULL;
		struct err err = ERR_INIT;
		ok(!mapping_read(&m, str_of(bad[i].text), "m.csv", NULL, &err) && err.kind == ERR_CONFIG && !m &&
		       strstr(err.msg, bad[i].message),
		   "refused: %s", err.msg);
	}
	struct buf text = BUF_INIT;
	struct mapping *m = NULL;
	struct err err = ERR_INIT;
	buf_adds(&text, "kind,name,team\nrole,x,");
	for (int i = 0; i < 257; i++)
		buf_addc(&text, 'x');
	ok(!mapping_read(&m, buf_str(&text), "m.csv", NULL, &err) &&
	       strstr(err.msg, "m.csv:2:8: expected a value of up to 256"),
	   "refused: a long value");
	buf_release(&text);
}

static void check_form(void)
{
	struct mapping *m =
		must_read("\xef\xbb\xbfname,team,kind,note,cost_centre\r\n"
	              "# ours\r\n\r\n"
	              "\"llm-gateway\" , \"Search, \"\"and\"\" more\",role,\"a note, long\",cc-1\r\n");
	is_int(mapping_nkeys(m), 2, "keys are the columns without a meaning");
	is_int(mapping_find_key(m, STR("COST_CENTRE")), 1, "which are found in either case");
	is_int(mapping_find_key(m, STR("note")), -1, "a note is no key");
	must_map(m, SESSION("LLM-gateway", "x"), "m", "2026-11-02", "Search, \"and\" more:4");
	must_map(m, SESSION("llm-gateway2", "x"), "m", "2026-11-02", ":0");
	mapping_free(m);
	m = must_read("kind,name\n");
	is_int(mapping_nkeys(m) + mapping_nlines(m), 0, "a file may say nothing");
	mapping_free(m);
}

static void check_precedence(void)
{
	struct mapping *m = must_read("kind,name,account,team,env\n"
	                              "account,*,,all,\n"                        // 2
	                              "account," A ",,ours,\n"                   // 3
	                              "role,*,,anyrole,\n"                       // 4
	                              "role,gate*,,gates,\n"                     // 5
	                              "role,gateway,,gateway,\n"                 // 6
	                              "role,g*," A ",ours-g,\n"                  // 7
	                              "session,gateway/*-7,,sevens,\n"           // 8
	                              "session,gateway/pod-*,,pods,\n"           // 9
	                              "session,gateway/pod-7,,seven,\n"          // 10
	                              "user,ann,,ann,\n"                         // 11
	                              "profile,k3v9q2m7x1tz,,mobile,\n"          // 12
	                              "role,silent,,,prod\n"                     // 13
	                              "role,none,,-,prod\n"                      // 14
	                              "session,gateway/*z,,az,\n"                // 15
	                              "session,gateway/q*,,aq,\n"                // 16
	                              "role,gateway," B ",theirs,\n");           // 17
	must_map(m, "arn:aws:iam::" A ":root", "m", "2026-11-02", "ours:3");
	must_map(m, USER("bob"), "m", "2026-11-02", "ours:3");
	must_map(m, USER("ann"), "m", "2026-11-02", "ann:11");
	must_map(m, SESSION("other", "s"), "m", "2026-11-02", "anyrole:4");
	must_map(m, SESSION("gatekeeper", "s"), "m", "2026-11-02", "ours-g:7");
	must_map(m, SESSION("gateway", "s"), "m", "2026-11-02", "ours-g:7");
	must_map(m, "arn:aws:iam::" A ":role/gateway", "m", "2026-11-02", "ours-g:7");
	must_map(m, SESSION("gateway", "pod-7"), "m", "2026-11-02", "seven:10");
	must_map(m, SESSION("gateway", "pod-8"), "m", "2026-11-02", "pods:9");
	must_map(m, SESSION("gateway", "job-7"), "m", "2026-11-02", "sevens:8");
	must_map(m, SESSION("gateway", "qz"), "m", "2026-11-02",
	         "az:15"); // as many other characters: the upper line
	must_map(m, SESSION("other", "pod-7"), "m", "2026-11-02", "anyrole:4");
	must_map(m, SESSION("gateway", "pod-7"), "k3v9q2m7x1tz", "2026-11-02", "mobile:12");
	must_map(m, SESSION("gateway", "pod-7"),
	         "arn:aws:bedrock:us-east-1:" A ":application-inference-profile/k3v9q2m7x1tz", "2026-11-02",
	         "mobile:12");
	must_map(m, SESSION("silent", "s"), "m", "2026-11-02", "anyrole:4");
	must_map(m, SESSION("none", "s"), "m", "2026-11-02", ":14");
	mapping_free(m);
	m = must_read("kind,name,team\nuser,arn:aws:iam::" A ":user/path/ann,x\nuser,bob,y\n");
	must_map(m, USER("ann"), "m", "2026-11-02", "x:2");
	must_map(m, "arn:aws:sts::" A ":federated-user/bob", "m", "2026-11-02", "y:3");
	struct mapping_caller c = {STR(B), STR("arn:aws:iam::" B ":user/ann"), STR("m")};
	ok(!mapping_value(m, &c, 0, 0).line, "an ARN means its account only");
	c.principal = STR(USER("ann"));
	is_int(mapping_value(m, &c, 0, 0).line ? 1 : 0, 1, "also where that account calls in another one");
	mapping_free(m);
	ok(!mapping_value(NULL, &c, 0, 0).value.p && mapping_digest(NULL) == 0,
	   "without a file nothing is mapped");
}

static void check_dates(void)
{
	struct mapping *m = must_read("kind,name,from,team\n"
	                              "role,g,2026-11-03,late\n"
	                              "role,g,,first\n"
	                              "role,g,2026-11-02T05:00:00Z,second\n"
	                              "role,g,2026-11-05,\n"
	                              "account," A ",2026-11-04,account\n");
	must_map(m, SESSION("g", "s"), "m", "2020-01-01", "first:3");
	must_map(m, SESSION("g", "s"), "m", "2026-11-02T04:00:00Z", "first:3");
	must_map(m, SESSION("g", "s"), "m", "2026-11-02T05:00:00Z", "second:4");
	must_map(m, SESSION("g", "s"), "m", "2026-11-03", "late:2");
	must_map(m, SESSION("g", "s"), "m", "2026-11-04T23:00:00Z", "late:2");
	must_map(m, SESSION("g", "s"), "m", "2026-11-05", "account:6");
	must_map(m, USER("x"), "m", "2026-11-03", ":0");
	mapping_free(m);
}

// The column that has a meaning of its own.
static void check_ttl(void)
{
	struct mapping *m =
		must_read("kind,name,Cache_TTL\nrole,a,1h\nrole,b,12.5%\nrole,c,-\nrole,d,\nrole,e,unknown\n");
	struct err err = ERR_INIT;
	is_int(mapping_find_key(m, STR(CACHE_TTL_COLUMN)), 0, "a TTL is a key");
	mapping_free(m);
	ok(!mapping_read(&m, STR("kind,name,cache_ttl\nrole,a,5m\nrole,b,2h\n"), "m.csv", NULL, &err) &&
	       strstr(err.msg, "m.csv:3:8: cache_ttl: expected 5m, 1h"),
	   "refused: %s", err.msg);
}

// Rows that several callers share: what one of them may have is not known of the row.
static void check_counted_together(void)
{
	struct mapping *m = must_read("kind,name,from,team,env\n"
	                              "session,gateway/ann,2026-11-02,search,\n"
	                              "session,batch/*,,reports,\n"
	                              "role,gateway,,shop,prod\n"
	                              "user,ann,,search,\n"
	                              "account," A ",,ours,ours\n");
	must_map(m, SESSION("gateway", OTHER_SESSIONS), "m", "2026-11-01", "shop:4");
	must_map(m, SESSION("gateway", OTHER_SESSIONS), "m", "2026-11-02", OTHER_VALUES ":0");
	must_map(m, SESSION("batch", OTHER_SESSIONS), "m", "2026-11-02", "reports:3");
	must_map(m, SESSION("other", OTHER_SESSIONS), "m", "2026-11-02", "ours:6");
	must_map(m, USER(OTHER_USERS), "m", "2026-11-02", OTHER_VALUES ":0");
	must_map(m, SESSION("other", "s"), "(other models)", "2026-11-02", "ours:6");
	must_map(m, UNATTRIBUTED, "m", "2026-11-02", ":0");
	must_map(m, UNKNOWN_CALLER, "m", "2026-11-02", ":0");
	mapping_free(m);
	m = must_read("kind,name,account,team\naccount," A ",,ours\nrole,gateway," B
	              ",theirs\nprofile,k3v9q2m7x1tz,,mobile\n");
	must_map(m, UNATTRIBUTED, "m", "2026-11-02", "ours:2");
	must_map(m, UNATTRIBUTED, "k3v9q2m7x1tz", "2026-11-02", "mobile:4");
	must_map(m, SESSION("other", "s"), "(other models)", "2026-11-02", OTHER_VALUES ":0");
	mapping_free(m);
}

// names.hash: names are looked up by their hashes.
static void check_hashed(void)
{
	char key[] = "/tmp/nowcast-mapping-key.XXXXXX", other[] = "/tmp/nowcast-mapping.XXXXXX";
	struct err err = ERR_INIT;
	struct conf conf;
	struct pseudonyms *p;
	struct mapping *m = NULL, *n = NULL;
	struct arena arena = ARENA_INIT;
	close(mkstemp(key));
	close(mkstemp(other));
	conf_init(&conf);
	if (!file_replace(key, STR("0123456789abcdef0123456789abcdef"), &err) ||
	    !conf_set(&conf, STR("names.hash"), STR("sessions"), (struct conf_origin){CONF_FLAG, 0}, &err) ||
	    !conf_set(&conf, STR("names.hash.key"), str_of(key), (struct conf_origin){CONF_FLAG, 0}, &err) ||
	    !conf_set(&conf, STR("map.file"), str_of(other), (struct conf_origin){CONF_FLAG, 0}, &err) ||
	    !file_replace(other, STR("kind,name,team\nsession,g/ann,x\nsession,b/*,y\n"), &err) ||
	    !pseudonyms_open(&p, &conf, &err) || !mapping_load(&m, &conf, &err)) {
		ok(false, "hashed: %s", err.msg);
		return;
	}
	struct str arn = pseudonym_arn(p, &arena, STR(SESSION("g", "ann")));
	ok(!str_is(arn, SESSION("g", "ann")), "the name is hashed");
	must_map(m, arn.p, "m", "2026-11-02", "x:2");
	must_map(m, pseudonym_arn(p, &arena, STR(SESSION("b", "bob"))).p, "m", "2026-11-02", "y:3");
	ok(!mapping_read(&n, STR("kind,name,team\nsession,g/a*,x\n"), "m.csv", p, &err) &&
	       strstr(err.msg, "m.csv:2:9: name: expected no pattern"),
	   "refused: %s", err.msg);

	// A change of the file is noticed, a fault in it changes nothing.
	uint64_t before = mapping_digest(m);
	struct err why = ERR_INIT;
	ok(file_replace(other, STR("kind,name,team\nsession,g/ann\n"), &why), "a bad file");
	ok(!mapping_refresh(&m, &conf, &why) && strstr(why.msg, "map.file: "), "is told: %s", why.msg);
	err_clear(&why);
	ok(mapping_refresh(&m, &conf, &why), "once");
	must_map(m, arn.p, "m", "2026-11-02", "x:2");
	ok(mapping_digest(m) == before, "keeps the former one");
	ok(file_replace(other, STR("kind,name,team\nsession,g/ann,z\n"), &why), "a good file");
	ok(mapping_refresh(&m, &conf, &why), "is taken");
	must_map(m, arn.p, "m", "2026-11-02", "z:2");
	ok(mapping_digest(m) != before, "has another digest");
	mapping_free(m);
	pseudonyms_close(p);
	arena_release(&arena);
	conf_release(&conf);
	unlink(key);
	unlink(other);
}

int main(void)
{
	check_bad_lines();
	check_form();
	check_precedence();
	check_dates();
	check_counted_together();
	check_ttl();
	check_hashed();
	return done();
}
