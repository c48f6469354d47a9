// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

// in brackets: not the macro of err.h
bool (err_set)(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	assert(kind != ERR_NONE);
	if (err->kind != ERR_NONE)
		return false;
	err->kind = kind;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	text_mask_urls(err->msg);
	return false;
}

bool err_prefix(struct err *err, const char *fmt, ...)
{
	assert(err->kind != ERR_NONE);
	char was[sizeof err->msg];
	memcpy(was, err->msg, sizeof was);
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof err->msg)
		snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s", was);
	text_mask_urls(err->msg);
	return false;
}

void err_clear(struct err *err)
{
	err->kind = ERR_NONE;
	err->msg[0] = '\0';
}
