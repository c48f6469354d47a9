// SPDX-License-Identifier: Apache-2.0
// What the decoder found in a message: counts it, numbers it (struct record, index) and calls back.
#include <assert.h>

#include "ingest/decode_priv.h"

void report_record(struct decoder *d, struct record *r)
{
	r->index = d->next_index++;
	d->counts.records[r->kind]++;
	d->on_record(d->user, r);
	if (d->arena.used)
		arena_reset(&d->arena);
}

void report_ignored(struct decoder *d, size_t n)
{
	d->counts.ignored += n;
	d->next_index += (int)n;
}

void report_dropped(struct decoder *d)
{
	d->counts.dropped_unparsed++;
	report_ignored(d, 1);
}

void report_fault(struct decoder *d, struct str part, const char *reason)
{
	bool whole = part.p == d->message.p && part.len == d->message.len;
	d->counts.faults++;
	d->on_fault(d->user, whole && d->next_index == 0 ? -1 : d->next_index, part, reason);
	d->next_index++;
}

void report_fault_value(struct decoder *d, struct json v, struct str text, const char *reason)
{
	if (!text.len) {
		buf_clear(&d->part);
		json_print(v, &d->part);
		text = buf_str(&d->part);
	}
	d->counts.faults++;
	d->on_fault(d->user, d->next_index++, text, reason);
}

static void sink_record(void *user, struct record *r)
{
	report_record(user, r);
}

static void sink_ignored(void *user, size_t n)
{
	report_ignored(user, n);
}

static void sink_fault(void *user, const struct err *err)
{
	struct decoder *d = user;
	assert(err->kind == ERR_SKIP);
	report_fault_value(d, d->current, d->current_text, err->msg);
}

struct sink report_sink(struct decoder *d, struct json v, struct str text)
{
	d->current = v;
	d->current_text = text;
	return (struct sink){d, sink_record, sink_ignored, sink_fault};
}
