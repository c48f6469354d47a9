// SPDX-License-Identifier: Apache-2.0
// Who may say what, as a table: rules, a message from a source, and what becomes of its record.
#include "ingest/trust.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "tests/tap.h"

#define OURS "111122223333"
#define THEIRS "444455556666"
#define RECORD(recorder, caller, more)                                                                       \
	"{\"userIdentity\":{\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::" caller                                 \
	":user/ann\",\"accountId\":\"" caller                                                                    \
	"\"},\"eventTime\":\"2026-11-02T05:06:07Z\",\"eventSource\":\"bedrock.amazonaws.com\","                  \
	"\"awsRegion\":\"us-east-1\",\"recipientAccountId\":\"" recorder "\"," more                              \
	"\"eventName\":\"Converse\","                                                                            \
	"\"requestParameters\":{\"modelId\":\"m\"},\"requestID\":\"r-1\"}"
#define CALL RECORD(OURS, OURS, "")
#define LOG                                                                                                  \
	"{\"schemaType\":\"ModelInvocationLog\",\"timestamp\":\"2026-11-02T05:06:07Z\",\"accountId\":\"" OURS    \
	"\",\"region\":\"us-east-1\",\"requestId\":\"r-1\",\"operation\":\"Converse\",\"modelId\":\"m\","        \
	"\"identity\":{\"arn\":\"arn:aws:iam::" OURS ":user/ann\"},\"input\":{\"inputTokenCount\":1},"           \
	"\"output\":{\"outputTokenCount\":1}}"
#define METRIC                                                                                               \
	"{\"namespace\":\"AWS/Bedrock\",\"metric_name\":\"InputTokenCount\",\"account_id\":\"" OURS              \
	"\",\"region\":\"us-east-1\",\"dimensions\":{\"ModelId\":\"m\"},\"timestamp\":1793595960000,"            \
	"\"value\":{\"sum\":1,\"count\":1}}"
#define TELEMETRY                                                                                            \
	"{\"attributes\":[{\"key\":\"gen_ai.system\",\"value\":{\"stringValue\":\"aws.bedrock\"}},"                \
	"{\"key\":\"cloud.account.id\",\"value\":{\"stringValue\":\"" OURS "\"}},"                               \
	"{\"key\":\"gen_ai.usage.output_tokens\",\"value\":{\"intValue\":\"1\"}}],"                            \
	"\"startTimeUnixNano\":\"1793595960000000000\",\"endTimeUnixNano\":\"1793595961000000000\"}"
#define SESSION(account)                                                                                     \
	"{\"userIdentity\":{\"type\":\"IAMUser\",\"accountId\":\"" THEIRS                                        \
	"\"},\"eventTime\":\"2026-11-02T05:06:07Z\",\"eventSource\":\"sts.amazonaws.com\","                      \
	"\"eventName\":\"AssumeRole\",\"awsRegion\":\"us-east-1\",\"recipientAccountId\":\"" THEIRS              \
	"\",\"requestParameters\":{\"roleArn\":\"arn:aws:iam::" account                                          \
	":role/app\",\"tags\":[{\"key\":\"team\",\"value\":\"x\"}]},\"responseElements\":{"                      \
	"\"credentials\":{\"accessKeyId\":\"ASIAX\"},\"assumedRoleUser\":{\"arn\":\"arn:aws:sts::" account       \
	":assumed-role/app/s\"}}}"
#define GROUP(owner, name)                                                                                   \
	"{\"owner\":\"" owner "\",\"logGroup\":\"" name "\",\"logEvents\":[{\"message\":<>}]}"
#define EVENT(source) "{\"detail-type\":\"x\",\"source\":\"" source "\",\"detail\":<>}"

