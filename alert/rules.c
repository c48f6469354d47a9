// SPDX-License-Identifier: Apache-2.0
// The alerts file: sections of `key = value` lines, one a rule or a receiver.
//
//     [rule payments-month]               [receiver ops]
//     kind = budget                       kind = slack
//     by = team                           url = https://hooks.example.com/...
//     only = payments
//     period = month
//     amount = 5000
//     at = 50,80,100
//
// A wrong line is reported with its number, the value and what is allowed.
#include "alert/rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/when.h"

const char *const alert_kind_names[] = {"budget",   "forecast", "spike", "burn", "new",
                                        "unpriced", "silent",   "bill",  NULL};
const char *const receiver_kind_names[] = {"slack", "webhook", "alertmanager", "email", "command", NULL};

enum { RULES_MAX = 256 };

// In force without a file: nothing here needs a budget.
const char alert_rules_built_in[] =
	"[rule spike]\nkind = spike\nby = principal\nfactor = 4.3\nfloor = 0.05\n\n"
	"[rule new-principal]\nkind = new\nby = principal\nfloor = 1\nseverity = info\n\n"
	"[rule new-model]\nkind = new\nby = model\nfloor = 1\nseverity = info\n\n"
	"[rule unpriced]\nkind = unpriced\nby = model\n\n"
	"[rule silent]\nkind = silent\nquiet = 30m\nseverity = critical\n\n"
	"[rule estimate-off]\nkind = bill\nby = account\nperiod = day\nat = 25,50\nfloor = 10\nseverity = info\n";

struct rules_reader {
	struct alert_rules *out;
	struct caller_sources from;
	const char *file;
	int line;
	int section;                     // the line in which the section in hand begins
	size_t listed;                   // how many errors there were before it
	bool skipped;                    // its head is wrong or missing: its lines are not looked at
	struct alert_rule *rule;         // the section in hand, or NULL
	struct alert_receiver *receiver;
};

static bool reject_value(const struct rules_reader *r, struct str key, struct str value, const char *allowed,
                  struct err *err)
{
	return err_set(err, ERR_CONFIG, "%s:%d: %.*s: expected %s, got \"%.*s\"", r->file, r->line, STR_ARG(key),
	               allowed, STR_ARG(value));
}

// ---- values -------------------------------------------------------------------------------------

static bool read_word(const struct rules_reader *r, struct str key, struct str value,
                      const char *const *words, int *ret, struct err *err)
{
	char allowed[160] = "one of";
	for (int i = 0; words[i]; i++) {
		if (str_is(value, words[i])) {
			*ret = i;
			return true;
		}
		snprintf(allowed + strlen(allowed), sizeof allowed - strlen(allowed), "%s %s", i ? "," : "",
		         words[i]);
	}
	return reject_value(r, key, value, allowed, err);
}

static bool read_dollars(const struct rules_reader *r, struct str key, struct str value, struct usd *ret,
                    struct err *err)
{
	if (!usd_parse(value, ret) || ret->pico < 0)
		return reject_value(r, key, value, "dollars such as 5000 or 0.25", err);
	return true;
}

static bool parse_scaled(struct str value, int decimals, int64_t min, int64_t max, int64_t *ret)
{
	int64_t v;
	if (!usd_parse_scaled(value, decimals, &v) || v < min || v > max)
		return false;
	*ret = v;
	return true;
}

static bool parse_whole(struct str value, int64_t min, int64_t max, int64_t *ret)
{
	return parse_scaled(value, 0, min, max, ret);
}

static bool read_duration(const struct rules_reader *r, struct str key, struct str value, int64_t *ret,
                          struct err *err)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', MS_PER_MINUTE}, {'h', MS_PER_HOUR}, {'d', 24 * (int64_t)MS_PER_HOUR}};
	for (size_t i = 0; value.len && i < sizeof units / sizeof *units; i++) {
		int64_t n;
		if (value.p[value.len - 1] == units[i].unit &&
		    parse_whole((struct str){value.p, value.len - 1}, 0, 100000, &n)) {
			*ret = n * units[i].ms;
			return true;
		}
	}
	return reject_value(r, key, value, "a duration such as 30s, 15m, 6h or 2d", err);
}

