// SPDX-License-Identifier: Apache-2.0
// Says of a report which of its time was not observed: there a sum is not what was spent.
#include <stdio.h>

#include "base/text.h"
#include "base/when.h"
#include "cli/report_priv.h"

enum { SHOWN = 3 };

// Of a report that names no span, which is then as long as the figures, what lies before and after them is no
// gap.
static bool is_shown(bool has_span, const struct observed *o, const struct observed_gap *g)
{
	return has_span || (g->from > o->from && g->to < o->to);
}

static void print_gap(FILE *f, const struct observed_gap *g)
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	struct buf why = BUF_INIT;
	when_format(g->from * MS_PER_MINUTE, from);
	when_format(g->to * MS_PER_MINUTE, to);
	buf_addstr(&why, g->why);
	text_make_plain(why.data, why.len);
	fprintf(f, "  %.10s %.5s to %.10s %.5s: %s\n", from, from + 11, to, to + 11, why.data);
	buf_release(&why);
}

void report_print_observed(FILE *f, bool has_span, const struct observed *o, const char *of)
{
	int64_t missing = 0, observed = observed_count(o, o->from, o->to, MINUTE_OBSERVED), last = 0;
	char one[WHEN_LENGTH_SIZE], other[WHEN_LENGTH_SIZE];
	int n = 0;
	for (int i = 0; i < o->ngaps; i++)
		if (is_shown(has_span, o, &o->gaps[i])) {
			missing += o->gaps[i].to - o->gaps[i].from;
			last = i;
			n++;
		}
	if (n == 0)
		return;
	if (observed == 0)
		fprintf(f, "nothing was observed of %s (%s): what was spent in it is not known\n", of,
		        when_format_length(missing, one));
	else
		fprintf(f, "not observed of %s: %s, beside %s that were; what was spent in them is not known\n", of,
		        when_format_length(missing, one), when_format_length(observed, other));
	for (int i = 0, shown = 0; i <= last; i++) {
		if (!is_shown(has_span, o, &o->gaps[i]))
			continue;
		if (shown++ < SHOWN)
			print_gap(f, &o->gaps[i]);
	}
	if (n > SHOWN)
		fprintf(f, "  and %d more\n", n - SHOWN);
}