static const struct {
	const char *name, *rules, *topic, *path, *wrap, *message, *becomes;
} rows[] = {
	{"without rules a topic carries everything", "", "t", NULL, NULL, CALL, "counts"},
	{"a rule allows what it names", "trust.t = cloudtrail", "t", NULL, NULL, CALL, "counts"},
	{"and nothing else: metrics", "trust.t = cloudtrail", "t", NULL, NULL, METRIC, "untrusted"},
	{"and nothing else: logs", "trust.t = cloudtrail, metrics", "t", NULL, NULL, LOG, "untrusted"},
	{"logs", "trust.t = logs", "t", NULL, NULL, LOG, "counts"},
	{"metrics", "trust.t = metrics", "t", NULL, NULL, METRIC, "counts"},
	{"calls are no logs", "trust.t = metrics, logs", "t", NULL, NULL, CALL, "untrusted"},
	{"telemetry is nothing that counts", "trust.t = telemetry", "t", NULL, NULL, METRIC, "untrusted"},
	{"telemetry needs a rule", "", "t", NULL, NULL, TELEMETRY, "untrusted"},
	{"that names it", "trust.t = cloudtrail, metrics, logs", "t", NULL, NULL, TELEMETRY, "untrusted"},
	{"then it counts", "trust.t = telemetry", "t", NULL, NULL, TELEMETRY, "counts"},
	{"of the accounts of the rule", "trust.t = telemetry, " THEIRS, "t", NULL, NULL, TELEMETRY,
     "foreign_account"},
	{"it needs one of a file, too", "trust.t = telemetry", NULL, "a/b.json", NULL, TELEMETRY, "untrusted"},
	{"and of a log group", "trust.t = telemetry", "t", NULL, GROUP(OURS, "app"), TELEMETRY, "untrusted"},
	{"which then may carry it", "trust.t = telemetry\ntrust.log_group:*:app = telemetry", "t", NULL,
     GROUP(OURS, "app"), TELEMETRY, "counts"},
	{"none", "trust.t = none", "t", NULL, NULL, CALL, "untrusted"},
	{"a topic without a rule, where others have one", "trust.s = cloudtrail", "t", NULL, NULL, CALL,
     "untrusted"},
	{"a pattern", "trust.team-* = cloudtrail", "team-1", NULL, NULL, CALL, "counts"},
	{"the first pattern decides", "trust.team-* = logs\ntrust.* = cloudtrail", "team-1", NULL, NULL, CALL,
     "untrusted"},
	{"an exact name comes before patterns", "trust.* = none\ntrust.team-1 = cloudtrail", "team-1", NULL, NULL,
     CALL, "counts"},
	{"accounts of a rule", "trust.t = cloudtrail, " OURS, "t", NULL, NULL, CALL, "counts"},
	{"accounts of a rule, others", "trust.t = cloudtrail, " THEIRS, "t", NULL, NULL, CALL, "foreign_account"},
	{"rules of topics are none of files", "trust.t = logs", NULL, "a/b.json", NULL, CALL, "counts"},
	{"a file", "trust.file:a/* = cloudtrail", NULL, "a/b.json", NULL, CALL, "counts"},
	{"another file", "trust.file:b/* = cloudtrail", NULL, "a/b.json", NULL, CALL, "untrusted"},
	{"standard input", "trust.file:- = logs", NULL, "-", NULL, CALL, "untrusted"},
	{"a line of a file that says its topic needs both", "trust.t = logs\ntrust.file:* = cloudtrail", "t",
     "a/b.json", NULL, CALL, "untrusted"},

	{"an event of AWS", "", "t", NULL, EVENT("aws.bedrock"), CALL, "counts"},
	{"an event of somebody else", "", "t", NULL, EVENT("my.app"), CALL, "custom_event"},
	{"an event of nobody", "", "t", NULL, EVENT(""), CALL, "custom_event"},
	{"aws without its dot", "", "t", NULL, EVENT("aws"), CALL, "custom_event"},
	{"an event of AWS within one of somebody else", "", "t", NULL,
     "{\"detail-type\":\"x\",\"source\":\"my.app\",\"detail\":" EVENT("aws.bedrock") "}", CALL,
     "custom_event"},
	{"an event of somebody else within one of AWS", "", "t", NULL,
     "{\"detail-type\":\"x\",\"source\":\"aws.events\",\"detail\":" EVENT("my.app") "}", CALL,
     "custom_event"},
	{"what stands after it counts", "", "t", NULL, "[" EVENT("my.app") ",<>]", CALL, "custom_event counts"},

	{"a log group of the account", "", "t", NULL, GROUP(OURS, "trail"), CALL, "counts"},
	{"a log group of another account", "", "t", NULL, GROUP(THEIRS, "trail"), CALL, "foreign_account"},
	{"invocation logs of another account", "", "t", NULL, GROUP(THEIRS, "bedrock"), LOG, "foreign_account"},
	{"a caller of another account than the recorder's", "", "t", NULL, GROUP(THEIRS, "trail"),
     RECORD(THEIRS, OURS, ""), "foreign_account"},
	{"shared by another account", "", "t", NULL, GROUP(THEIRS, "trail"),
     RECORD(THEIRS, OURS, "\"sharedEventID\":\"s\","), "foreign_account"},
	{"sessions of another account", "", "t", NULL, GROUP(THEIRS, "trail"), SESSION(OURS), "foreign_account"},
	{"sessions of its own", "", "t", NULL, GROUP(THEIRS, "trail"), SESSION(THEIRS), "counts"},
	{"a log group of an application", "", "t", NULL, GROUP(OURS, "/aws/lambda/chat"), CALL, "untrusted"},
	{"one that imitates another", "", "t", NULL,
     "{\"owner\":\"" THEIRS "\",\"logGroup\":\"x\",\"logEvents\":[{\"message\":" GROUP(OURS, "trail") "}]}",
     CALL, "foreign_account"},
	{"a rule allows it", "trust.log_group:" THEIRS ":trail* = cloudtrail", "t", NULL, GROUP(THEIRS, "trail"),
     CALL, "counts"},
	{"that one only", "trust.log_group:" THEIRS ":trail* = cloudtrail", "t", NULL, GROUP(OURS, "trail"), CALL,
     "untrusted"},
	{"and what it names", "trust.log_group:*:bedrock = logs", "t", NULL, GROUP(OURS, "bedrock"), LOG,
     "counts"},
	{"not more", "trust.log_group:*:bedrock = logs", "t", NULL, GROUP(OURS, "bedrock"), CALL, "untrusted"},
	{"an application's, allowed", "trust.log_group:*:/aws/lambda/ship = cloudtrail", "t", NULL,
     GROUP(OURS, "/aws/lambda/ship"), CALL, "counts"},

	{"an account that is allowed", "accounts.allowed = " THEIRS ", " OURS, "t", NULL, NULL, CALL, "counts"},
	{"an account that is not", "accounts.allowed = " THEIRS, "t", NULL, NULL, CALL, "foreign_account"},
	{"its metrics", "accounts.allowed = " THEIRS, "t", NULL, NULL, METRIC, "foreign_account"},
	{"its logs", "accounts.allowed = " THEIRS, NULL, "f", NULL, LOG, "foreign_account"},
	{"its callers in another's trail", "accounts.allowed = " THEIRS, "t", NULL, NULL,
     RECORD(THEIRS, OURS, ""), "foreign_account"},
	{"its sessions", "accounts.allowed = " THEIRS, "t", NULL, NULL, SESSION(OURS), "foreign_account"},
};

