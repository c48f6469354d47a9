// SPDX-License-Identifier: Apache-2.0
// The panels beside the chart and the list: each function gets an answer of the API and fills its panel. `view` says what a click
// does: {key: the grouping in view, drill(key, value)}.
import { drawMonths } from "./chart.js";
import { age, at, byId, clock, count, el, fill, labelOf, nameOf, percent, some, told, usd, utcDay } from "./parts.js";

export function listOf(items, none) {
	return items.length ? el("ul", { class: "list" }, ...items) : el("p", { class: "quiet" }, ...[none].flat());
}

const share = (v, digits) => (100 * v).toFixed(digits === undefined ? (v < 0.0995 ? 1 : 0) : digits) + "%";

// ---- budgets

const periodNames = { hour: "this hour", day: "today", week: "this week", month: "this month" };

// The rules that alert of a budget, and at which part of it.
function ruleWords(b) {
	return el("span", { class: "wrap" }, (b.rules.length > 1 ? "rules " : "rule ") + b.rules.map(r => r.name + " (" + r.kind + (r.levels.length ? " at " + r.levels.join(", ") + " %" : "") + ")").join(", "));
}

const budgetLegend = () => el("div", { class: "legend" }, ...[["spent", "spent"], ["ahead", "forecast"], ["level", "alerts here"], ["limit", "the budget"]].map(([mark, words]) => el("span", {}, el("i", { class: "mark " + mark }), words)));

// The spent part of the amount, the levels at which the rule alerts, and the forecast of the period's end.
function budgetBar(b) {
	const amount = Number(b.amount), most = Math.max(amount, Number(b.usd || 0), Math.min(Number(b.expected), 1.5 * amount)) || 1;
	const place = v => Math.min(100, 100 * v / most) + "%";
	const e = el("div", { class: "bar budget", "aria-hidden": "true" }), spent = el("span", { class: "part" + (b.used_ppm >= 1e6 ? " over" : "") });
	spent.style.width = place(Number(b.usd || 0));
	e.append(spent);
	const more = Math.min(Number(b.expected), most) - Number(b.usd || 0);
	if (more > 0) {
		const ahead = el("span", { class: "part ahead" });
		ahead.style.width = place(more);
		e.append(ahead);
	}
	for (const level of new Set([...b.rules.flatMap(r => r.levels), 100])) {
		const mark = el("i", { class: level === 100 ? "limit" : "" });
		mark.style.left = place(amount * level / 100);
		e.append(mark);
	}
	return e;
}

// The forecast is that of the tiles; where there are too many budgets for it, the rate of the last hours.
function budgetWords(b) {
	const by = b.foretold_by === "rate" ? "at the rate of the last " + (b.period === "hour" || b.period === "day" ? "hours" : "day") + " " : "forecast ";
	const end = by + usd(b.expected) + " for " + (b.period === "day" ? "today" : "the " + b.period);
	if (b.used_ppm >= 1e6) return el("span", { class: "wrap up" }, "over by " + usd(Number(b.usd) - Number(b.amount)) + "; " + end);
	return b.passes ? el("span", { class: "wrap up" }, "over from " + at(b.passes) + " on; " + end) : el("span", { class: "wrap" }, end);
}

const BUDGETS = 8; // shown before a click
let budgetsOpen = false;

export function paintBudgets(a, view) {
	const items = (budgetsOpen ? a.budgets : a.budgets.slice(0, BUDGETS)).map(b => {
		const [key, value] = Object.entries(b.keys)[0] || ["", ""], name = key ? labelOf(key, value).main : "Everything";
		return el("li", { title: b.rule + (value ? ": " + value : "") },
			key ? el("button", { type: "button", class: "name", onclick: () => view.drill(key, value) }, name) : el("span", { class: "name" }, name),
			el("span", { class: "num" }, el("b", {}, usd(b.usd)), " of " + usd(b.amount).replace(/\.00$/, "") + " " + periodNames[b.period] + ", " + share(b.used_ppm / 1e6, 0)),
			budgetBar(b), budgetWords(b), ruleWords(b));
	});
	const more = a.all - items.length;
	fill(byId("budgets"), a.rules_error ? el("p", { class: "up" }, a.rules_error) : null, ...a.warnings.map(w => el("p", { class: "warn" }, w)), items.length ? budgetLegend() : null,
		items.length || !a.rules_error ? listOf(items, told("No budgets yet: `nowcast budget set month --amount 5000` makes one.")) : null,
		a.budgets.length > items.length ? el("p", { class: "foot" }, el("span", {}, count(more) + " more, less used"), el("button", { type: "button", class: "plain", onclick: () => { budgetsOpen = true; paintBudgets(a, view); } }, "show them")) :
			more > 0 ? el("p", { class: "quiet" }, "and " + count(more) + " more, less used") : null);
}

