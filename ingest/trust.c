// SPDX-License-Identifier: Apache-2.0
// Accounts are compared as numbers: programs that process records drop leading zeros.
#include "ingest/trust.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arn.h"
#include "base/file.h"
#include "base/pattern.h"
#include "ingest/field.h"
#include "ingest/json.h"

enum { FILE_BYTES_MAX = 16 << 20, ACCOUNT_DIGITS = 12 };

enum source_class { OF_TOPIC, OF_FILE, OF_FIREHOSE, OF_LOG_GROUP, SOURCE_CLASSES };

enum { MAY_CLOUDTRAIL = 1, MAY_METRICS = 2, MAY_LOGS = 4, MAY_TELEMETRY = 8 };

struct accounts {
	uint64_t *v; // sorted
	size_t n;
};

struct trust_rule {
	enum source_class of;
	struct str source; // without the word of its class; in the configuration
	unsigned may;
	struct accounts accounts; // n 0: all
};

struct trust {
	const struct conf *conf;
	struct trust_rule *rules; // in the order of the configuration
	size_t nrules;
	size_t nof[SOURCE_CLASSES];
	struct accounts allowed; // of accounts.allowed and accounts.file; n 0: all
	struct stat read;        // accounts.file when it was read; all 0: it was not there
};

// ---- accounts -----------------------------------------------------------------------------------

static bool read_account(struct str s, uint64_t *ret)
{
	uint64_t v = 0;
	if (!s.len || s.len > ACCOUNT_DIGITS)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	*ret = v;
	return true;
}