struct seen {
	const struct trust *trust;
	struct origin origin;
	struct buf what;
};

static void on_record(void *user, const struct record *r)
{
	struct seen *s = user;
	struct err err = ERR_INIT;
	enum fault_kind kind;
	buf_adds(&s->what, s->what.len ? " " : "");
	if (trust_allows(s->trust, &s->origin, r, &kind, &err))
		buf_adds(&s->what, "counts");
	else
		buf_adds(&s->what, err.kind == ERR_SKIP && *err.msg ? fault_word(kind) : "no reason");
}

static void on_fault(void *user, enum fault_kind kind, int index, struct str part, const char *reason)
{
	struct seen *s = user;
	(void)index, (void)part, (void)kind;
	buf_addf(&s->what, "fault %s", reason);
}

// Each <> becomes the message.
static void wrap(struct buf *out, const char *wrapper, const char *message)
{
	const char *at;
	for (; (at = strstr(wrapper, "<>")); wrapper = at + 2) {
		buf_add(out, wrapper, (size_t)(at - wrapper));
		buf_adds(out, message);
	}
	buf_adds(out, wrapper);
}

static void run_row(size_t i)
{
	struct conf c;
	struct err err = ERR_INIT;
	struct trust *trust = NULL;
	struct buf message = BUF_INIT;
	conf_init(&c);
	wrap(&message, rows[i].wrap ? rows[i].wrap : "<>", rows[i].message);
	if (ok(conf_read_text(&c, str_of(rows[i].rules), "rules", &err) && trust_open(&trust, &c, &err),
	       "%s: rules (%s)", rows[i].name, err.msg)) {
		struct seen s = {trust, {.topic = str_of(rows[i].topic), .path = rows[i].path}, BUF_INIT};
		struct decoder *d = decoder_new((struct decode_limits){1 << 20, 32, 0}, on_record, on_fault, &s);
		decoder_message(d, message.data, message.len);
		is_str(s.what.len ? s.what.data : "nothing", rows[i].becomes, rows[i].name);
		decoder_free(d);
		buf_release(&s.what);
	}
	trust_close(trust);
	buf_release(&message);
	conf_release(&c);
}

