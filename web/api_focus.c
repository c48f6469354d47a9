// SPDX-License-Identifier: Apache-2.0
// Usage as FOCUS 1.2. All other questions wait while one is answered, so an answer is of a day at most, and
// of so many bytes: a client asks day by day. `nowcast report --format focus` writes any span.
#include "query/focus.h"
#include "web/api.h"

enum { FOCUS_HOURS_MAX = 24, FOCUS_BYTES_MAX = 32 << 20 };

struct focus_answer {
	struct buf *out;
	bool full;
};

static bool add_lines(void *user, struct buf *text)
{
	struct focus_answer *f = user;
	f->full |= f->out->len + text->len > FOCUS_BYTES_MAX;
	if (!f->full)
		buf_addstr(f->out, buf_str(text));
	buf_clear(text);
	return !f->full;
}

bool api_focus(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct focus_answer f = {.out = j->out};
	int64_t rows;
	if (q->to - q->from > FOCUS_HOURS_MAX)
		return err_set(err, ERR_SKIP, "at most %d hours at once; `nowcast report --format focus` writes any span",
		               FOCUS_HOURS_MAX);
	if (!focus_write(rollups_view(a->rollups), (struct time_span){q->from, q->to}, add_lines, &f, &rows, err))
		return false;
	return !f.full || err_set(err, ERR_SKIP,
	                          "more than %d MiB: ask for fewer hours, or `nowcast report --format focus --out "
	                          "FILE` writes any span",
	                          FOCUS_BYTES_MAX >> 20);
}
