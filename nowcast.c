// SPDX-License-Identifier: Apache-2.0
// nowcast: who is spending what on Amazon Bedrock, now.
//
// One binary, a table of subcommands. A row is dispatch, help and documentation at once: a new subcommand is
// one row here and one file with its cmd_NAME.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/output.h"
#include "demo/demo.h"
#include "run/commands.h"
#include "version_made.h" // base/make-version.sh

static int cmd_help(struct command *c);
static int cmd_complete(struct command *c);

static const struct subcommand subcommands[] = {
	{"look", "[--hours N] [--profile P] [--region R,...] [--wait 5m] [--serve]",
     "who spent what in the last hours, straight from AWS, with nothing configured",
     "Reads the last N hours (24) of the account by AWS's APIs: CloudTrail's event history, the token metrics, invocation logs if\n"
     "there are any, the tags of roles and users. Prints who spent what by team, principal and model, with bands; then what could\n"
     "not be seen, and which switch would show it. Needs credentials of AWS with the permissions in docs/aws.md, and redis-server,\n"
     "of which it runs a private one. It changes nothing and leaves nothing behind. Without --region it looks where Bedrock is\n"
     "used. It reads for 5 minutes at most, the newest hours first. --serve shows the page until ^C.\n",
     cmd_look},
	{"setup", "[--profile P] [--region R,...]",
     "which switches of AWS are on, and the commands for the others",
     "Asks AWS what the account has on: metrics, CloudTrail, invocation logging, tags, a trail, data events of bedrock-mantle, a metric\n"
     "stream, a CUR 2.0 export with principals, the cost allocation tag. Prints green, amber (figures are less exact without it) or\n"
     "red (spend or callers are not seen) for each, with the command that turns it on, and the read-only policy that nowcast needs.\n"
     "It changes nothing. AWS charges $0.01 for asking about the cost allocation tag. Exit status 3 if anything is red.\n",
     cmd_setup},
	{"run", "[--workers N]", "read Kafka or AWS and keep the figures in Redis current (the daemon)",
     "Needs `brokers` and `topics`, or `sources = aws` and credentials of AWS, or `sources = firehose` and an address to which Firehose\n"
     "delivers. SIGTERM and SIGINT finish the batch, commit and leave the group. SIGHUP reads the configuration and the prices again. SIGUSR1\n"
     "logs a stats line. If systemd started it, it reports its state by sd_notify.\n"
     "While Kafka or Redis is away, it waits and logs that. An offset is committed only after the records before it are in Redis.\n",
     cmd_run},
	{"replay", "[--reopen] [--since SPAN] [--from T] [--to T] [--now T] PATH|s3://BUCKET/PREFIX...",
     "the same work from files, folders, S3 or standard input (-)",
     "Reads text a line at a time (kcat -J dumps, NDJSON, CloudTrail files), files that begin with indented JSON or binary data\n"
     "whole, folders with all below them in order of name; gzip is recognised. Replaying the same files again changes nothing.\n"
     "s3://BUCKET/PREFIX reads the objects below it, of a trail for one; of these --since SPAN (last-week, 7d), --from and --to\n"
     "choose those of a span, by the time in the names of a trail's files, else by when they were written.\n"
     "Records of hours that have left `window` are late and not counted. With --reopen they are, as long as `reopen.keep` keeps what is\n"
     "known of these hours; dead letters are without it, too.\n"
     "What cannot be decoded goes to dead_letter.file, or else the first ten are listed; the summary counts it, and the exit\n"
     "status is 0 even so.\n",
     cmd_replay},
	{"report",
     "[SPAN] [--since SPAN] [--from T] [--to T] [--by KEYS] [--principal TEXT] [--role TEXT] [--team NAME] [--model TEXT] "
     "[--where KEY=VALUE] [--sort usd|tokens|calls|name|change] [--top N] [--compare previous] [--format table|csv|json|focus|html] [--json] "
     "[--full] [--now T] [--out FILE|s3://BUCKET/KEY] | --reconciliation | --scoreboard [...]",
     "tokens and dollars of a span of hours, by any grouping",
     "KEYS are any of hour,day,week,month,account,region,family,model,scope,principal,role,team,user,token_type,tier (default:\n"
     "principal), tag:KEY, meta:KEY (request metadata), identity:KEY (source, workload, provider, subject, on_behalf_of), map:KEY (map.file).\n"
     "SPAN is one of 24h, 7d, 2w, today, yesterday, this-week, last-week, this-month, last-month, a day, a month (2026-11) or all;\n"
     "without one it is yesterday and today. --since begins where a span begins and ends now. T is a time like 2026-11-02T00:00:00Z, 2026-11-02 or\n"
     "14:00, a whole hour. --compare previous puts the span before beside it: of this-week the same part of last week.\n"
     "\n"
     "--principal, --role and --model take a part of the name (opus), --team the whole of it; --where takes any of the KEYS, and may\n"
     "be given more than once. * stands for any text. CSV has the keys, then tokens,usd,usd_low,usd_high,basis,calls,failed; usd is\n"
     "empty where there is no price. focus is FOCUS 1.2 in CSV: a row for each hour, principal, model and token type. On a terminal\n"
     "the table has short names; --full shows ARNs and ids of models.\n"
     "\n"
     "report --reconciliation [--by KEYS] [--period YYYY-MM|all | --now T] [--format table|csv|json|html] [--threshold USD|PERCENT%]\n"
     "compares the estimate with the bill, for hours that are final, and explains the difference. html is one page to mail, with a\n"
     "table for each of KEYS. The\n"
     "exit status is 3 if the whole difference is larger than the threshold.\n"
     "\n"
     "report --scoreboard [--period YYYY-MM|all] [--format table|csv|json] shows how good the estimate of each billed day was, as\n"
     "it was 5 minutes, 1 hour and 24 hours after each hour, and why it missed. `nowcast run` stores the estimates of those times.\n",
     cmd_report},
	{"reconcile", "[--period YYYY-MM] [--unless-fresh] [FOLDER|s3://BUCKET/PREFIX]",
     "read a CUR 2.0 export; billed figures replace the estimate where they are final",
     "Without an argument it reads reconcile.source. Reads the files that the newest complete delivery's manifest names,\n"
     "Parquet or CSV. Running again on the same export changes nothing; a restated one replaces. Hours count as final once\n"
     "they are older than `watermark`; a half-delivered day stays with the estimate. Needs libduckdb.so (deploy/install-deps\n"
     "--duckdb). --unless-fresh does nothing if a run has ended within reconcile.every. It prints a summary;\n"
     "`nowcast report --reconciliation` explains the difference.\n",
     cmd_reconcile},
	{"explain", "[--now T] [--out FILE|s3://BUCKET/KEY] PRINCIPAL HOUR", "why a principal's figure of an hour is what it is",
     "PRINCIPAL is one as reports print it, or a part of the name that no other caller of the hour has. HOUR is 2026-11-02T05:00:00Z,\n"
     "or 05:00 for the last one. For each model: its calls, how its tokens are known, how many tokens a call was assumed to use and from what that was\n"
     "learned, the band, and every term of the sum with its rate, source and date. Exit status 3 if something has no price.\n",
     cmd_explain},
	{"who", "ARN|ACCESS-KEY|NAME [SPAN] [--since SPAN] [--from T] [--to T] [--sessions N] [--format table|json] [--now T] "
     "[--out FILE|s3://BUCKET/KEY]",
     "what is known of a principal: spend, models, when it was seen, tags and where each comes from",
     "An ARN is that of a session, a user, or a role with its sessions, with or without its path. An access key of a session (ASIA...)\n"
     "is known as long as its calls are. Any other word is the name of a session (or ROLE/SESSION), a user or a role, or the value of a tag (an e-mail\n"
     "address). If several principals have the name, they are listed. It searches this month and the one before, or the SPAN, which is\n"
     "given as to report. --now T answers as if it were T. Exit status 1 if nothing is known.\n",
     cmd_who},
	{"top",
     "[--by KEYS] [--hours N] [--principal TEXT] [--role TEXT] [--team NAME] [--model TEXT] [--where KEY=VALUE] [--every SECONDS] "
     "[--turns N] [--full] [--now T]",
     "who is spending now: a table that is redrawn",
     "Sums the last N hours (24) up to the newest one, by KEYS and of the conditions as in report (principal,model). Ends\n"
     "with ^C, or after N turns. On a terminal names are short; --full shows ARNs and ids of models.\n",
     cmd_top},
	{"serve", "[--listen HOST:PORT] [--now T]", "the dashboard, the API and /metrics, out of Redis",
     "Listens on `listen` (127.0.0.1:8321): the page at /, the API at /api/v1/ (described by /api/v1/openapi.json), Prometheus'\n"
     "/metrics, /healthz and /readyz. An address that other machines can reach needs auth.tokens.file. --now T answers as if it were\n"
     "T, to look at replayed figures as if they were of today. `nowcast run --listen` serves the same from within the daemon.\n",
     cmd_serve},
	{"alert", "list|rules|silence|test|check|backtest ... [--now T] [--out FILE|s3://BUCKET/KEY]",
     "the alerts: list or silence them, test the receivers, test a rule on the past",
     "list [--history N] [--dead]           active alerts and silences; the last N events; messages that could not be delivered\n"
     "rules                                what is in force, and for whom\n"
     "silence RULE [--only GROUP] [--for 2h] [--why TEXT]   both may be patterns such as 'spike*'; silence --end ID\n"
     "test [RECEIVER]                       send a test message now and print whether it was delivered\n"
     "check                                 evaluate and deliver once, as `run` does every alerts.interval\n"
     "check --now T                         what would hold by the minutes before T; nothing is delivered\n"
     "backtest [SPAN] [--rule R] [--since SPAN] [--from T] [--to T]   the alerts that would have fired, over the figures in Redis or a\n"
     "                                      SPAN of them, given as to report: by the minute as long as facts are kept, else hour by hour\n"
     "Rules and receivers are in alerts.file. Without that file the built-in rules apply.\n",
     cmd_alert},
	{"budget",
     "list|status|set ... [--now T] [--out FILE|s3://BUCKET/KEY]",
     "the budgets: what is spent of each, when it will be passed, and how to set one",
     "list [--format table|csv|json] [--json]      a row for each budget, the most used one first\n"
     "status [NAME] [--format table|csv|json] [--json]   the same in full, with the band, the marks and who is told. Exit status 3 if\n"
     "                                             one is passed\n"
     "set NAME --amount USD [--period month] [--team NAME | --by KEY [--only NAME]] [--at 50,80,100] [--severity info,warning,critical]\n"
     "    [--receivers NAMES] [--dry-run]          writes the rule [rule NAME] into alerts.file, or changes what is given of it\n"
     "\n"
     "A budget is of everything, of one NAME of a KEY (team, principal, role, user, model, account, region, tag:KEY ...), or with --by\n"
     "alone of each of them. Percentages are those of its alerts. A sum is from the begin of the period in UTC. set keeps comments and\n"
     "every other line of the file, and changes nothing if `nowcast check-config` would refuse the result. A new file begins with the\n"
     "built-in rules. A running daemon reads the file on SIGHUP. --alerts-file FILE names another file.\n",
     cmd_budget},
	{"doctor", "[--now T]", "check what the figures need: Redis, topics, each signal, prices, clocks",
     "Prints a line for each finding, with what to do. Exit status 0: all is well, or notes only; 3: warnings; 1: something does\n"
     "not work.\n",
     cmd_doctor},
	{"price", "list|show|check|diff|add|import|update|explain|usage-type ... [--now T] [--out FILE|s3://BUCKET/KEY]",
     "manage the prices: list, show, check, diff, add, import, update, explain, usage-type",
     "list [WORD] [--source S] [--time T] [--all] [--format table|csv]   rows of every source; csv is a price file again\n"
     "show MODEL [--region R] [--account A] [--tier T] [--time T] [--foundation M]   the rates that apply, and their source\n"
     "check [FILE...]   are these price files (or those in force) valid? Line and reason if not\n"
     "diff [OLD] NEW    what the rates of NEW would change, against OLD or what is in force; exit status 3 if anything\n"
     "add MODEL --input N --output N [--cache-read N] [--cache-write-5m N] [--cache-write-1h N] [--scope S] [--region R] [--account A]\n"
     "    [--tier T] [--from T] [--to T] [--source TEXT] [--file F] [--dry-run]   appends a rate of your own to prices.file, from today on\n"
     "import pricelist|litellm FILE... [--from T] [--dry-run] [--yes]   AWS price lists (offers, or answers of the query API), LiteLLM's table\n"
     "update [--offers A,B] [--url BASE] [--dry-run] [--yes]   downloads AWS's price lists and imports them\n"
     "explain --model M --region R --tokens TYPE=N,... [--prompt N] [--time T] [--tier T] [--account A]   every term of a\n"
     "    call's cost; with --prompt N of many calls, whose prompts have N tokens each\n"
     "explain --principal ARN --hour T [--model M] [--region R]   the same for a principal's hour out of Redis\n"
     "usage-type STRING... | -   what a usage type of the bill means, as JSON; exit status 3 if one is unknown\n\n"
     "Rates come from the sources of `prices`, in that order: your files (prices.file), rates learned from the bill, imported\n"
     "lists (prices.dir), the built-in list. A price file is CSV with the columns model, scope (global, regional, any), region,\n"
     "account, tier, from, to, prompt_tokens_over, input, output, cache_read, cache_write_5m, cache_write_1h (USD per million\n"
     "tokens; empty is unknown, 0 is free), unit, per_unit, source. account, tier, prompt_tokens_over and the units may be left\n"
     "out. `nowcast price list --source builtin --format csv` is an example. A bad file is refused whole, with line and reason.\n",
     cmd_price},
	{"reprice", "SPAN|--since SPAN|--from T [--to T] [--dry-run] [--now T]", "apply corrected prices to hours already computed",
     "The hours are given as to report: this-month, 2026-11, all, or from T on.\n"
     "Computes the dollars of these hours again from their tokens in Redis, at the prices of now. No replay is needed. The\n"
     "daemon may keep running. A second run changes nothing.\n",
     cmd_reprice},
	{"migrate", "", "rewrite a Redis that an older nowcast has filled in the form that this one reads",
     "Stop every nowcast that uses this Redis before, and start the new ones after. Renames keys, prints how far it is, and sets the\n"
     "schema version last; until then the other commands refuse. If it was interrupted, run it again: it goes on where it was.\n"
     "Where there is nothing to do, it says so and does nothing.\n",
     cmd_migrate},
	{"tags", "import [--from T] [--principal ARN] FILE... | show [--at T] [--format table|json] ARN [--now T] [--out FILE|s3://BUCKET/KEY]",
     "the tags of roles, users and accounts: import the existing ones, show what is known",
     "CloudTrail records changes of tags only. import adds the tags that existed before, from T on (default: now), as the AWS\n"
     "command line lists them: `aws iam get-account-authorization-details`, get-role, get-user, `aws resourcegroupstaggingapi get-resources`,\n"
     "list-role-tags, list-user-tags and `aws organizations list-tags-for-resource` with --principal, or any JSON with \"Arn\" and\n"
     "\"Tags\", a value or many. Each role, user and account listed has exactly these tags from then on, until CloudTrail records a change. A file is imported whole or not at all.\n"
     "Importing it again with the same T changes nothing. No figure is computed again: tags are looked up when a report is made.\n\n"
     "show prints the tags that a role, user or session had at T (default: now), where each comes from and since when. For a\n"
     "session name it shows the tags of all sessions of that name that called in the 24 hours up to T.\n",
     cmd_tags},
	{"profiles", "import [--from T] FILE... | list [--from T] [--now T] [--out FILE|s3://BUCKET/KEY]",
     "the models behind application inference profiles: import them, list what is known",
     "The id of an application inference profile names no model. import reads what `aws bedrock list-inference-profiles --type-equals\n"
     "APPLICATION` or get-inference-profile prints, or a map: the line profile,model, then ARN or id, and the model as called\n"
     "(global.NAME if the profile was made from a global one). It applies from the creation of the profile on, or from T. Importing it\n"
     "again changes nothing. A file is imported whole or not at all. `nowcast reprice --from T` applies it to hours already computed.\n\n"
     "list shows what is known and its source: import, or the records of calls, which do not show whether a profile is global. Exit\n"
     "status 3 if a profile was called in the last 31 days, or since --from, whose model is unknown.\n",
     cmd_profiles},
	{"demo", "[--seconds N] [--seed N] [--port N]", "see it work here and now, with nothing configured",
     "Plays an hour of made-up calls in a minute (N seconds) through a broker in this process, the workers of `run` and a private\n"
     "redis-server. Then it prints the reports and, since it made the calls itself, the true dollars beside the estimated ones. The\n"
     "dashboard runs at the same time, on a terminal until ^C; --port is its port at 127.0.0.1, else one that is free. No configuration\n"
     "is used, and nothing is left behind. The same seed makes the same calls.\n",
     cmd_demo},
	{"check-config", "[--sample | --man]", "validate the configuration and print what is in force",
     "Every mistake of the configuration and of the files that it names is reported, with file and line. Without one, each value is\n"
     "shown with its origin, secrets masked. --sample prints a commented sample file instead, --man the manual page nowcast.conf(5).\n",
     cmd_check_config},
	{"complete", "bash|zsh|fish | -- WORD...", "the completion of your shell, and what the last word may become",
     "Prints the script for a shell: `source <(nowcast complete bash)`, `nowcast complete fish | source`; of zsh it goes into a file\n"
     "_nowcast in a folder of $fpath. With -- it prints a candidate a line, with what it is behind a tab.\n",
     cmd_complete},
	{"help", "[SUBCOMMAND]", "this list, or more about one of them", "", cmd_help},
	{"version", "", "print the version, the commit and the libraries",
     "The first line is `nowcast` and the version. hiredis, simdjson and xxHash are shown as built with, the others as loaded.\n", cmd_version},
};

enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

static int cmd_complete(struct command *c)
{
	struct err err = ERR_INIT;
	bool words = c->argc && strcmp(c->argv[0], "--") == 0;
	if (!words && !command_done(c, 1, 1, &err))
		return command_fail(c, &err);
	if (!words && complete_print_script(str_of(c->argv[0])))
		return STATUS_OK;
	if (!words) {
		err_set(&err, ERR_CONFIG, "expected bash, zsh or fish, or -- and the words that were typed; got %s", c->argv[0]);
		return command_fail(c, &err);
	}
	return complete_words(c, subcommands, SUBCOMMANDS);
}

static const struct subcommand *find_subcommand(const char *name)
{
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	return NULL;
}

static void print_subcommands(FILE *f)
{
	fputs("usage: nowcast [--config FILE] [--redis URL] [--KEY VALUE]... SUBCOMMAND [ARGUMENT...]\n\n", f);
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		fprintf(f, "  %-14s %s\n", subcommands[i].name, subcommands[i].sentence);
	fputs(
		"\nEvery key of the configuration is a flag, before or after the subcommand; `nowcast check-config --sample` lists them.\n"
		"Those that read take --now T, and answer as if it were T. They print to --out FILE or s3://BUCKET/KEY, too, which is\n"
		"then there whole or not at all.\n"
		"Exit status: 0 it worked, 1 it did not, 2 arguments or configuration are wrong, 3 a threshold was crossed.\n",
		f);
}