static bool allows(const struct trust *t)
{
	struct seen s = {t, {.topic = STR("t")}, BUF_INIT};
	struct decoder *d = decoder_new((struct decode_limits){1 << 20, 32, 0}, on_record, on_fault, &s);
	decoder_message(d, CALL, strlen(CALL));
	bool good = s.what.len && strcmp(s.what.data, "counts") == 0;
	decoder_free(d);
	buf_release(&s.what);
	return good;
}

// The file of accounts is read again when it changes; a bad one changes nothing, and says so once.
static void refresh_accounts(void)
{
	char file[] = "/tmp/nowcast-trust.XXXXXX", line[100];
	int fd = mkstemp(file);
	struct conf c;
	struct err err = ERR_INIT;
	struct trust *t = NULL;
	const char *answer =
		"{\"Accounts\":[{\"Id\":\"" THEIRS "\",\"Name\":\"" OURS "\",\"Status\":\"ACTIVE\"}]}";
	conf_init(&c);
	snprintf(line, sizeof line, "accounts.file = %s", file);
	if (!ok(fd >= 0 && file_replace(file, str_of(answer), &err) &&
	            conf_read_text(&c, str_of(line), "rules", &err) && trust_open(&t, &c, &err),
	        "accounts out of the answer of list-accounts (%s)", err.msg))
		return;
	ok(!allows(t), "an account is known by its id, not by its name");
	ok(file_replace(file, STR("# ours\n" OURS "\n\n" THEIRS "\n"), &err) && trust_refresh(t, &err) &&
	       allows(t),
	   "a changed file is read again (%s)", err.msg);
	ok(file_replace(file, STR("ours\n"), &err) && !trust_refresh(t, &err) && allows(t),
	   "a bad file changes nothing: %s", err.msg);
	err_clear(&err);
	ok(trust_refresh(t, &err), "which is said once");
	ok(unlink(file) == 0 && !trust_refresh(t, &err) && allows(t), "nor does one that is gone: %s", err.msg);
	trust_close(t);
	conf_release(&c);
	close(fd);
}

