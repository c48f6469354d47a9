// SPDX-License-Identifier: Apache-2.0
// The reconciliation as one page to mail: no script, nothing loaded from elsewhere, and it prints on paper as
// it is.
//
// It begins with what somebody asks who has a minute: how much, how far off, why. Then the way from the
// estimate to the bill, and from there to the sum on the invoice; then who and what; last how good the
// estimates were. The charts are reconciliation_chart.c.
#include "base/text.h"
#include "base/when.h"
#include "cli/reconciliation_chart.h"

enum { ROWS_MAX = 50 };

static const char style[] =
	"<style>:root{color-scheme:light dark;--ink:#1d2430;--soft:#5b6472;--line:#dfe3ea;--strong:#8a94a6;--up:#a33;--down:#1f6b4f}"
	"body{font:14px/1.45 system-ui,sans-serif;max-width:64em;margin:2em auto;padding:0 1em;color:var(--ink);background:#fff}h1{font-size:1.6em;margin:0}"
	"h2{font-size:1.15em;margin:2.2em 0 .5em;border-bottom:1px solid var(--line);padding-bottom:.2em}p.sub,small{color:var(--soft)}p.sub{margin:.3em 0 1.5em}"
	"small{font-size:.85em}p.lead{font-size:1.15em;margin:1em 0}table{border-collapse:collapse;width:100%;font-size:12.5px}"
	"th,td{padding:.28em .5em;text-align:right;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums;vertical-align:top;white-space:nowrap}"
	"th:first-child,td:first-child,.text{text-align:left;white-space:normal;overflow-wrap:anywhere}table.wide{table-layout:fixed}table.wide th:first-child{width:26%}table.wide th{padding-left:0}.day{white-space:nowrap!important}"
	"td.zero{color:var(--strong)}thead th{border-bottom:2px solid var(--strong);font-weight:600}tfoot td{font-weight:600;border-top:2px solid var(--strong);border-bottom:0}"
	".up{color:var(--up)}.down{color:var(--down)}ul.big{list-style:none;padding:0;margin:1.2em 0;display:flex;flex-wrap:wrap;gap:2.5em}"
	"ul.big b{display:block;font-size:1.7em;line-height:1.2;font-variant-numeric:tabular-nums}svg{width:100%;height:auto;display:block}"
	"svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg text.soft{fill:var(--soft)}svg line{stroke:var(--line)}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2em 1em}"
	"dt{font-weight:600}dd{margin:0}table.narrow{width:auto;min-width:26em}@page{size:A4;margin:14mm}"
	"@media print{:root{color-scheme:light}body{margin:0;max-width:none;padding:0;font-size:11px}table{font-size:9.5px}th,td{padding:.2em .35em}h2{break-after:avoid}"
	"tr,svg,dl{break-inside:avoid}thead{display:table-header-group}tfoot{display:table-row-group}}"
	"@media(prefers-color-scheme:dark){@media screen{:root{--ink:#dde3ee;--soft:#9aa6b8;--line:#2b3342;--strong:#5a6578;--up:#e88;--down:#7c9}body{background:#14181f}}}</style>";

// ---- words --------------------------------------------------------------------------------------

// "4 November 2026, 01:00 UTC"
static void add_time(struct buf *b, int64_t ms)
{
	static const char *const months[] = {"January",   "February", "March",    "April",
	                                     "May",       "June",     "July",     "August",
	                                     "September", "October",  "November", "December"};
	char text[WHEN_SIZE];
	when_format(ms, text);
	int month = (text[5] - '0') * 10 + text[6] - '0';
	buf_addf(b, "%s%c %s %.4s, %.5s UTC", text[8] == '0' ? "" : (char[]){text[8], 0}, text[9],
	         months[month - 1], text, text + 11);
}

