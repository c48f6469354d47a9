// SPDX-License-Identifier: Apache-2.0
// A line is built in a buffer and written by one write(2), so lines of several threads do not mix. The mutex
// guards the settings and the counters of all call sites; that is cheap, because logging is rare
// (rate-limited, and never once a record).
#include "base/log.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/when.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_level level_max = LOG_LEVEL_INFO;
static enum log_format format_now = LOG_FORMAT_LOGFMT;
static bool stamp_lines = true;

void log_setup(enum log_level level, enum log_format format, bool stamp)
{
	pthread_mutex_lock(&lock);
	level_max = level;
	format_now = format;
	stamp_lines = stamp;
	pthread_mutex_unlock(&lock);
}

// Whether this site may log now. *ret_suppressed: lines suppressed since its last one.
static bool site_may_log(struct log_site *site, uint32_t *ret_suppressed)
{
	int64_t now = when_ticks_ms();
	if (now - site->since_ms >= LOG_WINDOW_MS) {
		site->since_ms = now;
		site->said = 0;
	}
	if (site->said >= LOG_BURST && !site->always) {
		site->suppressed++;
		return false;
	}
	site->said++;
	*ret_suppressed = site->suppressed;
	site->suppressed = 0;
	return true;
}

static bool is_plain(const char *z)
{
	if (!*z)
		return false;
	for (; *z; z++)
		if ((unsigned char)*z <= ' ' || (unsigned char)*z >= 0x7f || *z == '"' || *z == '=' || *z == '\\')
			return false;
	return true;
}

static void add_text(struct buf *b, bool json, const char *text)
{
	if (!json && is_plain(text))
		buf_adds(b, text);
	else
		buf_add_json(b, str_of(text));
}

// Whoever logs a URL need not think of its password.
static void add_masked(struct buf *b, bool json, const char *text)
{
	char *copy = xstrdup(str_of(text));
	text_mask_urls(copy);
	add_text(b, json, copy);
	free(copy);
}

static void add_field(struct buf *b, enum log_format format, const struct log_field *f)
{
	bool json = format == LOG_FORMAT_JSON;
	buf_adds(b, b->len == (json ? 1u : 0u) ? "" : json ? "," : " ");
	if (json) {
		buf_add_json(b, str_of(f->key));
		buf_addc(b, ':');
	} else {
		buf_addf(b, "%s=", f->key);
	}
	if (!f->text)
		buf_addf(b, "%lld", (long long)f->number);
	else if (strstr(f->text, "://"))
		add_masked(b, json, f->text);
	else
		add_text(b, json, f->text);
}

static void format_line(struct buf *b, enum log_level level, const char *msg, const struct log_field *fields,
                        uint32_t suppressed)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	assert(level >= LOG_LEVEL_ERROR && level <= LOG_LEVEL_DEBUG);
	char when[WHEN_SIZE];
	if (format_now == LOG_FORMAT_JSON)
		buf_addc(b, '{');
	if (stamp_lines)
		add_field(b, format_now, &LOG_STR("ts", when_format(when_now_ms(), when)));
	add_field(b, format_now, &LOG_STR("level", names[level]));
	add_field(b, format_now, &LOG_STR("msg", msg));
	for (; fields->key; fields++)
		add_field(b, format_now, fields);
	if (suppressed)
		add_field(b, format_now, &LOG_INT("suppressed", suppressed));
	buf_adds(b, format_now == LOG_FORMAT_JSON ? "}\n" : "\n");
}

void log_line(struct log_site *site, enum log_level level, const char *msg, const struct log_field *fields)
{
	struct buf b = BUF_INIT;
	uint32_t suppressed = 0;
	pthread_mutex_lock(&lock);
	if (level <= level_max && site_may_log(site, &suppressed))
		format_line(&b, level, msg, fields, suppressed);
	pthread_mutex_unlock(&lock);
	if (b.len && write(STDERR_FILENO, b.data, b.len) < 0) {
		// stderr is gone: nothing can be reported
	}
	buf_release(&b);
}