static bool read_levels(const struct rules_reader *r, struct str key, struct str value,
                        struct alert_rule *rule, struct err *err)
{
	struct str rest = value;
	rule->nat = 0;
	while (rest.len) {
		int64_t v, *last = rule->nat ? &rule->at[rule->nat - 1] : NULL;
		if (rule->nat == ALERT_LEVELS_MAX || !parse_whole(str_trim(str_cut(&rest, ',')), 1, 10000, &v) ||
		    (last && v <= *last))
			return reject_value(r, key, value, "up to 8 rising percentages, such as 50,80,100", err);
		rule->at[rule->nat++] = v;
	}
	return rule->nat || reject_value(r, key, value, "percentages, such as 50,80,100", err);
}

static bool read_severities(const struct rules_reader *r, struct str key, struct str value,
                            struct alert_rule *rule, struct err *err)
{
	static const char *const words[] = {"info", "warning", "critical", NULL};
	struct str rest = value;
	int n;
	do {
		if (!read_word(r, key, str_trim(str_cut(&rest, ',')), words, &n, err))
			return false;
	} while (rest.p);
	rule->severity = value;
	return true;
}

// ---- keys ---------------------------------------------------------------------------------------

static bool read_rule_key(struct rules_reader *r, struct str key, struct str value, struct err *err)
{
	struct alert_rule *x = r->rule;
	int n = 0;
	if (str_is(key, "kind")) {
		bool good = read_word(r, key, value, alert_kind_names, &n, err);
		x->kind = (enum alert_kind)n;
		return good;
	}
	if (str_is(key, "by")) {
		struct err why = ERR_INIT;
		x->by.n = 0;
		if (str_is(value, "all") || (grouping_parse(&x->by, value, r->from, &why) && x->by.n == 1))
			return true;
		return reject_value(
			r, key, value,
			"one of all, principal, role, team, user, model, account, region, token_type, tier, tag:KEY, meta:KEY, map:KEY",
			err);
	}
	if (str_is(key, "period")) {
		bool good = read_word(r, key, value, alert_period_names, &n, err);
		x->period = (enum alert_period)n;
		return good;
	}
	if (str_is(key, "only"))
		return x->only = value, true;
	if (str_is(key, "amount"))
		return read_dollars(r, key, value, &x->amount, err);
	if (str_is(key, "floor"))
		return read_dollars(r, key, value, &x->floor, err);
	if (str_is(key, "at"))
		return read_levels(r, key, value, x, err);
	if (str_is(key, "factor"))
		return parse_scaled(value, 1, 15, 10000, &x->factor_tenths) ||
		       reject_value(r, key, value, "a number from 1.5 to 1000 with one decimal", err);
	if (str_is(key, "quiet"))
		return read_duration(r, key, value, &x->quiet_ms, err);
	if (str_is(key, "clear"))
		return read_duration(r, key, value, &x->clear_ms, err);
	if (str_is(key, "severity"))
		return read_severities(r, key, value, x, err);
	if (str_is(key, "receivers"))
		return x->receivers = value, true;
	return err_set(
		err, ERR_CONFIG,
		"%s:%d: %.*s is no key of a rule; the keys are: kind, by, only, period, amount, at, floor, factor, quiet, clear, severity, receivers",
		r->file, r->line, STR_ARG(key));
}

