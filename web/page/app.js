// SPDX-License-Identifier: Apache-2.0
// The dashboard. The view is the query of the URL and nothing else (view.js). Panels are filled independently: one whose question
// fails keeps what it showed.
//
//     URL -> view -> questions to the API -> panels
//     live stream -> tiles at once; the other panels soon after, at most once in REFRESH_MS
import { ApiError, get, listen, setToken } from "./api.js";
import { basisColour, canDraw, draw, groupColour } from "./chart.js";
import { cellsOf, headsOf, paintChoice } from "./columns.js";
import { paintAlerting, paintAlerts, paintBill, paintBudgets, paintCache, paintFindings, paintGaps, paintMonths, paintMovers, paintRoles, paintScores, paintSignals, paintTeamless } from "./panels.js";
import { at, bar, basisNames, basisText, basisTitles, byId, change, clock, count, dateOf, day, dayStart, el, fill, hasKey, isLocal, keyName, labelOf, localZone, percent, setLocal, some, spanOf, told, usd, utcDay, zoneWord } from "./parts.js";
import { blank, groupings, hoursOf, inside, partBefore, readView, spans, spanTitles, urlOf } from "./view.js";

const REFRESH_MS = 5000, SLOW_MS = 60000, PAGE = 100;

// ---- the view

const WALL_ROWS = 8; // that fit

let view = readView(), limit = PAGE, now = new Date().toISOString(), round = null, lastSeries = null, lastGroups = null;

function go(changes, replace) {
	if ("now" in changes && changes.now !== view.now) summary = null; // today and this month change with it
	view = { ...view, bad: [], ...changes };
	noteBad();
	if (["span", "from", "to", "now", "filters"].some(k => k in changes)) {
		compared = spanTotal = null;
		for (const id of ["teamless", "roles"]) byId(id).replaceChildren();
	}
	if ("filters" in changes && !("hour" in changes)) view.hour = "";
	if (!("search" in changes) && ("by" in changes || "filters" in changes)) view.search = byId("search").value = "";
	limit = PAGE;
	if (!view.wall || changes.wall) history[replace ? "replaceState" : "pushState"](null, "", urlOf(view)); // the wall's own views come and go
	paintControls();
	for (const id of ["tiles", "breakdown", "over-time"]) byId(id).setAttribute("aria-busy", "true"); // what they show is of the previous view
	refresh();
}

// Shows the view of an alert's link, which may name another host.
function follow(link) {
	history.pushState(null, "", "/" + new URL(link, location).search);
	go(readView(), true);
}

function drill(key, value) {
	go(inside(view, key, value));
}

const pinned = () => (view.now ? [["now", view.now]] : []);
const asking = (span, ...more) => [...(span || (view.from ? [["from", view.from], ["to", view.to]] : [["hours", hoursOf(view, now)]])), ...more, ...pinned(), ...view.filters];
const question = (...more) => asking(null, ...more), comparison = (...more) => asking(partBefore(view, now), ...more);

// ---- controls

function pressed(label, on, act, title) {
	return el("button", { type: "button", "aria-pressed": String(on), onclick: act, title }, label);
}

function spanText(from, to) {
	const year = iso => (iso.slice(0, 4) === now.slice(0, 4) ? "" : " " + iso.slice(0, 4));
	return day(from) + year(from) + " " + clock(from) + " to " + (dateOf(from) === dateOf(to) ? "" : day(to) + year(to) + " ") + clock(to);
}

function paintControls() {
	fill(byId("spans"), ...Object.entries(spans).map(([s, h]) => pressed(s === "1h" ? "hour" : s, s === view.span && !view.from, () => go({ span: s, from: "", to: "" }),
		h === 1 ? "This hour" : h ? "This hour and the " + (h - 1) + " before it" : null)), pressed("dates …", Boolean(view.from), askDates, "Any days"));
	fill(byId("chart-mode"), pressed("how it is known", view.mode === "basis", () => go({ mode: "basis" })),
		pressed("by " + keyName(view.by), view.mode === "group", () => go({ mode: "group" })));
	const tags = hasKey(view.by) ? [view.by] : [];
	fill(byId("groupings"), ...[...groupings, ...tags].map(g => pressed(keyName(g), g === view.by, () => go({ by: g }))),
		pressed("tag …", false, askTag, "Group by any tag"));
	byId("filters").hidden = !view.filters.length && !view.from && !view.now;
	document.body.classList.toggle("filtered", view.filters.length > 0);
	const chip = (name, words, label, away) => el("span", { class: "chip" }, el("span", { class: "quiet" }, name), el("b", {}, words), el("button", { type: "button", "aria-label": label, onclick: () => go(away) }, "×"));
	const fixed = view.from ? chip("span", spanText(view.from, view.to), "Back to the present", { from: "", to: "" }) : null;
	const then = view.now ? chip("as if it were", day(view.now) + " " + clock(view.now), "Back to now", { now: "" }) : null;
	fill(byId("filters"), then, fixed, ...view.filters.map(([k, v]) => el("span", { class: "chip", title: v }, el("span", { class: "quiet" }, keyName(k)), el("b", {}, labelOf(k, v).main),
		el("button", { type: "button", "aria-label": "Remove the filter " + keyName(k), onclick: () => go({ filters: view.filters.filter(f => f[0] !== k || f[1] !== v) }) }, "×"))),
	view.filters.length > 1 ? el("button", { type: "button", class: "plain", onclick: () => go({ filters: [] }) }, "clear all") : null);
	byId("teamless-panel").hidden = teamIsChosen();
	byId("roles-panel").hidden = roleIsChosen();
	showSubject("principal", chosen("principal"), ["principal-h", "principal-facts", "why-of", "why-hour"]);
	showSubject("why", view.compare, ["why-parts", "why-by"]);
	showSubject("model", chosen("family") || chosen("model"), ["model-h", "model-ways", "model-types"]);
	paintChoice(byId("columns-choice"), view, go);
	if (byId("search").value !== view.search) byId("search").value = view.search;
}

