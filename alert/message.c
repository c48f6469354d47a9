// SPDX-License-Identifier: Apache-2.0
// Text from outside (names of principals and tags) is escaped by the JSON writer, and also for Slack's markup
// (alert/message_slack.c) and for mail headers.
#include "alert/message_priv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alert/state_priv.h"
#include "alert/text_priv.h"
#include "base/when.h"

enum { FIRING_MS = 3600000, MAIL_DATE_SIZE = 40 };

static const char *time_at(const json_t *event, const char *key, char *buf)
{
	return when_format(alert_number(event, key), buf);
}

static void add_title(struct buf *b, const json_t *events)
{
	size_t n = json_array_size(events);
	const json_t *first = json_array_get(events, 0);
	buf_adds(b, "nowcast: ");
	if (n != 1)
		buf_addf(b, "%zu alerts, the first: ", n);
	buf_addf(b, "%s %s: ", alert_string(first, "event"), alert_string(first, "rule"));
	alert_add_sentence(b, first);
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

static bool is_over(const json_t *e)
{
	return strcmp(alert_string(e, "event"), "resolved") == 0;
}

// An alert that ended because its condition did says so in words of its kind; else its end has a reason.
void alert_add_sentence(struct buf *b, const json_t *e)
{
	const char *ended = alert_string(e, "ended");
	if (is_over(e))
		buf_addf(b, "%s; it was: ",
		         strncmp(ended, "it last held", 12) == 0 || !*ended ? alert_over_words(e) : ended);
	alert_add_short(b, alert_string(e, "text"));
}

void alert_add_details(struct buf *b, const json_t *e, const char *margin)
{
	char when[WHEN_SIZE];
	const char *advice = alert_advice(e);
	buf_addf(b, "%ssince %s", margin, time_at(e, "since", when));
	if (*alert_string(e, "ended"))
		buf_addf(b, " until %s: %s", time_at(e, "at", when), alert_string(e, "ended"));
	else
		add_band(b, e);
	buf_addc(b, '\n');
	if (*alert_string(e, "contributors")) {
		buf_addf(b, "%smost by: ", margin);
		alert_add_short(b, alert_string(e, "contributors"));
		buf_addc(b, '\n');
	}
	if (strncmp(alert_string(e, "group"), "arn:", 4) == 0)
		buf_addf(b, "%s%s\n", margin, alert_string(e, "group"));
	if (advice && !is_over(e))
		buf_addf(b, "%s%s\n", margin, advice);
}

static void add_event(struct buf *b, const json_t *e)
{
	buf_addf(b, "%s %s (%s): ", alert_string(e, "event"), alert_string(e, "rule"),
	         alert_string(e, "severity"));
	alert_add_sentence(b, e);
	buf_addc(b, '\n');
	alert_add_details(b, e, "  ");
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
		bool over = is_over(e);
		struct buf details = BUF_INIT, summary = BUF_INIT;
		alert_add_details(&details, e, "");
		alert_add_sentence(&summary, e);
		json_t *one = json_pack(
			"{s:{s:s, s:s, s:s, s:s, s:s, s:s}, s:{s:s, s:s}, s:s, s:s}", "labels", "alertname", "nowcast",
			"rule", alert_string(e, "rule"), "kind", alert_string(e, "kind"), "group",
			alert_string(e, "group"), "period", alert_string(e, "period"), "severity",
			alert_string(e, "severity"), "annotations", "summary", summary.data, "description", details.data,
			"startsAt", time_at(e, "since", since), "endsAt", when_format(over ? at : at + FIRING_MS, until));
		if (one && *alert_string(e, "link"))
			json_object_set(one, "generatorURL", json_object_get(e, "link"));
		if (one)
			json_array_append_new(all, one);
		buf_release(&details);
		buf_release(&summary);
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
		add_json(ret_body, alert_slack(events, &list));
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
