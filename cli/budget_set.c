// SPDX-License-Identifier: Apache-2.0
// `nowcast budget set NAME`: writes or changes a rule in the file that alerts.file names. All else in the
// file stays byte for byte. The new text is read as `run` would read it before it takes the place of the old
// one.
//
// A budget may have several rules: one rings at its marks, another on its forecast. What makes it one budget
// (group, period, amount) is set in all of them.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/budgets.h"
#include "alert/rules_edit.h"
#include "alert/unmatched.h"
#include "base/file.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/budget_priv.h"

enum { NEW_MODE = 0640 }; // receivers have secrets

// Values as they are given; NULL: not given.
struct budget_flags {
	const char *by, *only, *period, *amount; // what makes it one budget
	const char *at, *severity, *receivers;
};

struct budget_change {
	const struct conf *conf;
	struct str name;
	struct budget_flags flags;
	bool dry;
	bool creates_file, creates_rule;
	struct buf text, before;  // of the file
	struct alert_rules rules; // as it was
};

static bool take_flags(struct budget_change *x, struct command *c, struct err *err)
{
	struct budget_flags *f = &x->flags;
	const char *team = NULL;
	x->dry = command_switch(c, "--dry-run");
	if (!command_option(c, "--by", &f->by, err) || !command_option(c, "--only", &f->only, err) ||
	    !command_option(c, "--team", &team, err) || !command_option(c, "--period", &f->period, err) ||
	    !command_option(c, "--amount", &f->amount, err) || !command_option(c, "--at", &f->at, err) ||
	    !command_option(c, "--severity", &f->severity, err) ||
	    !command_option(c, "--receivers", &f->receivers, err) || !command_done(c, 1, 1, err))
		return false;
	if (team && (f->by || f->only))
		return err_set(err, ERR_CONFIG, "--team %s is --by team --only %s: give one of them", team, team);
	if (team) {
		f->by = "team";
		f->only = team;
	}
	struct usd amount;
	if (f->amount && (!usd_parse(str_of(f->amount), &amount) || amount.pico <= 0))
		return err_set(err, ERR_CONFIG, "--amount: expected dollars such as 5000 or 0.25, got \"%s\"", f->amount);
	if (f->only && *f->only && !f->by)
		return err_set(err, ERR_CONFIG, "--only %s: --by says what it is the name of, as --by principal",
		               f->only);
	x->name = str_trim(str_of(c->argv[0]));
	return true;
}

// Without a file the built-in rules hold. With one they do not, so a new file begins with them.
static bool read_file(struct budget_change *x, struct err *err)
{
	const char *file = x->conf->alerts_file;
	if (!*file)
		return err_set(
			err, ERR_CONFIG,
			"alerts.file is not set: set it in the configuration to the file of your rules, which may be a new one, or "
			"give --alerts-file FILE");
	x->creates_file = access(file, F_OK) != 0;
	if (x->creates_file)
		buf_addf(
			&x->text,
			"# Rules of alerts and who receives them. The first ones are those that hold without a file.\n\n%s",
			alert_rules_built_in);
	else if (!file_read(file, ALERT_RULES_BYTES_MAX, &x->text, err))
		return false;
	buf_addstr(&x->before, buf_str(&x->text));
	return alert_rules_read(&x->rules, buf_str(&x->text), file, x->conf, err);
}

static bool set_key(struct budget_change *x, struct str rule, const char *key, const char *value,
                    struct err *err)
{
	return !value || alert_rules_edit(&x->text, rule, str_of(key), str_of(value), err);
}

// What makes it one budget, in one of its rules.
static bool set_identity(struct budget_change *x, struct str rule, struct err *err)
{
	const struct budget_flags *f = &x->flags;
	return set_key(x, rule, "by", f->by, err) && set_key(x, rule, "only", f->only, err) &&
	       set_key(x, rule, "period", f->period, err) && set_key(x, rule, "amount", f->amount, err);
}

static bool edit_new(struct budget_change *x, struct err *err)
{
	struct budget_flags *f = &x->flags;
	x->creates_rule = true;
	if (!f->amount)
		return err_set(err, ERR_CONFIG, "there is no budget %.*s yet, and a new one needs --amount USD",
		               STR_ARG(x->name));
	f->period = f->period ? f->period : "month";
	f->at = f->at ? f->at : "50,80,100";
	f->by = f->by ? f->by : "all";
	return set_key(x, x->name, "kind", "budget", err) && set_identity(x, x->name, err);
}

static bool edit_text(struct budget_change *x, struct err *err)
{
	const struct alert_rule *old = alert_rule_find(&x->rules, x->name);
	const struct budget_flags *f = &x->flags;
	if (old && !alert_rule_is_budget(old))
		return err_set(err, ERR_CONFIG, "%s: rule %.*s is no budget but of the kind %s; choose another name",
		               x->conf->alerts_file, STR_ARG(x->name), alert_kind_names[old->kind]);
	if (old && !f->by && !f->only && !f->period && !f->amount && !f->at && !f->severity && !f->receivers)
		return err_set(err, ERR_CONFIG, "nothing to set: give --amount, --period or another flag");
	if (!old && !edit_new(x, err))
		return false;
	for (int i = 0; old && i < x->rules.nrules; i++)
		if (alert_rules_are_one_budget(&x->rules.rules[i], old) &&
		    !set_identity(x, x->rules.rules[i].name, err))
			return false;
	return set_key(x, x->name, "at", f->at, err) && set_key(x, x->name, "severity", f->severity, err) &&
	       set_key(x, x->name, "receivers", f->receivers, err);
}