// Whole days, the last one included.
function askDates() {
	const input = (label, value) => el("input", { type: "date", required: true, "aria-label": label, value });
	const last = view.from ? new Date(Date.parse(view.to) - 1).toISOString() : now, from = input("First day", dateOf(view.from || now)), to = input("Last day", dateOf(last));
	byId("filters").hidden = false;
	byId("filters").prepend(el("form", { class: "dates",
		onkeydown: e => { if (e.key === "Escape") { paintControls(); byId("spans").lastElementChild.focus(); } },
		onsubmit: e => {
			e.preventDefault();
			const [first, end] = [from.value, to.value].sort(); // in either order
			go({ from: dayStart(first), to: dayStart(end, 1) });
		} }, from, " to ", to, el("button", { class: "plain" }, "show")));
	from.focus();
}

function askTag() {
	const input = el("input", { id: "tag", "aria-label": "Key of the tag", placeholder: "key of the tag, or map:KEY", title: "The key of a tag; or meta:KEY, identity:KEY, map:KEY", onkeydown: e => {
		if (e.key === "Enter" && input.value.trim()) go({ by: hasKey(input.value.trim()) ? input.value.trim() : "tag:" + input.value.trim() });
		if (e.key === "Escape") paintControls();
	} });
	byId("groupings").lastElementChild.replaceWith(input);
	input.focus();
}

// ---- tiles

function tile(title, figure, lines, barOf, kind) {
	return el("div", { class: kind ? "tile " + kind : "tile" }, el("h2", {}, title), el("div", { class: "figure" }, figure), barOf || null, ...lines.map(l => el("p", {}, ...[].concat(l))));
}

function comparedWith(nowUsd, beforeUsd, words) {
	const c = moved(nowUsd, beforeUsd);
	if (!c) return ["nothing " + words];
	return [c, " on " + usd(beforeUsd) + " " + words];
}

// "+12%" in the colour of more or less
function moved(now, before) {
	const c = change(Number(now), Number(before));
	return c && el("b", { class: c[0] === "±" ? "" : Number(now) > Number(before) ? "up" : "down" }, c);
}

const between = f => "between " + usd(f.usd_low) + " and " + usd(f.usd_high);

function range(f) {
	return Number(f.usd_high) > Number(f.usd_low) * 1.0005 ? between(f) : Number(f.usd) ? "exact in sum" : "";
}

let summary = null, forecast = null, days = null, freshness = null;

// Since when nothing newer is known; null: figures are up to date, or the page shows a moment of the past.
const staleSince = () => view.now ? null : freshness?.stale_since || null;

// A sum that ends early is not less spend: it is compared with nothing.
function soFar(before, words) {
	if (staleSince()) return "figures end at " + at(staleSince()) + ": not compared";
	if (!before.minutes) return "not compared: " + words.replace("by ", "up to ") + " was not observed";
	const part = before.minutes < 0.98 * before.minutes_so_far ? ", in the " + hoursText(before.minutes) + " of it that were observed both times" : "";
	return [comparedWith(before.usd_now, before.usd, words), part].flat();
}

const hoursText = minutes => minutes < 120 ? minutes + " min" : Math.round(minutes / 60) + " h";

// That it cost nothing is known if it was observed.
function lastMonthWords(f) {
	if (!f.observed) return "last month was not observed";
	return (Number(f.usd) ? "last month " + usd(f.usd) : "nothing last month") + (f.observed < 0.98 ? " in the " + Math.max(1, Math.round(100 * f.observed)) + "% of it that was observed" : "");
}

// A sum of which a part was not observed is not all that was spent, beside a tail that the freshness tells of.
const inPart = f => (f.observed ?? 1) >= 0.98 || staleSince() ? "" : "in the " + Math.max(f.observed ? 1 : 0, Math.round(100 * f.observed)) + "% of it that was observed";

