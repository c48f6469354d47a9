// SPDX-License-Identifier: Apache-2.0
#include "ingest/origin.h"

#include <assert.h>

#include "base/text.h"

void origin_describe(const struct origin *o, struct buf *b)
{
	if (o->path) {
		buf_adds(b, o->path);
		if (o->line)
			buf_addf(b, ":%lld", (long long)o->line);
	}
	if (o->topic.len)
		buf_addf(b, "%stopic %.*s, partition %d, offset %lld", o->path ? ", " : "", STR_ARG(o->topic),
		         o->partition, (long long)o->offset);
}

void dead_letter_line(const struct dead_letter *d, struct buf *b)
{
	assert(d->reason && d->index >= -1);
	buf_addf(b, "{\"kind\":\"%s\",\"reason\":", fault_word(d->kind));
	buf_add_json(b, str_of(d->reason));
	if (d->origin.topic.len) {
		buf_adds(b, ",\"topic\":");
		buf_add_json(b, d->origin.topic);
		buf_addf(b, ",\"partition\":%d,\"offset\":%lld", d->origin.partition, (long long)d->origin.offset);
	}
	if (d->origin.path) {
		buf_adds(b, ",\"file\":");
		buf_add_json(b, str_of(d->origin.path));
		buf_addf(b, ",\"line\":%lld", (long long)d->origin.line);
	}
	if (d->origin.firehose.len) {
		buf_adds(b, ",\"firehose\":");
		buf_add_json(b, d->origin.firehose);
	}
	buf_addf(b, ",\"index\":%d,\"records\":[{\"data\":\"", d->index);
	buf_add_base64(b, d->data);
	buf_adds(b, "\"}]}\n");
}
