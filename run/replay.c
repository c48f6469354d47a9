// SPDX-License-Identifier: Apache-2.0
// `nowcast replay PATH...`: the daemon's work, with files instead of Kafka. Records are joined in Redis, so
// replaying what is already there changes nothing, and an interrupted replay is simply started again.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "base/when.h"
#include "ingest/files.h"
#include "query/span.h"
#include "run/backoff.h"
#include "run/commands.h"
#include "run/intake.h"
#include "run/replay_s3.h"

enum {
	DEAD_SHOWN = 10,
	PROGRESS_MS = 500,
	STOP_S = 3, // how long after a signal whatever is under way may take
};

struct replay {
	const struct conf *conf;
	struct files files;
	char **buckets;           // s3://BUCKET/PREFIX, up to NULL
	struct replay_s3 s3;
	const char *object;       // that is read now, by its name; NULL: a file
	struct intake intake;
	struct backoff backoff;
	struct buf scratch;       // of kcat_line and dead_letter_read
	uint64_t messages;
	uint64_t dead_shown;
	int64_t start_ms, progress_ms; // monotonic
	bool progress;            // stderr is a terminal
	bool reopen;              // records count although their hours have left the window
};

static volatile sig_atomic_t interrupted;

#define INTERRUPTED "interrupted; run it again to finish, nothing is counted twice"

// The end for what does not look at `interrupted`, such as a wait for a Redis that hangs. As with kill -9,
// what was not applied is applied when it is run again.
static void on_alarm(int sig)
{
	static const char text[] = "nowcast replay: " INTERRUPTED "\n";
	(void)sig;
	ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
	(void)written;
	_exit(STATUS_FAILED);
}

static void on_signal(int sig)
{
	if (interrupted) // asked twice: the user does not want to wait
		on_alarm(sig);
	interrupted = sig;
	alarm(STOP_S);
}

static bool check_interrupted(struct err *err)
{
	return !interrupted || err_set(err, ERR_FATAL, INTERRUPTED);
}

static void sleep_ms(int ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};
	nanosleep(&ts, NULL); // a signal ends it early, as it should
}

// After a failure: waits and returns true when it is worth trying again.
static bool wait_to_retry(struct replay *r, struct err *err)
{
	if (err->kind != ERR_RETRY)
		return false;
	int wait_ms = backoff_next_ms(&r->backoff);
	log_warn("waiting, then trying again; nothing is lost", LOG_STR("why", err->msg),
	         LOG_INT("wait_ms", wait_ms));
	err_clear(err);
	sleep_ms(wait_ms);
	return check_interrupted(err);
}

static void clear_progress(const struct replay *r)
{
	if (r->progress)
		fputs("\r\033[K", stderr);
}

static void show_progress(struct replay *r)
{
	int64_t now = when_ticks_ms(), spent = now - r->start_ms;
	if (!r->progress || now - r->progress_ms < PROGRESS_MS || spent <= 0)
		return;
	r->progress_ms = now;
	fprintf(stderr, "\r\033[K%" PRIu64 " messages, %" PRId64 " a second, %.1f MB", r->messages,
	        (int64_t)r->messages * 1000 / spent, (double)r->files.bytes_read / 1e6);
	if (r->files.bytes > 0)
		fprintf(stderr, ", %d %%", (int)(r->files.bytes_read * 100 / r->files.bytes));
	fflush(stderr);
}

// Where no file takes them, the first dead letters are shown; the summary counts the rest.
static void show_dead(struct replay *r)
{
	struct dead_letters *d = &r->intake.dead;
	for (size_t i = 0; i < d->n && r->dead_shown < DEAD_SHOWN; i++, r->dead_shown++) {
		struct buf line = BUF_INIT;
		buf_adds(&line, "cannot decode ");
		origin_describe(&d->letters[i].origin, &line);
		if (d->letters[i].index >= 0)
			buf_addf(&line, ", record %d", d->letters[i].index);
		buf_addf(&line, ": %s", d->letters[i].reason);
		text_make_plain(line.data, line.len);
		clear_progress(r);
		fprintf(stderr, "%s\n", line.data);
		buf_release(&line);
	}
	d->logged += d->n;
	dead_letters_clear(d);
}