// How much of today was not observed, beside a tail that the freshness tells of.
function unobservedToday(gaps) {
	const minutes = gaps.reduce((sum, g) => sum + (Date.parse(g.to) - Date.parse(g.from)) / 6e4, 0);
	return minutes && !staleSince() ? el("span", { title: gaps.slice(0, 5).map(g => at(g.from) + " to " + at(g.to) + ": " + g.why).join("\n") }, hoursText(minutes) + " of it were not observed") : null;
}

// The sum of the span that was chosen. The summary has the usual ones and is the first to be known; the list has the others.
const summaryNames = { "1h": "hour", "24h": "last_24h", today: "today", month: "month" };
let spanTotal = null; // of the list: {usd ..., to}
let compared = null;  // the answer of movers: this span and the same length before

function spanBefore(total) {
	const s = summary;
	if (staleSince() && (!view.from || Date.parse(view.to) > Date.parse(staleSince()))) return "figures end at " + at(staleSince()) + ": not compared";
	if (!view.from && view.span === "today") return soFar(s.yesterday_so_far, "by this time yesterday");
	if (!view.from && view.span === "month") return soFar(s.last_month_so_far, "by this time last month");
	if (!compared) return "";
	if (!compared.hours) return "not compared: the span before was not observed";
	if (compared.to > now) return usd(compared.usd_before) + " in the whole hour before";
	const c = moved(compared.usd, compared.usd_before), all = (Date.parse(compared.to) - Date.parse(compared.from)) / 36e5;
	const part = compared.hours < all ? ", in the " + compared.hours + " h that were observed of both" : "";
	const before = partBefore(view, now) ? "last week" : "the same length before";
	if (Date.parse(compared.to) >= Date.parse(total.to) || !c) return comparedWith(compared.usd, compared.usd_before, "in " + before + part);
	return [c, " on " + before + ": " + usd(compared.usd) + " up to " + clock(compared.to) + ", against " + usd(compared.usd_before) + part];
}

const used = f => (f.calls === null ? "" : some(f.calls, "call") + ", ") + some(f.tokens, "token");

// Nothing is known of a span without figures if they end early: it is not $0.
const unseen = f => staleSince() && !f.calls && !f.tokens;
const sumTile = (title, f, lines, kind) => unseen(f) ? tile(title, "–", ["not known: figures end at " + at(staleSince())], null, kind) : tile(title, usd(f.usd), lines, bar(f, Number(f.usd_high)), kind);

function headline() {
	const total = view.from || !summaryNames[view.span] ? spanTotal : summary[summaryNames[view.span]];
	const title = view.from ? spanText(view.from, view.to) : spanTitles[view.span];
	if (!total) return tile(title, "…", [], null, "headline");
	if (unseen(total)) return sumTile(title, total, [], "headline");
	document.title = usd(total.usd) + " " + title.replace(/^[A-Z]/, c => c.toLowerCase()) + " · nowcast";
	return sumTile(title, total, [spanBefore(total), [range(total), range(total) ? "; " : "", used(total)], inPart(total)], "headline");
}

// Without a day of history and without a band, nothing is known of the rest.
const isForetold = x => forecast.days_of_history > 0 || Number(x.usd_high) > Number(x.usd_low);

function paintTiles() {
	if (!summary) return;
	const s = summary, f = forecast, chosen = view.from ? "" : view.span;
	const tiles = [
		headline(),
		chosen === "today" ? null : sumTile("Today", s.today, [soFar(s.yesterday_so_far, "by this time yesterday"), range(s.today), ...(unobservedToday(s.unobserved) ? [unobservedToday(s.unobserved)] : [])]),
		chosen === "month" ? null : sumTile("This month", s.month, [soFar(s.last_month_so_far, "by this time last month"), range(s.month), inPart(s.month)]),
		chosen === "1h" ? null : sumTile("This hour", s.hour, [used(s.hour), range(s.hour)]),
	];
	if (f) {
		const worth = (x, what) => x.off === null ? "from " + (f.days_of_history > 1 ? f.days_of_history + " days" : f.days_of_history ? "one day" : "less than a day") + " of history"
			: "off by " + (100 * x.off).toFixed(x.off < 0.0995 ? 1 : 0) + "% " + what;
		const end = (title, x, lines) => isForetold(x) ? tile(title, usd(x.usd), lines) : tile(title, "–", ["not known: too little was observed"]);
		tiles.push(end("Today will end at", f.day, [between(f.day), worth(f.day, "on the last " + (f.day.scored_days === 1 ? "day" : f.day.scored_days + " days"))]),
			end("The month will end at", f.month, [between(f.month), lastMonthWords(s.last_month) + "; " + worth(f.month, "so far ahead")]));
	}
	fill(byId("tiles"), ...tiles);
	byId("asof").textContent = day(s.now) + ", " + clock(s.now) + " " + zoneWord(s.now);
	paintEmpty(s);
}