static int compare_accounts(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void accounts_add(struct accounts *a, uint64_t account)
{
	a->v = xrealloc(a->v, a->n + 1, sizeof *a->v);
	a->v[a->n++] = account;
}

static void accounts_sort(struct accounts *a)
{
	if (a->n)
		qsort(a->v, a->n, sizeof *a->v, compare_accounts);
}

static bool accounts_have(const struct accounts *a, struct str account)
{
	uint64_t v;
	return read_account(account, &v) && a->n && bsearch(&v, a->v, a->n, sizeof *a->v, compare_accounts);
}

static bool add_listed(struct accounts *a, const char *key, struct str word, struct err *err)
{
	uint64_t v;
	if (word.len != ACCOUNT_DIGITS || !read_account(word, &v))
		return err_set(err, ERR_CONFIG, "%s: expected accounts of 12 digits, got %s", key,
		               field_show(word).z);
	accounts_add(a, v);
	return true;
}

// The answer of `aws organizations list-accounts`, or an account a line.
static bool read_accounts(struct accounts *a, const char *file, struct str text, struct err *err)
{
	struct json_parser *parser = json_parser_new();
	struct json answer, item;
	const char *why;
	struct str word, head = str_trim(text);
	bool good = true;
	size_t before = a->n, listed = err_listed(err);
	if (head.len && head.p[0] == '{') {
		good = json_parse(parser, text, &answer, &why) || err_set(err, ERR_CONFIG, "%s", why);
		for (struct json_iter it = json_begin(good ? json_get(answer, STR("Accounts")) : JSON_ABSENT);
		     good && json_next(&it, NULL, &item);)
			good = json_str(json_get(item, STR("Id")), &word)
			           ? add_listed(a, "Accounts[].Id", word, err)
			           : err_set(err, ERR_CONFIG, "an account without its Id");
	} else {
		for (int line = 1; good && text.len; line++) {
			char where[32];
			snprintf(where, sizeof where, "line %d", line);
			word = str_trim(str_cut(&text, '\n'));
			if (word.len && word.p[0] != '#')
				good = add_listed(a, where, word, err) || err_collect(err);
		}
		good = good && err_check(err, listed);
	}
	json_parser_free(parser);
	if (good && a->n == before)
		good = err_set(err, ERR_CONFIG,
		               "it names no account; expected an account a line, or the answer of "
		               "`aws organizations list-accounts`");
	return good || err_prefix(err, "accounts.file = %s", file);
}

static bool load_accounts(const struct conf *c, struct accounts *ret, struct err *err)
{
	struct accounts a = {0};
	struct buf text = BUF_INIT;
	size_t before = err_listed(err);
	bool good = true;
	for (size_t i = 0; good && i < c->accounts_allowed.n; i++)
		if (!add_listed(&a, "accounts.allowed", str_of(c->accounts_allowed.items[i]), err)) {
			conf_blame(c, "accounts.allowed", err);
			good = err_collect(err);
		}
	if (good && *c->accounts_file)
		good =
			((file_read(c->accounts_file, FILE_BYTES_MAX, &text, err) || err_prefix(err, "accounts.file")) &&
		     read_accounts(&a, c->accounts_file, buf_str(&text), err)) ||
			conf_blame(c, "accounts.file", err);
	buf_release(&text);
	if (!good || !err_check(err, before)) {
		free(a.v);
		return false;
	}
	accounts_sort(&a);
	free(ret->v);
	*ret = a;
	return true;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ino == b->st_ino && a->st_size == b->st_size;
}

bool trust_refresh(struct trust *t, struct err *err)
{
	struct stat st = {0};
	const char *file = t->conf->accounts_file;
	if (!*file)
		return true;
	bool there = stat(file, &st) == 0;
	int why = errno;
	if (is_same_file(&st, &t->read))
		return true;
	t->read = st; // of a bad file too: its error is reported once
	return there ? load_accounts(t->conf, &t->allowed, err)
	             : err_set(err, ERR_CONFIG, "accounts.file = %s: %s", file, strerror(why));
}

// ---- rules --------------------------------------------------------------------------------------

static enum source_class class_of(struct str *source)
{
	static const struct str words[SOURCE_CLASSES] = {
		[OF_FILE] = STR("file:"), [OF_FIREHOSE] = STR("firehose:"), [OF_LOG_GROUP] = STR("log_group:")};
	for (enum source_class of = OF_FILE; of < SOURCE_CLASSES; of++)
		if (str_starts(*source, words[of])) {
			*source = (struct str){source->p + words[of].len, source->len - words[of].len};
			return of;
		}
	return OF_TOPIC;
}

static bool read_word(struct trust_rule *r, struct str word, bool *ret_none, struct err *err)
{
	static const struct {
		const char *word;
		unsigned may;
	} words[] = {
		{"cloudtrail", MAY_CLOUDTRAIL},
		{"metrics", MAY_METRICS},
		{"logs", MAY_LOGS},
		{"telemetry", MAY_TELEMETRY},
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_is(word, words[i].word)) {
			r->may |= words[i].may;
			return true;
		}
	*ret_none |= str_is(word, "none");
	uint64_t account;
	if (word.len == ACCOUNT_DIGITS && read_account(word, &account)) {
		accounts_add(&r->accounts, account);
		return true;
	}
	return str_is(word, "none") ||
	       err_set(err, ERR_CONFIG,
	               "expected cloudtrail, metrics, logs, telemetry, none, or an account of 12 digits, got %s",
	               field_show(word).z);
}

static bool read_rule(const struct conf *c, const struct conf_pair *p, struct trust_rule *r, struct err *err)
{
	struct str rest = str_of(p->value), name;
	bool none = false, good = true;
	size_t words = 0;
	r->source = str_of(p->key);
	r->of = class_of(&r->source);
	if (r->of == OF_TOPIC && str_is(r->source, "firehose") && conf_has_source(c, "firehose")) {
		r->of = OF_FIREHOSE;
		r->source = STR("*");
	}
	name = r->source;
	if (!r->source.len || (r->of == OF_LOG_GROUP && !(str_cut(&name, ':').len && name.len)))
		good =
			err_set(err, ERR_CONFIG, "expected trust.TOPIC, trust.file:PATH, trust.firehose:NAME or trust.log_group:OWNER:NAME");
	for (; good && rest.len; words++)
		good = read_word(r, str_trim(str_cut(&rest, ',')), &none, err);
	if (good && (!words || (none && (words > 1))))
		good = err_set(err, ERR_CONFIG,
		               "expected a list of what it may carry (cloudtrail, metrics, logs, "
		               "telemetry), or none");
	accounts_sort(&r->accounts);
	if (good)
		return true;
	err_prefix(err, "trust.%s = %s", p->key, p->value);
	return conf_blame_origin(c, p->origin, err);
}

static const struct trust_rule *find_rule(const struct trust *t, enum source_class of, struct str name)
{
	const struct trust_rule *found = NULL;
	for (size_t i = 0; i < t->nrules; i++) {
		const struct trust_rule *r = &t->rules[i];
		if (r->of != of)
			continue;
		if (str_eq(r->source, name))
			return r;
		if (!found && !pattern_is_plain(r->source) && pattern_matches(r->source, name))
			found = r;
	}
	return found;
}

// A topic that was forgotten among the rules would fill the dead letters.
static bool check_topics(const struct trust *t, struct err *err)
{
	for (size_t i = 0; t->nof[OF_TOPIC] && i < t->conf->topics.n; i++) {
		const char *topic = t->conf->topics.items[i];
		if (topic[0] == '^' || find_rule(t, OF_TOPIC, str_of(topic)))
			continue;
		err_set(err, ERR_CONFIG,
		        "topics has %s, of which no trust rule says what it may carry: add trust.%s = cloudtrail, "
		        "metrics, logs, or less",
		        topic, topic);
		conf_blame(t->conf, "topics", err);
		if (!err_collect(err))
			return false;
	}
	return true;
}

bool trust_open(struct trust **ret, const struct conf *conf, struct err *err)
{
	struct trust *t = xcalloc(1, sizeof *t);
	size_t before = err_listed(err);
	bool good = true;
	t->conf = conf;
	t->rules = xcalloc(conf->ntrust + 1, sizeof *t->rules);
	for (size_t i = 0; good && i < conf->ntrust; i++) {
		good = read_rule(conf, &conf->trust[i], &t->rules[t->nrules++], err) || err_collect(err);
		t->nof[t->rules[i].of]++;
	}
	if (*conf->accounts_file && stat(conf->accounts_file, &t->read) != 0)
		t->read = (struct stat){0};
	good = good && check_topics(t, err) && (load_accounts(conf, &t->allowed, err) || err_collect(err));
	if (!good || !err_check(err, before)) {
		trust_close(t);
		return false;
	}
	*ret = t;
	return true;
}

void trust_close(struct trust *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nrules; i++)
		free(t->rules[i].accounts.v);
	free(t->rules);
	free(t->allowed.v);
	free(t);
}

