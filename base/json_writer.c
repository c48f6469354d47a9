// SPDX-License-Identifier: Apache-2.0
#include "base/json_writer.h"

#include <assert.h>
#include <math.h>

#include "base/text.h"
#include "base/when.h"

static void separate(struct json_writer *j)
{
	if (j->started[j->depth])
		buf_addc(j->out, ',');
	if (j->new_line)
		buf_addc(j->out, '\n');
	j->new_line = false;
	j->started[j->depth] = true;
}

// What precedes a value: a comma, a line, its key.
static void begin_value(struct json_writer *j, const char *key)
{
	if (j->key_written) {
		assert(!key);
		j->key_written = false;
		return;
	}
	assert(!j->depth || (key != NULL) == (j->close[j->depth] == '}'));
	separate(j);
	if (key)
		buf_addf(j->out, "\"%s\":", key);
}

static void open_nested(struct json_writer *j, const char *key, char open, char close)
{
	begin_value(j, key);
	assert(j->depth < JSON_DEPTH_MAX);
	j->close[++j->depth] = close;
	j->started[j->depth] = false;
	buf_addc(j->out, open);
}

void jw_object(struct json_writer *j, const char *key)
{
	open_nested(j, key, '{', '}');
}

void jw_array(struct json_writer *j, const char *key)
{
	open_nested(j, key, '[', ']');
}

void jw_end(struct json_writer *j)
{
	assert(j->depth > 0 && !j->key_written);
	if (j->new_line)
		buf_addc(j->out, '\n');
	j->new_line = false;
	buf_addc(j->out, j->close[j->depth--]);
}

void jw_key(struct json_writer *j, struct str name)
{
	assert(!j->key_written && j->depth && j->close[j->depth] == '}');
	separate(j);
	buf_add_json(j->out, name);
	buf_addc(j->out, ':');
	j->key_written = true;
}

void jw_line(struct json_writer *j)
{
	j->new_line = true;
}

void jw_str(struct json_writer *j, const char *key, struct str value)
{
	begin_value(j, key);
	if (value.p)
		buf_add_json(j->out, value);
	else
		buf_adds(j->out, "null");
}

void jw_strz(struct json_writer *j, const char *key, const char *value)
{
	jw_str(j, key, value ? str_of(value) : STR_NONE);
}

void jw_int(struct json_writer *j, const char *key, int64_t value)
{
	begin_value(j, key);
	buf_addf(j->out, "%lld", (long long)value);
}

void jw_bool(struct json_writer *j, const char *key, bool value)
{
	begin_value(j, key);
	buf_adds(j->out, value ? "true" : "false");
}

void jw_null(struct json_writer *j, const char *key)
{
	begin_value(j, key);
	buf_adds(j->out, "null");
}

void jw_real(struct json_writer *j, const char *key, double value, int places)
{
	begin_value(j, key);
	if (isfinite(value))
		buf_addf(j->out, "%.*f", places, value);
	else
		buf_adds(j->out, "null");
}

void jw_usd(struct json_writer *j, const char *key, struct usd value)
{
	char text[USD_SIZE];
	begin_value(j, key);
	buf_addf(j->out, "\"%s\"", usd_format(value, JSON_USD_PLACES, text));
}

void jw_time(struct json_writer *j, const char *key, int64_t ms)
{
	char text[WHEN_SIZE];
	begin_value(j, key);
	buf_addf(j->out, "\"%s\"", when_format(ms, text));
}

void jw_int_if(struct json_writer *j, const char *key, bool known, int64_t value)
{
	if (known)
		jw_int(j, key, value);
	else
		jw_null(j, key);
}

void jw_usd_if(struct json_writer *j, const char *key, bool known, struct usd value)
{
	if (known)
		jw_usd(j, key, value);
	else
		jw_null(j, key);
}

void jw_time_if(struct json_writer *j, const char *key, bool known, int64_t ms)
{
	if (known)
		jw_time(j, key, ms);
	else
		jw_null(j, key);
}

void jw_raw(struct json_writer *j, const char *key, struct str json)
{
	begin_value(j, key);
	buf_addstr(j->out, json);
}