static bool apply_batch(struct replay *r, struct err *err)
{
	if (!*r->conf->dead_letter_file)
		show_dead(r);
	while (!intake_apply(&r->intake, err))
		if (!wait_to_retry(r, err))
			return false;
	backoff_reset(&r->backoff);
	show_progress(r);
	return check_interrupted(err);
}

// A dead letter counts whenever it is replayed.
static bool is_dead_letter_topic(const struct replay *r, struct str topic)
{
	return *r->conf->dead_letter_topic && str_is(topic, r->conf->dead_letter_topic);
}

static bool on_message(void *user, const struct files_message *m, struct err *err)
{
	struct replay *r = user;
	struct origin origin = {.path = r->object ? r->object : m->path, .line = m->line};
	struct str payload = m->data;
	r->messages++;
	if (m->broken) {
		intake_fault(&r->intake, &origin, m->too_large ? FAULT_LIMIT : FAULT_BROKEN, m->data, m->broken);
	} else {
		bool framed = m->line > 0 && kcat_line(m->data, &r->scratch, &origin, &payload),
			 dead = framed ? is_dead_letter_topic(r, origin.topic)
		                   : m->line > 0 && dead_letter_read(m->data, &r->scratch, &origin, &payload);
		if (framed && dead) // its headers say where it came from
			(void)!kcat_letter_origin(m->data, &origin);
		engine_set_reopening(r->intake.engine, r->reopen || dead);
		if (!(framed || dead) || payload.len)
			intake_message(&r->intake, &origin, payload);
	}
	return !intake_is_full(&r->intake) || apply_batch(r, err);
}

static bool settle_hours(struct replay *r, struct err *err)
{
	for (;;) {
		size_t left = 0;
		if (engine_settle(r->intake.engine, true, &left, err))
			return check_interrupted(err);
		if (!wait_to_retry(r, err))
			return false;
	}
}

// A line of the dead-letter file holds a whole message in base64, so lines may be half as long again.
static size_t line_limit(const struct replay *r)
{
	return (size_t)r->conf->message_bytes / 2 * 3;
}

static bool read_object(void *user, const char *path, const char *uri, struct err *err)
{
	struct replay *r = user;
	char *paths[] = {(char *)(uintptr_t)path, NULL};
	struct files one;
	r->object = uri;
	bool good = files_list(&one, paths, err);
	one.stop = &interrupted;
	for (size_t i = 0; good && i < one.n; i++)
		good = files_read(&one, i, line_limit(r), on_message, r, err);
	files_release(&one);
	r->object = NULL;
	return good && check_interrupted(err);
}

static bool replay_buckets(struct replay *r, struct err *err)
{
	for (char **uri = r->buckets; *uri; uri++)
		if (!replay_s3(&r->s3, *uri, err)) {
			if (interrupted)
				err_clear(err);
			check_interrupted(err);
			return false;
		}
	return true;
}

static bool replay_all(struct replay *r, struct err *err)
{
	size_t limit = line_limit(r);
	while (!intake_prepare(&r->intake, err))
		if (!wait_to_retry(r, err))
			return false;
	backoff_reset(&r->backoff);
	for (size_t i = 0; i < r->files.n; i++)
		if (!files_read(&r->files, i, limit, on_message, r, err)) {
			if (interrupted)
				err_clear(err); // the same message wherever it was interrupted
			check_interrupted(err);
			return false;
		}
	if (!replay_buckets(r, err) || !apply_batch(r, err) || !settle_hours(r, err))
		return false;
	engine_check_loss(r->intake.engine);
	if (!apply_batch(r, err))
		return false;
	engine_end_batches(r->intake.engine);
	return true;
}

// What fails again is appended to the file of dead letters. If that file is also read, the replay does not
// end.
static bool check_dead_letter_file(const struct files *f, const char *dead, struct err *err)
{
	struct stat its, st;
	if (!*dead || stat(dead, &its) != 0 || !S_ISREG(its.st_mode))
		return true;
	for (size_t i = 0; i < f->n; i++)
		if (stat(f->entries[i].path, &st) == 0 && st.st_dev == its.st_dev && st.st_ino == its.st_ino)
			return err_set(
				err, ERR_CONFIG,
				"%s is dead_letter.file, to which what fails again is appended: rename it, then replay it by its new name",
				f->entries[i].path);
	return true;
}

static uint64_t count_records(const struct replay *r)
{
	const struct decode_counts *d = decoder_counts(r->intake.decoder);
	uint64_t n = 0;
	for (int k = 0; k < RECORD_KINDS; k++)
		n += d->records[k];
	return n;
}

