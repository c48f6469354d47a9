// SPDX-License-Identifier: Apache-2.0
#include "run/delivery_streams.h"

#include <stdio.h>

#include "base/arn.h"
#include "base/when.h"
#include "store/source_status.h"

enum { FORGET_KEYS_MS = 10 * 60000 }; // after the last refusal

// "ACCOUNT/REGION/NAME" of arn:aws:firehose:REGION:ACCOUNT:deliverystream/NAME.
static void name_place(struct str arn, char ret[DELIVERY_PLACE_SIZE])
{
	struct str rest = arn, region, account, name;
	bool good = arn.len < DELIVERY_PLACE_SIZE;
	for (size_t i = 0; i < arn.len; i++)
		good = good && arn.p[i] > ' ' && arn.p[i] <= '~';
	for (int i = 0; i < 3; i++)
		str_cut(&rest, ':');
	region = str_cut(&rest, ':');
	account = str_cut(&rest, ':');
	name = str_after_last(rest, '/');
	if (good && region.len && account.len && name.len && !memchr(region.p, '/', region.len) &&
	    !memchr(account.p, '/', account.len))
		snprintf(ret, DELIVERY_PLACE_SIZE, "%.*s/%.*s/%.*s", STR_ARG(account), STR_ARG(region),
		         STR_ARG(name));
	else
		snprintf(ret, DELIVERY_PLACE_SIZE, "unnamed");
}

static struct delivery_stream *find_stream(struct delivery_streams *s, struct str arn)
{
	char place[DELIVERY_PLACE_SIZE];
	name_place(arn, place);
	for (int i = 0; i < s->n; i++)
		if (strcmp(s->v[i].place, place) == 0)
			return &s->v[i];
	if (s->n == DELIVERY_STREAMS_MAX - 1)
		snprintf(place, sizeof place, "others");
	if (s->n == DELIVERY_STREAMS_MAX)
		return &s->v[DELIVERY_STREAMS_MAX - 1];
	struct delivery_stream *fresh = &s->v[s->n++];
	memcpy(fresh->place, place, sizeof place);
	return fresh;
}

void delivery_streams_note(struct delivery_streams *s, const struct http_delivery *d, const char *error)
{
	struct delivery_stream *one = find_stream(s, d->stream_arn);
	int64_t now = when_now_ms();
	one->changed = true;
	if (!error) {
		one->read_ms = now;
		one->failing_ms = 0;
		one->text[0] = '\0';
		return;
	}
	one->failing_ms = one->failing_ms ? one->failing_ms : now;
	snprintf(one->text, sizeof one->text, "%s", error);
}

void delivery_streams_note_keys(struct delivery_streams *s, uint64_t refused, int64_t last_ms)
{
	struct delivery_stream *k = &s->keys;
	bool begins = !*k->place, over = k->failing_ms && when_now_ms() - last_ms > FORGET_KEYS_MS;
	if (!begins && !over && refused == s->refused)
		return;
	snprintf(k->place, sizeof k->place, "refused-keys");
	snprintf(k->text, sizeof k->text,
	         "deliveries come with an access key that is not in firehose.keys.file: give the stream one of its keys, "
	         "or add this one");
	k->changed = true;
	k->failing_ms = over || !refused ? 0 : k->failing_ms ? k->failing_ms : last_ms;
	s->refused = refused;
}

static bool queue_one(struct delivery_stream *one, struct redis *r, const char *prefix)
{
	if (!one->changed)
		return false;
	const struct source_status status = {.source = STR("firehose"),
	                                     .acct_region = str_of(one->place),
	                                     .position_ms = one->read_ms,
	                                     .read_ms = one->read_ms,
	                                     .failing_ms = one->failing_ms,
	                                     .text = str_of(one->text)};
	source_status_queue(r, prefix, &status);
	return true;
}

static bool queue_keys(struct delivery_streams *s, struct redis *r, const char *prefix)
{
	struct delivery_stream *k = &s->keys;
	if (!k->changed || k->failing_ms)
		return queue_one(k, r, prefix);
	source_status_queue_end(r, prefix, STR("firehose"), str_of(k->place));
	return true;
}

bool delivery_streams_queue(struct delivery_streams *s, struct redis *r, const char *prefix)
{
	bool any = queue_keys(s, r, prefix);
	for (int i = 0; i < s->n; i++)
		any = queue_one(&s->v[i], r, prefix) || any;
	return any;
}

void delivery_streams_written(struct delivery_streams *s)
{
	s->keys.changed = false;
	for (int i = 0; i < s->n; i++)
		s->v[i].changed = false;
}
