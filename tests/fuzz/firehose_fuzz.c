// SPDX-License-Identifier: Apache-2.0
// The body of a delivery by Firehose. What is read lies in the body, and in order; a body that was made of
// records gives exactly them; a refusal has a reason. Longest input: 1024 bytes.
#include "ingest/firehose.h"

#include "base/text.h"
#include "tests/fuzz/fuzz.h"

static void try_body(struct str body)
{
	struct firehose_body b;
	struct err err = ERR_INIT;
	struct buf data = BUF_INIT;
	struct str text;
	const char *at = body.p;
	if (!firehose_body_read(body, &b, &err)) {
		check_refusal(&err);
		return;
	}
	assert(firehose_id_is_valid(b.request_id) && b.request_id.p > body.p);
	while (firehose_record_next(&b, &data, &text, &err)) {
		assert(text.len && text.p >= at && text.p + text.len <= body.p + body.len);
		assert(err.kind || data.len <= text.len);
		if (err.kind)
			check_refusal(&err);
		at = text.p + text.len;
	}
	buf_release(&data);
}

static void try_round_trip(struct str rest)
{
	struct firehose_body b;
	struct err err = ERR_INIT;
	struct buf body = BUF_INIT, data = BUF_INIT;
	struct str left = rest, text;
	buf_adds(&body, "{\"requestId\":\"q-1\",\"timestamp\":5,\"records\":[");
	for (int i = 0; left.len; i++) {
		buf_adds(&body, i ? ",{\"data\":\"" : "{\"data\":\"");
		buf_add_base64(&body, str_cut(&left, '\n'));
		buf_adds(&body, "\"}");
	}
	buf_adds(&body, "]}");
	bool good = firehose_body_read(buf_str(&body), &b, &err);
	assert(good && str_is(b.request_id, "q-1") && b.timestamp_ms == 5);
	for (left = rest; left.len;) {
		struct str want = str_cut(&left, '\n');
		good = firehose_record_next(&b, &data, &text, &err);
		assert(good && !err.kind && str_eq(buf_str(&data), want));
	}
	good = firehose_record_next(&b, &data, &text, &err);
	assert(!good);
	buf_release(&body);
	buf_release(&data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	if (take_byte(&in) % 4 == 0)
		try_round_trip(take_rest(&in));
	else
		try_body(take_rest(&in));
	return 0;
}
