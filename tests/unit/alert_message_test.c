// SPDX-License-Identifier: Apache-2.0
// What messages say to people: amounts, short names, how an alert ended, what to do; and what Slack gets.
#include "alert/message_priv.h"
#include "alert/text_priv.h"
#include "tests/tap.h"

#define DAVE "arn:aws:sts::111122223333:assumed-role/llm-gateway/dave"

static void shows(const char *usd, const char *want)
{
	struct usd u;
	if (!usd_parse(str_of(usd), &u))
		abort();
	is_str(alert_money(u).text, want, usd);
}

static json_t *event_of(const char *event, const char *kind, const char *ended, const char *text)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "event", event, "kind", kind, "rule",
	                 "r", "severity", "warning", "ended", ended, "text", text, "since", (json_int_t)0, "at",
	                 (json_int_t)3600000, "group", DAVE);
}

static void says(const char *kind, const char *event, const char *ended, const char *text, const char *want)
{
	struct buf b = BUF_INIT;
	json_t *e = event_of(event, kind, ended, text);
	alert_add_sentence(&b, e);
	is_str(b.data, want, want);
	json_decref(e);
	buf_release(&b);
}

static void test_details(void)
{
	struct buf b = BUF_INIT;
	json_t *e = event_of("firing", "unpriced", "", "x"),
		   *over = event_of("resolved", "unpriced", "it last held at X", "x");
	alert_add_details(&b, e, "");
	ok(strstr(b.data, "\n" DAVE "\n") != NULL, "the details have the whole name");
	ok(strstr(b.data, "nowcast price add MODEL") != NULL, "and what to do");
	buf_clear(&b);
	alert_add_details(&b, over, "");
	ok(strstr(b.data, "price add") == NULL, "when it is over there is nothing to do");
	json_decref(e);
	json_decref(over);
	buf_release(&b);
}

static void test_slack(void)
{
	struct buf list = BUF_INIT, longer = BUF_INIT;
	json_t *events = json_array(), *odd = event_of("firing", "new", "", "<!channel> & " DAVE);
	json_object_set_new(odd, "link", json_string("https://n/?a=1&b=2"));
	json_array_append_new(events, odd);
	for (int i = 0; i < 4000; i++)
		buf_adds(&longer, "\xc3\xbc");
	for (int i = 0; i < 30; i++)
		json_array_append_new(events, event_of("firing", "new", "", longer.data));
	buf_adds(&list, "text");
	json_t *message = alert_slack(events, &list), *blocks = json_object_get(message, "blocks");
	const char *first =
		json_string_value(json_object_get(json_object_get(json_array_get(blocks, 0), "text"), "text"));
	const char *large =
		json_string_value(json_object_get(json_object_get(json_array_get(blocks, 2), "text"), "text"));
	is_int((long long)json_array_size(blocks), 41, "as many blocks as Slack takes");
	is_str(first, ":warning: *r* &lt;!channel&gt; &amp; llm-gateway/dave\n<https://n/?a=1&amp;b=2|Show it>",
	       "markup is escaped");
	ok(strlen(large) <= 3000, "a long text is cut: %zu bytes", strlen(large));
	json_decref(message);
	json_decref(events);
	buf_release(&list);
	buf_release(&longer);
}

int main(void)
{
	shows("0", "$0.00");
	shows("12.345", "$12.34");
	shows("999.99", "$999.99");
	shows("1234.5", "$1,234.50");
	shows("1234567.891", "$1,234,567.89");
	shows("-1234.5", "$-1,234.50");
	shows("0.000123", "$0.000123");
	says("budget", "firing", "", DAVE " has spent $5", "llm-gateway/dave has spent $5");
	says("bill", "firing", "", "from " DAVE ": less, " DAVE ", and arn:",
	     "from llm-gateway/dave: less, llm-gateway/dave, and arn:");
	says("silent", "resolved", "it last held at 01:00", "no call comes",
	     "events arrive again; it was: no call comes");
	says("budget", "resolved", "the day is over", "all has spent $5",
	     "the day is over; it was: all has spent $5");
	says("spike", "resolved", "its rule was changed", "x", "its rule was changed; it was: x");
	test_details();
	test_slack();
	return done();
}
