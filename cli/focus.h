// SPDX-License-Identifier: Apache-2.0
// Figures as FOCUS 1.2 (the FinOps Open Cost and Usage Specification), in CSV: a row an hour, account,
// region, model, principal and token type. What FOCUS has no column for stands in x_ columns: principal,
// role, token type, and how the figure is known. Estimates are rows like any other, told apart by x_Basis
// ("estimated", "billed").
#ifndef NOWCAST_CLI_FOCUS_H
#define NOWCAST_CLI_FOCUS_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "store/view.h"

// hours from..to - 1
bool focus_print(struct view *v, int64_t from, int64_t to, FILE *f, struct err *err) NC_CHECK;

#endif
