// SPDX-License-Identifier: Apache-2.0
#include "query/finding.h"

#include <assert.h>
#include <stdarg.h>

#include "base/buf.h"

void health_add(struct health *h, enum health_level level, const char *what, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;
	assert(level >= HEALTH_OK && level < HEALTH_LEVELS);
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	h->report(h->user, level, what, text.data);
	buf_release(&text);
}

const char *health_word(enum health_level level)
{
	static const char *const words[HEALTH_LEVELS] = {"ok", "note", "warn", "FAIL"};
	assert(level >= HEALTH_OK && level < HEALTH_LEVELS);
	return words[level];
}
