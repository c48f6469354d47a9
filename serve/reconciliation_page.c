// SPDX-License-Identifier: Apache-2.0
// The reconciliation as one page to mail: no script, nothing loaded from elsewhere, and it prints on paper as it is.
//
// The waterfall leads from the estimate to the bill, a bar a cause. Lengths are permille of the page's width: integers.
#include "base/text.h"
#include "base/when.h"
#include "serve/reconciliation.h"

enum { ROWS_MAX = 50, CHART_WIDTH = 760, LABEL_WIDTH = 130, BAR_HEIGHT = 22, HOURS_MAX = 800 };

static const char style[] =
	"<style>body{font:14px/1.45 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#1d2430}h1{font-size:1.5em;margin:0}"
	"h2{font-size:1.1em;margin:2em 0 .4em;border-bottom:1px solid #ccd}p.sub{color:#556;margin:.2em 0 1.5em}table{border-collapse:collapse;width:100%;font-size:12px}"
	"th,td{padding:.25em .5em;text-align:right;border-bottom:1px solid #e6e8ee;font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left;"
	"word-break:break-all}th.text,td.text{text-align:left}thead th{border-bottom:2px solid #99a}tfoot td{font-weight:600;border-top:2px solid #99a}.up{color:#a33}.down{color:#276}"
	"ul.big{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:1.5em}ul.big b{display:block;font-size:1.6em;font-variant-numeric:tabular-nums}"
	"svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#1d2430}@media print{body{margin:0;max-width:none;font-size:11px}h2{break-after:avoid}"
	"tr{break-inside:avoid}}@media(prefers-color-scheme:dark){@media screen{body{background:#14181f;color:#dde3ee}svg text{fill:#dde3ee}th,td{border-color:#2b3342}}}</style>";

static void add_usd(struct buf *b, struct usd usd)
{
	char text[USD_SIZE];
	usd_format(usd, 2, text);
	struct str digits = str_of(text), whole = str_cut(&digits, '.');
	if (whole.len && whole.p[0] == '-') {
		buf_adds(b, "\xe2\x88\x92"); // a minus sign
		whole.p++;
		whole.len--;
	}
	for (size_t i = 0; i < whole.len; i++) {
		if (i && (whole.len - i) % 3 == 0)
			buf_addc(b, ',');
		buf_addc(b, whole.p[i]);
	}
	buf_addf(b, ".%.*s", STR_ARG(digits));
}

static usd_pico magnitude(struct usd usd)
{
	return usd.pico < 0 ? -usd.pico : usd.pico;
}

// ---- the waterfall -------------------------------------------------------------------------------------------------

struct bar {
	const char *name;
	struct usd from, to;
	bool whole;
};

static int length(usd_pico part, usd_pico all)
{
	return all > 0 ? (int)(part / 1000 * (CHART_WIDTH - LABEL_WIDTH - 110) / (all / 1000 > 0 ? all / 1000 : 1)) : 0;
}

static void add_bar(struct buf *b, const struct bar *bar, int row, usd_pico most)
{
	struct usd size = usd_sub(bar->to, bar->from);
	bool up = size.pico >= 0;
	int x0 = length(up ? bar->from.pico : bar->to.pico, most), width = length(magnitude(size), most), y = row * (BAR_HEIGHT + 6);
	buf_addf(b, "<text x='0' y='%d'>%s</text><rect x='%d' y='%d' width='%d' height='%d' fill='%s'/><text x='%d' y='%d'>", y + 16, bar->name, LABEL_WIDTH + x0, y,
	         width > 0 ? width : 1, BAR_HEIGHT, bar->whole ? "#4a6fa5" : up ? "#c4554d" : "#3f8f6b", LABEL_WIDTH + x0 + width + 6, y + 16);
	if (!bar->whole && size.pico > 0)
		buf_addc(b, '+');
	add_usd(b, bar->whole ? bar->to : size);
	buf_adds(b, "</text>");
}

