// SPDX-License-Identifier: Apache-2.0
// Log lines on stderr: logfmt, or JSON if log.format = json. Only loops and main log; all other code returns
// errors.
//
//     log_warn("redis is away, trying again", LOG_STR("why", err.msg), LOG_INT("wait_ms", 400));
//     ts=2026-11-02T05:00:00Z level=warn msg="redis is away, trying again" why="..." wait_ms=400
//
// Each call site may log LOG_BURST lines in LOG_WINDOW_MS. Further lines are counted; the next line of the
// site has the count as suppressed=N. Thread-safe: a line is one write(2). Never pass a secret, an access key
// or the body of a record.
#ifndef NOWCAST_BASE_LOG_H
#define NOWCAST_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

// in the order of log.level's words
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
// in the order of log.format's words
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };
enum { LOG_BURST = 10, LOG_WINDOW_MS = 60000 };

struct log_field {
	const char *key;   // NULL: the end
	const char *text;  // NULL: `number` is the value
	int64_t number;
};

#define LOG_STR(k, v) ((struct log_field){(k), (v) ? (v) : "", 0})
#define LOG_INT(k, v) ((struct log_field){(k), 0, (int64_t)(v)})

struct log_site {
	int64_t since_ms; // monotonic start of the window
	uint32_t said, suppressed;
	bool always;      // exempt from the limit
};

// The settings hold for the whole program and may be changed at any time. `stamp`: begin lines with the time.
void log_setup(enum log_level level, enum log_format format, bool stamp);

void log_line(struct log_site *site, enum log_level level, const char *msg, const struct log_field *fields);

#define LOG_AT(level, exempt, msg, ...)                                                              \
	do {                                                                                         \
		static struct log_site log_site_ = {.always = (exempt)};                             \
		log_line(&log_site_, (level), (msg), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(,) {0}}); \
	} while (0)

#define log_error(msg, ...) LOG_AT(LOG_LEVEL_ERROR, false, msg __VA_OPT__(,) __VA_ARGS__)
#define log_warn(msg, ...) LOG_AT(LOG_LEVEL_WARN, false, msg __VA_OPT__(,) __VA_ARGS__)
#define log_info(msg, ...) LOG_AT(LOG_LEVEL_INFO, false, msg __VA_OPT__(,) __VA_ARGS__)
#define log_debug(msg, ...) LOG_AT(LOG_LEVEL_DEBUG, false, msg __VA_OPT__(,) __VA_ARGS__)
#define log_stats(msg, ...) LOG_AT(LOG_LEVEL_INFO, true, msg __VA_OPT__(,) __VA_ARGS__) // the periodic line

#endif
