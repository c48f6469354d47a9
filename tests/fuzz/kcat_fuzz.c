// SPDX-License-Identifier: Apache-2.0
// Lines of `kcat -J`, and of the file of dead letters. A dead letter that is written is read again as
// what it was, whatever its data, topic and file are. Longest input: 1024 bytes.
#include "ingest/origin.h"
#include "tests/fuzz/fuzz.h"

static void try_line(struct str line)
{
	struct buf scratch = BUF_INIT;
	struct origin origin = {0}, before = origin;
	struct str payload = STR("untouched");
	if (kcat_line(line, &scratch, &origin, &payload)) {
		assert(payload.len <= line.len && line.p[line.len - 1] != '\0');
		struct buf text = BUF_INIT;
		origin_describe(&origin, &text);
		buf_release(&text);
	} else {
		assert(str_is(payload, "untouched") && str_eq(origin.topic, before.topic) &&
		       origin.offset == before.offset);
	}
	before = origin;
	if (!kcat_letter_origin(line, &origin))
		assert(str_eq(origin.topic, before.topic) && origin.offset == before.offset);
	if (dead_letter_read(line, &scratch, &origin, &payload))
		assert(payload.len <= line.len);
	buf_release(&scratch);
}

static void try_round_trip(struct input *in)
{
	int index = (int)take_byte(in) - 1;
	int32_t partition = (int32_t)take_byte(in);
	int64_t offset = (int64_t)(take_number(in) >> 1);
	struct str topic = take_text(in), reason = take_text(in), data = take_rest(in), back;
	struct buf line = BUF_INIT, scratch = BUF_INIT, z = BUF_INIT;
	buf_addstr(&z, reason);
	buf_addc(&z, '.');
	struct str key = str_cut(&reason, ' ');
	struct origin from = {.topic = topic, .partition = partition, .offset = offset, .firehose = key};
	struct dead_letter d = {.origin = from,
	                        .kind = (enum fault_kind)(offset % FAULT_KINDS),
	                        .index = index,
	                        .reason = z.data,
	                        .data = data};
	struct origin origin = {0};
	dead_letter_line(&d, &line);
	assert(line.data[line.len - 1] == '\n' && !memchr(line.data, '\n', line.len - 1));
	bool good = dead_letter_read(str_trim(buf_str(&line)), &scratch, &origin, &back);
	assert(good && str_eq(back, data) && origin.partition == (topic.len ? partition : 0));
	assert(origin.offset == (topic.len ? offset : 0));
	buf_release(&line);
	buf_release(&scratch);
	buf_release(&z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	if (take_byte(&in) % 4 == 0)
		try_round_trip(&in);
	else
		try_line(take_rest(&in));
	return 0;
}
