// SPDX-License-Identifier: Apache-2.0
// Fills places in a file of HTML. The file is cut into blocks by lines that begin with %%; what is before
// the first one is a comment:
//
//     %% row
//     <tr><td>{{name}}</td>{{{cells}}}</tr>
//
// {{name}} takes text and escapes it. {{{cells}}} takes HTML as it is, such as another block that is filled.
// A block or a place that is not there, or has no value, is a bug of the caller.
#ifndef NOWCAST_CLI_TEMPLATE_H
#define NOWCAST_CLI_TEMPLATE_H

#include "base/buf.h"
#include "base/str.h"

struct template_value {
	const char *name; // NULL: the end of the list
	struct str text;
};

// Appends the block `name` of the file `text`.
void template_fill(struct buf *b, struct str text, const char *name, const struct template_value *values);

#endif
