// SPDX-License-Identifier: Apache-2.0
// The reconciliation as one page to mail: cli/report.html, filled.
//
// The page answers first how much was billed, how far the estimate was off, and why. Then it goes from the
// estimate to the bill, and from there to the sum on the invoice. Tables follow, by team, principal and model
// or by other groupings. The scoreboard, other charges and notes come last.
#include <assert.h>
#include <inttypes.h>

#include "base/arn.h"
#include "base/embed.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/report_priv.h"
#include "query/short_names.h"

EMBED(page_html, "cli/report.html")
EMBED(page_css, "cli/report.css")

enum { ROWS_MAX = 50, SMALL_RATIO = 10 }; // SMALL_RATIO: a tenth of a per cent, in ten-thousandths

#define MINUS "\xe2\x88\x92"
#define DASH "\xe2\x80\x93"
#define NO_BREAK "\xc2\xa0"

struct page {
	const struct recon_report *r;
	struct arena arena; // holds the parts
};

struct str report_fill(struct arena *arena, const char *block, const struct template_value *values)
{
	struct buf b = BUF_INIT;
	template_fill(&b, page_html(), block, values);
	return report_take(arena, &b);
}

struct str report_take(struct arena *arena, struct buf *b)
{
	struct str s = arena_str(arena, buf_str(b));
	buf_release(b);
	return s;
}

// ---- words --------------------------------------------------------------------------------------

struct str report_usd(struct arena *arena, struct usd usd)
{
	char plain[USD_SIZE], grouped[TEXT_GROUPED_SIZE(USD_SIZE)];
	usd_format(usd, 2, plain);
	bool minus = *plain == '-';
	text_group_thousands(plain + minus, grouped);
	return arena_text(arena, "%s%s", minus && strcmp(grouped, "0.00") != 0 ? MINUS : "", grouped);
}

static const char *month_name(const char *time) // "2026-11-..."
{
	static const char *const months[] = {"January",   "February", "March",    "April",
	                                     "May",       "June",     "July",     "August",
	                                     "September", "October",  "November", "December"};
	int month = (time[5] - '0') * 10 + time[6] - '0';
	assert(month >= 1 && month <= 12);
	return months[month - 1];
}

// "4 November 2026, 01:00 UTC"
static struct str format_time(struct page *p, int64_t ms)
{
	char text[WHEN_SIZE];
	when_format(ms, text);
	return arena_text(&p->arena, "%.*s %s %.4s, %.5s UTC", text[8] == '0' ? 1 : 2,
	                  text + (text[8] == '0' ? 9 : 8), month_name(text), text, text + 11);
}

// "November 2026"
static struct str format_period(struct page *p)
{
	int64_t ms;
	struct str first = arena_text(&p->arena, "%.*s-01", STR_ARG(p->r->period));
	if (p->r->period.len != 7 || !when_parse(first, &ms))
		return STR("all billing periods");
	return arena_text(&p->arena, "%s %.4s", month_name(first.p), first.p);
}

// ": from 1 November 2026, 00:00 UTC to 12 November 2026, 00:00 UTC". `hours`: a table by hour, sorted.
static struct str format_span(struct page *p, const struct recon_table *hours)
{
	int64_t first = 0, last = 0;
	if (!hours->n || !when_parse(hours->list[0].keys[0], &first) ||
	    !when_parse(hours->list[hours->n - 1].keys[0], &last))
		return STR("");
	struct str from = format_time(p, first), to = format_time(p, last + MS_PER_HOUR);
	return arena_text(&p->arena, ": from %.*s to %.*s", STR_ARG(from), STR_ARG(to));
}

// Tenths of a per cent of `whole`, with a sign.
static struct str format_percent(struct page *p, struct usd part, struct usd whole)
{
	int64_t ratio = scoreboard_ratio(part, whole), tenths = ((ratio < 0 ? -ratio : ratio) + 5) / 10;
	return arena_text(&p->arena, "%s%" PRId64 ".%d" NO_BREAK "%%", tenths == 0 ? "" : ratio < 0 ? MINUS : "+",
	                  tenths / 10, (int)(tenths % 10));
}

