// SPDX-License-Identifier: Apache-2.0
// Times, dollars, patterns and untrusted text that is printed: what is written is read again as what it
// was. Longest input: 256 bytes.
#include <jansson.h>

#include "base/csv.h"
#include "base/pattern.h"
#include "base/text.h"
#include "base/when.h"
#include "tests/fuzz/fuzz.h"

static void try_when(struct str text)
{
	int64_t ms = -1, again = -1;
	char z[WHEN_SIZE];
	if (!when_parse(text, &ms)) {
		assert(ms == -1);
		return;
	}
	assert(ms >= 0 && when_parse(str_of(when_format(ms, z)), &again));
	assert(again == ms / 1000 * 1000);
	int64_t hour = ms / MS_PER_HOUR;
	assert(when_day_start(hour) <= hour && when_month_start(hour) <= when_day_start(hour));
}

static void try_usd(struct str text)
{
	struct usd usd, again;
	int64_t rate;
	char z[USD_SIZE];
	if (usd_parse(text, &usd)) {
		assert(usd_parse(str_of(usd_format(usd, 12, z)), &again) && usd_cmp(usd, again) == 0);
		assert(usd_parse_pico(str_of(usd_format_pico(usd, z)), &again) && usd_cmp(usd, again) == 0);
	}
	if (usd_parse_pico(text, &usd))
		assert(usd_parse_pico(str_of(usd_format_pico(usd, z)), &again) && usd_cmp(usd, again) == 0);
	if (usd_parse_scaled(text, 0, &rate) && usd_parse(text, &usd))
		assert(usd.pico == (usd_pico)rate * 1000000000000);
}

static void try_pattern(struct input *in)
{
	struct str pattern = take_text(in), text = take_rest(in);
	bool same = pattern_matches(pattern, text);
	assert(pattern_matches(STR("*"), text) && pattern_matches(text, text));
	if (pattern_is_plain(pattern))
		assert(same == (pattern.len == text.len && strncasecmp(pattern.p, text.p, text.len) == 0) ||
		       memchr(text.p, 0, text.len));
}

// A JSON string of any bytes is JSON, and those that are UTF-8 come back.
static void try_json(struct str text)
{
	struct buf b = BUF_INIT, html = BUF_INIT, label = BUF_INIT, plain = BUF_INIT;
	buf_add_json(&b, text);
	json_t *s = json_loadb(b.data, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL),
		   *utf8 = json_stringn(text.len ? text.p : "", text.len);
	assert(json_is_string(s) && (!utf8 || json_equal(s, utf8)));
	json_decref(s);
	json_decref(utf8);
	buf_add_html(&html, text);
	assert(!html.len || (!memchr(html.data, '<', html.len) && !memchr(html.data, '"', html.len)));
	buf_add_label(&label, text);
	json_t *valid = json_stringn(label.len ? label.data : "", label.len);
	assert(valid && (!label.len || !memchr(label.data, '\n', label.len)));
	json_decref(valid);
	buf_addstr(&plain, text);
	text_make_plain(plain.len ? plain.data : NULL, plain.len);
	for (size_t i = 0; i < plain.len; i++)
		assert(!text_control(buf_str(&plain), i) && plain.len == text.len);
	buf_release(&plain);
	buf_release(&label);
	buf_release(&html);
	buf_release(&b);
}

// The field that begins at *at, by RFC 4180; *at is then behind its comma or line end.
static void read_field(struct str csv, size_t *at, struct buf *ret)
{
	buf_clear(ret);
	bool quoted = *at < csv.len && csv.p[*at] == '"';
	for (*at += quoted; *at < csv.len; ++*at) {
		char c = csv.p[*at];
		if (quoted && c == '"') {
			if (*at + 1 >= csv.len || csv.p[*at + 1] != '"')
				break;
			++*at;
		} else if (!quoted && (c == ',' || c == '\n')) {
			break;
		}
		buf_addc(ret, c);
	}
	*at += quoted;
	assert(*at < csv.len && (csv.p[*at] == ',' || csv.p[*at] == '\n'));
	++*at;
}

static void try_csv(struct input *in)
{
	struct buf out = BUF_INIT, field = BUF_INIT;
	struct csv_writer csv = CSV_WRITER(&out);
	struct str a = take_text(in), b = take_rest(in);
	size_t at = 0;
	csv_verbatim(&csv, a);
	csv_str(&csv, b);
	csv_end_row(&csv);
	read_field(buf_str(&out), &at, &field);
	assert(str_eq(buf_str(&field), a));
	read_field(buf_str(&out), &at, &field);
	struct str back = buf_str(&field);
	if (back.len == b.len + 1 && back.p[0] == '\'')
		back.p++, back.len--;
	else
		assert(!b.len || !strchr("=@\t", b.p[0]) || !b.p[0]);
	assert(str_eq(back, b) && at == out.len);
	buf_release(&out);
	buf_release(&field);
}

static void try_url(struct str text)
{
	struct buf b = BUF_INIT;
	buf_add_url_masked(&b, text);
	assert(b.len <= text.len + 4);
	buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	switch (take_byte(&in) % 6) {
	case 0:
		try_when(take_rest(&in));
		break;
	case 1:
		try_usd(take_rest(&in));
		break;
	case 2:
		try_pattern(&in);
		break;
	case 3:
		try_json(take_rest(&in));
		break;
	case 4:
		try_csv(&in);
		break;
	case 5:
		try_url(take_rest(&in));
		break;
	}
	return 0;
}
