// SPDX-License-Identifier: Apache-2.0
// The demo knows what each caller truly spent: a table of estimated and true dollars.
#ifndef NOWCAST_DEMO_TRUTH_H
#define NOWCAST_DEMO_TRUTH_H

#include "base/err.h"
#include "demo/traffic.h"
#include "store/view.h"

// Prints the table to standard output, within `columns` characters (0: any width).
bool truth_print(struct view *v, const struct traffic *t, int columns, struct err *err) NC_CHECK;

#endif