// An ARN is shown as its short name, with the account small beside it. Other names are shown as they are.
static struct str format_name(struct page *p, struct str name)
{
	struct str rest = name, account = arn_cut_account(&rest);
	if (!str_starts(name, STR("arn:")) || !rest.len)
		return REPORT_FILL(&p->arena, "name", {"name", name});
	return REPORT_FILL(&p->arena, "arn", {"arn", name}, {"name", short_name(&p->arena, name)},
	                   {"account", account});
}

static struct str format_cell(struct page *p, struct usd usd, bool coloured)
{
	struct str text = report_usd(&p->arena, usd);
	bool zero = str_is(text, "0.00");
	const char *class = zero ? " class=zero" : !coloured ? "" : usd.pico > 0 ? " class=up" : " class=down";
	return REPORT_FILL(&p->arena, "cell", {"class", str_of(class)}, {"text", zero ? STR(DASH) : text});
}

// ---- the beginning ------------------------------------------------------------------------------

// The cause that pulls most in the direction of the difference.
static int main_cause(const struct difference *d)
{
	struct usd parts[DIFFERENCE_PARTS];
	bool up = difference_of(d).pico > 0;
	int best = 0;
	difference_parts(d, parts);
	for (int i = 1; i < DIFFERENCE_PARTS; i++)
		if (up ? parts[i].pico > parts[best].pico : parts[i].pico < parts[best].pico)
			best = i;
	return best;
}

static struct str fill_lead(struct page *p)
{
	static const char *const because[DIFFERENCE_PARTS] = {
		"other tokens than were seen",
		"other rates (private pricing, service tiers)",
		"another lifetime of cache writes",
		"the wrong callers",
		"use that was billed and never seen",
		"use that was seen and not billed"};
	const struct difference *d = &p->r->total;
	struct usd off = difference_of(d), size = {off.pico < 0 ? -off.pico : off.pico};
	if (d->billed.pico == 0 && d->estimated.pico == 0)
		return REPORT_FILL(&p->arena, "no hours", {"", STR_NONE});
	if (scoreboard_ratio(size, d->billed) < SMALL_RATIO)
		return REPORT_FILL(&p->arena, "no difference", {"", STR_NONE});
	int cause = main_cause(d);
	return REPORT_FILL(&p->arena, "main cause", {"difference", report_usd(&p->arena, size)},
	                   {"direction", off.pico > 0 ? STR("above") : STR("below")},
	                   {"cause", str_of(difference_part_names[cause])}, {"because", str_of(because[cause])});
}

// ---- to the invoice -----------------------------------------------------------------------------

static struct str fill_invoice_row(struct page *p, const char *what, struct usd usd)
{
	return REPORT_FILL(&p->arena, "invoice row", {"what", str_of(what)}, {"usd", format_cell(p, usd, false)});
}

// The estimate is about a part of what is paid. Every other charge has a line, too.
static struct str fill_invoice(struct page *p)
{
	static const char *const names[BILL_CLASSES] = {
		"",
		"Other usage of Bedrock (customising and storing models, agents)",
		"Provisioned throughput",
		"Reserved capacity",
		"Tax",
		"Credits",
		"Refunds",
		"Discounts",
		"Fees",
		"Other"};
	const struct recon_report *r = p->r;
	struct usd charged[BILL_CLASSES] = {{0}}, all = usd_add(r->inference, r->outside);
	struct usd later = usd_sub(r->inference, r->total.billed);
	struct buf rows = BUF_INIT;
	for (int i = 0; i < r->ncharges; i++) {
		charged[r->charges[i].class] = usd_add(charged[r->charges[i].class], r->charges[i].usd);
		all = usd_add(all, r->charges[i].usd);
	}
	buf_addstr(&rows,
	           fill_invoice_row(p, "Inference, final hours: compared here", r->total.billed));
	if (later.pico)
		buf_addstr(&rows, fill_invoice_row(p, "Inference, hours that are not final yet", later));
	if (r->outside.pico)
		buf_addstr(&rows,
		           fill_invoice_row(p, "Inference, outside of the period's hours", r->outside));
	for (int i = 1; i < BILL_CLASSES; i++)
		if (charged[i].pico)
			buf_addstr(&rows, fill_invoice_row(p, names[i] ? names[i] : bill_class_names[i], charged[i]));
	return REPORT_FILL(&p->arena, "invoice", {"rows", report_take(&p->arena, &rows)},
	                   {"sum", fill_invoice_row(p, "Billed for Amazon Bedrock", all)});
}

