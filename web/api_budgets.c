// SPDX-License-Identifier: Apache-2.0
// Budgets. The file of rules is read for each answer; what is wrong with it is in "rules_error".
#include "alert/budgets_json.h"
#include "alert/unmatched.h"
#include "web/api.h"

enum { SHOWN_MAX = 100 };

static void write_warning(void *json, const char *text)
{
	jw_strz(json, NULL, text);
}

bool api_budgets(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct alert_rules rules = {0};
	struct budgets all = {0};
	struct err wrong = ERR_INIT;
	bool readable = alert_rules_load(&rules, a->conf, &wrong);
	bool good = !readable || budgets_read(&all, a->rollups, &rules, q->now_ms, err);
	if (good) {
		jw_object(j, NULL);
		jw_time(j, "now", q->now_ms);
		jw_strz(j, "rules_error", readable ? NULL : wrong.msg);
		budgets_json(j, &all, SHOWN_MAX);
		jw_array(j, "warnings");
		good = !readable || budgets_each_unmatched(&all, write_warning, j, err);
		jw_end(j);
		jw_end(j);
	}
	budgets_release(&all);
	alert_rules_release(&rules);
	return good;
}