function paintEmpty(s) {
	document.body.classList.toggle("empty", !s.extent);
	byId("welcome").hidden = !!s.extent;
	if (Number(s.last_24h.usd) || s.last_24h.calls || s.last_24h.tokens || view.filters.length || document.body.classList.contains("stale")) return hideBanner("empty");
	if (!s.extent) return hideBanner("empty");
	if (Date.parse(s.extent.to) > Date.parse(s.now) - 864e5) return hideBanner("empty");
	const last = new Date(Date.parse(s.extent.to) - 60000).toISOString().slice(0, 16) + ":00Z";
	banner("empty", "Nothing is known of the last day; the newest figures are of " + day(last) + ".",
		el("button", { type: "button", class: "plain", onclick: () => go({ now: last }) }, "Show that day"));
}

// ---- chart

function stepOf() {
	const h = hoursOf(view, now);
	return h <= 6 && (view.mode === "basis" || ["account", "region", "family", "model"].includes(view.by)) ? "minute" : h <= 192 ? "hour" : "day";
}

// A stretch of the chart becomes the span, in whole hours.
function zoom(from, to) {
	const iso = s => new Date(s * 1000).toISOString().slice(0, 19) + "Z", span = { from: iso(Math.floor(from / 3600) * 3600), to: iso(Math.ceil(to / 3600) * 3600) };
	if (span.from !== view.from || span.to !== view.to) go(span);
}

function pointsOf(s) {
	const end = Date.parse(s.to) / 1000, times = s.times.map(t => Date.parse(t) / 1000), upto = Date.parse(now) / 1000;
	let n = times.length; // the future is not drawn, unless it has figures from a clock that is ahead: the list counts them, too
	while (n > 1 && times[n - 1] > upto && !Number(s.total.usd_high[n - 1])) n--;
	const numbers = a => a.slice(0, n).map(Number);
	const seconds = iso => Date.parse(iso) / 1000, gaps = s.unobserved.map(g => ({ from: seconds(g.from), to: seconds(g.to), why: g.why }));
	const d = { zoom, gaps, observed: s.observed.slice(0, n), step: s.step, times: times.slice(0, n), end: n < times.length ? times[n] : end, total: numbers(s.total.usd), low: numbers(s.total.usd_low), high: numbers(s.total.usd_high) };
	if (s.groups) {
		d.stack = s.groups.map((g, i) => ({ label: labelOf(view.by, g.keys[view.by]).main, colour: groupColour(i), values: numbers(g.usd) }));
		if (s.others > 0) d.stack.push({ label: count(s.others) + " more", colour: getComputedStyle(document.documentElement).getPropertyValue("--other").trim(), values: numbers(s.other.usd) });
	} else {
		d.stack = Object.entries(s.total.basis).filter(([name, values]) => name !== "telemetry" || values.some(Number)).map(([name, values]) => ({ label: basisNames[name] || name, title: basisTitles[name], colour: basisColour(name), hatched: name === "provisional", values: numbers(values) }));
	}
	return d;
}

// That nothing was spent is known of observed time only.
function nothingIn(d) {
	if (!d.gaps.length) return "Nothing was spent in this span.";
	if (!d.observed.some(part => part > 0)) return "What was spent in this span is not known: " + d.gaps[0].why + ".";
	return "Nothing was spent in the time that was observed. Not observed: " + d.gaps.slice(0, 2).map(spanOf).join(", ") + (d.gaps.length > 2 ? " and " + (d.gaps.length - 2) + " more" : "") + ".";
}

