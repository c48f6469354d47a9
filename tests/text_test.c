// SPDX-License-Identifier: Apache-2.0
// Text in the languages of others: what a tag holds is data in CSV, HTML and JSON, whatever it looks like.
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

int main(void)
{
	says(buf_add_csv, "plain text", "plain text");
	says(buf_add_csv, "", "");
	says(buf_add_csv, "a,b", "\"a,b\"");
	says(buf_add_csv, "say \"so\"", "\"say \"\"so\"\"\"");
	says(buf_add_csv, "two\nlines", "\"two\nlines\"");
	says(buf_add_csv, "=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0");
	says(buf_add_csv, "=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
	says(buf_add_csv, "@SUM(A1)", "'@SUM(A1)");
	says(buf_add_csv, "+1+1", "'+1+1");
	says(buf_add_csv, "-2+3", "'-2+3");
	says(buf_add_csv, "=", "'=");
	says(buf_add_csv, "\tx", "'\tx");
	says(buf_add_csv, "-12.50", "-12.50");
	says(buf_add_csv, "+7", "+7");
	says(buf_add_csv, "-", "-");
	says(buf_add_html, "<img src=x onerror='a' title=\"b\">&", "&lt;img src=x onerror='a' title=&quot;b&quot;&gt;&amp;");
	says(buf_add_json, "a\"b\\c\nd\x01", "\"a\\\"b\\\\c\\nd\\u0001\"");
	says(buf_add_label, "say \"so\" \\", "say \\\"so\\\" \\\\");
	says(buf_add_label, "two\nlines\tand", "two\\nlines and");
	says(buf_add_label, "\xc3\xa9quipe \xe5\xbd\xb1", "\xc3\xa9quipe \xe5\xbd\xb1");
	says(buf_add_label, "cut \xc3", "cut \xef\xbf\xbd");
	return done();
}