// ---- this month and the last

// `days`: the series by day from the start of last month; `f`: the forecast. Both months as they add up.
export function paintMonths(days, f, now) {
	const month = now.slice(0, 7), adding = list => { let sum = 0; return list.map(v => (sum += Number(v))); };
	const part = own => days.times.map((t, i) => [t, days.total.usd[i]]).filter(([t]) => (t.slice(0, 7) === month) === own && t <= now).map(([, v]) => v);
	const observed = own => {
		const parts = days.times.map((t, i) => [t, days.observed[i]]).filter(([t, part]) => (t.slice(0, 7) === month) === own && t <= now && part !== null).map(([, part]) => part);
		return parts.reduce((sum, part) => sum + part, 0) / (parts.length || 1);
	};
	const seen = observed(false), current = adding(part(true)), before = seen ? adding(part(false)) : [], then = before[Math.min(current.length, before.length) - 1];
	fill(byId("months-legend"), ...[["line", "--exact", "this month"], ...(seen ? [["line", "--other", "last month"]] : []), ...(f ? [["dashed", "", "forecast"], ["band", "", "error band"]] : [])].map(([kind, colour, words]) => {
		const mark = el("i", { class: "mark " + kind });
		if (colour) mark.style.background = "var(" + colour + ")";
		return el("span", {}, mark, words);
	}));
	byId("months-words").textContent = usd(current[current.length - 1] || 0) + " by day " + current.length + (observed(true) < 0.98 ? " in what was observed of it" : "") + (before.some(v => v > 0) ?
		"; last month " + usd(before[before.length - 1]) + ", of which " + usd(then) + " by the end of that day" + (seen < 0.98 ? ", in what was observed of it" : "") : seen ? "; nothing last month" + (seen < 0.98 ? " in what was observed of it" : "") : "; last month was not observed") + (f ? "; forecast " + usd(f.month.usd) : "") + ".";
	const length = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).getUTCDate();
	drawMonths(byId("months"), { current, before, length, end: f ? [f.month.usd_low, f.month.usd, f.month.usd_high].map(Number) : null });
}

// ---- how good the estimates were

const horizons = [["5m", "5 minutes after"], ["1h", "an hour after"], ["24h", "a day after"], ["last", "when the bill came"]];

export function paintScores(s) {
	const rows = horizons.filter(([k]) => s.total[k]).map(([k, words]) => [words, s.total[k], k]);
	byId("scores").parentElement.hidden = !rows.length; // the panel of the bill says that there is none
	if (!rows.length) return;
	const number = v => (v === null ? "" : share(v));
	const cells = (first, x) => el("tr", {}, el("th", { scope: "row" }, first), el("td", { class: "num" }, number(x.wape)),
		el("td", { class: "num" }, x.bias === null ? "" : (x.bias > 0 ? "+" : x.bias < 0 ? "−" : "±") + share(Math.abs(x.bias))),
		el("td", { class: "num" }, number(x.coverage)));
	const head = el("tr", {}, ...["The estimate", "off by", "in total", "band held"].map((h, i) => el("th", { scope: "col", class: i ? "num" : "" }, h)));
	const [words, first] = rows[0], cause = first.causes[0];
	const days = s.days.map(d => [d.day, d.as_of[rows[0][2]]]).filter(([, x]) => x && x.wape !== null).slice(0, 7);
	fill(byId("scores"), el("table", { class: "scores" }, el("thead", {}, head), el("tbody", {}, ...rows.map(([w, x]) => cells(w, x)),
		days.length ? el("tr", { class: "days" }, el("th", { scope: "colgroup", colspan: 4 }, "Day by day, " + words)) : "", ...days.map(([d, x]) => cells(utcDay(d), x)))),
		el("p", { class: "quiet" }, "Off by: the mean error of a caller's hour. In total: the error of their sum, where too much and too little cancel out. Band held: the share of the bill inside the band. " +
			usd(first.billed) + " billed in " + some(first.hours, "hour") + "." +
			(cause ? " Main cause of the error " + words + ": " + cause.cause + "." : "")));
}

// ---- what moved, what caching does, what is not covered

export function moverItem(x, key, drill) {
	const label = labelOf(key, x.keys[key]), up = Number(x.change) > 0;
	return el("li", { title: x.keys[key] }, el("button", { type: "button", class: "name", onclick: () => drill(key, x.keys[key]) }, label.main),
		el("b", { class: "num " + (up ? "up" : "down") }, (up ? "▲ " : "▼ ") + usd(Math.abs(Number(x.change)))),
		el("span", { class: "wrap" }, x.new ? "new" : usd(x.usd_before) + " → " + usd(x.usd), x.sure ? "" : " · within the error band"));
}

