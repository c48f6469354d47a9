// SPDX-License-Identifier: Apache-2.0
// Budgets as JSON, as the API (web/openapi.json, /budgets) and `nowcast budget list --json` have them.
#ifndef NOWCAST_ALERT_BUDGETS_JSON_H
#define NOWCAST_ALERT_BUDGETS_JSON_H

#include "alert/budgets.h"
#include "base/json_writer.h"

// Members "budgets", the `max` most used ones, "shown" and "all" of the object in hand. Each has every rule
// that alerts of it, and where its forecast is from ("foretold_by").
void budgets_json(struct json_writer *j, const struct budgets *all, int max);

#endif
