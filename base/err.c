// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { ERRORS_MAX = 1000 }; // of a file that is something else

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

static void add_prefix(struct err *err, const char *prefix)
{
	char was[sizeof err->msg];
	memcpy(was, err->msg, sizeof was);
	snprintf(err->msg, sizeof err->msg, "%s", prefix);
	size_t n = strlen(err->msg);
	snprintf(err->msg + n, sizeof err->msg - n, ": %s", was);
	text_mask_urls(err->msg);
}

bool err_prefix(struct err *err, const char *fmt, ...)
{
	char prefix[sizeof err->msg];
	assert(err->kind != ERR_NONE && err->listed <= err_listed(err));
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof prefix, fmt, ap);
	va_end(ap);
	add_prefix(err, prefix);
	for (size_t i = err_listed(err) - err->listed; i < err_listed(err); i++)
		add_prefix(&err->list->items[i], prefix);
	return false;
}

void err_clear(struct err *err)
{
	err->kind = ERR_NONE;
	err->msg[0] = '\0';
	err->listed = 0;
}

size_t err_listed(const struct err *err)
{
	return err->list ? err->list->n : 0;
}

bool err_collect(struct err *err)
{
	struct err_list *list = err->list;
	assert(err->kind != ERR_NONE);
	if (!list || list->n == ERRORS_MAX)
		return false;
	if (!err->listed) {
		list->items = xrealloc(list->items, list->n + 1, sizeof *list->items);
		list->items[list->n] = *err;
		list->items[list->n++].list = NULL;
	}
	err_clear(err);
	return true;
}

bool err_check(struct err *err, size_t before)
{
	assert(err->kind == ERR_NONE && before <= err_listed(err));
	if (err_listed(err) == before)
		return true;
	err->listed = err->list->n - before;
	err->kind = err->list->items[before].kind;
	memcpy(err->msg, err->list->items[before].msg, sizeof err->msg);
	return false;
}

void err_list_release(struct err_list *list)
{
	free(list->items);
	*list = (struct err_list){0};
}