static void add_period(struct buf *b, struct str period)
{
	struct buf when = BUF_INIT;
	int64_t ms;
	if (period.len == 7) {
		buf_addf(&when, "%.*s-01", STR_ARG(period));
		if (when_parse(buf_str(&when), &ms)) {
			buf_clear(&when);
			add_time(&when, ms); // "1 November 2026, ..."
			struct str rest = buf_str(&when);
			str_cut(&rest, ' ');
			buf_addstr(b, str_cut(&rest, ','));
			buf_release(&when);
			return;
		}
	}
	buf_release(&when);
	buf_adds(b, "all billing periods");
}

// An ARN is its last part, with the account small beside it; other names are as they are.
static void add_name(struct buf *b, struct str name, const char *none)
{
	struct str part[6], rest = name;
	for (int i = 0; i < 5; i++)
		part[i] = str_cut(&rest, ':');
	part[5] = rest;
	if (!name.len) {
		buf_addf(b, "(no %s)", none);
	} else if (str_is(part[0], "arn") && part[5].len) {
		struct str what = part[5], kind = str_cut(&what, '/');
		buf_adds(b, "<span title=\"");
		buf_add_html(b, name);
		buf_adds(b, "\">");
		buf_add_html(b, what.len && str_is(kind, "assumed-role") ? what : part[5]);
		buf_adds(b, "</span> <small>");
		buf_add_html(b, part[4]);
		buf_adds(b, "</small>");
	} else {
		buf_add_html(b, name);
	}
}

static void add_cell(struct buf *b, struct usd usd, bool coloured)
{
	struct buf text = BUF_INIT;
	chart_usd(&text, usd);
	bool zero = strcmp(text.data, "0.00") == 0;
	buf_addf(b, "<td%s>%s</td>",
	         zero           ? " class=zero"
	         : !coloured    ? ""
	         : usd.pico > 0 ? " class=up"
	                        : " class=down",
	         zero ? "\xe2\x80\x93" : text.data);
	buf_release(&text);
}

// Tenths of a per cent of `whole`, with a sign.
static void add_percent(struct buf *b, struct usd part, struct usd whole)
{
	int64_t ratio = scoreboard_ratio(part, whole), size = ((ratio < 0 ? -ratio : ratio) + 5) / 10;
	buf_addf(b, "%s%lld.%lld&nbsp;%%",
	         size == 0   ? ""
	         : ratio < 0 ? "\xe2\x88\x92"
	                     : "+",
	         (long long)size / 10, (long long)size % 10);
}

// ---- the beginning ------------------------------------------------------------------------------

// The cause that pulls most the way of the difference.
static int main_cause(const struct difference *d, struct usd *ret)
{
	const struct usd parts[] = {d->volume, d->price, d->attribution, d->unmetered, d->unbilled};
	bool up = difference_of(d).pico > 0;
	int best = 0;
	for (int i = 1; i < 5; i++)
		if (up ? parts[i].pico > parts[best].pico : parts[i].pico < parts[best].pico)
			best = i;
	*ret = parts[best];
	return best;
}

static void add_lead(struct buf *b, const struct recon_report *r)
{
	static const char *const because[] = {
		"other tokens than were seen",
		"other rates (private pricing, service tiers, the lifetime of cache writes)", "the wrong callers",
		"use that was billed and never seen", "use that was seen and not billed"};
	struct usd off = difference_of(&r->total), size = {off.pico < 0 ? -off.pico : off.pico}, part;
	if (r->total.billed.pico == 0 && r->total.estimated.pico == 0) {
		buf_adds(b, "<p class=lead>No hour of this period is final yet.</p>");
		return;
	}
	if (scoreboard_ratio(size, r->total.billed) < 10) {
		buf_adds(b, "<p class=lead>The bill is what was estimated, to a tenth of a per cent.</p>");
		return;
	}
	int cause = main_cause(&r->total, &part);
	buf_adds(b, "<p class=lead>The bill is USD&nbsp;");
	chart_usd(b, size);
	buf_addf(b, " %s the estimate; most of that is a matter of <b>%s</b>: %s.</p>",
	         off.pico > 0 ? "above" : "below", chart_causes[cause], because[cause]);
}