static bool read_receiver_key(struct rules_reader *r, struct str key, struct str value, struct err *err)
{
	static const struct { const char *name; size_t offset;
	} texts[] = {
		{"url", offsetof(struct alert_receiver, url)},
		{"secret", offsetof(struct alert_receiver, secret)},
		{"from", offsetof(struct alert_receiver, from)},
		{"to", offsetof(struct alert_receiver, to)},
		{"user", offsetof(struct alert_receiver, user)},
		{"password", offsetof(struct alert_receiver, password)},
		{"command", offsetof(struct alert_receiver, command)},
		{"ca", offsetof(struct alert_receiver, ca)},
	};
	int n = 0;
	if (str_is(key, "kind")) {
		bool good = read_word(r, key, value, receiver_kind_names, &n, err);
		r->receiver->kind = (enum receiver_kind)n;
		return good;
	}
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (str_is(key, texts[i].name))
			return *(struct str *)((char *)r->receiver + texts[i].offset) = value, true;
	return err_set(
		err, ERR_CONFIG,
		"%s:%d: %.*s is no key of a receiver; the keys are: kind, url, secret, ca, from, to, user, password, command",
		r->file, r->line, STR_ARG(key));
}

// ---- sections -----------------------------------------------------------------------------------

static int count_severities(const struct alert_rule *r)
{
	int n = 1;
	for (size_t i = 0; i < r->severity.len; i++)
		n += r->severity.p[i] == ',';
	return n;
}

struct str alert_rule_severity(const struct alert_rule *r, int64_t level)
{
	struct str rest = r->severity, word = str_trim(str_cut(&rest, ','));
	for (int i = 1; i < r->nat && rest.p && level >= r->at[i]; i++)
		word = str_trim(str_cut(&rest, ','));
	return word;
}

NC_PRINTF(3, 4)
static bool refuse_section(const struct rules_reader *r, struct err *err, const char *fmt, ...)
{
	char msg[sizeof err->msg];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	return err_set(err, ERR_CONFIG, "%s:%d: %s %.*s: %s", r->file, r->section, r->rule ? "rule" : "receiver",
	               STR_ARG(r->rule ? r->rule->name : r->receiver->name), msg);
}

static bool check_rule(const struct rules_reader *r, const struct alert_rule *x, struct err *err)
{
	bool money = x->kind == ALERT_BUDGET || x->kind == ALERT_FORECAST || x->kind == ALERT_BURN;
	if (money && x->amount.pico <= 0)
		return refuse_section(r, err, "a %s needs `amount`, the dollars of a period", alert_kind_names[x->kind]);
	if (x->kind == ALERT_NEW && x->by.n == 0)
		return refuse_section(r, err, "new needs `by`: what may be new, principal or model for instance");
	if (memchr(x->severity.p, ',', x->severity.len) &&
	    ((x->kind != ALERT_BUDGET && x->kind != ALERT_BILL) || count_severities(x) != x->nat))
		return refuse_section(
			r, err, "`severity` has %d words: expected one, or one for each of `at`, of a budget or bill rule",
			count_severities(x));
	return true;
}

static bool check_receiver(const struct rules_reader *r, const struct alert_receiver *to, struct err *err)
{
	if (to->kind == TO_COMMAND ? !to->command.len : !to->url.len)
		return refuse_section(r, err, "a %s needs `%s`", receiver_kind_names[to->kind],
		                      to->kind == TO_COMMAND ? "command" : "url");
	if (to->kind == TO_EMAIL && (!to->from.len || !to->to.len))
		return refuse_section(r, err, "email needs `from` and `to`");
	return true;
}

// What a section must have, once all of its lines were read. Of a section with a wrong line nothing is said:
// what it lacks may be what that line was to say.
static bool finish_section(struct rules_reader *r, struct err *err)
{
	bool good = err_listed(err) > r->listed || ((!r->rule || check_rule(r, r->rule, err)) &&
	                                            (!r->receiver || check_receiver(r, r->receiver, err)));
	return good || err_collect(err);
}

