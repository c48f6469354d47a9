// SPDX-License-Identifier: Apache-2.0
// A message lists its events, up to LISTED_MAX, and counts the rest. Text from outside (names of principals
// and tags) is escaped by the JSON writer, and also for Slack's markup and for mail headers.
#include "alert/message_priv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alert/state_priv.h"
#include "alert/text_priv.h"
#include "base/when.h"

enum { LISTED_MAX = 20, FIRING_MS = 3600000, MAIL_DATE_SIZE = 40 };

static const char *time_at(const json_t *event, const char *key, char *buf)
{
	return when_format(alert_number(event, key), buf);
}

static void add_title(struct buf *b, const json_t *events)
{
	size_t n = json_array_size(events);
	const json_t *first = json_array_get(events, 0);
	if (n == 1)
		buf_addf(b, "nowcast: %s %s: %s", alert_string(first, "event"), alert_string(first, "rule"),
		         alert_string(first, "text"));
	else
		buf_addf(b, "nowcast: %zu alerts, the first: %s %s: %s", n, alert_string(first, "event"),
		         alert_string(first, "rule"), alert_string(first, "text"));
}

static void add_band(struct buf *b, const json_t *e)
{
	struct usd low, high;
	if (usd_parse(str_of(alert_string(e, "usd_low")), &low) &&
	    usd_parse(str_of(alert_string(e, "usd_high")), &high) && usd_cmp(low, high) < 0)
		buf_addf(b, "; between %s and %s", alert_money(low).text, alert_money(high).text);
	if (*alert_string(e, "basis"))
		buf_addf(b, "; evidence: %s", alert_string(e, "basis"));
}

// Since when, how sure, who.
static void add_details(struct buf *b, const json_t *e, const char *margin)
{
	char when[WHEN_SIZE];
	buf_addf(b, "%ssince %s", margin, time_at(e, "since", when));
	if (*alert_string(e, "ended"))
		buf_addf(b, " until %s: %s", time_at(e, "at", when), alert_string(e, "ended"));
	else
		add_band(b, e);
	buf_addc(b, '\n');
	if (*alert_string(e, "contributors"))
		buf_addf(b, "%smost by: %s\n", margin, alert_string(e, "contributors"));
}

static void add_event(struct buf *b, const json_t *e)
{
	buf_addf(b, "%s %s (%s): %s\n", alert_string(e, "event"), alert_string(e, "rule"),
	         alert_string(e, "severity"), alert_string(e, "text"));
	add_details(b, e, "  ");
	if (*alert_string(e, "link"))
		buf_addf(b, "  %s\n", alert_string(e, "link"));
}

static void add_list(struct buf *b, const json_t *events)
{
	size_t n = json_array_size(events);
	for (size_t i = 0; i < n && i < LISTED_MAX; i++)
		add_event(b, json_array_get(events, i));
	if (n > LISTED_MAX)
		buf_addf(b, "and %zu more; `nowcast alert list` has all of them\n", n - LISTED_MAX);
}

static void add_json(struct buf *b, json_t *j) // takes j
{
	char *text = json_dumps(j, JSON_COMPACT);
	buf_adds(b, text ? text : "{}");
	free(text);
	json_decref(j);
}

// ---- one language each --------------------------------------------------------------------------

static void write_slack(struct buf *b, const struct buf *list)
{
	struct buf safe = BUF_INIT;
	for (size_t i = 0; i < list->len; i++) { // & < > are Slack's markup
		char c = list->data[i];
		if (c == '&')
			buf_adds(&safe, "&amp;");
		else if (c == '<')
			buf_adds(&safe, "&lt;");
		else if (c == '>')
			buf_adds(&safe, "&gt;");
		else
			buf_addc(&safe, c);
	}
	json_t *text = json_stringn(safe.data, safe.len);
	add_json(b, json_pack("{s:o}", "text",
	                      text ? text : json_string("nowcast: an alert whose text is not UTF-8")));
	buf_release(&safe);
}

// An Alertmanager ends alerts that it does not hear of. What is up is repeated to it every few minutes
// (alert/notify.c). `endsAt` of a firing alert is an hour after its event, so that a message that arrives
// late, after that of its end, does not keep the alert up.
static void write_alertmanager(struct buf *b, const json_t *events)
{
	json_t *all = json_array(), *e;
	size_t i;
	json_array_foreach(events, i, e) {
		char since[WHEN_SIZE], until[WHEN_SIZE];
		int64_t at = alert_number(e, "at");
		bool over = strcmp(alert_string(e, "event"), "resolved") == 0;
		struct buf details = BUF_INIT;
		add_details(&details, e, "");
		json_t *one =
			json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s}, s:{s:s, s:s}, s:s, s:s}", "labels", "alertname",
		              "nowcast", "rule", alert_string(e, "rule"), "kind", alert_string(e, "kind"), "group",
		              alert_string(e, "group"), "period", alert_string(e, "period"), "severity",
		              alert_string(e, "severity"), "annotations", "summary", alert_string(e, "text"),
		              "description", details.data, "startsAt", time_at(e, "since", since), "endsAt",
		              when_format(over ? at : at + FIRING_MS, until));
		if (one && *alert_string(e, "link"))
			json_object_set(one, "generatorURL", json_object_get(e, "link"));
		if (one)
			json_array_append_new(all, one);
		buf_release(&details);
	}
	add_json(b, all);
}

static void write_email(struct buf *b, const struct alert_receiver *to, const char *id,
                        const struct buf *title, const struct buf *list)
{
	char date[MAIL_DATE_SIZE];
	time_t now = (time_t)(when_now_ms() / 1000);
	struct tm utc;
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &utc)); // no locale is ever set
	buf_addf(b, "From: %.*s\r\nTo: %.*s\r\nDate: %s\r\nSubject: ", STR_ARG(to->from), STR_ARG(to->to), date);
	for (size_t i = 0; i < title->len && i < 180; i++) { // one header, whatever the names in it
		unsigned char c = (unsigned char)title->data[i];
		buf_addc(b, c < ' ' || c > '~' ? '?' : (char)c);
	}
	buf_addf(
		b,
		"\r\nMessage-ID: <%s@nowcast>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
		id);
	for (size_t i = 0; i < list->len; i++) {
		if (list->data[i] == '\n')
			buf_addc(b, '\r');
		buf_addc(b, list->data[i]);
	}
}

void alert_message(const struct alert_receiver *to, const json_t *events, const char *id,
                   struct buf *ret_body)
{
	struct buf list = BUF_INIT, title = BUF_INIT;
	add_title(&title, events);
	add_list(&list, events);
	if (to->kind == TO_SLACK)
		write_slack(ret_body, &list);
	else if (to->kind == TO_ALERTMANAGER)
		write_alertmanager(ret_body, events);
	else if (to->kind == TO_EMAIL)
		write_email(ret_body, to, id, &title, &list);
	else
		add_json(ret_body,
		         json_pack("{s:s, s:s, s:O}", "id", id, "title", title.data, "events", events));
	buf_release(&list);
	buf_release(&title);
}

void alert_message_trial(const struct alert_receiver *to, int64_t now_ms, const char *id,
                         struct buf *ret_body)
{
	json_t *events = json_pack("[{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}]", "event", "firing", "rule",
	                           "trial", "kind", "test", "group", "all", "period", "", "severity", "info",
	                           "text", "a trial message of `nowcast alert test`; nothing is wrong", "since",
	                           (json_int_t)now_ms, "at", (json_int_t)now_ms);
	alert_message(to, events, id, ret_body);
	json_decref(events);
}