// ---- tables -------------------------------------------------------------------------------------

static struct str fill_row(struct page *p, struct str name, const struct difference *d)
{
	struct usd usd[3 + DIFFERENCE_PARTS] = {d->estimated, d->billed, difference_of(d)};
	struct buf cells = BUF_INIT;
	difference_parts(d, usd + 3);
	for (size_t i = 0; i < sizeof usd / sizeof *usd; i++)
		buf_addstr(&cells, format_cell(p, usd[i], i == 2));
	return REPORT_FILL(&p->arena, "row", {"name", format_name(p, name)},
	                   {"cells", report_take(&p->arena, &cells)});
}

static struct str fill_table(struct page *p, struct str by, const struct recon_table *t)
{
	struct difference rest = {0};
	struct buf rows = BUF_INIT;
	for (int32_t i = 0; i < t->n; i++) {
		struct str name = t->list[i].keys[0];
		if (i >= ROWS_MAX)
			difference_add(&rest, &t->list[i].d);
		else
			buf_addstr(&rows, fill_row(p, name.len ? name : arena_text(&p->arena, "(no %.*s)", STR_ARG(by)),
			                           &t->list[i].d));
	}
	if (t->n > ROWS_MAX)
		buf_addstr(&rows, fill_row(p, STR("all others"), &rest));
	return REPORT_FILL(&p->arena, "table", {"by", by}, {"rows", report_take(&p->arena, &rows)},
	                   {"total", fill_row(p, STR("total"), &p->r->total)});
}

static struct str fill_charges(struct page *p)
{
	struct buf rows = BUF_INIT;
	for (int i = 0; i < p->r->ncharges; i++) {
		const struct recon_charge *c = &p->r->charges[i];
		buf_addstr(&rows, REPORT_FILL(&p->arena, "charge", {"what", c->what},
		                              {"class", str_of(bill_class_names[c->class])}, {"account", c->account},
		                              {"usd", format_cell(p, c->usd, false)}));
	}
	if (!rows.len)
		return STR("");
	return REPORT_FILL(&p->arena, "charges", {"rows", report_take(&p->arena, &rows)});
}

// ---- the scoreboard -----------------------------------------------------------------------------

static struct str format_ratio(struct page *p, struct usd part, const struct score *s, bool sign)
{
	struct buf b = BUF_INIT;
	scoreboard_add_percent(&b, scoreboard_ratio(part, s->billed), sign);
	return report_take(&p->arena, &b);
}

static struct str format_miss(struct page *p, const struct score *s)
{
	return s->hours ? format_ratio(p, s->missed, s, false) : STR(DASH);
}

// A row a day: how far off at each horizon; bias, band and causes as of the earliest that there is.
static struct str fill_scoreboard_row(struct page *p, const struct scoreboard_day *d)
{
	const struct score *last = &d->at[SCORE_LAST];
	char usd[USD_SIZE];
	int first = 0;
	while (first < SCORE_LAST && !d->at[first].hours)
		first++;
	const struct score *s = &d->at[first];
	struct buf causes = BUF_INIT;
	scoreboard_add_causes(&causes, s);
	return REPORT_FILL(&p->arena, "scoreboard row", {"day", d->day},
	                   {"hours", arena_text(&p->arena, "%" PRId64, last->hours)},
	                   {"billed", str_of(usd_format(last->billed, 2, usd))},
	                   {"5m", format_miss(p, &d->at[0])}, {"1h", format_miss(p, &d->at[1])},
	                   {"24h", format_miss(p, &d->at[2])}, {"last", format_miss(p, last)},
	                   {"bias", format_ratio(p, scoreboard_bias(s), s, true)},
	                   {"in_band", first == SCORE_LAST ? STR(DASH) : format_ratio(p, s->covered, s, false)},
	                   {"causes", report_take(&p->arena, &causes)});
}