bool trust_expects_telemetry(const struct trust *t)
{
	bool expected = false;
	for (size_t i = 0; i < t->nrules; i++)
		expected |= (t->rules[i].may & MAY_TELEMETRY) != 0;
	return expected;
}

bool trust_has_rules(const struct conf *conf)
{
	return conf->ntrust || conf->accounts_allowed.n || *conf->accounts_file;
}

// ---- the judgement ------------------------------------------------------------------------------

static unsigned kind_of(const struct record *r, const char **ret_word)
{
	if (r->kind == RECORD_METRIC) {
		*ret_word = "metrics";
		return MAY_METRICS;
	}
	if (r->kind == RECORD_TELEMETRY) {
		*ret_word = "telemetry";
		return MAY_TELEMETRY;
	}
	bool log = r->kind == RECORD_CALL_TOKENS && r->call.source == SOURCE_LOG;
	*ret_word = log ? "logs" : "cloudtrail";
	return log ? MAY_LOGS : MAY_CLOUDTRAIL;
}

// Of which accounts a record speaks: that recorded it, that pays, that of the caller's or session's ARN.
// STR_NONE where it does not say.
enum { SPOKEN_OF = 3 };
static void list_accounts(const struct record *r, struct str ret[SPOKEN_OF])
{
	struct str arn = STR_NONE;
	ret[0] = r->recorder;
	ret[1] = STR_NONE;
	switch (r->kind) {
	case RECORD_METRIC:
		ret[1] = r->metric.account;
		break;
	case RECORD_SESSION_TAGS:
		arn = r->session_tags.arn.len ? r->session_tags.arn : r->session_tags.role_arn;
		break;
	case RECORD_PRINCIPAL_TAGS:
		ret[1] = r->principal_tags.account;
		break;
	case RECORD_TELEMETRY:
		ret[1] = r->telemetry.call.account;
		arn = r->telemetry.principal;
		break;
	default:
		ret[1] = r->call.account;
		arn = r->call.caller.arn;
	}
	ret[2] = arn_cut_account(&arn);
}

