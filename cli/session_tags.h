// SPDX-License-Identifier: Apache-2.0
// The tags that a caller came with, in words.
#ifndef NOWCAST_CLI_SESSION_TAGS_H
#define NOWCAST_CLI_SESSION_TAGS_H

#include "base/buf.h"
#include "store/view.h"

// Appends ", tags team=ads, email=u2@example.com": those of the session and of its calls under the id
// `tagset`, as the last view_each has read them; without any it appends nothing.
void session_tags_add(struct buf *ret, struct view *v, struct str arn, struct str tagset, int64_t hour);

#endif