static bool begin_section(struct rules_reader *r, struct str head, struct err *err)
{
	struct alert_rules *out = r->out;
	struct str rest = head, what = str_cut(&rest, ' '), name = str_trim(rest);
	if (!finish_section(r, err))
		return false;
	r->section = r->line;
	r->listed = err_listed(err);
	r->rule = NULL;
	r->receiver = NULL;
	r->skipped = true;
	if ((!str_is(what, "rule") && !str_is(what, "receiver")) || name.len == 0 ||
	    memchr(name.p, '|', name.len))
		return err_set(err, ERR_CONFIG, "%s:%d: expected [rule NAME] or [receiver NAME], got [%.*s]", r->file,
		               r->line, STR_ARG(head));
	if (out->nrules == RULES_MAX || out->nreceivers == RULES_MAX)
		return err_set(err, ERR_CONFIG, "%s:%d: more than %d rules or receivers", r->file, r->line,
		               RULES_MAX);
	bool known = str_is(what, "rule") ? alert_rule_find(out, name) != NULL
	                                  : alert_receiver_find(out, name) != NULL;
	if (known)
		return err_set(err, ERR_CONFIG, "%s:%d: %.*s %.*s is defined twice", r->file, r->line, STR_ARG(what),
		               STR_ARG(name));
	r->skipped = false;
	if (str_is(what, "receiver")) {
		r->receiver = &out->receivers[out->nreceivers++];
		*r->receiver = (struct alert_receiver){.name = name, .kind = TO_WEBHOOK};
		return true;
	}
	r->rule = &out->rules[out->nrules++];
	*r->rule = (struct alert_rule){.name = name,
	                               .line = r->line,
	                               .period = PERIOD_MONTH,
	                               .at = {50, 80, 100},
	                               .nat = 3,
	                               .factor_tenths = 43,
	                               .floor = {100000000000},
	                               .quiet_ms = 30 * MS_PER_MINUTE,
	                               .clear_ms = 15 * MS_PER_MINUTE,
	                               .severity = STR("warning")};
	return true;
}

// Names in `receivers` must be there.
static bool check_receivers(const struct alert_rules *out, const char *file, struct err *err)
{
	for (int i = 0; i < out->nrules; i++) {
		struct str rest = out->rules[i].receivers;
		while (rest.len) {
			struct str name = str_trim(str_cut(&rest, ','));
			if (!alert_receiver_find(out, name) &&
			    !err_set(err, ERR_CONFIG, "%s:%d: rule %.*s: there is no [receiver %.*s]", file,
			             out->rules[i].line, STR_ARG(out->rules[i].name), STR_ARG(name)) &&
			    !err_collect(err))
				return false;
		}
	}
	return true;
}

// What is shown of a line that is not understood: what is behind its first word may be a secret.
static struct str first_word(struct str line)
{
	size_t n = 0;
	while (n < line.len && !str_is_space(line.p[n]) && line.p[n] != '=')
		n++;
	bool shown = n < line.len && !memmem(line.p, n, "://", 3);
	return shown ? (struct str){line.p, n} : STR("a word");
}

static bool refuse_head(const struct rules_reader *r, struct str line, struct err *err)
{
	const char *end = memchr(line.p, ']', line.len);
	return err_set(err, ERR_CONFIG, "%s:%d: expected [rule NAME] or [receiver NAME], got %.*s%s", r->file, r->line,
	               end ? (int)(end + 1 - line.p) : (int)line.len, line.p, end ? " and more" : "");
}

// A line within a section, or the head of one.
static bool read_line(struct rules_reader *r, struct str line, struct err *err)
{
	if (line.p[0] == '[' && line.p[line.len - 1] == ']')
		return begin_section(r, (struct str){line.p + 1, line.len - 2}, err);
	if (line.p[0] == '[') {
		if (!finish_section(r, err))
			return false;
		r->rule = NULL;
		r->receiver = NULL;
		r->skipped = true;
		return refuse_head(r, line, err);
	}
	struct str value = line, key = str_trim(str_cut(&value, '='));
	value = str_trim(value);
	if (r->skipped)
		return true;
	if (!r->rule && !r->receiver) {
		r->skipped = true;
		return err_set(err, ERR_CONFIG, "%s:%d: expected [rule NAME] or [receiver NAME] first, got %.*s", r->file,
		               r->line, STR_ARG(first_word(line)));
	}
	if (!value.p)
		return err_set(err, ERR_CONFIG, "%s:%d: expected `key = value`, got %.*s and no =", r->file, r->line,
		               STR_ARG(first_word(line)));
	return (r->rule ? read_rule_key : read_receiver_key)(r, key, value, err);
}