// The first account that is none of them; STR_NONE: all are, or `a` is empty. An account that is no number
// ("aws" in the ARN of a policy) is nobody's.
static struct str find_foreign(const struct accounts *a, const struct str spoken[SPOKEN_OF])
{
	uint64_t v;
	for (int i = 0; a->n && i < SPOKEN_OF; i++)
		if (read_account(spoken[i], &v) && !accounts_have(a, spoken[i]))
			return spoken[i];
	return STR_NONE;
}

static bool refuse_account(struct str account, const char *by, enum fault_kind *ret_kind, struct err *err)
{
	*ret_kind = FAULT_FOREIGN_ACCOUNT;
	return err_set(err, ERR_SKIP, "a record of account %s, which is none of %s", field_show(account).z, by);
}

static bool check_rule(const struct trust_rule *rule, bool any, const char *name, const struct record *r,
                       enum fault_kind *ret_kind, struct err *err)
{
	const char *word;
	struct str spoken[SPOKEN_OF];
	if (!(rule && rule->may & kind_of(r, &word))) {
		*ret_kind = FAULT_UNTRUSTED;
		kind_of(r, &word);
		return err_set(err, ERR_SKIP, "%s may not carry %s: %s", name, word,
		               rule  ? "its trust rule does not say so"
		               : any ? "no trust rule names it, and others are named"
		                     : "no trust rule allows it");
	}
	list_accounts(r, spoken);
	struct str foreign = find_foreign(&rule->accounts, spoken);
	return !foreign.len || refuse_account(foreign, "those of the trust rule of its source", ret_kind, err);
}

static bool check_source(const struct trust *t, enum source_class of, struct str name, const struct record *r,
                         enum fault_kind *ret_kind, struct err *err)
{
	static const char *const words[SOURCE_CLASSES] = {"topic", "file", "Firehose key", "log group"};
	char shown[96];
	if (!t->nof[of] && r->kind != RECORD_TELEMETRY)
		return true;
	snprintf(shown, sizeof shown, "%s %s", words[of], field_show(name).z);
	return check_rule(find_rule(t, of, name), t->nof[of] > 0, shown, r, ret_kind, err);
}

// Log groups that AWS fills with what an application prints, by the names that it gives them.
static bool is_of_application(struct str group)
{
	static const struct str heads[] = {
		STR("/aws/lambda/"),
		STR("/aws/ecs/"),
		STR("/ecs/"),
		STR("/aws/eks/"),
		STR("/aws/codebuild/"),
		STR("/aws/batch/"),
		STR("/aws/apprunner/"),
		STR("/aws/containerinsights/"),
		STR("/aws/sagemaker/"),
		STR("/aws/glue/"),
		STR("/aws-glue/"),
		STR("/aws/elasticbeanstalk/"),
		STR("/aws/apigateway/"),
		STR("/aws/lightsail/"),
		STR("/aws/bedrock-agentcore/"),
	};
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		if (str_starts(group, heads[i]))
			return true;
	return str_starts(group, STR("API-Gateway-Execution-Logs_"));
}