static struct str fill_scoreboard(struct page *p)
{
	_Static_assert(SCORE_HORIZONS == 4, "cli/report.html has a column for each horizon");
	const struct scoreboard *s = &p->r->board;
	const char *const *labels = scoreboard_horizon_labels;
	struct str total = STR("");
	struct buf rows = BUF_INIT;
	if (s->n == 0)
		return STR("");
	for (int i = 0; i < s->n; i++)
		buf_addstr(&rows, fill_scoreboard_row(p, &s->days[i]));
	if (s->n > 1)
		total = REPORT_FILL(&p->arena, "scoreboard total", {"row", fill_scoreboard_row(p, &s->total)});
	return REPORT_FILL(&p->arena, "scoreboard", {"5m", str_of(labels[0])}, {"1h", str_of(labels[1])},
	                   {"24h", str_of(labels[2])}, {"last", str_of(labels[SCORE_LAST])},
	                   {"rows", report_take(&p->arena, &rows)}, {"total", total});
}

// ---- the end ------------------------------------------------------------------------------------

static void add_note(struct page *p, struct buf *notes, struct str note)
{
	buf_addstr(notes, REPORT_FILL(&p->arena, "note", {"note", note}));
}

static struct str fill_notes(struct page *p)
{
	const struct recon_report *r = p->r;
	struct str rest = r->notes;
	struct buf notes = BUF_INIT;
	int64_t ms;
	for (int i = 0; i < r->nstatus; i++) {
		struct str account = r->status[i][0];
		if (!str_is(str_cut(&account, ' '), "watermark") || !when_parse(r->status[i][1], &ms))
			continue;
		struct str until = format_time(p, ms);
		add_note(
			p, &notes,
			arena_text(&p->arena, "Account %.*s is final up to %.*s.", STR_ARG(account), STR_ARG(until)));
	}
	if (r->waiting.pico) {
		struct str usd = report_usd(&p->arena, r->waiting);
		add_note(
			p, &notes,
			arena_text(&p->arena,
		               "USD" NO_BREAK
		               "%.*s of estimates are in hours that are not final yet; they are not in this report.",
		               STR_ARG(usd)));
	}
	if (r->unpriced)
		add_note(p, &notes,
		         arena_text(&p->arena,
		                    "%lld token%s no price: their estimate is unknown, and counts as 0 here.",
		                    (long long)r->unpriced, r->unpriced == 1 ? " has" : "s have"));
	while (rest.len)
		add_note(p, &notes, str_cut(&rest, '\n'));
	return REPORT_FILL(&p->arena, "notes", {"notes", report_take(&p->arena, &notes)});
}

void report_write_html(const struct recon_report *r, struct buf *b)
{
	struct page p = {.r = r};
	struct arena *a = &p.arena;
	const struct recon_table *hours = &r->tables[r->ntables - 1];
	struct buf tables = BUF_INIT;
	for (int i = 0; i < r->ntables - 1; i++)
		buf_addstr(&tables, fill_table(&p, r->tables[i].by.name[0], &r->tables[i]));
	buf_addstr(b, REPORT_FILL(a, "page", {"period", format_period(&p)}, {"style", page_css()},
	                          {"span", format_span(&p, hours)}, {"made", format_time(&p, when_now_ms())},
	                          {"billed", report_usd(a, r->total.billed)},
	                          {"estimated", report_usd(a, r->total.estimated)},
	                          {"difference", report_usd(a, difference_of(&r->total))},
	                          {"percent", format_percent(&p, difference_of(&r->total), r->total.estimated)},
	                          {"lead", fill_lead(&p)}, {"waterfall", chart_waterfall(a, &r->total)},
	                          {"hours", chart_hours(a, hours)}, {"invoice", fill_invoice(&p)},
	                          {"tables", report_take(a, &tables)}, {"scoreboard", fill_scoreboard(&p)},
	                          {"charges", fill_charges(&p)}, {"notes", fill_notes(&p)}));
	arena_release(a);
}