static void add_head(struct buf *b, const struct recon_report *r)
{
	buf_adds(
		b,
		"<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width'><title>Amazon Bedrock, ");
	add_period(b, r->period);
	buf_addf(b, ": estimate and bill</title>%s</head><body>\n<h1>Amazon Bedrock, ", style);
	add_period(b, r->period);
	buf_adds(b, "</h1><p class=sub>Estimate and bill, in US dollars, of the hours that are final. Made ");
	add_time(b, when_now_ms());
	buf_adds(b, ".</p>\n<ul class=big><li><b>");
	chart_usd(b, r->total.billed);
	buf_adds(b, "</b>billed</li><li><b>");
	chart_usd(b, r->total.estimated);
	buf_adds(b, "</b>estimated</li><li><b>");
	chart_usd(b, difference_of(&r->total));
	buf_adds(b, "</b>difference, ");
	add_percent(b, difference_of(&r->total), r->total.estimated);
	buf_adds(b, "</li></ul>\n");
	add_lead(b, r);
}

// ---- to the invoice -----------------------------------------------------------------------------

static void add_sum(struct buf *b, const char *what, struct usd usd)
{
	buf_addf(b, "<tr><td>%s</td>", what);
	add_cell(b, usd, false);
	buf_adds(b, "</tr>\n");
}

// What the estimate is about is a part of what is paid: the rest has its lines, too.
static void add_invoice(struct buf *b, const struct recon_report *r)
{
	static const char *const names[BILL_CLASSES] = {
		"",
		"Other usage of Bedrock (images, searches, guardrails, agents)",
		"Provisioned throughput",
		"Reserved capacity",
		"Tax",
		"Credits",
		"Refunds",
		"Discounts",
		"Fees",
		"Other"};
	struct usd apart[BILL_CLASSES] = {{0}}, all = usd_add(r->tokens, r->outside);
	for (int i = 0; i < r->napart; i++) {
		apart[r->apart[i].class] = usd_add(apart[r->apart[i].class], r->apart[i].usd);
		all = usd_add(all, r->apart[i].usd);
	}
	buf_adds(b, "<h2>From the estimate to the invoice</h2><table class=narrow><tbody>");
	add_sum(b, "Inference by tokens, final hours: compared here", r->total.billed);
	struct usd later = usd_sub(r->tokens, r->total.billed);
	if (later.pico)
		add_sum(b, "Inference by tokens, hours that are not final yet", later);
	if (r->outside.pico)
		add_sum(b, "Inference by tokens, outside of the period's hours", r->outside);
	for (int i = 1; i < BILL_CLASSES; i++)
		if (apart[i].pico)
			add_sum(b, names[i] && *names[i] ? names[i] : bill_class_names[i], apart[i]);
	buf_adds(b, "</tbody><tfoot>");
	add_sum(b, "Billed for Amazon Bedrock", all);
	buf_adds(b, "</tfoot></table>\n");
}

// ---- who and what -------------------------------------------------------------------------------

static void add_row(struct buf *b, const struct str *name, const char *none, const struct difference *d)
{
	const struct usd cells[] = {d->estimated, d->billed,      difference_of(d), d->volume,
	                            d->price,     d->attribution, d->unmetered,     d->unbilled};
	buf_adds(b, "<tr><td>");
	if (name)
		add_name(b, *name, none);
	else
		buf_adds(b, none);
	buf_adds(b, "</td>");
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		add_cell(b, cells[i], i == 2);
	buf_adds(b, "</tr>\n");
}

