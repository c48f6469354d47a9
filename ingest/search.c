// SPDX-License-Identifier: Apache-2.0
// The search for records in a JSON value. An object that is a record of a known form is read, and nothing is
// searched within it. Everything else is a wrapper: all that stands in it is searched, in order, but for
// quotations (quotation.h). A string is searched if it has one of the words that every record has
// (prefilter.h).
//
// Elements of lists are units (decode_priv.h). So one that cannot be read is a dead letter by itself, and its
// neighbours count.
#include <stdio.h>

#include "ingest/decode_priv.h"
#include "ingest/otlp.h"
#include "ingest/prefilter.h"
#include "ingest/quotation.h"
#include "ingest/signs.h"

enum {
	TEXT_MIN = 64,  // shorter strings hold no record
	SIGN_MAX = 256, // longer strings are no event source, no namespace, no id
};

// Where a value stands: the key, of which it is the value or an element of the value; and whether it is a
// list of messages, whose elements are counted one by one.
struct place {
	struct str key;
	bool listed;
	int depth;
};

static void search_at(struct decoder *d, struct json v, struct str text, struct place at);

static void report_too_deep(struct decoder *d, struct json v)
{
	char z[100];
	buf_clear(&d->part);
	json_print(v, &d->part);
	if (!prefilter_may_be_ours(buf_str(&d->part)))
		return;
	snprintf(z, sizeof z, "wrappers are nested more than %d deep (unwrap.depth)", d->limits.depth);
	report_fault_value(d, FAULT_LIMIT, v, buf_str(&d->part), z);
}

static void search_string(struct decoder *d, struct str s, struct place at)
{
	if (s.len <= SIGN_MAX)
		d->signs |= signs_of_member(at.key, s);
	if (s.len >= TEXT_MIN && prefilter_may_be_ours(s))
		d->search_contents(d, s, at.depth + 1);
}

// A quotation is not searched. That it holds a record is worth a word, if nothing else in the unit does.
static void look_at_quotation(struct decoder *d, struct json v)
{
	enum fault_kind kind;
	const char *reason;
	struct str s;
	if (!json_str(v, &s)) {
		if (json_type(v) != JSON_OBJECT && json_type(v) != JSON_ARRAY)
			return;
		buf_clear(&d->part);
		json_print(v, &d->part);
		s = buf_str(&d->part);
	}
	if (prefilter_may_be_ours(s) && signs_are_complete(signs_of_text(s), &kind, &reason))
		d->signs |= SIGN_QUOTED;
}

static void search_list(struct decoder *d, struct json list, struct place at)
{
	struct buf *fields = &d->levels[d->level].bytes;
	struct json item;
	buf_clear(fields);
	if (otlp_record_of_attributes(list, fields)) {
		d->search_contents(d, buf_str(fields), at.depth + 1);
		return;
	}
	for (struct json_iter it = json_begin(list); json_next(&it, NULL, &item);) {
		struct unit u = unit_begin(d);
		search_at(d, item, STR_NONE, (struct place){at.key, false, at.depth + 1});
		unit_end(d, &u, item, STR_NONE, at.listed);
	}
}

// The lists that are known to hold a message in each element.
static bool is_list_of_messages(struct str key)
{
	return str_is(key, "Records") || str_is(key, "records") || str_is(key, "Events") ||
	       str_is(key, "events") || str_is(key, "logEvents") || str_is(key, "Messages") ||
	       str_is(key, "messages");
}

// A key that says of what type its value is, and not what it is called: of OpenTelemetry, DynamoDB, Avro.
static bool is_type_name(struct str key)
{
	return str_is(key, "stringValue") || str_is(key, "S") || str_is(key, "string");
}

// The name in {"key": NAME, "value": ...}, or STR_NONE.
static struct str name_of_pair(struct json object)
{
	struct str name;
	return json_str(json_get(object, STR("key")), &name) && json_get(object, STR("value")).doc ? name
	                                                                                           : STR_NONE;
}

// An event of EventBridge, and a message of a CloudWatch Logs subscription, say who wrote what is in them.
// The outermost wrapper has the word: what is within it may be anybody's imitation.
static void note_carrier(struct decoder *d, struct json object)
{
	struct str source;
	struct carrier *c = &d->carrier;
	if (!c->custom_source.len && json_get(object, STR("detail-type")).doc &&
	    json_str(json_get(object, STR("source")), &source) && !str_starts(source, STR("aws.")))
		c->custom_source = source.len ? source : STR("(none)");
	if (!c->log_owner.len && !c->log_group.len && json_get(object, STR("logEvents")).doc) {
		json_str(json_get(object, STR("owner")), &c->log_owner);
		json_str(json_get(object, STR("logGroup")), &c->log_group);
	}
}

// The resource and the scope of OpenTelemetry, of all that is within the object.
static void note_resource(struct decoder *d, struct json object)
{
	struct json resource = json_get(object, STR("resource"));
	if (json_type(resource) == JSON_OBJECT) {
		d->resource = resource;
		d->scope = JSON_ABSENT;
	}
	if (d->resource.doc && !json_missing(json_get(object, STR("scope"))))
		d->scope = json_get(object, STR("scope"));
}

static void search_members(struct decoder *d, struct json object, struct place at)
{
	struct quotation q;
	struct str key, name = name_of_pair(object);
	struct json v;
	const struct carrier around = d->carrier;
	const struct json resource = d->resource, scope = d->scope;
	note_carrier(d, object);
	note_resource(d, object);
	quotation_look(object, &q);
	for (struct json_iter it = json_begin(object); json_next(&it, &key, &v);) {
		if (is_type_name(key) && at.key.len)
			key = at.key;
		else if (name.len && str_is(key, "value"))
			key = name;
		if (json_type(v) != JSON_STRING)
			d->signs |= signs_of_member(key, STR_NONE);
		if (quotation_is(&q, key))
			look_at_quotation(d, v);
		else
			search_at(d, v, STR_NONE, (struct place){key, is_list_of_messages(key), at.depth + 1});
	}
	d->carrier = around;
	d->resource = resource;
	d->scope = scope;
}

static void search_at(struct decoder *d, struct json v, struct str text, struct place at)
{
	struct str s;
	if (d->exhausted)
		return;
	switch (json_type(v)) {
	case JSON_STRING:
		if (json_str(v, &s))
			search_string(d, s, at);
		return;
	case JSON_OBJECT:
	case JSON_ARRAY:
		break;
	default:
		return;
	}
	if (at.depth > d->limits.depth)
		report_too_deep(d, v);
	else if (json_type(v) == JSON_ARRAY)
		search_list(d, v, at);
	else if (!decode_object(d, v, text))
		search_members(d, v, at);
}

void search_value(struct decoder *d, struct json v, struct str text, int depth)
{
	search_at(d, v, text, (struct place){STR_NONE, true, depth});
}
