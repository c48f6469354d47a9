// SPDX-License-Identifier: Apache-2.0
// A message for an incoming webhook of Slack: blocks, and the same as text for notifications ("Reference:
// Block Kit" and "Formatting message text" in Slack's API documentation: 50 blocks, of 3,000 characters
// each).
#include <stdlib.h>
#include <string.h>

#include "alert/message_priv.h"
#include "alert/state_priv.h"

enum { TEXT_MAX = 2900 };

// & < > are Slack's markup. Cut at TEXT_MAX bytes, before a character of UTF-8.
static void add_escaped(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (b->len > TEXT_MAX && ((unsigned char)c & 0xc0) != 0x80) {
			buf_adds(b, "...");
			return;
		}
		if (c == '&')
			buf_adds(b, "&amp;");
		else if (c == '<')
			buf_adds(b, "&lt;");
		else if (c == '>')
			buf_adds(b, "&gt;");
		else
			buf_addc(b, c);
	}
}

static json_t *markdown_of(const struct buf *b)
{
	json_t *text = json_stringn(b->data, b->len);
	return json_pack("{s:s, s:o}", "type", "mrkdwn", "text", text ? text : json_string("(not UTF-8)"));
}

static const char *sign_of(const json_t *event)
{
	const char *severity = alert_string(event, "severity");
	if (strcmp(alert_string(event, "event"), "resolved") == 0)
		return ":white_check_mark:";
	return strcmp(severity, "critical") == 0  ? ":rotating_light:"
	       : strcmp(severity, "warning") == 0 ? ":warning:"
	                                          : ":information_source:";
}

// What has happened, and the link to the view that shows it.
static json_t *section_of(const json_t *event)
{
	struct buf b = BUF_INIT, plain = BUF_INIT;
	const char *link = alert_string(event, "link");
	alert_add_sentence(&plain, event);
	buf_addf(&b, "%s *", sign_of(event));
	add_escaped(&b, str_of(alert_string(event, "rule")));
	buf_adds(&b, "* ");
	add_escaped(&b, buf_str(&plain));
	if (*link && !strpbrk(link, "<>|")) {
		buf_adds(&b, "\n<");
		add_escaped(&b, str_of(link));
		buf_adds(&b, "|Show it>");
	}
	json_t *block = json_pack("{s:s, s:o}", "type", "section", "text", markdown_of(&b));
	buf_release(&b);
	buf_release(&plain);
	return block;
}

// Since when, how sure, who, and what to do.
static json_t *context_of(const json_t *event)
{
	struct buf b = BUF_INIT, plain = BUF_INIT;
	alert_add_details(&plain, event, "");
	while (plain.len && plain.data[plain.len - 1] == '\n')
		plain.len--;
	add_escaped(&b, buf_str(&plain));
	json_t *block = json_pack("{s:s, s:[o]}", "type", "context", "elements", markdown_of(&b));
	buf_release(&b);
	buf_release(&plain);
	return block;
}

json_t *alert_slack(const json_t *events, const struct buf *list)
{
	size_t n = json_array_size(events);
	struct buf text = BUF_INIT;
	json_t *blocks = json_array();
	for (size_t i = 0; i < n && i < LISTED_MAX; i++) {
		json_array_append_new(blocks, section_of(json_array_get(events, i)));
		json_array_append_new(blocks, context_of(json_array_get(events, i)));
	}
	if (n > LISTED_MAX) {
		buf_addf(&text, "and %zu more; `nowcast alert list` has all of them", n - LISTED_MAX);
		json_array_append_new(blocks,
		                      json_pack("{s:s, s:[o]}", "type", "context", "elements", markdown_of(&text)));
		buf_clear(&text);
	}
	add_escaped(&text, buf_str(list));
	json_t *plain = json_stringn(text.data, text.len);
	buf_release(&text);
	return json_pack("{s:o, s:o}", "text",
	                 plain ? plain : json_string("nowcast: an alert whose text is not UTF-8"), "blocks",
	                 blocks);
}