static void add_table(struct buf *b, const char *title, const struct recon_table *t,
                      const struct difference *total)
{
	buf_addf(
		b,
		"<h2>By %s</h2><table class=wide><thead><tr><th>%s</th><th>estimated</th><th>billed</th><th>difference</th>",
		title, title);
	for (int i = 0; i < 5; i++)
		buf_addf(b, "<th>%s</th>", chart_causes[i]);
	buf_adds(b, "</tr></thead><tbody>\n");
	struct difference rest = {0};
	for (int32_t i = 0; i < t->n; i++) {
		if (i < ROWS_MAX)
			add_row(b, &t->list[i].keys[0], title, &t->list[i].d);
		else
			difference_add(&rest, &t->list[i].d);
	}
	if (t->n > ROWS_MAX)
		add_row(b, NULL, "all others", &rest);
	buf_adds(b, "</tbody><tfoot>");
	add_row(b, NULL, "total", total);
	buf_adds(b, "</tfoot></table>\n");
}

static void add_apart(struct buf *b, const struct recon_report *r)
{
	if (r->napart == 0)
		return;
	buf_adds(
		b,
		"<h2>Billed apart</h2><table><thead><tr><th>what</th><th class=text>class</th><th class=text>account</th><th>USD</th></tr></thead><tbody>\n");
	for (int i = 0; i < r->napart; i++) {
		buf_adds(b, "<tr><td>");
		buf_add_html(b, r->apart[i].what);
		buf_addf(b, "</td><td class=text>%s</td><td class=text>", bill_class_names[r->apart[i].class]);
		buf_add_html(b, r->apart[i].account);
		buf_adds(b, "</td>");
		add_cell(b, r->apart[i].usd, false);
		buf_adds(b, "</tr>\n");
	}
	buf_adds(b, "</tbody></table>\n");
}

// ---- the end ------------------------------------------------------------------------------------

static void add_notes(struct buf *b, const struct recon_report *r)
{
	struct str rest = r->notes;
	int64_t ms;
	buf_adds(b, "<h2>What to know</h2><ul>");
	for (int i = 0; i < r->nstatus; i++) {
		struct str account = r->status[i][0];
		if (!str_starts(account, STR("watermark ")) || !when_parse(r->status[i][1], &ms))
			continue;
		str_cut(&account, ' ');
		buf_adds(b, "<li>Account ");
		buf_add_html(b, account);
		buf_adds(b, " is final up to ");
		add_time(b, ms);
		buf_adds(b, ".</li>");
	}
	if (r->waiting.pico) {
		buf_adds(b, "<li>USD&nbsp;");
		chart_usd(b, r->waiting);
		buf_adds(b, " of estimates are in hours that are not final yet; they are not in this report.</li>");
	}
	while (rest.len) {
		struct str line = str_cut(&rest, '\n');
		buf_adds(b, "<li>");
		buf_add_html(b, line);
		buf_adds(b, "</li>");
	}
	buf_adds(
		b,
		"</ul><dl><dt>volume</dt><dd>The model took other tokens than were seen.</dd><dt>price</dt><dd>Another rate than was expected: private pricing, service tiers, "
		"the lifetime of cache writes.</dd><dt>attribution</dt><dd>Seen, but given to another caller. It adds up to nothing over all callers.</dd><dt>unmetered</dt>"
		"<dd>Billed and never seen.</dd><dt>unbilled</dt><dd>Seen and never billed.</dd><dt>late</dt><dd>Known only after the estimate was made.</dd></dl>"
		"<p class=sub>The parts add up to the difference exactly.</p>");
}

void recon_print_html(const struct recon_report *r, struct buf *b)
{
	add_head(b, r);
	buf_adds(b, "<h2>From the estimate to the bill</h2>");
	chart_waterfall(b, &r->total);
	chart_hours(b, &r->tables[3]);
	add_invoice(b, r);
	add_table(b, "team", &r->tables[0], &r->total);
	add_table(b, "principal", &r->tables[1], &r->total);
	add_table(b, "model", &r->tables[2], &r->total);
	scoreboard_html(&r->board, b);
	add_apart(b, r);
	add_notes(b, r);
	buf_adds(b, "</body></html>\n");
}
