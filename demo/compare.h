// SPDX-License-Identifier: Apache-2.0
// The demo knows its own truth: its table of estimated and true dollars, caller by caller.
#ifndef NOWCAST_DEMO_COMPARE_H
#define NOWCAST_DEMO_COMPARE_H

#include "base/err.h"
#include "demo/traffic.h"
#include "store/view.h"

// Prints the table to standard output, within `columns` characters (0: any width).
bool demo_compare(struct view *v, const struct traffic *t, int columns, struct err *err) NC_CHECK;

#endif