// A span that is the present hour is compared before it is over.
export const isUnfinished = (span, now) => span.to > now;

export function paintMovers(m, view) {
	const key = view.key, all = Math.round((Date.parse(m.to) - Date.parse(m.from)) / 36e5);
	if (!m.hours) return fill(byId("movers"), el("p", { class: "quiet" }, "Nothing to compare: no hour was observed both of " + at(m.from) + " to " + at(m.to) + " and of the span before."));
	fill(byId("movers"), listOf(m.movers.map(x => moverItem(x, key, view.drill)), "Nothing changed."), el("p", { class: "quiet" }, at(m.from) + " to " + at(m.to) + ", compared with " + at(m.before.from) + " to " + at(m.before.to)),
		isUnfinished(m, view.now) ? el("p", { class: "quiet warn" }, "The hour of " + clock(m.from) + " is not over.") : null,
		m.hours < all ? el("p", { class: "quiet warn" }, "Only " + count(m.hours) + " of " + count(all) + " hours are compared: the others were not observed of both.") : null);
}

// What caching would save of the other input tokens: the share of them that comes again, and how often, only the reader knows.
const guess = { share: 80, reads: 16 };
let cacheable = null;

function tellWhatIf() {
	const c = cacheable, part = guess.share / 100, saved = part * (c.usd - c.usd_if_read) - part / guess.reads * (c.usd_if_written - c.usd);
	byId("would-save").textContent = usd(Math.abs(saved)) + (saved < 0 ? " more" : " less");
	byId("would-of").textContent = ", of the " + usd(c.usd) + " that " + some(c.tokens, "token") + " cost; by public rates";
}

function paintWhatIf(c) {
	cacheable = c;
	byId("what-if").hidden = !Number(c.usd);
	const number = (key, label, max) => el("input", { type: "number", min: 1, max, value: guess[key], "aria-label": label, oninput: e => {
		if (!e.target.value || !e.target.checkValidity()) return;
		guess[key] = Number(e.target.value);
		tellWhatIf();
	} });
	if (!byId("would-save")) byId("what-if").append("What would it save? If ", number("share", "Per cent of the other input tokens that would be read from a cache", 100), "% of the other input tokens came from a cache, each written once for ",
		number("reads", "Reads of each write", 1000), " reads: ", el("b", { id: "would-save", class: "num" }), el("span", { id: "would-of", class: "quiet" }));
	tellWhatIf(); // what is being typed stays
}

export function paintCache(c) {
	const t = c.total, known = t.saved !== null, saved = Number(t.saved), any = t.cache_read.tokens + t.cache_write_5m.tokens + t.cache_write_1h.tokens;
	paintWhatIf(t.cacheable);
	if (!any) return fill(byId("cache"), el("p", { class: "quiet" }, "No tokens went through a cache in this span."));
	const row = (name, f) => el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "num" }, count(f.tokens)), el("td", { class: "num" }, usd(f.usd)));
	const head = el("tr", {}, ...["", "tokens", "spend"].map((h, i) => (i ? el("th", { scope: "col", class: "num" }, h) : el("td", {}))));
	const wide = known && Number(t.saved_high) - Number(t.saved_low) >= 0.01, won = v => usd(Math.abs(v)) + (v < 0 ? " lost" : " saved");
	const models = c.models.filter(m => m.priced && Number(m.saved)).sort((x, y) => Math.abs(y.saved) - Math.abs(x.saved)).slice(0, 3);
	fill(byId("cache"), known ? el("p", {}, el("span", { class: "big " + (saved < 0 ? "up" : "down") }, usd(Math.abs(saved))), saved < 0 ? " lost: writes cost more than reads saved" : " saved") :
			el("p", {}, "What it saves is not known: there is no rate."),
		wide ? el("p", { class: "quiet" }, "between " + won(Number(t.saved_low)) + " and " + won(Number(t.saved_high)) + ": who used the cache, and for how long it is kept, is estimated") : null,
		el("p", { class: "quiet" }, (known ? usd(t.without_caching) + " without it" : "") + (t.hit_ppm === null ? "" : (known ? "; " : "") + share(t.hit_ppm / 1e6, 0) + " of prompt tokens came from the cache")),
		el("table", { class: "scores" }, el("thead", {}, head), el("tbody", {}, row("Reads", t.cache_read), row("Writes, 5 minutes", t.cache_write_5m), row("Writes, 1 hour", t.cache_write_1h))),
		models.length > 1 ? el("p", { class: "quiet" }, models.map(m => labelOf("model", m.model).main + " " + (Number(m.saved) < 0 ? "lost " : "saved ") + usd(Math.abs(Number(m.saved)))).join(", ")) : null);
}

