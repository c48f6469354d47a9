// SPDX-License-Identifier: Apache-2.0
// The parts of `nowcast report`. report.c has the command and sums by any grouping; the rest is a file each:
//
//     report_print.c            sums as a table, CSV and JSON
//     report_observed.c         what of the span was not observed
//     report_nobody.c           whom conditions that nobody meets may have meant
//     report_reconciliation.c   --reconciliation       report_html.c, report_chart.c: its page to mail
//     report_scoreboard.c       --scoreboard
#ifndef NOWCAST_CLI_REPORT_PRIV_H
#define NOWCAST_CLI_REPORT_PRIV_H

#include <stdint.h>
#include <stdio.h>

#include "alert/spikes.h"
#include "base/arena.h"
#include "base/command.h"
#include "cli/selection.h"
#include "cli/template.h"
#include "query/group.h"
#include "query/observed.h"
#include "query/reconciliation.h"
#include "query/scoreboard.h"
#include "store/view.h"

// The subcommand behind its --reconciliation or --scoreboard. They return the exit status.
int report_reconciliation(struct command *c);
int report_scoreboard(struct command *c);

// Takes --period, or --now T, which is the month of T, into `month` of 8 bytes. *ret NULL: neither was given.
bool report_take_period(struct command *c, char *month, const char **ret, struct err *err) NC_CHECK;

// ---- sums ----------------------------------------------------------------------------------------

enum report_format { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON, FORMAT_FOCUS };

struct report {
	struct selection of;
	bool by_default;  // no argument said the span
	struct grouping by;
	enum report_format format;
	enum group_order order;
	int32_t top;     // only the first so many groups; 0: all
	bool full; // names as they are in a table, too
	bool compare;    // with the span before
	bool by_change;  // the largest change first, up or down, in place of `order`
	const struct groups *before; // of the span before, unsorted; NULL: not compared
	bool before_unknown; // it has no figures, and not a minute of it was observed
	struct usd total_before;
	struct group others;         // what the groups beyond `top` come to
	int32_t nothers;
	struct usd others_before;
	struct observed observed, observed_before; // the minutes of both spans
	struct spikes spikes; // in a report by principal
	bool nothing_known; // there are no figures, and not a minute of the span was observed
};

// Whether there is anything to show of a group: in the span or, if it is compared, in the one before.
bool report_shows(const struct report *r, const struct group *g);

// Print to stdout; main looks whether all was written. `total`: all groups together. The table fits a
// terminal, with short names (query/short_names.h); elsewhere nothing is cut.
void report_print_csv(const struct report *r, const struct groups *g);
void report_print_json(const struct report *r, const struct groups *g);
void report_print_table(const struct report *r, const struct groups *g, const struct groups *total);

// Prints what of a span was not observed, from when to when and why; nothing if all was. `of`: "this span".
// Without `has_span` the span is as long as the figures: what lies before and after them is no gap.
void report_print_observed(FILE *f, bool has_span, const struct observed *o, const char *of);

// Of a report without figures: prints on stderr which of its conditions nobody of its span meets, and who was
// meant.
bool report_print_nobody(const struct report *r, struct view *v, struct err *err) NC_CHECK;

// ---- the scoreboard -----------------------------------------------------------------------------

// Appends the scoreboard as text: nothing if no day has a score.
void scoreboard_write_table(const struct scoreboard *s, struct buf *b);

// Parts of its rows, for people: "5 minutes", "12.3%", "price 78%, volume 5%".
extern const char *const scoreboard_horizon_labels[SCORE_HORIZONS];
void scoreboard_add_percent(struct buf *b, int64_t ratio, bool sign); // ratio: ten-thousandths
void scoreboard_add_causes(struct buf *b, const struct score *s);

// ---- the page -----------------------------------------------------------------------------------

// Appends the reconciliation as one HTML page: a table for each of r->tables, which have one grouping each,
// but the last, which is by hour and sorted by it.
void report_write_html(const struct recon_report *r, struct buf *b);

// What follows makes parts of the page; results live in `arena`.

// Fills a block of cli/report.html: REPORT_FILL(&arena, "row", {"name", name}, {"cells", cells}).
struct str report_fill(struct arena *arena, const char *block, const struct template_value *values);
#define REPORT_FILL(arena, block, ...)                                                                       \
	report_fill(arena, block, (const struct template_value[]){__VA_ARGS__, {NULL, STR_NONE}})

// Moves what was gathered in `b` to the arena, and releases `b`.
struct str report_take(struct arena *arena, struct buf *b);

// Dollars for people: "1,234.50", with a minus sign (U+2212) in front if they are below zero.
struct str report_usd(struct arena *arena, struct usd usd);

// Charts as SVG. The waterfall goes from the estimate to the bill, a bar a part. The other one shows the
// hours of a table that is sorted by hour. It is empty for a single hour, and for more hours than fit.
struct str chart_waterfall(struct arena *arena, const struct difference *d);
struct str chart_hours(struct arena *arena, const struct recon_table *t);

#endif