bool alert_rules_parse(struct alert_rules *ret, struct str text, const char *file, struct caller_sources from,
                       struct err *err)
{
	size_t before = err_listed(err);
	*ret = (struct alert_rules){0};
	ret->rules = xcalloc(RULES_MAX, sizeof *ret->rules);
	ret->receivers = xcalloc(RULES_MAX, sizeof *ret->receivers);
	struct rules_reader r = {.out = ret,
	                         .from = {arena_str(&ret->arena, from.team_tag),
	                                  arena_str(&ret->arena, from.team), arena_str(&ret->arena, from.user),
	                                  from.mapped},
	                         .file = file};
	struct str rest = arena_str(&ret->arena, text);
	while (rest.len) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		r.line++;
		if (line.len && line.p[0] != '#' && !read_line(&r, line, err) && !err_collect(err))
			return false;
	}
	return finish_section(&r, err) && check_receivers(ret, file, err) && err_check(err, before);
}

// A rule by a column that the mapping file does not have would never ring.
static bool check_mapping(const struct alert_rules *rules, const char *file, const struct conf *conf,
                          struct err *err)
{
	struct mapping *m;
	if (!mapping_load(&m, conf, err))
		return false;
	bool good = true;
	size_t before = err_listed(err);
	for (int i = 0; i < rules->nrules && good; i++)
		good = grouping_check_keys(&rules->rules[i].by, m, err) ||
		       (!err_prefix(err, "%s:%d: rule %.*s", file, rules->rules[i].line,
		                    STR_ARG(rules->rules[i].name)) &&
		        err_collect(err));
	mapping_free(m);
	return good && err_check(err, before);
}

bool alert_rules_read(struct alert_rules *ret, struct str text, const char *file, const struct conf *conf,
                      struct err *err)
{
	return alert_rules_parse(ret, text, file, conf_sources(conf), err) && check_mapping(ret, file, conf, err);
}

bool alert_rules_load(struct alert_rules *ret, const struct conf *conf, struct err *err)
{
	struct buf text = BUF_INIT;
	*ret = (struct alert_rules){0};
	if (!*conf->alerts_file)
		return alert_rules_parse(ret, str_of(alert_rules_built_in), "(built-in rules)", conf_sources(conf),
		                         err);
	if (access(conf->alerts_file, F_OK) < 0 && errno == ENOENT) {
		err_set(err, ERR_CONFIG,
		        "alerts.file: there is no %s yet; `nowcast budget set month --amount 5000` makes it",
		        conf->alerts_file);
		return conf_blame(conf, "alerts.file", err);
	}
	bool good = file_read(conf->alerts_file, ALERT_RULES_BYTES_MAX, &text, err)
	                ? alert_rules_read(ret, buf_str(&text), conf->alerts_file, conf, err)
	                : err_prefix(err, "alerts.file") || conf_blame(conf, "alerts.file", err);
	buf_release(&text);
	return good;
}

void alert_rules_release(struct alert_rules *r)
{
	arena_release(&r->arena);
	free(r->rules);
	free(r->receivers);
	*r = (struct alert_rules){0};
}

const struct alert_rule *alert_rule_find(const struct alert_rules *r, struct str name)
{
	for (int i = 0; i < r->nrules; i++)
		if (str_eq(r->rules[i].name, name))
			return &r->rules[i];
	return NULL;
}

const struct alert_receiver *alert_receiver_find(const struct alert_rules *r, struct str name)
{
	for (int i = 0; i < r->nreceivers; i++)
		if (str_eq(r->receivers[i].name, name))
			return &r->receivers[i];
	return NULL;
}