// An answer of AWS's own API counts without a rule; the text of a log group, for the account that was asked.
static void answers_of_apis(void)
{
	static const struct {
		struct origin origin;
		const char *becomes, *name;
		bool grouped; // it names its log group
	} answers[] = {
		{{.path = "aws:logs/a", .api_account = STR(OURS), .api_log = true},
	     "counts",
	     "a log group's own account",
	     false},
		{{.path = "aws:logs/a", .api_account = STR(THEIRS), .api_log = true},
	     "foreign_account",
	     "a log group that speaks of another account",
	     false},
		{{.path = "aws:cloudtrail/a", .api_account = STR(THEIRS)},
	     "counts",
	     "CloudTrail's event history",
	     false},
		{{.path = "aws:logs/a"}, "untrusted", "a file of such a name", false},
		{{.path = "aws:logs/a", .api_account = STR(OURS), .api_log = true},
	     "counts",
	     "a log group without a rule of its own",
	     true},
		{{.path = "f", .line = 1}, "untrusted", "a dead letter of it is one of that log group", true},
	};
	struct conf c;
	struct err err = ERR_INIT;
	struct trust *t = NULL;
	conf_init(&c);
	if (!ok(conf_read_text(&c, STR("trust.file:f = logs\ntrust.log_group:*:x = logs"), "rules", &err) && trust_open(&t, &c, &err),
	        "a rule of files (%s)", err.msg))
		return;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct seen s = {t, answers[i].origin, BUF_INIT};
		struct decoder *d = decoder_new((struct decode_limits){1 << 20, 32, 0}, on_record, on_fault, &s);
		static const char grouped[] =
			"{\"owner\":\"" OURS "\",\"logGroup\":\"g\",\"logEvents\":[],\"events\":[{\"message\":" LOG "}]}";
		const char *message = answers[i].grouped ? grouped : LOG;
		decoder_message(d, message, strlen(message));
		is_str(s.what.len ? s.what.data : "nothing", answers[i].becomes, answers[i].name);
		decoder_free(d);
		buf_release(&s.what);
	}
	trust_close(t);
	conf_release(&c);
}

// What Firehose delivered, by the name of its key; and a dead letter of it in a file.
static void deliveries(void)
{
	static const struct {
		const char *rules;
		struct origin origin;
		const char *becomes, *name;
	} cases[] = {
		{"trust.file:f = logs", {.path = "x", .firehose = STR("a"), .delivered = true}, "counts",
	     "a delivery is no file, and without a rule carries everything"},
		{"trust.firehose:a = logs", {.path = "x", .firehose = STR("a"), .delivered = true}, "counts",
	     "a rule of its key"},
		{"trust.firehose:b = logs", {.path = "x", .firehose = STR("a"), .delivered = true}, "untrusted",
	     "a key without one, where others have one"},
		{"trust.firehose = metrics", {.path = "x", .firehose = STR("a"), .delivered = true}, "untrusted",
	     "a rule of all keys"},
		{"trust.firehose = metrics\ntrust.firehose:a = logs, " THEIRS,
	     {.path = "x", .firehose = STR("a"), .delivered = true}, "foreign_account",
	     "an exact name comes before that, with its accounts"},
		{"trust.firehose:a = metrics", {.path = "f", .firehose = STR("a")}, "untrusted",
	     "a dead letter is still of its key"},
		{"trust.firehose:a = logs\ntrust.file:g = logs", {.path = "f", .firehose = STR("a")}, "untrusted",
	     "and of its file"},
		{"trust.firehose:a = metrics", {.topic = STR("firehose")}, "counts", "a topic of that name is none"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct conf c;
		struct err err = ERR_INIT;
		struct trust *t = NULL;
		conf_init(&c);
		if (!ok(conf_read_text(&c, STR("sources = firehose"), "f", &err) &&
		            conf_read_text(&c, str_of(cases[i].rules), "rules", &err) && trust_open(&t, &c, &err),
		        "rules (%s)", err.msg))
			return;
		struct seen s = {t, cases[i].origin, BUF_INIT};
		struct decoder *d = decoder_new((struct decode_limits){1 << 20, 32, 0}, on_record, on_fault, &s);
		decoder_message(d, LOG, sizeof LOG - 1);
		is_str(s.what.len ? s.what.data : "nothing", cases[i].becomes, cases[i].name);
		decoder_free(d);
		buf_release(&s.what);
		trust_close(t);
		conf_release(&c);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		run_row(i);
	answers_of_apis();
	deliveries();
	refresh_accounts();
	return done();
}