static void tell_of_late(const struct replay *r)
{
	uint64_t late = engine_counts(r->intake.engine)->late;
	if (late > 0 && r->reopen)
		log_warn("records were not counted: what is known of their hours is no longer kept (reopen.keep)",
		         LOG_INT("late", late));
	else if (late > 0)
		log_warn("records were not counted: their hours have left window; run it again with --reopen to count them",
		         LOG_INT("late", late));
}

static void print_summary(const struct replay *r)
{
	static const char *const kinds[RECORD_KINDS] = {
		[RECORD_CALL] = "calls",
		[RECORD_CALL_TOKENS] = "call_tokens",
		[RECORD_AMENDMENT] = "amendments",
		[RECORD_METRIC] = "metrics",
		[RECORD_SESSION_TAGS] = "session_tags",
		[RECORD_PRINCIPAL_TAGS] = "principal_tags",
		[RECORD_TELEMETRY] = "telemetry",
	};
	const struct decode_counts *d = decoder_counts(r->intake.decoder);
	const struct engine_counts *e = engine_counts(r->intake.engine);
	const struct dead_letters *dead = &r->intake.dead;
	int64_t spent = when_ticks_ms() - r->start_ms;
	uint64_t records = count_records(r);
	clear_progress(r);
	printf("%-16s %zu\n", "files", r->files.n + (size_t)r->s3.objects);
	if (r->s3.gone)
		printf("%-16s %" PRIu64 " (deleted since they were listed)\n", "files gone", r->s3.gone);
	printf("%-16s %" PRIu64 "\n", "messages", r->messages);
	for (int k = 0; k < RECORD_KINDS; k++)
		printf("%-16s %" PRIu64 "\n", kinds[k], d->records[k]);
	printf("%-16s %" PRIu64 "\n%-16s %" PRIu64 "\n", "records", records, "ignored", d->ignored);
	printf("%-16s %" PRIu64 "\n%-16s %" PRIu64 "\n", "late", e->late, "future", e->future);
	printf("%-16s %" PRIu64 "\n", "faults", d->faults + r->intake.refused);
	for (int kind = FAULT_UNTRUSTED; kind < FAULT_KINDS; kind++)
		if (r->intake.refused_for[kind])
			printf("%-16s %" PRIu64 "\n", fault_word((enum fault_kind)kind), r->intake.refused_for[kind]);
	for (int why = 0; why < TELEMETRY_UNUSED; why++)
		if (e->telemetry[why])
			printf("telemetry %-6s %" PRIu64 "\n", telemetry_unused_word((enum telemetry_unused)why),
			       e->telemetry[why]);
	printf("%-16s %" PRIu64 "%s%s\n", "dead_letters", dead->filed + dead->logged, dead->filed ? " in " : "",
	       dead->filed ? dead->file : dead->logged ? " (set dead_letter.file to keep them)" : "");
	printf("%-16s %.3f\n", "seconds", (double)spent / 1000);
	printf("%-16s %" PRIu64 "\n", "records_per_s", records * 1000 / (uint64_t)(spent > 0 ? spent : 1));
}

static bool tell_of_loss(const struct replay *r, struct err *err)
{
	return !r->intake.forgotten ||
	       err_set(err, ERR_FATAL,
	               "Redis has lost part of what this replay wrote (a failover to a replica that lagged, a flush, a restart "
	               "without persistence): figures are too small; run the replay again, nothing is counted twice");
}

// A rule that a source lacks is the usual reason why a replay brings nothing in. False: no record counted.
static bool tell_of_refused(const struct replay *r, struct err *err)
{
	const char *why =
		"where they come from may not say so (the keys trust.* and accounts.*); each dead letter has the reason";
	uint64_t refused = 0, records = count_records(r);
	for (int kind = FAULT_UNTRUSTED; kind <= FAULT_FOREIGN_ACCOUNT; kind++)
		refused += r->intake.refused_for[kind];
	if (refused > 0 && refused >= records)
		return err_set(err, ERR_FATAL, "none of %" PRIu64 " records was counted: %s", records, why);
	if (refused > 0)
		log_warn("records were not counted", LOG_INT("refused", refused), LOG_STR("why", why));
	return true;
}