function paintChart() {
	if (!lastSeries) return;
	byId("over-time").removeAttribute("aria-busy");
	const d = pointsOf(lastSeries), sum = d.total.reduce((a, b) => a + b, 0);
	const known = d.stack.filter(s => s.values.some(v => v > 0));
	fill(byId("legend"), ...known.map(s => {
		const mark = el("i", { class: "mark" + (s.hatched ? " provisional" : "") });
		if (!s.hatched) mark.style.background = s.colour;
		return el("span", { title: s.title || s.label }, mark, el("span", { class: "words" }, s.label));
	}), d.high.some((v, i) => v > d.low[i]) ? el("span", { title: "The true figure lies inside nine times in ten" }, el("i", { class: "mark band" }), "error band") : null,
		d.gaps.length ? el("span", { title: d.gaps.slice(0, 5).map(g => spanOf(g) + ": " + g.why).join("\n") }, el("i", { class: "mark unobserved" }), "not observed") : null);
	const most = d.total.indexOf(Math.max(...d.total)), peak = most >= 0 ? new Date(d.times[most] * 1000).toISOString() : "";
	byId("chart-summary").textContent = !sum ? nothingIn(d) :
		usd(sum) + " in this span, most in the " + d.step + " of " + (d.step === "day" ? utcDay(peak) + (isLocal() ? " UTC" : "") : at(peak)) + " (" + usd(d.total[most]) + ")." +
		(d.step === "minute" && view.filters.some(([k]) => ["principal", "role", "team", "user"].includes(k) || hasKey(k)) ? " Minutes are not kept by caller: within an hour this is spread as its models' spend." : "");
	const [, arn] = view.filters.find(([k, v]) => k === "principal" && v.startsWith("arn:")) || [];
	if (d.gaps.length) byId("chart-summary").append(...told(" What was not observed, `nowcast replay --reopen` of its files brings in."));
	if (sum && arn && d.step !== "day") byId("chart-summary").append(" Where it comes from: ", el("code", {}, "nowcast explain '" + arn.replaceAll("'", "'\\''") + "' " + peak.slice(0, 13) + ":00:00Z"));
	if (canDraw()) draw(byId("chart"), d);
	else fill(byId("chart"), el("p", { class: "quiet" }, "This nowcast was built without its chart library; the table below has the same figures."));
	byId("chart-data").open ||= !canDraw();
	paintChartData(d);
}

function paintChartData(d) {
	if (!byId("chart-data").open) return;
	const rows = d.times.map((t, i) => [t, i]).reverse().map(([t, i]) => {
		const iso = new Date(t * 1000).toISOString();
		const when = d.step === "day" ? utcDay(iso) : at(iso);
		return el("tr", {}, el("td", {}, d.step === "minute" ? when : el("button", { type: "button", class: "sort", title: "This " + d.step + " alone", onclick: () => zoom(t, d.times[i + 1] ?? d.end) }, when)), el("td", { class: "num" }, d.observed[i] === 0 && !d.total[i] ? "not observed" : usd(d.total[i]) + (d.observed[i] > 0 && d.observed[i] < 1 ? " in " + Math.max(1, Math.round(100 * d.observed[i])) + "% of it" : "")), el("td", { class: "num" }, usd(d.low[i])), el("td", { class: "num" }, usd(d.high[i])));
	});
	const head = el("tr", {}, ...["Time", "Spend", "at least", "at most"].map((h, i) => el("th", { class: i ? "num" : "", scope: "col" }, h)));
	fill(byId("chart-data").querySelector(".scroll"), el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}

// ---- breakdown

// The colour that a group has in the chart, where the chart is divided by what the list is.
function colourMark(value) {
	const i = view.mode === "group" && lastSeries?.groups ? lastSeries.groups.findIndex(g => g.keys[view.by] === value) : -1;
	if (i < 0) return null;
	const mark = el("i", { class: "mark", "aria-hidden": "true" });
	mark.style.background = groupColour(i);
	return mark;
}

function groupRow(g, list) {
	const value = g.keys[view.by], label = labelOf(view.by, value);
	const open = view.by === "hour" ? null : () => drill(view.by, value);
	return el("tr", { class: open ? "drill" : "", onclick: open, title: value },
		el("td", { class: "c-name" }, el("button", { type: "button", class: "name" }, colourMark(value), label.main), label.more ? el("span", { class: "more" }, label.more) : null,
			g.split_unsure_since ? el("span", { class: "more warn", title: "Tokens are split by what its calls used before" }, "split unsure: calls jumped at " + at(g.split_unsure_since)) : null,
			g.tokens_unpriced ? el("span", { class: "more warn" }, some(g.tokens_unpriced, "token") + " without a price") : null,
			g.tokens_unbilled ? el("span", { class: "more warn", title: "Estimated at " + usd(g.usd_unbilled) + ", in hours that are final: not in the spend" }, some(g.tokens_unbilled, "token") + " not on the bill") : null),
		...cellsOf(view, g, list));
}

function paintBreakdown(b) {
	lastGroups = b;
	byId("breakdown").removeAttribute("aria-busy");
	const list = { most: Math.max(...b.groups.map(g => Number(g.usd_high || 0)), 0), total: Number(b.total.usd) };
	byId("groups").classList.toggle("chosen", Boolean(view.cols));
	byId("groups").style.minWidth = view.cols ? 10 + 5.4 * view.cols.split(",").length + (view.cols.includes("band") ? 5 : 0) + "em" : ""; // a narrow screen scrolls the list
	fill(byId("groups"), el("thead", {}, headsOf(view, keyName(view.by).replace(/^./, c => c.toUpperCase()), go)), el("tbody", {}, ...b.groups.map(g => groupRow(g, list))));
	const hidden = b.matching - b.shown, words = !b.all ? "Nothing in this span." : !b.matching ? "Nothing matches the search" + (isKey(view.search) ? ": Enter leads to whose key it is." : ".") :
		b.all.toLocaleString("en-US") + (b.all === 1 ? " row, " : " rows, ") + usd(b.total.usd) + " in all" + (view.search ? "; " + b.matching.toLocaleString("en-US") + " match" : "") + (hidden ? "; the rest comes to " + usd(b.other.usd) : "");
	fill(byId("groups-foot"), el("span", {}, words), hidden ? el("button", { type: "button", class: "plain", onclick: () => { limit = Math.min(limit * 4, 2000); refresh(); } }, "show more") : null,
		b.all ? el("button", { type: "button", class: "plain", onclick: saveGroups, title: "All rows, for a spreadsheet" }, "CSV") : null,
		b.all ? el("button", { type: "button", class: "plain", id: "focus", onclick: saveFocus, title: "All usage of this span, of everyone, as FOCUS 1.2: for finance" }, focusPart || "FOCUS") : null,
		view.mode === "group" ? basisLegend(b.total.basis) : null);
}

// The legend of the bars in the list, where the chart's is of groups.
const basisLegend = basis => el("span", { class: "legend" }, ...Object.keys(basisNames).filter(k => Number((basis || {})[k]) > 0).map(k =>
	el("span", { title: basisTitles[k] }, el("i", { class: "mark " + k }), basisNames[k])));

function saveGroups() {
	const by = view.by, search = [...(view.search ? [["search", view.search]] : []), ...(view.sort ? [["sort", view.sort]] : [])];
	Promise.all([import("./csv.js"), get("breakdown", question(["by", by], ["limit", 10000], ...search))]).then(([{ csvOf, save }, b]) => save("nowcast-" + by.replace(/[^a-z_]+/gi, "-") + "-" + b.from.slice(0, 10) + "-" + b.to.slice(0, 10) + ".csv", csvOf(by, b)), showTrouble);
}

let focusPart = ""; // while it is fetched

async function saveFocus() {
	if (focusPart || !lastGroups) return;
	const { from, to } = lastGroups, show = text => { focusPart = text; if (byId("focus")) byId("focus").textContent = text || "FOCUS"; };
	show("…");
	try {
		const { focusOf, save } = await import("./csv.js"), text = await focusOf(get, from, to, pinned(), part => show(part + "%"));
		save("nowcast-" + from.slice(0, 10) + "-" + to.slice(0, 10) + ".focus.csv", text);
	} catch (e) {
		if (e.status === 400) note("note", "FOCUS: " + e.message + "."); else showTrouble(e);
	}
	show("");
}

const lastMonth = () => { const d = new Date(now); return new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() - 1, 1)).toISOString().slice(0, 10); };