static void print_help(const struct subcommand *s)
{
	printf("usage: nowcast %s%s%s\n\n%s.\n\n%s", s->name, *s->synopsis ? " " : "", s->synopsis, s->sentence,
	       s->help);
}

static int fail_unknown(const char *name)
{
	struct nearest near = nearest_of(str_of(name));
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		nearest_try(&near, str_of(subcommands[i].name));
	char *shown = xstrdup(str_of(name));
	text_mask_urls(shown);
	text_make_plain(shown, strlen(shown));
	fprintf(stderr, "nowcast: unknown subcommand %s; ", shown);
	if (near.word.len)
		fprintf(stderr, "did you mean %.*s? ", STR_ARG(near.word));
	fputs("`nowcast help` lists them\n", stderr);
	free(shown);
	return STATUS_USAGE;
}

static int cmd_help(struct command *c)
{
	struct err err = ERR_INIT;
	if (!command_done(c, 0, 1, &err))
		return command_fail(c, &err);
	if (c->argc == 0) {
		print_subcommands(stdout);
		return STATUS_OK;
	}
	const struct subcommand *s = find_subcommand(c->argv[0]);
	if (!s)
		return fail_unknown(c->argv[0]);
	print_help(s);
	return STATUS_OK;
}

// What it prints goes where --out says, if it worked.
static int run_reader(const struct subcommand *s, struct command *c)
{
	struct err err = ERR_INIT;
	struct output out;
	const char *where = NULL;
	if (!command_option(c, "--out", &where, &err))
		return command_fail(c, &err);
	bool begun = output_begin(&out, where, &err);
	int status = begun ? s->run(c) : STATUS_USAGE;
	bool written = output_end(&out, status == STATUS_OK || status == STATUS_THRESHOLD, &err);
	return begun && written ? status : command_fail(c, &err);
}

