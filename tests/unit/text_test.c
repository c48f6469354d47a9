// SPDX-License-Identifier: Apache-2.0
// Text in the languages of others: what a tag holds is data in HTML and JSON, whatever it looks like.
#include "base/text.h"

#include "tests/tap.h"

static void says(void (*add)(struct buf *, struct str), const char *text, const char *want)
{
	struct buf b = BUF_INIT;
	add(&b, str_of(text));
	buf_addc(&b, '\0');
	ok(strcmp(b.data, want) == 0, "%.12s ...", strpbrk(text, "\n\t") || !text[0] ? "blanks" : text);
	if (strcmp(b.data, want) != 0)
		diag("got %s, want %s", b.data, want);
	buf_release(&b);
}

static void is_plain(const char *text, const char *want)
{
	char *copy = xstrdup(str_of(text));
	text_make_plain(copy, strlen(copy));
	is_str(copy, want, "on a line of a terminal");
	free(copy);
}

// The secret of a URL is shown neither whole nor in part, whatever is in it.
static void masks(const char *url, const char *want, const char *in_text)
{
	struct buf b = BUF_INIT;
	char text[200];
	buf_add_url_masked(&b, str_of(url));
	is_str(b.data, want, "a URL");
	snprintf(text, sizeof text, "before %s: after \"%s\"", url, url);
	text_mask_urls(text);
	is_str(text, in_text, "the same in a text");
	buf_release(&b);
}

static void test_masks(void)
{
	masks("redis://h:6379/2", "redis://h:6379/2", "before redis://h:6379/2: after \"redis://h:6379/2\"");
	masks("redis://u:hunter2@h", "redis://u:****@h", "before redis://u:****@h: after \"redis://u:****@h\"");
	masks("rediss://:a/b/c@h:1/2", "rediss://:****@h:1/2",
	      "before rediss://:****@h:1/2: after \"rediss://:****@h:1/2\"");
	masks("redis://:a@b/c?d#e:f@h", "redis://:****@h", "before redis://:****@h: after \"redis://:****@h\"");
	masks("redis://hunter2@h", "redis://****@h", "before redis://****@h: after \"redis://****@h\"");
	masks("redis://hun/ter2@h", "redis://****@h", "before redis://****@h: after \"redis://****@h\"");
	masks("redis://:hunter2", "redis://:****", "before redis://:**** after \"redis://:****\"");
	masks("redis+sentinel://u:s/e,t@a:1,b:2/m", "redis+sentinel://u:****@a:1,b:2/m",
	      "before redis+sentinel://u:****@a:1,b:2/m: after \"redis+sentinel://u:****@a:1,b:2/m\"");
	masks("redis+sentinel://a:1,b:2/m", "redis+sentinel://a:1,b:2/m",
	      "before redis+sentinel://a:1,b:2/m: after \"redis+sentinel://a:1,b:2/m\"");
	masks("redis+sentinel://:hunter2", "redis+sentinel://:****",
	      "before redis+sentinel://:**** after \"redis+sentinel://:****\"");
	masks("redis://:12,secret", "redis://:****", "before redis://:**** after \"redis://:****\"");
	masks("redis://:x@h", "redis://:****@h", "before redis://:*@h: after \"redis://:*@h\"");
	masks("https://u:p/w@h/x?y", "https://u:****@h/x?y", "before https://u:***@h/x?y: after \"https://u:***@h/x?y\"");
	masks("s3://bucket/a:b@c", "s3://bucket/a:b@c", "before s3://bucket/a:b@c: after \"s3://bucket/a:b@c\"");
	masks("unix:/run/redis.sock", "unix:/run/redis.sock",
	      "before unix:/run/redis.sock: after \"unix:/run/redis.sock\"");
	masks("", "", "before : after \"\"");
}

static void add_decoded(struct buf *b, struct str s)
{
	buf_add_url_decoded(b, s, false);
}

static void add_form_decoded(struct buf *b, struct str s)
{
	buf_add_url_decoded(b, s, true);
}

int main(void)
{
	test_masks();
	says(add_decoded, "a%20b+c%2Fd%e2%82%ac", "a b+c/d\xe2\x82\xac");
	says(add_form_decoded, "a%20b+c%2Bd", "a b c+d");
	says(add_decoded, "100%, %4, %zz, %a", "100%, %4, %zz, %a");
	says(add_decoded, "%", "%");
	says(buf_add_html, "<img src=x onerror='a' title=\"b\">&",
	     "&lt;img src=x onerror='a' title=&quot;b&quot;&gt;&amp;");
	says(buf_add_html, "two\nlines\x1b\xe2\x80\xae.", "two\nlines??.");
	says(buf_add_json, "\x7f \xc2\x9b \xe2\x80\xae \xe2\x81\xa9 \xc2\xa0 \xe2\x80\xa6",
	     "\"\\u007f \\u009b \\u202e \\u2069 \xc2\xa0 \xe2\x80\xa6\"");
	says(buf_add_json, "a\"b\\c\nd\x01", "\"a\\\"b\\\\c\\nd\\u0001\"");
	says(buf_add_label, "say \"so\" \\", "say \\\"so\\\" \\\\");
	says(buf_add_label, "two\nlines\tand", "two\\nlines and");
	says(buf_add_label, "\xc3\xa9quipe \xe5\xbd\xb1", "\xc3\xa9quipe \xe5\xbd\xb1");
	says(buf_add_label, "a\xc2\x9b" "b\xe2\x80\xae" "c", "a b c");
	says(buf_add_label, "cut \xc3", "cut \xef\xbf\xbd");
	says(buf_add_label, "cut \xc2" "A", "cut \xef\xbf\xbd" "A");
	is_plain("\x1b[31mred\n", "?[31mred?");
	is_plain("\xc2" "A \xc2\xc2\x9b", "\xc2" "A \xc2??");
	is_plain("a\xc2\x9b" "31m \xc2\xa0 \xc3\xa9", "a??31m \xc2\xa0 \xc3\xa9");
	is_plain("invoice\xe2\x80\xae" "fdp.exe \xe2\x80\xa6 \xe2\x81\xa6", "invoice???fdp.exe \xe2\x80\xa6 ???");
	is_plain("cut \xe2\x80", "cut \xe2\x80");
	char notes[] = "one\x1b[2J\n\ntwo\r\n";
	text_make_plain_lines(notes, strlen(notes));
	is_str(notes, "one?[2J\n\ntwo?\n", "on lines of a terminal");
	char grouped[TEXT_GROUPED_SIZE(12)];
	is_str(text_group_thousands("999.5", grouped), "999.5", "no thousands");
	is_str(text_group_thousands("-123456.1234", grouped), "-123,456.1234", "decimals are not grouped");
	is_str(text_group_thousands("123456789012", grouped), "123,456,789,012", "a number that fills its room");
	return done();
}
