// SPDX-License-Identifier: Apache-2.0
// The alerts file: what is taken, and that each mistake is told with its line and what is allowed.
#include "alert/rules.h"
#include "alert/rules_edit.h"
#include "base/when.h"
#include "tests/tap.h"

static bool parse(struct alert_rules *r, const char *text, struct err *err)
{
	err_clear(err);
	return alert_rules_parse(r, str_of(text), "f", (struct caller_sources){.team_tag = STR("team")}, err);
}

static void test_wrong(void)
{
	static const struct { const char *text, *says; } cases[] = {
		{"kind = budget\n", "f:1: expected [rule NAME] or [receiver NAME] first"},
		{"[rules x]\n", "f:1: expected [rule NAME] or [receiver NAME], got [rules x]"},
		{"[rule x\n", "f:1: expected [rule NAME] or [receiver NAME], got [rule x"},
		{"[rule x]\nkind = new\n", "rule x: new needs `by`"},
		{"[rule x]\nkind = budget\n", "rule x: a budget needs `amount`"},
		{"[rule x]\nby = principal,model\n", "f:2: by: expected one of all, principal"},
		{"[rule x]\nby = colour\n", "f:2: by: expected one of all, principal"},
		{"[rule x]\nat = 80,50\n", "f:2: at: expected up to 8 rising percentages"},
		{"[rule x]\nat = \n", "f:2: at: expected percentages"},
		{"[rule x]\namount = -5\n", "f:2: amount: expected dollars"},
		{"[rule x]\nquiet = 5\n", "f:2: quiet: expected a duration"},
		{"[rule x]\nfactor = 1\n", "f:2: factor: expected a number from 1.5 to 1000"},
		{"[rule x]\ncolour = red\n", "f:2: colour is no key of a rule; the keys are: kind"},
		{"[rule x]\nkind = silent\n[rule x]\n", "f:3: rule x is defined twice"},
		{"[receiver a]\nkind = slack\nurl = http://h\n[receiver a]\n", "f:4: receiver a is defined twice"},
		{"[rule x]\nkind = silent\nreceivers = a\n", "rule x: there is no [receiver a]"},
		{"[receiver a]\nkind = slack\n", "receiver a: a slack needs `url`"},
		{"[receiver a]\nkind = email\nurl = smtp://h\n", "receiver a: email needs `from` and `to`"},
		{"[rule x]\nkind = silent\nseverity = loud\n", "f:3: severity: expected one of info, warning, critical"},
		{"[rule x]\nkind = silent\nseverity = info,\n", "f:3: severity: expected one of info"},
		{"[rule x]\nkind = silent\nseverity = info,critical\n", "rule x: `severity` has 2 words"},
		{"[rule x]\nkind = budget\namount = 1\nat = 50,80,100\nseverity = info,critical\n", "rule x: `severity` has 2 words"},
		{"[receiver a]\nport = 1\n", "f:2: port is no key of a receiver"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct alert_rules r;
		struct err err = ERR_INIT;
		bool taken = parse(&r, cases[i].text, &err);
		if (!ok(!taken && err.kind == ERR_CONFIG && strstr(err.msg, cases[i].says), "%s", cases[i].says))
			diag("said: %s", taken ? "nothing" : err.msg);
		alert_rules_release(&r);
	}
}

// A receiver's URL, password or secret is not shown, wherever it is.
static void test_secrets(void)
{
	static const struct { const char *text, *says; } cases[] = {
		{"url = https://h/SECRET\n", "f:1: expected [rule NAME] or [receiver NAME] first, got url"},
		{"https://h/SECRET\n", "f:1: expected [rule NAME] or [receiver NAME] first, got a word"},
		{"[rule a]\nurl = https://h/SECRET\n", "f:2: url is no key of a rule"},
		{"[receiver a]\npasword = SECRET\n", "f:2: pasword is no key of a receiver"},
		{"[receiver a]\nurl https://h/SECRET\n", "f:2: expected `key = value`, got url and no ="},
		{"[receiver a]\npassword: SECRET\n", "f:2: expected `key = value`, got password: and no ="},
		{"[receiver a]\nSECRET\n", "f:2: expected `key = value`, got a word and no ="},
		{"[receiver a]\nhttps://h/SECRET x\n", "f:2: expected `key = value`, got a word and no ="},
		{"[receiver a] url = https://h/SECRET\n", "f:1: expected [rule NAME] or [receiver NAME], got [receiver a] and more"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct alert_rules r;
		struct err err = ERR_INIT;
		bool taken = parse(&r, cases[i].text, &err);
		bool good = !taken && strstr(err.msg, cases[i].says) && !strstr(err.msg, "SECRET");
		if (!ok(good, "without the secret: %s", cases[i].says))
			diag("said: %s", taken ? "nothing" : err.msg);
		alert_rules_release(&r);
	}
}

static void test_right(void)
{
	struct alert_rules r;
	struct err err = ERR_INIT;
	ok(parse(
		   &r,
		   "# comment\n[rule a b]\nkind = budget\nby = tag:cost-center\nperiod=week\namount = 12.50\nat = 90, 100\nreceivers = ops\n"
		   "[receiver ops]\nkind = command\ncommand = cat\n",
		   &err),
	   "a rule and a receiver");
	is_int(r.nrules, 1, "one rule");
	is_int(r.rules[0].period, PERIOD_WEEK, "its period");
	is_int(r.rules[0].at[1], 100, "its levels");
	ok(str_is(r.receivers[0].command, "cat"), "the receiver's command");
	ok(str_is(alert_rule_severity(&r.rules[0], 90), "warning"), "one severity is that of all levels");
	alert_rules_release(&r);
	ok(parse(&r, "[rule x]\nkind = budget\namount = 1\nat = 50, 80,100\nseverity = info, warning,critical\n", &err),
	   "a severity for each mark");
	ok(str_is(alert_rule_severity(&r.rules[0], 50), "info"), "that of the first mark");
	ok(str_is(alert_rule_severity(&r.rules[0], 80), "warning"), "of the second");
	ok(str_is(alert_rule_severity(&r.rules[0], 100), "critical"), "of the third");
	alert_rules_release(&r);
}

static void becomes(const char *before, const char *key, const char *value, const char *after)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	buf_adds(&b, before);
	ok(alert_rules_edit(&b, STR("x"), str_of(key), str_of(value), &err), "%s = %s is set", key, value);
	is_str(b.len ? b.data : "", after, "and nothing else changes");
	buf_release(&b);
}

// Every byte that is not of the value stays: comments, blanks, line ends, other sections.
static void test_edit(void)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	becomes("", "amount", "5", "[rule x]\namount = 5\n");
	becomes("# mine", "amount", "5", "# mine\n\n[rule x]\namount = 5\n");
	becomes("[rule x]\namount = 1\n", "amount", "5", "[rule x]\namount = 5\n");
	becomes("[rule x]\r\n\tamount=1  \r\n# end\r\n", "amount", "5", "[rule x]\r\n\tamount=5  \r\n# end\r\n");
	becomes("[rule x]\namount = 1\namount = 2\n", "amount", "5", "[rule x]\namount = 1\namount = 5\n");
	becomes("[rule x]\n#amount = 1\n\n[rule y]\namount = 2\n", "amount", "5",
	        "[rule x]\namount = 5\n#amount = 1\n\n[rule y]\namount = 2\n");
	becomes("[rule x]\n  by = team\n# why\n\n[receiver x]\nkind = slack", "amount", "5",
	        "[rule x]\n  by = team\n  amount = 5\n# why\n\n[receiver x]\nkind = slack");
	becomes("[rule x]\r\nby = team\r\n", "amount", "5", "[rule x]\r\nby = team\r\namount = 5\r\n");
	becomes("[rule x]\nby = team", "amount", "5", "[rule x]\nby = team\namount = 5\n");
	becomes("[rule x]\nonly =\n", "only", "a = b", "[rule x]\nonly = a = b\n");
	becomes("[rule x]\nonly = a = b\n", "only", "", "[rule x]\nonly = \n");
	becomes(" [rule  x] \nby = team\n[rule xy]\n", "by", "role", " [rule  x] \nby = role\n[rule xy]\n");
	ok(!alert_rules_edit(&b, STR("x"), STR("only"), STR("a\nkind = silent"), &err), "a value is one line");
	err_clear(&err);
	ok(!alert_rules_edit(&b, STR("x]\n[rule y"), STR("only"), STR("a"), &err), "so is a name");
	is_int((int64_t)b.len, 0, "nothing was written");
	buf_release(&b);
}

static void test_periods(void)
{
	int64_t from, to, hour = 498248; // 2026-11-03T08, a Tuesday
	char name[24];
	alert_period_of(PERIOD_WEEK, hour, &from, &to, name);
	is_str(name, "2026-11-02", "a week begins on Monday");
	is_int(to - from, 168, "and has 168 hours");
	alert_period_of(PERIOD_MONTH, hour, &from, &to, name);
	is_str(name, "2026-11", "a month has its name");
	is_int(to - from, 720, "November has 720 hours");
	int64_t last = 0;
	when_parse(STR("9999-12-31T23:00:00Z"), &last);
	last /= MS_PER_HOUR;
	alert_period_of(PERIOD_MONTH, last, &from, &to, name);
	ok(to == last + 1 && to - from == 31 * 24, "the last month that has a name has an end");
	alert_period_of(PERIOD_HOUR, hour, &from, &to, name);
	is_str(name, "2026-11-03T08", "an hour too");
	is_int(from, hour, "and is itself");
}

int main(void)
{
	test_wrong();
	test_secrets();
	test_right();
	test_edit();
	test_periods();
	return done();
}
