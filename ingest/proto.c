// SPDX-License-Identifier: Apache-2.0
#include "ingest/proto.h"

bool proto_varint(struct str *in, uint64_t *ret)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < 10 && i < in->len; i++) {
		unsigned char c = (unsigned char)in->p[i];
		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if (!(c & 0x80)) {
			in->p += i + 1;
			in->len -= i + 1;
			*ret = v;
			return true;
		}
	}
	return false;
}

static bool read_fixed(struct str *in, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	if (in->len < n)
		return false;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)(unsigned char)in->p[i] << (8 * i);
	in->p += n;
	in->len -= n;
	*ret = v;
	return true;
}

bool proto_bytes(struct str *in, struct str *ret)
{
	uint64_t n;
	if (!proto_varint(in, &n) || n > in->len)
		return false;
	*ret = (struct str){in->p, (size_t)n};
	in->p += n;
	in->len -= (size_t)n;
	return true;
}

int proto_next(struct str *in, struct proto_field *f)
{
	uint64_t tag;
	if (!in->len)
		return 0;
	if (!proto_varint(in, &tag) || tag >> 3 == 0 || tag >> 32)
		return -1;
	f->number = (uint32_t)(tag >> 3);
	f->wire = (enum wire)(tag & 7);
	switch (f->wire) {
	case VARINT:
		return proto_varint(in, &f->word) ? 1 : -1;
	case FIXED64:
		return read_fixed(in, 8, &f->word) ? 1 : -1;
	case FIXED32:
		return read_fixed(in, 4, &f->word) ? 1 : -1;
	case BYTES:
		return proto_bytes(in, &f->bytes) ? 1 : -1;
	}
	return -1; // groups: these messages have none
}