export function paintGaps(g) {
	const rows = [...g.unpriced.map(u => el("li", {}, el("span", { class: "name" }, labelOf("model", u.model).main), el("span", { class: "num" }, some(u.tokens, "token")), el("span", { class: "wrap" }, "no price: " + u.why))),
		...g.unattributed.map(u => el("li", {}, el("span", { class: "name" }, labelOf("model", u.model).main), el("span", { class: "num" }, usd(u.usd)), el("span", { class: "wrap" }, "no caller yet: " + some(u.tokens, "token"))))];
	fill(byId("gaps"), listOf(rows, "Every token has a price and a caller."), el("p", { class: "quiet" }, ...told("A rate of your own: `nowcast price add MODEL --input 3 --output 15`, in dollars a million tokens.")));
}

// Groups of a breakdown `b` by `key`: a click opens one. view.list(): shows all of them in the list. `foot` follows the sum.
function paintGroups(where, b, key, view, none, foot) {
	const short = g => labelOf(key, g.keys[key]).main, all = b.groups.map(short), shared = new Set(all.filter((name, i) => all.indexOf(name) !== i));
	const open = g => el("button", { type: "button", class: "name", onclick: () => view.drill(key, g.keys[key]) }, shared.has(short(g)) ? g.keys[key] : short(g)); // a name that two have is whole
	fill(where, listOf(b.groups.map(g => el("li", { title: g.keys[key] }, open(g), el("span", { class: "num" }, usd(g.usd)))), none),
		b.all ? el("p", { class: "foot" }, el("span", {}, foot), el("button", { type: "button", class: "plain", onclick: view.list }, "list them")) : null);
}

// By principal, what has no team; `all`: dollars of the span.
export function paintTeamless(b, all, view) {
	const sum = Number(b.total.usd);
	paintGroups(byId("teamless"), b, "principal", view, "All spend has a team.", usd(sum) + (sum && all ? ", " + percent(sum, all) + " of the spend" : "") + ", by " + some(b.all, "caller"));
}

// By role: all sessions of one together. A click shows them.
export function paintRoles(b, view) {
	const rest = Number(b.other.usd);
	paintGroups(byId("roles"), b, "role", view, "Nothing in this span.", some(b.all, "role") + (rest ? ", the others " + usd(rest) : "") + ": a click shows the principals of one");
}

// ---- the bill, the signals, the doctor

export function paintBill(b) {
	if (!b.last_run) return fill(byId("bill"), el("p", { class: "quiet" }, ...told("No bill has been read yet: every figure is an estimate. `nowcast reconcile` reads one; each day's estimate is then compared with it.")));
	fill(byId("bill"), listOf(b.periods.slice(0, 2).map(p => {
		const until = Object.values(p.final_until).sort();
		return el("li", {}, el("span", {}, p.period), el("b", { class: "num" }, p.billed_by_tokens === null ? "" : usd(p.billed_by_tokens)),
			el("span", { class: "wrap" }, p.invoiced === "yes" ? "invoiced" : until.length ? "billed up to " + at(until[0]) + (until.length > 1 ? " in every account" : "") : "nothing is final yet",
				p.delivered ? "; delivered " + at(p.delivered) : "", p.principals === "no" ? "; without principals" : ""));
	}), "No billing period yet."), el("p", { class: "quiet" }, "read " + (b.last_run.finished ? at(b.last_run.finished) : "") + ", " + some(b.last_run.rows, "row")));
}

export function paintSignals(f) {
	fill(byId("signals"), listOf(f.signals.map(s => el("li", {}, el("span", {}, s.label), el("span", { class: "state " + s.state }, s.state),
		el("span", { class: "wrap" }, s.newest ? "newest of " + at(s.newest) + ", arrived " + age(s.arrived_age_s) + " ago" :
			s.state !== "missing" ? "no data" : s.name === "metric" ? "no data: tokens that calls do not report are estimated without it" : "no data: nothing can be attributed but calls with a log")))));
}

export function paintFindings(f) {
	const bad = f.findings.filter(x => x.level !== "ok"), age = f.findings.filter(x => x.level === "ok" && x.about === "price age");
	fill(byId("findings"), listOf((bad.length ? bad.concat(age) : bad).map(x => el("li", {}, el("span", {}, x.about), el("span", { class: "state " + x.level }, x.level), el("span", { class: "wrap" }, ...told(x.text)))), "All is well: " + f.findings.length + " checks." + age.map(x => " As to prices, " + x.text + ".").join("")));
}

