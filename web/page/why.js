// SPDX-License-Identifier: Apache-2.0
// Why did it change: the panel of two spans, loaded when a view compares with another one. `compare` of the view is "before" (the
// same length before), "week" (a week earlier), or FROM/TO.
import { get } from "./api.js";
import { isUnfinished, listOf, moverItem } from "./panels.js";
import { partBefore } from "./view.js";
import { at, byId, change, clock, count, dateOf, dayStart, el, fill, keyName, some, usd } from "./parts.js";

const HOUR = 36e5;
const iso = ms => new Date(ms).toISOString().slice(0, 19) + "Z";
const words = { calls: ["Fewer calls", "More calls"], tokens: ["Fewer tokens a call", "More tokens a call"], rate: ["Lower rates", "Higher rates"],
	added: ["New models, Regions or token types", "New models, Regions or token types"], gone: ["No longer used", "No longer used"] };

// The words of the question: whole hours that are over, and those they are compared with.
function questionOf({ view, hours, now, question: more, comparison }) {
	if (view.compare === "before") return comparison(["limit", 6]);
	const over = Math.floor(Date.parse(now) / HOUR) * HOUR, part = view.from ? [["from", view.from], ["to", view.to]] : partBefore(view, now);
	const [from, to] = part ? [part[0][1], part[1][1]].map(Date.parse) : [over - hours * HOUR, over];
	const [a, b] = view.compare === "week" ? [from, to].map(ms => iso(ms - 168 * HOUR)) : view.compare.split("/");
	return [["from", iso(from)], ["to", iso(to)], ["before_from", a], ["before_to", b], ["limit", 6], ...more().filter(([k]) => !["from", "to", "hours"].includes(k))];
}

function askDates(go, view) {
	const input = (label, value) => el("input", { type: "date", required: true, "aria-label": label, value });
	const [a, b] = view.compare.includes("/") ? view.compare.split("/") : ["", ""], from = input("First day to compare with", a && dateOf(a)), to = input("Last day to compare with", b && dateOf(iso(Date.parse(b) - 1)));
	byId("why-form").append(el("form", { class: "dates", onsubmit: e => {
		e.preventDefault();
		const [first, last] = [from.value, to.value].sort();
		go({ compare: dayStart(first) + "/" + dayStart(last, 1) });
	} }, from, " to ", to, el("button", { class: "plain" }, "compare")));
	from.focus();
}

function paintForm(view, go) {
	const choice = (label, compare) => el("button", { type: "button", "aria-pressed": String(view.compare === compare), onclick: () => go({ compare }) }, label);
	fill(byId("why-form"), el("div", { class: "segments", role: "group", "aria-label": "Compared with" }, choice("the same length before", "before"), choice("a week earlier", "week"),
		el("button", { type: "button", "aria-pressed": String(view.compare.includes("/")), onclick: () => askDates(go, view) }, "dates …")), el("button", { type: "button", class: "plain", onclick: () => go({ compare: "" }) }, "close"));
}

const spanWords = s => at(s.from) + " to " + at(s.to);

// What the reader must know before the parts can be trusted.
function cautions(a, now) {
	const hours = s => Math.round((Date.parse(s.to) - Date.parse(s.from)) / HOUR), all = hours(a), seen = v => v !== null && v < 0.98;
	return [isUnfinished(a, now) && "The hour of " + clock(a.from) + " is not over: what it came to so far is compared with a whole hour.",
		a.paired && a.hours < all && "Only " + count(a.hours) + " of " + count(all) + " hours are compared: the others were not observed of both.",
		!a.paired && all !== hours(a.before) && "The spans differ in length, " + count(all) + " h and " + count(hours(a.before)) + " h: all hours count.",
		!a.paired && (seen(a.observed) || seen(a.observed_before)) && "They were not observed whole: " + Math.round(100 * a.observed) + "% and " + Math.round(100 * a.observed_before) + "%.",
		(a.now.tokens_unpriced || a.then.tokens_unpriced) && count(a.now.tokens_unpriced) + " tokens, before " + count(a.then.tokens_unpriced) + ", have no price and are in no part."].filter(Boolean);
}

// Of a token type calls are not known, so neither are tokens a call.
function partsOf(parts, byTokens) {
	const list = Object.entries(parts).map(([k, v]) => [k, Number(v)]), most = Math.max(...list.map(([, v]) => Math.abs(v)), 1e-12);
	return listOf(list.filter(([, v]) => Math.abs(v) >= 5e-7).map(([k, v]) => {
		const bar = el("span", { class: "part " + (v > 0 ? "more-spend" : "less-spend") }), e = el("div", { class: "bar", "aria-hidden": "true" }, bar);
		bar.style.width = 100 * Math.abs(v) / most + "%";
		return el("li", {}, el("span", {}, words[k][v > 0 ? 1 : 0].replace(byTokens ? " a call" : "", "")), el("b", { class: "num " + (v > 0 ? "up" : "down") }, (v > 0 ? "+" : "−") + usd(Math.abs(v))), e);
	}), "Nothing changed.");
}

function paintParts(a, now) {
	const then = Number(a.then.usd), delta = Number(a.change);
	const sum = f => usd(f.usd) + (f.calls === null ? "" : " in " + some(f.calls, "call")) + (f.calls && f.usd !== null ? ", " + usd(Number(f.usd) / f.calls) + " a call" : "");
	fill(byId("why-parts"), el("p", {}, el("b", { class: "big " + (delta > 0 ? "up" : "down") }, (delta > 0 ? "+" : "−") + usd(Math.abs(delta))), " " + [change(Number(a.now.usd), then), a.sure || !delta ? "" : "within the error band"].filter(Boolean).join(", ")),
		el("p", { class: "quiet" }, sum(a.now) + ": " + spanWords(a)), el("p", { class: "quiet" }, sum(a.then) + ": " + spanWords(a.before)),
		...cautions(a, now).map(c => el("p", { class: "quiet warn" }, c)), partsOf(a.parts, a.now.calls === null));
}

function paintBy(a, drill) {
	fill(byId("why-by"), ...Object.entries(a.by).map(([key, { movers, others }]) => el("div", {}, el("h3", {}, "By " + keyName(key)), listOf(movers.map(x => moverItem(x, key, drill)), "Nothing changed."),
		Number(others) ? el("p", { class: "foot" }, "the others " + (Number(others) > 0 ? "+" : "−") + usd(Math.abs(Number(others)))) : null)));
}

// subject: {view: {compare}; hours: of its span; question, comparison: the words of the view's questions ...}.
export async function showWhy(subject) {
	const { signal, view, go, drill } = subject;
	if (byId("why").dataset.painted !== view.compare) paintForm(view, go); // else a form that is open stays
	byId("why").dataset.painted = view.compare;
	const a = await get("changes", questionOf(subject), signal);
	if (signal.aborted) return;
	paintParts(a, subject.now);
	paintBy(a, drill);
}