function paintTwoMonths() {
	if (days) paintMonths(days, forecast && isForetold(forecast.month) ? forecast : null, now);
}

// ---- refreshing

let slowAt = 0, refreshedAt = 0, pending = 0, goodAt = null;

function panel(signal, name, words, paint) {
	return get(name, words, signal).then(answer => { if (!signal.aborted) paint(answer); });
}

async function refresh() {
	if (round) round.abort();
	round = new AbortController();
	const signal = round.signal, asked = panel(signal, "summary", [...pinned(), ...view.filters], s => { summary = s; now = s.now; paintTiles(); });
	const refused = summary ? null : await asked.then(() => null, e => e); // the server's clock decides what today and this month are
	if (signal.aborted) return;
	if (refused instanceof ApiError && refused.status !== 400) return showTrouble(refused); // the other questions would fail too
	const step = stepOf(), by = view.by === "hour" ? "principal" : view.by;
	clearTimeout(pending);
	pending = 0;
	refreshedAt = Date.now();
	const search = [...(view.search ? [["search", view.search]] : []), ...(view.sort ? [["sort", view.sort]] : [])];
	const forecastAsked = panel(signal, "forecast", [...pinned(), ...view.filters], f => { forecast = f; paintTiles(); paintTwoMonths(); });
	const listAsked = panel(signal, "breakdown", question(["by", view.by], ["limit", view.wall ? WALL_ROWS : limit], ...search), b => { spanTotal = { ...b.total, to: b.to }; paintBreakdown(b); paintTiles(); });
	const moversAsked = panel(signal, "movers", comparison(["by", by], ["limit", 6]), m => { compared = m; paintMovers(m, { key: by, drill, now }); paintTiles(); });
	const tiles = Promise.all([asked, forecastAsked, listAsked, moversAsked]).then(() => { if (!signal.aborted) byId("tiles").removeAttribute("aria-busy"); });
	const work = [
		asked, forecastAsked, listAsked, moversAsked, tiles,
		panel(signal, "series", question(["step", step], ...(view.mode === "group" ? [["by", view.by], ["limit", 7]] : [])), s => { lastSeries = s; paintChart(); if (lastGroups) paintBreakdown(lastGroups); }),
		panel(signal, "cache", question(), paintCache),
		panel(signal, "gaps", question(), paintGaps),
		panel(signal, "series", [["step", "day"], ["from", lastMonth()], ["to", now], ...pinned(), ...view.filters], s => { days = s; paintTwoMonths(); }),
		panel(signal, "freshness", [], f => { freshness = f; paintSignals(f); paintTiles(); }),
		panel(signal, "alerts", [], a => paintAlerts(a, follow)),
		panel(signal, "reconciliation", [], paintBill),
		panel(signal, "budgets", pinned(), b => paintBudgets(b, { drill })),
	];
	if (Date.now() - slowAt > SLOW_MS) work.push(panel(signal, "findings", [], f => { slowAt = Date.now(); paintFindings(f); }), panel(signal, "scoreboard", [], paintScores), panel(signal, "alerting", [], paintAlerting));
	startWall();
	const subject = { signal, view, question, comparison, pinned, go, drill, now, hours: hoursOf(view, now) };
	if (view.compare) work.push(import("./why.js").then(m => m.showWhy(subject)));
	if (chosen("principal")) work.push(import("./principal.js").then(m => m.showPrincipal(subject)));
	if (chosen("family") || chosen("model")) work.push(import("./model.js").then(m => m.showModel(subject)));
	const results = await Promise.allSettled(work);
	if (signal.aborted) return;
	for (const id of ["principal", "model", "why"]) byId(id).removeAttribute("aria-busy");
	const wrong = results.map(r => r.reason).find(e => e instanceof ApiError);
	if (wrong) return showTrouble(wrong);
	goodAt = new Date();
	showFresh();
	startWall(); // once more, for all panels have their size now
	fillSide();
	askLast(signal);
}