static bool check_log_group(const struct trust *t, const struct record *r, enum fault_kind *ret_kind,
                            struct err *err)
{
	const struct carrier *c = &r->carrier;
	struct str spoken[SPOKEN_OF];
	uint64_t owner;
	if (!c->log_group.len && !c->log_owner.len)
		return true;
	if (t->nof[OF_LOG_GROUP] || r->kind == RECORD_TELEMETRY) {
		struct buf name = BUF_INIT;
		buf_addf(&name, "%.*s:%.*s", STR_ARG(c->log_owner), STR_ARG(c->log_group));
		bool good = check_source(t, OF_LOG_GROUP, buf_str(&name), r, ret_kind, err);
		buf_release(&name);
		return good;
	}
	*ret_kind = FAULT_UNTRUSTED;
	if (is_of_application(c->log_group))
		return err_set(
			err, ERR_SKIP,
			"the log group %s is one that an application writes: trust.log_group:OWNER:NAME allows it",
			field_show(c->log_group).z);
	if (!read_account(c->log_owner, &owner))
		return true;
	list_accounts(r, spoken);
	struct str foreign = find_foreign(&(struct accounts){&owner, 1}, spoken);
	*ret_kind = FAULT_FOREIGN_ACCOUNT;
	return !foreign.len ||
	       err_set(
			   err, ERR_SKIP,
			   "the log group %s of account %s speaks of account %s: trust.log_group:OWNER:NAME allows it, say "
			   "for the trail of an organisation",
			   field_show(c->log_group).z, field_show(c->log_owner).z, field_show(foreign).z);
}

// What AWS answers to a request of ours is AWS's own, but for the text of a log group: that speaks of the
// account that the group is of.
static bool check_api(const struct origin *origin, const struct record *r, enum fault_kind *ret_kind,
                      struct err *err)
{
	struct str spoken[SPOKEN_OF];
	uint64_t v;
	if (r->kind == RECORD_TELEMETRY) {
		*ret_kind = FAULT_UNTRUSTED;
		return err_set(err, ERR_SKIP, "AWS's APIs may not carry telemetry: send it into Kafka");
	}
	if (!origin->api_log || !read_account(origin->api_account, &v))
		return true;
	list_accounts(r, spoken);
	struct str foreign = find_foreign(&(struct accounts){&v, 1}, spoken);
	return !foreign.len || refuse_account(foreign, "the account of the log group", ret_kind, err);
}

bool trust_allows(const struct trust *t, const struct origin *origin, const struct record *r,
                  enum fault_kind *ret_kind, struct err *err)
{
	struct str spoken[SPOKEN_OF];
	if (r->carrier.custom_source.len) {
		*ret_kind = FAULT_CUSTOM_EVENT;
		return err_set(
			err, ERR_SKIP,
			"in an EventBridge event of the source %s, and only those that begin with aws. are AWS's own",
			field_show(r->carrier.custom_source).z);
	}
	if ((origin->topic.len && !check_source(t, OF_TOPIC, origin->topic, r, ret_kind, err)) ||
	    (origin->api_account.len && !check_api(origin, r, ret_kind, err)) ||
	    (origin->firehose.len && !check_source(t, OF_FIREHOSE, origin->firehose, r, ret_kind, err)) ||
	    (origin->path && !origin->api_account.len && !origin->delivered &&
	     !check_source(t, OF_FILE, str_of(origin->path), r, ret_kind, err)) ||
	    (!origin->api_log && !check_log_group(t, r, ret_kind, err)))
		return false;
	if (!t->allowed.n)
		return true;
	list_accounts(r, spoken);
	struct str foreign = find_foreign(&t->allowed, spoken);
	return !foreign.len || refuse_account(foreign, "accounts.allowed and accounts.file", ret_kind, err);
}