// Who is told of a mistake of the configuration asks for help. check-config reads it by itself.
static bool needs_configuration(const struct subcommand *s)
{
	return s->run != cmd_help && s->run != cmd_version && s->run != cmd_complete &&
	       s->run != cmd_check_config;
}

static int run_subcommand(struct command *c, struct err *err)
{
	if (c->version)
		return cmd_version(c);
	if (!c->name) {
		print_subcommands(c->help ? stdout : stderr);
		return c->help ? STATUS_OK : STATUS_USAGE;
	}
	const struct subcommand *s = find_subcommand(c->name);
	if (!s)
		return fail_unknown(c->name);
	if (c->help) {
		print_help(s);
		return STATUS_OK;
	}
	c->synopsis = s->synopsis;
	c->details = s->help;
	if (needs_configuration(s) && !command_configure(c, err))
		return command_fail(c, err);
	return strstr(s->synopsis, "[--out ") ? run_reader(s, c) : s->run(c);
}

static bool reader_is_gone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	return poll(&out, 1, 0) == 1 && out.revents & POLLERR;
}

// Output that was not written is no success. A full disk is reported; a reader that has what it wants (`|
// head`) is no failure.
static int finish_output(int status)
{
	bool failed = ferror(stdout);
	errno = 0;
	failed |= fflush(stdout) != 0;
	int why = errno;
	if (!failed || why == EPIPE || reader_is_gone())
		return status;
	fprintf(stderr, "nowcast: the output cannot be written%s%s\n", why ? ": " : "", why ? strerror(why) : "");
	return status == STATUS_OK ? STATUS_FAILED : status;
}

int main(int argc, char **argv)
{
	struct err_list mistakes = {0};
	struct err err = {.list = &mistakes};
	struct command c;
	version_set((struct version){VERSION_NUMBER, VERSION_COMMIT, VERSION_DATE});
	signal(SIGPIPE, SIG_IGN); // a peer that goes away is an error to handle, not the end
	int status = command_init(&c, argc, argv, &err) ? run_subcommand(&c, &err) : command_fail(&c, &err);
	command_release(&c);
	err_list_release(&mistakes);
	return finish_output(status);
}
