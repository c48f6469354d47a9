// SPDX-License-Identifier: Apache-2.0
// What a message says to people besides the sentence of its alert: how it ended, what to do, and names as
// short as on the page.
#include <string.h>

#include "alert/message_priv.h"
#include "alert/rules.h"
#include "base/arena.h"
#include "query/short_names.h"

static const struct {
	const char *over; // of an alert that ended because its condition did
	const char *advice; // a command, and what it is for
} words[ALERT_KINDS] = {
	[ALERT_BUDGET] = {"the period is over",
                      "`nowcast report this-month --by principal --compare previous` shows who spends it"},
	[ALERT_FORECAST] =
		{"the budget is not passed at the present rate",
         "`nowcast report 24h --by principal --compare previous --sort change` shows whose spending rose"},
	[ALERT_SPIKE] =
		{"spending is as usual again",
         "`nowcast report 2h --by principal,model --compare previous --sort change` shows what rose"},
	[ALERT_BURN] =
		{"the budget is spent no faster than it lasts",
         "`nowcast report 24h --by principal --compare previous --sort change` shows whose spending rose"},
	[ALERT_NEW] = {"it is not new any more", "`nowcast who NAME` says what is known of a caller"},
	[ALERT_UNPRICED] =
		{"nothing is used any more that has no price",
         "`nowcast price add MODEL --input N --output N` adds a rate, `nowcast reprice --from T` applies it"},
	[ALERT_SILENT] = {"events arrive again", "`nowcast doctor` says what hinders the signal"},
	[ALERT_BILL] = {"estimate and bill agree again",
                    "`nowcast report --reconciliation` explains the difference"},
};

static int kind_of(const json_t *event)
{
	const char *kind = json_string_value(json_object_get(event, "kind"));
	for (int i = 0; kind && i < ALERT_KINDS; i++)
		if (strcmp(kind, alert_kind_names[i]) == 0)
			return i;
	return -1; // a trial
}

const char *alert_over_words(const json_t *event)
{
	int kind = kind_of(event);
	return kind < 0 ? "it is over" : words[kind].over;
}

const char *alert_advice(const json_t *event)
{
	int kind = kind_of(event);
	return kind < 0 ? NULL : words[kind].advice;
}

void alert_add_short(struct buf *b, const char *text)
{
	struct arena arena = ARENA_INIT;
	while (*text) {
		const char *arn = strstr(text, "arn:");
		size_t before = arn ? (size_t)(arn - text) : strlen(text);
		buf_addstr(b, (struct str){text, before});
		text += before;
		if (!arn)
			break;
		struct str name = {arn, strcspn(arn, " ")};
		while (name.len && strchr(",:;", name.p[name.len - 1]))
			name.len--;
		buf_addstr(b, short_name(&arena, name));
		text += name.len;
	}
	arena_release(&arena);
}
