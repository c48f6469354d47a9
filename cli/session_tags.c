// SPDX-License-Identifier: Apache-2.0
#include "cli/session_tags.h"

#include "base/when.h"
#include "store/tagset.h"

struct adder {
	struct buf *to;
	size_t before; // its length before the first tag
};

static void add_tag(void *user, const struct tag_held *t)
{
	const struct adder *a = user;
	struct str key = tagset_shown_key(t->key);
	if (t->of_session)
		buf_addf(a->to, "%s %.*s=%.*s", a->to->len > a->before ? "," : ", tags", STR_ARG(key),
		         STR_ARG(t->value));
}

void session_tags_add(struct buf *ret, struct view *v, struct str arn, struct str tagset, int64_t hour)
{
	tag_history_each(view_tags(v), arn, tagset, (hour + 1) * MS_PER_HOUR, add_tag,
	                 &(struct adder){ret, ret->len});
}