const severities = ["critical", "warning", "info"], alertsShown = () => (document.body.classList.contains("wall") ? 2 : matchMedia("(max-width: 720px)").matches ? 3 : 6); // before a click
let alertsOpen = false;

// "arn:aws:sts::111122223333:assumed-role/app/i-1 spends $3": as short as in the lists.
const shortText = text => String(text || "").replace(/\barn:\S+/g, arn => nameOf("", arn).main);

// The most severe first, then the newest. `follow` shows the view that an alert links to.
export function paintAlerts(a, follow) {
	const rank = x => (severities.indexOf(x.severity) + 3) % 3, all = [...a.alerts].sort((x, y) => rank(x) - rank(y) || (y.since || 0) - (x.since || 0));
	const list = alertsOpen ? all : all.slice(0, alertsShown()), more = all.length - list.length;
	byId("alerts-panel").hidden = !all.length;
	byId("alerts-panel").classList.toggle("critical", all.some(x => x.severity === "critical"));
	fill(byId("alerts"), listOf(list.map(x => {
		const severity = String(x.severity || "warning"), text = shortText(x.text);
		return el("li", { title: String(x.group || "") }, el("span", { class: "state " + severity }, severity), el("span", { class: "name" }, String(x.rule || "alert")),
			el("span", { class: "wrap" }, typeof (x.view || x.link) === "string" ? el("button", { type: "button", class: "name", onclick: () => follow(x.view || x.link) }, text) : text,
				x.since ? el("span", { class: "quiet" }, " since " + at(new Date(x.since).toISOString())) : null, x.silenced ? el("span", { class: "quiet" }, ", silenced") : null,
				x.contributors ? el("span", { class: "quiet" }, "; most by " + shortText(x.contributors)) : null));
	})), more > 0 ? el("p", { class: "foot" }, el("span", {}, count(more) + " more"), el("button", { type: "button", class: "plain", onclick: () => { alertsOpen = true; paintAlerts(a, follow); } }, "show them")) : null);
}

// ---- rules in force, silences, what rang

const EVENTS = 6; // shown before a click
let eventsOpen = false;

function ruleText(r) {
	const of = r.only ? "only " + labelOf(r.by, r.only).main : r.by === "all" ? "everything" : "each " + r.by;
	return r.kind + " of " + of + (r.amount ? ", " + usd(r.amount).replace(/\.00$/, "") + " a " + r.period : "") + (r.levels.length ? " at " + r.levels.join(", ") + " %" : "") + (r.receivers ? ", to " + r.receivers : "");
}

export function paintAlerting(a) {
	const events = eventsOpen ? a.history : a.history.slice(0, EVENTS);
	fill(byId("alerting"),
		el("h3", {}, "Silences"), listOf(a.silences.map(s => el("li", {}, el("span", { class: "name" }, s.rule + (s.group && s.group !== "*" ? ", " + shortText(s.group) : "")),
			el("span", { class: "quiet" }, "until " + at(s.until) + " " + s.until.slice(0, 4)), s.why ? el("span", { class: "wrap" }, s.why) : null)), "None: every alert is delivered."),
		el("h3", {}, "What rang"), listOf(events.map(e => el("li", {}, el("span", { class: "name" }, String(e.rule || "alert")), el("span", { class: "state " + e.event }, String(e.event)),
			el("span", { class: "wrap" }, shortText(e.text) + (e.at ? ", " + at(new Date(e.at).toISOString()) : "") + (e.ended ? "; ended: " + shortText(e.ended) : "")))), "Nothing yet."),
		a.history.length > events.length ? el("p", { class: "foot" }, el("button", { type: "button", class: "plain", onclick: () => { eventsOpen = true; paintAlerting(a); } }, count(a.history.length - events.length) + " more")) : null,
		el("h3", {}, a.rules_built_in ? "Rules in force, the built-in ones" : "Rules in force"), a.rules_error ? el("p", { class: "up" }, a.rules_error) : null,
		listOf(a.rules.map(r => el("li", {}, el("span", { class: "name" }, r.name), r.severity ? el("span", { class: "quiet" }, r.severity) : null, el("span", { class: "wrap" }, ruleText(r)))), "None."),
		el("p", { class: "quiet" }, ...told(a.receivers.length ? "Receivers: " + a.receivers.join(", ") + "." : "No receivers: alerts are shown here and in `nowcast alert list` only. A section [receiver slack] of alerts.file, with kind and url, sends them; `nowcast alert test` tries it.")));
}