const isChosen = (...keys) => view.filters.some(([k]) => keys.includes(k)), teamIsChosen = () => isChosen("team"), roleIsChosen = () => isChosen("role", "principal");
const chosen = key => view.filters.find(([k]) => k === key)?.[1] || "";

// The panel of a principal or a model that the view has: empty until its answers come.
function showSubject(id, value, parts) {
	if (byId(id).dataset.of !== value) {
		for (const part of parts) byId(part).replaceChildren();
		byId(id).setAttribute("aria-busy", "true");
	}
	byId(id).dataset.of = value;
	byId(id).hidden = !value;
}

const startWall = () => view.wall && import("./wall.js").then(m => m.startWall({ view: () => view, go, paint: () => { paintChart(); paintTwoMonths(); }, span: () => question().filter(([k]) => ["from", "to", "hours", "now"].includes(k)) }));

// An access key in the search leads to whose it is, whatever the view has chosen.
const isKey = text => /^A[KS]IA[A-Z0-9-]+$/.test(text.trim());
function findKey(key) {
	const found = arn => { hideBanner("note"); go({ by: "model", search: "", filters: [["principal", arn]] }); };
	if (isKey(key)) import("./principal.js").then(m => m.principalOf(key, pinned())).then(found, e => (e.status === 400 ? note("note", key + ": " + e.message.replace("access_key: ", "") + ".") : showTrouble(e)));
}

// Last, so that nothing else waits for them. Where a team or a role is chosen, there is nothing to ask.
function askLast(signal) {
	const ask = (words, paint) => panel(signal, "breakdown", question(...words, ["limit", 5]), paint).catch(e => { if (e instanceof ApiError) showTrouble(e); });
	if (!teamIsChosen()) ask([["by", "principal"], ["team", ""]], b => paintTeamless(b, Number(spanTotal?.usd), { drill, list: () => go({ by: "principal", filters: [...view.filters, ["team", ""]] }) }));
	if (!roleIsChosen()) ask([["by", "role"]], b => paintRoles(b, { drill: (k, v) => go({ ...inside(view, k, v), by: "principal" }), list: () => go({ by: "role" }) }));
}

// Where the column beside the list is shorter than it, panels from below fill the hole.
function fillSide() {
	const side = document.querySelector(".side"), end = e => e.getBoundingClientRect().bottom;
	if (!matchMedia("(min-width: 1101px) and (max-width: 1799px)").matches || document.body.matches(".empty, .wall")) return;
	const ground = byId("ground");
	for (const p of [...ground.children]) if (end(side) + p.offsetHeight + 20 < end(document.querySelector(".middle"))) side.append(p);
	ground.style.columnCount = [...ground.children].filter(p => !p.hidden).length || 1; // at most
}

function refreshSoon() {
	if (pending) return;
	const wait = Math.max(0, REFRESH_MS - (Date.now() - refreshedAt)) + Math.random() * 1000; // so that viewers do not ask all at once
	pending = setTimeout(refresh, wait);
}

// ---- when it does not work