static void add_rule(struct buf *b, const struct alert_rule *r)
{
	char usd[USD_SIZE], grouped[TEXT_GROUPED_SIZE(USD_SIZE)];
	buf_addf(b, "[rule %.*s] %s of $%s a %s, ", STR_ARG(r->name), alert_kind_names[r->kind],
	         text_group_thousands(usd_format(r->amount, 2, usd), grouped), alert_period_names[r->period]);
	if (r->by.n)
		buf_addf(b, "%.*s %.*s", STR_ARG(r->by.name[0]), STR_ARG(r->only.len ? r->only : STR("(each)")));
	else
		buf_adds(b, "all together");
	for (int i = 0; r->kind == ALERT_BUDGET && i < r->nat; i++)
		buf_addf(b, "%s%lld%%", i ? ", " : "; rings at ", (long long)r->at[i]);
	buf_addc(b, '\n');
}

static bool changes_file(const struct budget_change *x)
{
	return !str_eq(buf_str(&x->text), buf_str(&x->before));
}

// The rules of the budget as they are now, and who gets the messages.
static void print_result(const struct budget_change *x, const struct alert_rules *now)
{
	const struct alert_rule *set = alert_rule_find(now, x->name);
	const char *file = x->conf->alerts_file;
	struct buf b = BUF_INIT;
	for (int i = 0; i < now->nrules; i++)
		if (alert_rules_are_one_budget(&now->rules[i], set))
			add_rule(&b, &now->rules[i]);
	if (!changes_file(x))
		buf_addf(&b, "%s says so already: it is as it was\n", file);
	else if (x->dry)
		buf_addf(&b, "%s was not changed (--dry-run)\n", file);
	else
		buf_addf(
			&b,
			"%s %s. A running daemon reads it on SIGHUP; `nowcast budget status %.*s` shows what is spent\n",
			file, x->creates_file ? "is a new file" : "is changed", STR_ARG(x->name));
	if (!now->nreceivers)
		buf_adds(&b, "It has no receiver, so alerts are only logged and shown. For Slack add to it:\n"
		             "  [receiver slack]\n  kind = slack\n  url = https://hooks.slack.com/services/...\n"
		             "then `nowcast alert test` sends a message\n");
	(void)!text_print(stdout, &b); // main looks whether all was written
	buf_release(&b);
}

static bool check_result(const struct budget_change *x, const struct alert_rules *now, struct err *err)
{
	const struct alert_rule *r = alert_rule_find(now, x->name);
	if (!r || !alert_rule_is_budget(r))
		return err_set(err, ERR_CONFIG, "nothing was changed: %.*s would be no budget", STR_ARG(x->name));
	if (r->only.len && r->by.n == 0)
		return err_set(err, ERR_CONFIG,
		               "nothing was changed: a budget of everything has no `only`; give --by, or --only ''");
	return true;
}

static void warn_of_rule(void *user, const char *text)
{
	(void)user;
	printf("warning: %s\n", text);
}

// Without Redis nothing is said: the file is changed all the same.
static void check_names(const struct budget_change *x, const struct alert_rules *now)
{
	struct rollups *rollups = NULL;
	struct err ignored = ERR_INIT;
	bool known = alert_rules_name_somebody(now) &&
	             rollups_open(&rollups, redis_target_of(x->conf), &ignored) &&
	             view_map(rollups_view(rollups), x->conf, &ignored) &&
	             alert_rules_each_unmatched(now, rollups, when_now_ms(), warn_of_rule, NULL, &ignored);
	(void)known;
	rollups_close(rollups);
}

static bool write_file(struct budget_change *x, struct err *err)
{
	struct alert_rules now = {0};
	bool good = alert_rules_read(&now, buf_str(&x->text), x->conf->alerts_file, x->conf, err) ||
	            err_prefix(err, "nothing was changed, since the file would be refused");
	good = good && check_result(x, &now, err) &&
	       (x->dry || !changes_file(x) || file_replace(x->conf->alerts_file, buf_str(&x->text), err));
	if (good && x->creates_file && !x->dry)
		(void)!chmod(x->conf->alerts_file, NEW_MODE);
	if (good) {
		print_result(x, &now);
		check_names(x, &now);
	}
	alert_rules_release(&now);
	return good;
}

bool budget_set(struct command *c, struct err *err)
{
	struct budget_change x = {.conf = &c->conf};
	bool good = take_flags(&x, c, err) && read_file(&x, err) && edit_text(&x, err) && write_file(&x, err);
	alert_rules_release(&x.rules);
	buf_release(&x.text);
	buf_release(&x.before);
	return good;
}
