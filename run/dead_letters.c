// SPDX-License-Identifier: Apache-2.0
#include "run/dead_letters.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

enum { NOTICE_BYTES = 64 * 1024 }; // of a letter that fits nowhere whole

static void on_kafka_log(void *user, int severity, const char *text)
{
	(void)user, (void)severity;
	log_warn("kafka", LOG_STR("said", text));
}

const struct kafka_hooks *dead_letters_hooks(const struct conf *conf)
{
	static const struct kafka_hooks hooks = {.on_log = on_kafka_log};
	return *conf->brokers ? &hooks : NULL;
}

void dead_letters_init(struct dead_letters *d, const struct conf *conf, bool with_topic,
                       const struct kafka_hooks *hooks)
{
	*d = (struct dead_letters){
		.topic = with_topic ? conf->dead_letter_topic : "",
		.file = conf->dead_letter_file,
		.file_max = conf->dead_letter_file_max,
		.conf = conf};
	if (hooks)
		d->hooks = *hooks;
}

void dead_letters_release(struct dead_letters *d)
{
	kafka_producer_close(d->producer);
	arena_release(&d->arena);
	free(d->letters);
	d->producer = NULL;
	d->letters = NULL;
	d->n = d->cap = 0;
}

void dead_letters_add(struct dead_letters *d, const struct dead_letter *letter)
{
	if (d->n == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 16;
		d->letters = xrealloc(d->letters, d->cap, sizeof *d->letters);
	}
	struct dead_letter *to = &d->letters[d->n++];
	*to = *letter;
	to->origin.topic = letter->origin.topic.len ? arena_str(&d->arena, letter->origin.topic) : STR_NONE;
	to->origin.path = letter->origin.path ? arena_str(&d->arena, str_of(letter->origin.path)).p : NULL;
	to->origin.firehose =
		letter->origin.firehose.len ? arena_str(&d->arena, letter->origin.firehose) : STR_NONE;
	to->reason = arena_str(&d->arena, str_of(letter->reason)).p;
	to->data = arena_str(&d->arena, letter->data);
}

size_t dead_letters_bytes(const struct dead_letters *d)
{
	return d->arena.used;
}

void dead_letters_clear(struct dead_letters *d)
{
	d->n = 0;
	arena_reset(&d->arena);
}

// ---- the file

// A write that failed half-way may have left a line without its end. The next write then begins with a
// newline.
static bool lacks_line_end(int fd, int64_t size)
{
	char last = '\n';
	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static int64_t file_size(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
}

static void log_letter(const char *what, const struct dead_letter *letter)
{
	struct buf where = BUF_INIT;
	origin_describe(&letter->origin, &where);
	log_error(what, LOG_STR("origin", where.len ? where.data : ""), LOG_INT("index", letter->index),
	          LOG_STR("reason", letter->reason), LOG_INT("bytes", letter->data.len));
	buf_release(&where);
}

static bool write_to_file(struct dead_letters *d, const struct dead_letter *letters, const bool *wanted,
                          size_t n, struct err *err)
{
	struct buf lines = BUF_INIT;
	uint64_t filed = 0, logged = 0;
	int fd = open(d->file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_RETRY, "dead_letter.file %s: cannot open: %s", d->file, strerror(errno));
	int64_t size = file_size(fd);
	if (lacks_line_end(fd, size))
		buf_addc(&lines, '\n');
	for (size_t i = 0; i < n; i++) {
		if (wanted && !wanted[i])
			continue;
		size_t before = lines.len;
		dead_letter_line(&letters[i], &lines);
		if (size + (int64_t)lines.len <= d->file_max) {
			filed++;
			continue;
		}
		lines.len = before;
		logged++;
		log_letter("dead_letter.file has reached dead_letter.file.max, so only this line remains", &letters[i]);
	}
	// Pipes and terminals cannot be synced, and need not be.
	bool good =
		file_write_all(fd, buf_str(&lines)) && (fdatasync(fd) == 0 || errno == EINVAL || errno == EROFS);
	if (!good)
		err_set(err, ERR_RETRY, "dead_letter.file %s: cannot write: %s", d->file, strerror(errno));
	else
		d->filed += filed, d->logged += logged;
	close(fd);
	buf_release(&lines);
	return good;
}

// ---- the topic

// For a letter that is too large for the topic, without a file: its beginning goes to the topic, with its
// origin, where the original is.
static bool send_notice(struct dead_letters *d, const struct dead_letter *letter, struct err *err)
{
	struct dead_letter notice = *letter;
	struct buf reason = BUF_INIT, where = BUF_INIT;
	bool too_large = false;
	buf_addf(&reason,
	         "%s (too large for this topic: only its beginning is here; the original is at its origin)",
	         letter->reason);
	notice.reason = reason.data;
	if (notice.data.len > NOTICE_BYTES)
		notice.data.len = NOTICE_BYTES;
	bool good = kafka_producer_send(d->producer, d->topic, &notice, 1, &too_large, err);
	if (good) {
		origin_describe(&letter->origin, &where);
		log_error("a dead letter is too large for its topic; set dead_letter.file to keep such whole",
		          LOG_STR("origin", where.data), LOG_STR("reason", letter->reason),
		          LOG_INT("bytes", letter->data.len));
		d->logged++;
	}
	buf_release(&reason);
	buf_release(&where);
	return good;
}

static bool store_large(struct dead_letters *d, const bool *too_large, size_t large, struct err *err)
{
	if (large == 0)
		return true;
	if (*d->file)
		return write_to_file(d, d->letters, too_large, d->n, err);
	for (size_t i = 0; i < d->n; i++)
		if (too_large[i] && !send_notice(d, &d->letters[i], err))
			return false;
	return true;
}

static bool send_to_topic(struct dead_letters *d, struct err *err)
{
	bool *too_large = xcalloc(d->n, sizeof *too_large);
	size_t large = 0;
	bool good = d->producer || kafka_producer_open(&d->producer, d->conf, &d->hooks, err);
	good = good && kafka_producer_send(d->producer, d->topic, d->letters, d->n, too_large, err);
	for (size_t i = 0; good && i < d->n; i++)
		large += too_large[i];
	good = good && store_large(d, too_large, large, err);
	if (good) {
		d->sent += d->n - large;
	} else {
		kafka_producer_close(d->producer); // an idempotent producer that failed may be of no more use
		d->producer = NULL;
	}
	free(too_large);
	return good;
}

static void write_to_log(struct dead_letters *d)
{
	for (size_t i = 0; i < d->n; i++)
		log_letter(
			"cannot decode; neither dead_letter.topic nor dead_letter.file is set, so only this line remains",
			&d->letters[i]);
	d->logged += d->n;
}

bool dead_letters_flush(struct dead_letters *d, struct err *err)
{
	if (d->n == 0)
		return true;
	if (*d->topic) {
		if (!send_to_topic(d, err))
			return false;
	} else if (*d->file) {
		if (!write_to_file(d, d->letters, NULL, d->n, err))
			return false;
	} else {
		write_to_log(d);
	}
	dead_letters_clear(d);
	return true;
}