static void add_waterfall(struct buf *b, const struct difference *d)
{
	const struct usd steps[] = {d->volume, d->price, d->attribution, d->unmetered, d->unbilled};
	static const char *const names[] = {"volume", "price", "attribution", "unmetered", "unbilled"};
	struct usd at = d->estimated;
	usd_pico most = at.pico > d->billed.pico ? at.pico : d->billed.pico;
	struct bar bars[7] = {{"estimated", USD_ZERO, at, true}};
	for (int i = 0; i < 5; i++) {
		bars[i + 1] = (struct bar){names[i], at, usd_add(at, steps[i]), false};
		at = usd_add(at, steps[i]);
		most = at.pico > most ? at.pico : most;
	}
	bars[6] = (struct bar){"billed", USD_ZERO, d->billed, true};
	buf_addf(b, "<svg viewBox='0 0 %d %d' role='img' aria-label='From the estimate to the bill'>", CHART_WIDTH, 7 * (BAR_HEIGHT + 6));
	for (int i = 0; i < 7; i++)
		add_bar(b, &bars[i], i, most);
	buf_adds(b, "</svg>\n");
}

// ---- by hour -------------------------------------------------------------------------------------------------------

static void add_line(struct buf *b, const struct recon_table *t, bool billed, usd_pico most, const char *colour)
{
	buf_addf(b, "<polyline fill='none' stroke='%s' stroke-width='1.5' points='", colour);
	for (int32_t i = 0; i < t->n; i++) {
		usd_pico v = billed ? t->list[i].d.billed.pico : t->list[i].d.estimated.pico;
		int y = 150 - (int)(v / 1000 * 140 / (most / 1000 > 0 ? most / 1000 : 1));
		buf_addf(b, "%d,%d ", t->n > 1 ? (int)((int64_t)i * CHART_WIDTH / (t->n - 1)) : 0, y);
	}
	buf_adds(b, "'/>");
}

static void add_hours(struct buf *b, const struct recon_table *t)
{
	usd_pico most = 1;
	for (int32_t i = 0; i < t->n; i++) {
		most = t->list[i].d.billed.pico > most ? t->list[i].d.billed.pico : most;
		most = t->list[i].d.estimated.pico > most ? t->list[i].d.estimated.pico : most;
	}
	if (t->n < 2 || t->n > HOURS_MAX)
		return;
	buf_adds(b, "<h2>By hour</h2><svg viewBox='0 -5 760 180' role='img' aria-label='Estimated and billed dollars by hour'>");
	add_line(b, t, false, most, "#e0a030");
	add_line(b, t, true, most, "#4a6fa5");
	buf_addf(b, "<text x='0' y='172'>%.*s</text><text x='760' y='172' text-anchor='end'>%.*s</text>"
	            "<text x='330' y='172'><tspan fill='#4a6fa5'>billed</tspan> <tspan fill='#e0a030'>estimated</tspan></text></svg>\n",
	         STR_ARG(t->list[0].keys[0]), STR_ARG(t->list[t->n - 1].keys[0]));
}

// ---- tables --------------------------------------------------------------------------------------------------------

static void add_row(struct buf *b, struct str name, const struct difference *d)
{
	const struct usd cells[] = {d->estimated, d->billed, difference_of(d), d->volume, d->price, d->attribution, d->unmetered, d->unbilled};
	buf_adds(b, "<tr><td>");
	buf_add_html(b, name.len ? name : STR("\xe2\x80\x93"));
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
		buf_addf(b, "</td><td%s>", i != 2 || cells[i].pico == 0 ? "" : cells[i].pico > 0 ? " class=up" : " class=down");
		add_usd(b, cells[i]);
	}
	buf_adds(b, "</td></tr>\n");
}

