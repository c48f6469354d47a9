// SPDX-License-Identifier: Apache-2.0
// Records in wrappers. The first byte says how many wrappers the text at the end gets, the bytes behind
// it which ones; so the fuzzer reaches what is inside of gzip and base64. What gives records bare gives
// the same ones wrapped, or a fault that says so: nothing disappears. With the first byte's highest bit
// one byte of the result is changed, and then only the decoder's own promises hold.
// Longest input: 800 bytes.
#include <assert.h>

#include "ingest/json_split.h"
#include "tests/support/table.h"

enum { STEPS_MAX = 6, MESSAGE_BYTES = 1 << 18, DEPTH = 32 };

// What a text is, as far as it says how it may be wrapped. A serialiser writes its head in front of the
// whole.
enum form { JSON_TEXT, BASE64_TEXT, GZIP_BYTES, BINARY, HEADED };

static const struct wrapper {
	const char *step;
	unsigned of; // bits: of which forms
	enum form to;
} wrappers[] = {
	{"gzip", 31, GZIP_BYTES},
	{"base64", 31, BASE64_TEXT},
	{"wrap {\"data\":\"<>\"}", 3, JSON_TEXT},
	{"wrap {\"Records\":[{\"body\":\"<>\",\"eventSource\":\"aws:sqs\"}]}", 3, JSON_TEXT},
	{"wrap {\"schema\":{\"type\":\"string\"},\"payload\":\"<>\"}", 3, JSON_TEXT},
	{"wrap 2026-11-02T05:06:07Z INFO {\"message\":\"<>\"}", 3, JSON_TEXT},
	{"around {\"a\":[{\"detail\":<>}]}", 1, JSON_TEXT},
	{"around [<>]", 1, JSON_TEXT},
	{"avro", 15, BINARY},
	{"registry", 7, HEADED},
	{"field 1", 15, BINARY},
	{"field 3", 15, BINARY},
	{"str16", 15, BINARY},
	{"lines 76", 2, BASE64_TEXT},
};

struct answer {
	struct decoder *decoder;
	struct buf records;
	int faults;
};

static void on_record(void *user, const struct record *r)
{
	struct answer *a = user;
	assert(r->kind < RECORD_KINDS && r->index >= 0);
	record_describe(r, &a->records);
	buf_addc(&a->records, '\n');
}

static void on_fault(void *user, enum fault_kind kind, int index, struct str part, const char *reason)
{
	struct answer *a = user;
	assert(kind < FAULT_KINDS && index >= -1 && *reason && (part.p || !part.len));
	a->faults++;
}

static void decode(struct str message, struct answer *a)
{
	if (!a->decoder)
		a->decoder = decoder_new((struct decode_limits){MESSAGE_BYTES, DEPTH, 0}, on_record, on_fault, a);
	buf_clear(&a->records);
	a->faults = 0;
	decoder_message(a->decoder, message.p, message.len);
}

static void wrap(struct buf *b, const uint8_t *steps, size_t n)
{
	enum form form = JSON_TEXT;
	for (size_t i = 0; i < n; i++) {
		const struct wrapper *w = &wrappers[steps[i] % (sizeof wrappers / sizeof *wrappers)];
		if (!(w->of & 1u << form) || (str_is(str_of(w->step), "str16") && b->len > UINT16_MAX))
			continue;
		bool good = step(b, str_of(w->step));
		assert(good);
		form = w->to;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct answer bare, wrapped;
	size_t steps = size ? data[0] % (STEPS_MAX + 1) : 0;
	if (size < steps + 2)
		return 0;
	struct str text = {(const char *)data + 1 + steps, size - 1 - steps};
	struct buf b = BUF_INIT;
	decode(text, &bare);
	buf_addstr(&b, text);
	wrap(&b, data + 1, steps);
	bool whole = text.p[0] == '{' && json_split_value(text).len == text.len;
	if (data[0] & 0x80)
		b.data[(data[1] * 256u + data[0]) % b.len] ^= (char)(1 + data[1] % 255);
	decode(buf_str(&b), &wrapped);
	if (whole && !(data[0] & 0x80) && bare.faults == 0)
		assert(str_eq(buf_str(&bare.records), buf_str(&wrapped.records)) || wrapped.faults);
	buf_release(&b);
	return 0;
}
