// SPDX-License-Identifier: Apache-2.0
// libFuzzer on the decoders: the whole one, and OpenTelemetry, gzip and base64 alone. The file of each fuzzer
// defines TARGET and includes this. Besides not crashing: whatever a record holds must have passed the checks
// that its readers rely on, and decoding again must say the same.
#ifndef NOWCAST_TESTS_FUZZ_INGEST_H
#define NOWCAST_TESTS_FUZZ_INGEST_H

#include <assert.h>

#include "base/text.h"
#include "ingest/base64.h"
#include "ingest/decode.h"
#include "ingest/describe.h"
#include "ingest/inflate.h"
#include "ingest/recognise_priv.h"

enum { DECODE, OTEL, INFLATE, BASE64 };

#ifndef TARGET
#define TARGET DECODE
#endif

static struct buf told;

static void check_call(const struct call *c)
{
	assert(c->request_id.len && c->account.len && c->account.len <= 12 && c->region.len &&
	       c->region.len <= 32);
	assert(c->model.len && c->model.len <= 2048 + 16 && c->caller.arn.len && c->time_ms >= 0);
	assert(c->source >= SOURCE_COMPLETION && c->source <= SOURCE_AMENDED);
}

static void check_telemetry(const struct telemetry *t)
{
	const struct call *c = &t->call;
	bool any = false;
	for (int kind = TOKENS_INPUT; kind <= TOKENS_CACHE_WRITE; kind++)
		any |= c->known[kind];
	assert(any && !c->known[TOKENS_UNITS] && c->source == SOURCE_TELEMETRY && c->time_ms > 0);
	assert(!c->caller.arn.len && c->region.len <= 32 && (c->account.len == 0 || c->account.len == 12));
}

static void on_record(void *user, const struct record *r)
{
	(void)user;
	assert(r->index >= 0 && r->kind < RECORD_KINDS);
	if (r->kind <= RECORD_AMENDMENT)
		check_call(&r->call);
	else if (r->kind == RECORD_TELEMETRY)
		check_telemetry(&r->telemetry);
	else if (r->kind == RECORD_METRIC && r->metric.larger)
		assert(r->metric.samples == 2 && 2 * r->metric.larger >= r->metric.sum &&
		       r->metric.larger <= r->metric.sum);
	if (r->kind == RECORD_METRIC)
		assert(r->metric.minute >= 0 && r->metric.sum >= 0 && r->metric.sum <= INT64_C(1) << 40 &&
		       r->metric.model.len && r->metric.samples >= 0 &&
		       (r->metric.token_kind <= TOKENS_CACHE_WRITE || r->metric.token_kind == TOKENS_UNITS));
	record_describe(r, &told);
}

static void on_fault(void *user, enum fault_kind kind, int index, struct str part, const char *reason)
{
	(void)user;
	assert(kind < FAULT_KINDS && index >= -1 && reason && *reason && (part.len == 0 || part.p));
	buf_addf(&told, "%d %s %s\n", index, fault_word(kind), reason);
}

static void sink_record(void *user, struct record *r)
{
	r->index = 0;
	on_record(user, r);
}

static void sink_ignored(void *user, size_t n)
{
	(void)user, (void)n;
}

static void sink_fault(void *user, const struct err *err)
{
	(void)user;
	assert(err->kind == ERR_SKIP && err->msg[0]);
}

static void whole(struct str in)
{
	static struct decoder *d;
	static struct buf first;
	if (!d)
		d = decoder_new((struct decode_limits){1 << 20, 24, 0}, on_record, on_fault, NULL);
	for (int i = 0; i < (in.len % 4 ? 1 : 2); i++) { // some inputs twice
		buf_clear(&told);
		decoder_message(d, in.p, in.len);
		if (i == 0) {
			buf_clear(&first);
			buf_addstr(&first, buf_str(&told));
		} else {
			assert(str_eq(buf_str(&first), buf_str(&told)));
		}
	}
}

// Any bytes in base64 are the same bytes decoded.
static void try_base64(struct str in)
{
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT, back = BUF_INIT;
	bool good = base64_decode(in, &back, &err);
	assert(good ? back.len <= in.len : err.kind == ERR_SKIP);
	buf_clear(&back);
	buf_add_base64(&text, in);
	good = base64_decode(buf_str(&text), &back, &err);
	assert(good && str_eq(buf_str(&back), in));
	buf_release(&text);
	buf_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size};
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;
	struct arena a = ARENA_INIT;
	struct sink sink = {NULL, sink_record, sink_ignored, sink_fault};
	buf_clear(&told);
	if (TARGET == DECODE)
		whole(in);
	else if (TARGET == OTEL)
		otel_decode(in, &a, &sink);
	else if (TARGET == INFLATE)
		assert(inflate_gzip(in, 1 << 16, &out, &err) ? out.len <= 1 << 16 : err.kind == ERR_SKIP);
	else
		try_base64(in);
	arena_release(&a);
	buf_release(&out);
	return 0;
}

#endif