const banners = new Map();
function banner(why, ...children) {
	banners.set(why, children);
	paintBanner();
}
function hideBanner(why) {
	if (banners.delete(why)) paintBanner();
}
// Words of the address that were left out.
function noteBad() {
	if (!view.bad.length) return hideBanner("address");
	note("address", "Left out of the address, since it cannot be shown: " + view.bad.map(w => w.slice(0, 80)).join("; ") + ".");
}
function note(why, words) {
	banner(why, words, el("button", { type: "button", class: "plain", onclick: () => { hideBanner(why); go({}); } }, "Close"));
}
function paintBanner() {
	const first = banners.get("trouble") || banners.get("note") || banners.get("address") || banners.get("empty");
	byId("banner").hidden = !first;
	byId("banner").classList.toggle("bad", banners.has("trouble"));
	if (first) fill(byId("banner"), ...first);
}

function showLive(on, text) {
	const past = on && view.now; // it does not change
	byId("live").className = past ? "" : on ? "on" : "off";
	byId("live-text").textContent = past ? "not live" : text;
}

function showFresh() {
	document.body.classList.remove("stale");
	hideBanner("trouble");
	showLive(!staleSince(), staleSince() ? "stale since " + at(staleSince()) : "live");
}

function showTrouble(e) {
	if (e.status === 401) return askToken(e.message);
	if (e.status === 400) return banner("trouble", "This view cannot be shown: " + e.message + ".", el("button", { type: "button", class: "plain", onclick: () => { hideBanner("trouble"); go({ ...blank }); } }, "Start over"));
	if (e.status === 429) return refreshSoon();
	document.body.classList.add("stale");
	showLive(false, "stale");
	banner("trouble", "Stale since " + (goodAt ? clock(goodAt.toISOString()) + " " + zoneWord(goodAt) : "the start") + ": " + e.message + ". The page updates by itself when figures can be read again.");
	pending = pending || setTimeout(refresh, REFRESH_MS);
}

function askToken(why) {
	const dialog = byId("token-dialog");
	if (dialog.open) return;
	byId("token-why").textContent = why.includes("not known") ? "This token is not known here." : "This server asks for a token.";
	showLive(false, "locked");
	dialog.showModal();
}

function onEvent(event, data) {
	if (event === "open") return goodAt ? showFresh() : showLive(true, "live");
	if (event === "away") return showTrouble(new ApiError(503, data.error));
	if (event === "closed") return data.status === 401 ? null : showLive(false, "reconnecting");
	if (event !== "summary") return;
	if (!view.now && !view.filters.length) {
		summary = data;
		now = data.now;
		paintTiles();
	}
	if (!document.hidden) refreshSoon();
}

// ---- start

function showZone() {
	byId("asof").title = "Times are " + (isLocal() ? "of " + localZone() + ": show UTC" : "UTC: show those of " + localZone());
	byId("zone-note").textContent = isLocal() ? "Times are of " + localZone() + "; days and months are UTC, as on the bill." : "All times are UTC.";
}

function switchZone() {
	setLocal(!isLocal());
	showZone();
	slowAt = 0; // those panels too
	paintControls();
	paintTiles();
	paintChart();
	refresh();
}

function setTheme(dark) {
	document.documentElement.classList.toggle("dark", dark);
	paintChart();
	paintTwoMonths();
}

const darkByDefault = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (localStorage.getItem("nowcast-theme") || (darkByDefault.matches ? "dark" : "light")) === "dark";

function start() {
	setTheme(isDark());
	darkByDefault.addEventListener("change", () => setTheme(isDark()));
	byId("theme").addEventListener("click", () => {
		localStorage.setItem("nowcast-theme", isDark() ? "light" : "dark");
		setTheme(isDark());
	});
	byId("asof").addEventListener("click", switchZone);
	showZone();
	noteBad();
	byId("home").addEventListener("click", e => { e.preventDefault(); go({ ...blank }); });
	byId("to-wall").addEventListener("click", () => go({ wall: "20" }));
	byId("ask-why").addEventListener("click", () => go({ compare: "before" }));
	byId("search-form").addEventListener("submit", e => { e.preventDefault(); findKey(byId("search").value.trim()); });
	let typing = 0;
	byId("search").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => go({ search: byId("search").value }, true), 200); });
	byId("chart-data").addEventListener("toggle", paintChart);
	byId("token-form").addEventListener("submit", () => { setToken(byId("token").value); byId("token").value = ""; refresh(); listen(onEvent); });
	addEventListener("popstate", () => go(readView(), true));
	addEventListener("keydown", e => {
		if (e.target.closest("input, dialog") || e.ctrlKey || e.metaKey || e.altKey) return;
		if (e.key === "/") { e.preventDefault(); byId("search").focus(); }
		if (e.key === "Escape" && view.filters.length) go({ filters: view.filters.slice(0, -1) });
	});
	document.addEventListener("visibilitychange", () => { if (!document.hidden) refreshSoon(); });
	setInterval(() => { if (!document.hidden) refreshSoon(); }, SLOW_MS); // forecasts and ages change without an event
	paintControls();
	refresh();
	listen(onEvent);
}

start();