// Whether the input had something that is known here. Nothing at all on standard input is no failure: it is
// how what is due is computed.
static bool check_recognised(const struct replay *r, struct err *err)
{
	const struct decode_counts *d = decoder_counts(r->intake.decoder);
	bool silent = r->messages == 0 && r->files.n > 0 && !*r->buckets;
	for (size_t i = 0; i < r->files.n; i++)
		silent &= strcmp(r->files.entries[i].path, "-") == 0;
	if (silent || count_records(r) > 0 || (d->recognised > 0 && d->faults + r->intake.refused == 0))
		return true;
	return err_set(
		err, ERR_FATAL,
		"no record was recognised in %" PRIu64
		" messages of %zu files. Looked for, in any wrapper: CloudTrail records of "
		"bedrock, bedrock-mantle, sts and iam.amazonaws.com; invocation logs of Bedrock; token metrics of AWS/Bedrock and "
		"AWS/BedrockMantle, as metric streams (JSON, OpenTelemetry) or as answers of GetMetricData or GetMetricStatistics "
		"beside their query",
		r->messages, r->files.n + (size_t)r->s3.objects);
}

// Takes s3://... out of the arguments.
static void split_arguments(struct replay *r, struct command *c)
{
	int kept = 0, taken = 0;
	r->buckets = xcalloc((size_t)c->argc + 1, sizeof *r->buckets);
	for (int i = 0; i < c->argc; i++)
		if (str_starts(str_of(c->argv[i]), STR("s3://")))
			r->buckets[taken++] = c->argv[i];
		else
			c->argv[kept++] = c->argv[i];
	c->argv[kept] = NULL;
}

// Which objects of S3 are read: --from, --to, or from where a span in words begins.
static bool take_span(struct replay *r, struct command *c, struct err *err)
{
	const char *since = NULL;
	int64_t now_ms;
	struct time_span span;
	if (!command_now(c, &now_ms, err) || !command_time(c, "--from", &r->s3.from_ms, err) ||
	    !command_time(c, "--to", &r->s3.to_ms, err) || !command_option(c, "--since", &since, err))
		return false;
	if (!since)
		return true;
	if (r->s3.from_ms || r->s3.to_ms)
		return err_set(err, ERR_CONFIG, "a span is given once: by --since, or by --from and --to");
	if (!span_parse(&span, NULL, str_of(since), now_ms, err))
		return err_prefix(err, "--since");
	r->s3.from_ms = span.from * MS_PER_HOUR;
	return true;
}

static void catch_signals(void)
{
	// no SA_RESTART: a signal must end a blocked read of standard input
	struct sigaction act = {.sa_handler = on_signal};
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	act.sa_handler = on_alarm;
	sigaction(SIGALRM, &act, NULL);
}

int cmd_replay(struct command *c)
{
	struct err err = ERR_INIT;
	struct prices *prices = NULL;
	struct replay r = {.conf = &c->conf, .progress = isatty(STDERR_FILENO), .start_ms = when_ticks_ms()};
	r.backoff.seed = (unsigned)getpid();
	r.reopen = command_switch(c, "--reopen");
	r.s3.read = read_object;
	r.s3.user = &r;
	bool good = take_span(&r, c, &err) && command_done(c, 1, -1, &err);
	if (good)
		split_arguments(&r, c);
	if (good && !*r.buckets && (r.s3.from_ms || r.s3.to_ms))
		fprintf(stderr, "nowcast replay: a span chooses among objects of S3; files and folders are read whole\n");
	good = good && files_list(&r.files, c->argv, &err) &&
	            check_dead_letter_file(&r.files, c->conf.dead_letter_file, &err) &&
	            prices_load(&prices, &c->conf, &err) &&
	            intake_open(&r.intake, &c->conf, prices, (size_t)c->conf.message_bytes / 2 * 3, NULL,
	                        &interrupted, &err);
	if (good) {
		r.files.stop = &interrupted;
		catch_signals();
		good = replay_all(&r, &err);
		if (good) {
			print_summary(&r);
			tell_of_late(&r);
			good = tell_of_loss(&r, &err) && check_recognised(&r, &err) && tell_of_refused(&r, &err);
		}
	}
	if (!good)
		clear_progress(&r);
	int status = good ? STATUS_OK : command_fail(c, &err);
	intake_close(&r.intake);
	prices_free(prices);
	files_release(&r.files);
	free(r.buckets);
	buf_release(&r.scratch);
	return status;
}