static void add_table(struct buf *b, const char *title, const struct recon_table *t, const struct difference *total)
{
	buf_addf(b, "<h2>By %s</h2><table><thead><tr><th>%s</th><th>estimated</th><th>billed</th><th>difference</th><th>volume</th><th>price</th><th>attribution</th>"
	            "<th>unmetered</th><th>unbilled</th></tr></thead><tbody>\n", title, title);
	struct difference rest = {0};
	for (int32_t i = 0; i < t->n; i++) {
		if (i < ROWS_MAX)
			add_row(b, t->list[i].keys[0], &t->list[i].d);
		else
			difference_add(&rest, &t->list[i].d);
	}
	if (t->n > ROWS_MAX)
		add_row(b, STR("all others"), &rest);
	buf_adds(b, "</tbody><tfoot>");
	add_row(b, STR("total"), total);
	buf_adds(b, "</tfoot></table>\n");
}

static void add_apart(struct buf *b, const struct recon_report *r)
{
	if (r->napart == 0)
		return;
	buf_adds(b, "<h2>Billed apart</h2><table><thead><tr><th>what</th><th>class</th><th>account</th><th>USD</th></tr></thead><tbody>\n");
	for (int i = 0; i < r->napart; i++) {
		buf_adds(b, "<tr><td>");
		buf_add_html(b, r->apart[i].what);
		buf_addf(b, "</td><td>%s</td><td>", bill_class_names[r->apart[i].class]);
		buf_add_html(b, r->apart[i].account);
		buf_adds(b, "</td><td>");
		add_usd(b, r->apart[i].usd);
		buf_adds(b, "</td></tr>\n");
	}
	buf_adds(b, "</tbody></table>\n");
}

static void add_notes(struct buf *b, const struct recon_report *r)
{
	struct str rest = r->notes;
	buf_adds(b, "<h2>What to know</h2><ul>");
	for (int i = 0; i < r->nstatus; i++)
		if (str_starts(r->status[i][0], STR("watermark "))) {
			struct str account = r->status[i][0];
			str_cut(&account, ' ');
			buf_addf(b, "<li>Account %.*s is final up to %.*s.</li>", STR_ARG(account), STR_ARG(r->status[i][1]));
		}
	if (r->waiting.pico) {
		buf_adds(b, "<li>USD ");
		add_usd(b, r->waiting);
		buf_adds(b, " of estimates are in hours that are not final yet; they are not in this report.</li>");
	}
	while (rest.len) {
		struct str line = str_cut(&rest, '\n');
		buf_adds(b, "<li>");
		buf_add_html(b, line);
		buf_adds(b, "</li>");
	}
	buf_adds(b, "</ul><p class=sub>Volume: other tokens than were seen. Price: another rate (private pricing, tiers, the TTL of cache writes). Attribution: seen, but given "
	            "to another caller. Unmetered: billed and never seen. Unbilled: seen and never billed. The parts add up to the difference exactly.</p>");
}

void recon_print_html(const struct recon_report *r, struct buf *b)
{
	char when[WHEN_SIZE];
	buf_addf(b, "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width'><title>Bedrock, %.*s: estimate and bill</title>%s</head><body>\n",
	         STR_ARG(r->period), style);
	buf_addf(b, "<h1>Amazon Bedrock, %.*s: estimate and bill</h1><p class=sub>In USD, final hours only. Made %s.</p>\n<ul class=big><li><b>", STR_ARG(r->period),
	         when_format(when_now_ms(), when));
	add_usd(b, r->total.estimated);
	buf_adds(b, "</b>estimated</li><li><b>");
	add_usd(b, r->total.billed);
	buf_adds(b, "</b>billed</li><li><b>");
	add_usd(b, difference_of(&r->total));
	buf_adds(b, "</b>difference</li></ul>\n<h2>From the estimate to the bill</h2>");
	add_waterfall(b, &r->total);
	add_hours(b, &r->tables[3]);
	add_table(b, "team", &r->tables[0], &r->total);
	add_table(b, "principal", &r->tables[1], &r->total);
	add_table(b, "model", &r->tables[2], &r->total);
	scoreboard_html(&r->board, b);
	add_apart(b, r);
	add_notes(b, r);
	buf_adds(b, "</body></html>\n");
}
