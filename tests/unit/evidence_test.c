// SPDX-License-Identifier: Apache-2.0
// The id of a call: the bytes of a UUID, in letters of either case; of any other text those of a digest.
#include "store/evidence.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/when.h"
#include "tests/tap.h"

static const char uuid[] = "63033b0c-a389-435a-ae8f-38e3d92c0f81";

static const uint8_t *id_of(const char *text)
{
	static struct evidence e;
	struct call c = {.request_id = str_of(text), .source = SOURCE_API};
	evidence_pack(&e, &c, 1, 2, 0, false);
	return e.id;
}

static bool is_digest(const char *text)
{
	uint8_t want[16];
	struct digest128 d = digest128(text, strlen(text));
	bytes_put64(want, d.high);
	bytes_put64(want + 8, d.low);
	return memcmp(id_of(text), want, EVIDENCE_ID) == 0;
}

// Read by store/short_evidence.lua, whose own tests are in tests/lua/calls_test.lua.
static void short_forms(void)
{
	const int64_t first_minute = 29000000;
	static const uint8_t want[] = {
		(EVIDENCE_SHORT_FROM + 2400) >> 8, (EVIDENCE_SHORT_FROM + 2400) & 255, SOURCE_API << 4,
		EVIDENCE_TIMING_END, TOKENS_INPUT << 4 | 2, 0x01, 0x00, TOKENS_OUTPUT << 4 | 0};
	uint8_t form[EVIDENCE_HEAD - EVIDENCE_NUMBER];
	struct evidence e;
	struct call c = {.request_id = STR("call"), .source = SOURCE_API, .time_is_end = true};
	c.time_ms = (first_minute + 400) * MS_PER_MINUTE + 59999;
	c.known[TOKENS_INPUT] = c.known[TOKENS_OUTPUT] = true;
	c.tokens[TOKENS_INPUT] = 256;
	evidence_pack(&e, &c, 1, 2, 0, false);
	size_t n = evidence_shorten(&e, first_minute, form);
	ok(n == sizeof want && memcmp(form, want, n) == 0, "a short form");
	is_int((long long)evidence_shorten(&e, first_minute + 401, form), 0, "none of an earlier minute");
	is_int((long long)evidence_shorten(&e, first_minute + 400 - 10743, form), 0, "none of a much later one");
	is_int((long long)evidence_shorten(&e, first_minute + 400 - 10742, form), (long long)n,
	       "but of all before");
	c.time_is_end = false;
	evidence_pack(&e, &c, 1, 2, 0, false);
	evidence_shorten(&e, first_minute, form);
	is_int(form[0] << 8 | form[1], EVIDENCE_SHORT_FROM + 2405,
	       "of the start of a stream the sixth of the minute is kept");
	c.tokens[TOKENS_INPUT] = 1 << 24;
	evidence_pack(&e, &c, 1, 2, 0, false);
	is_int((long long)evidence_shorten(&e, first_minute, form), 0, "none of a large count");
	c.tokens[TOKENS_INPUT] = 1;
	evidence_pack(&e, &c, 1, 2, 3, false);
	is_int((long long)evidence_shorten(&e, first_minute, form), 0, "none with metadata");
	evidence_pack(&e, &c, 1, 2, 0, true);
	is_int((long long)evidence_shorten(&e, first_minute, form), 0, "none with the second of the call");
}

int main(void)
{
	static const uint8_t bytes[] = {0x63, 0x03, 0x3b, 0x0c, 0xa3, 0x89, 0x43, 0x5a, 0xae, 0x8f, 0x38, 0xe3};
	static const char others[] = "g-:/@`G\x80";
	char text[sizeof uuid];
	int digests = 0, tried = 0;
	ok(memcmp(id_of(uuid), bytes, EVIDENCE_ID) == 0, "a UUID gives its own bytes");
	ok(memcmp(id_of("63033B0C-A389-435A-AE8F-38E3D92C0F81"), bytes, EVIDENCE_ID) == 0, "in capitals, too");
	for (size_t at = 0; at < sizeof uuid - 1; at++) {
		for (const char *c = others; *c; c++) {
			memcpy(text, uuid, sizeof text);
			if (text[at] == *c)
				continue;
			text[at] = *c;
			tried++;
			digests += is_digest(text);
		}
	}
	is_int(digests, tried, "anything else in place of one of its characters gives a digest");
	ok(is_digest("63033b0c-a389-435a-ae8f-38e3d92c0f8") && is_digest("") && is_digest("call-1"),
	   "and so does any other text");
	short_forms();
	return done();
}
