// SPDX-License-Identifier: Apache-2.0
#include "ingest/firehose.h"

#include <assert.h>

#include "base/usd.h"
#include "ingest/base64.h"
#include "ingest/json_split.h"

static struct str skip(struct str s, size_t n)
{
	return (struct str){s.p + n, s.len - n};
}

static bool cut_char(struct str *s, char c)
{
	struct str rest = str_trim_start(*s);
	bool good = rest.len && rest.p[0] == c;
	*s = good ? skip(rest, 1) : rest;
	return good;
}

static bool cut_value(struct str *s, struct str *ret)
{
	struct str rest = str_trim_start(*s), value = str_trim(json_split_value(rest));
	if (!value.len)
		return false;
	*ret = value;
	*s = skip(rest, (size_t)(value.p + value.len - rest.p));
	return true;
}

static bool is_string(struct str s)
{
	return s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"';
}

static struct str contents(struct str quoted)
{
	return (struct str){quoted.p + 1, quoted.len - 2};
}

// The members of an object: begins with *s behind its bracket. False at its end, and at what is no member;
// *ret_good says which.
static bool cut_member(struct str *s, bool first, struct str *ret_key, struct str *ret_value, bool *ret_good)
{
	*ret_good = true;
	if (cut_char(s, '}'))
		return false;
	*ret_good = (first || cut_char(s, ',')) && cut_value(s, ret_key) && is_string(*ret_key) &&
	            cut_char(s, ':') && cut_value(s, ret_value);
	if (*ret_good)
		*ret_key = contents(*ret_key);
	return *ret_good;
}

bool firehose_id_is_valid(struct str id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.p[i] <= ' ' || id.p[i] > '~' || id.p[i] == '"' || id.p[i] == '\\')
			return false;
	return id.len > 0 && id.len <= FIREHOSE_ID_BYTES;
}

bool firehose_body_read(struct str body, struct firehose_body *ret, struct err *err)
{
	struct firehose_body b = {0};
	struct str rest = body, key, value;
	bool good = cut_char(&rest, '{'), records = false;
	for (bool first = true; good && cut_member(&rest, first, &key, &value, &good); first = false) {
		if (str_is(key, "requestId") && is_string(value)) {
			b.request_id = contents(value);
		} else if (str_is(key, "timestamp")) {
			(void)!usd_parse_scaled(value, 0, &b.timestamp_ms);
		} else if (str_is(key, "records") && value.p[0] == '[') {
			b.records = skip(value, 1);
			records = true;
		}
	}
	if (!good || str_trim_start(rest).len)
		return err_set(err, ERR_SKIP,
		               "the body is no JSON object, or is cut off: %zu of its %zu bytes could be read",
		               body.len - rest.len, body.len);
	if (!firehose_id_is_valid(b.request_id))
		return err_set(err, ERR_SKIP, "the body has no requestId");
	if (!records)
		return err_set(err, ERR_SKIP, "the body has no list of records");
	*ret = b;
	return true;
}

// Some encoders of JSON write / as \/, which is the only digit of base64 that can be escaped.
static bool decode_data(struct str text, struct buf *data, struct err *err)
{
	if (!text.len || !memchr(text.p, '\\', text.len))
		return base64_decode(text, data, err);
	struct buf plain = BUF_INIT;
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] != '\\' || i + 1 == text.len || text.p[i + 1] != '/')
			buf_addc(&plain, text.p[i]);
	bool good = base64_decode(buf_str(&plain), data, err);
	buf_release(&plain);
	return good;
}

static bool read_record(struct str text, struct buf *data, struct err *err)
{
	struct str rest = text, key, value, found = STR_NONE;
	bool good = cut_char(&rest, '{');
	for (bool first = true; good && cut_member(&rest, first, &key, &value, &good); first = false)
		if (str_is(key, "data") && is_string(value))
			found = value;
	if (!good || !found.len)
		return err_set(err, ERR_SKIP, "a record of Firehose without data in base64");
	return decode_data(contents(found), data, err);
}

bool firehose_record_next(struct firehose_body *b, struct buf *data, struct str *ret_text, struct err *err)
{
	struct str text;
	err_clear(err);
	buf_clear(data);
	while (cut_char(&b->records, ','))
		;
	if (!cut_value(&b->records, &text))
		return false;
	*ret_text = text;
	if (!read_record(text, data, err))
		assert(err->kind == ERR_SKIP);
	return true;
}
