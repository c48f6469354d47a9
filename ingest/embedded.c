// SPDX-License-Identifier: Apache-2.0
// How a length N is written in front of a string:
//
//     varint of N         Protobuf               varint of 2N           Avro (zigzag)
//     d9, 1 byte          MessagePack            78, 1 byte             CBOR
//     da, 2 bytes         MessagePack            79, 2 bytes            CBOR
//     4 bytes             Thrift, MessagePack, CBOR and others; the highest byte first, as above
#include "ingest/embedded.h"

#include "ingest/json_split.h"

enum {
	SCAN_FACTOR = 4, // bytes read in search of the ends of values, by bytes of the message
	HEAD_MAX = 8,    // of a serialiser: a zero byte, the schema's id in four, perhaps an index
};

struct embedded embedded_begin(struct str bytes)
{
	size_t scan = bytes.len < SIZE_MAX / SCAN_FACTOR ? bytes.len * SCAN_FACTOR : bytes.len;
	return (struct embedded){bytes, 0, scan};
}

static unsigned byte_before(struct str s, size_t at, size_t n)
{
	return at >= n ? (unsigned char)s.p[at - n] : 0;
}

// Of the varints that end before `at`, the one of `n` bytes; 0 if these are no varint.
static size_t varint_before(struct str s, size_t at, size_t n)
{
	size_t v = 0;
	if (at < n || byte_before(s, at, 1) & 0x80)
		return 0;
	for (size_t i = 1; i <= n; i++) {
		unsigned c = byte_before(s, at, i);
		if (i > 1 && !(c & 0x80))
			return 0;
		v = v << 7 | (c & 0x7f);
	}
	return v;
}

// Calls for each length that may stand before `at`; `n` counts them. 0: no such length, or none left.
static size_t length_before(struct str s, size_t at, int n)
{
	unsigned one = byte_before(s, at, 1), two = byte_before(s, at, 2), three = byte_before(s, at, 3);
	size_t big = (size_t)byte_before(s, at, 4) << 24 | three << 16 | two << 8 | one, varint;
	switch (n) {
	case 0: case 1: case 2: case 3:
		return varint_before(s, at, (size_t)n + 1);
	case 4: case 5: case 6: case 7:
		varint = varint_before(s, at, (size_t)n - 3);
		return varint % 2 ? 0 : varint / 2;
	case 8:
		return two == 0xd9 || two == 0x78 ? one : 0;
	case 9:
		return three == 0xda || three == 0x79 ? two << 8 | one : 0;
	default:
		return big;
	}
}

enum { LENGTHS = 11 };

// The value that begins at `at`, if its length stands in front of it, or if it is all that follows a head.
static struct str value_at(struct embedded *e, size_t at)
{
	struct str rest = {e->whole.p + at, e->whole.len - at};
	for (int n = 0; n <= LENGTHS; n++) {
		size_t len = n < LENGTHS ? length_before(e->whole, at, n) : at <= HEAD_MAX ? rest.len : 0;
		if (len < 2 || len > rest.len || len > e->scan_left ||
		    (rest.p[len - 1] != '}' && rest.p[len - 1] != ']' && n < LENGTHS))
			continue;
		e->scan_left -= len;
		struct str value = json_split_value((struct str){rest.p, len});
		if (value.len == len || (n == LENGTHS && value.len))
			return value;
	}
	return STR_NONE;
}

bool embedded_next(struct embedded *e, struct str *ret)
{
	while (e->at < e->whole.len) {
		const char *brace = memchr(e->whole.p + e->at, '{', e->whole.len - e->at);
		if (!brace)
			break;
		size_t at = (size_t)(brace - e->whole.p);
		e->at = at + 1;
		if (at > 0 && brace[-1] == '[')
			at--;
		struct str value = value_at(e, at);
		if (value.len) {
			e->at = at + value.len;
			*ret = value;
			return true;
		}
	}
	return false;
}
