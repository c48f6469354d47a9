// SPDX-License-Identifier: Apache-2.0
// What fuzz targets share: an input is taken apart, a few bytes that choose, then texts.
#ifndef NOWCAST_TESTS_FUZZ_H
#define NOWCAST_TESTS_FUZZ_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t n;
};

static inline unsigned take_byte(struct input *in)
{
	if (!in->n)
		return 0;
	in->n--;
	return *in->p++;
}

static inline uint64_t take_number(struct input *in)
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | take_byte(in);
	return v;
}

static inline struct str take_rest(struct input *in)
{
	struct str s = {(const char *)in->p, in->n};
	in->p += in->n;
	in->n = 0;
	return s;
}

// The text up to the next NUL, or the rest.
static inline struct str take_text(struct input *in)
{
	struct str rest = {(const char *)in->p, in->n}, text = str_cut(&rest, '\0');
	in->p += in->n - rest.len;
	in->n = rest.len;
	return text;
}

// A refusal tells the user something, on one line.
static inline void check_refusal(const struct err *err)
{
	assert(err->kind && err->msg[0]);
}

// A reader that collects all errors refuses what one that stops at the first does, and begins with that.
static inline void check_collected(const struct err *first, bool good, struct err *all)
{
	const struct err *begin = err_listed(all) ? &all->list->items[0] : all;
	assert(!good && all->kind == first->kind && strcmp(begin->msg, first->msg) == 0);
	for (size_t i = 0; i < err_listed(all); i++)
		check_refusal(&all->list->items[i]);
	err_list_release(all->list);
}

#endif
