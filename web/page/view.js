// SPDX-License-Identifier: Apache-2.0
// The view: a span, a grouping, filters, a search. It is the query of the URL and nothing else, so a link shows what its sender saw
// and the back button shows the previous view.

import { knownColumns, sortOf } from "./columns.js";
import { hasKey } from "./parts.js";

const HOUR = 36e5, HOURS_MAX = 9600, FILTERS_MAX = 7; // that the API takes, a grouping beside them
const isoOf = ms => new Date(ms).toISOString().slice(0, 19) + "Z";

// A time of an address in whole steps, of a negative step the end; "": it is none.
function timeOf(text, step = 1) {
	const ms = Date.parse(text);
	return ms >= 0 && ms < 4e12 ? isoOf(Math.floor(ms / step) * step) : "";
}

export const spans = { "1h": 1, "6h": 6, "24h": 24, today: 0, "7d": 168, week: 0, "30d": 720, month: 0 };
export const spanTitles = { "1h": "This hour", "6h": "Last 6 hours", "24h": "Last 24 hours", today: "Today", "7d": "Last 7 days", week: "This week", "30d": "Last 30 days", month: "This month" };
export const groupings = ["team", "user", "role", "principal", "family", "model", "token_type", "account", "region", "tier"];
const filterKeys = [...groupings, "hour"];
export const blank = { span: "24h", by: "team", mode: "basis", search: "", cols: "", sort: "", now: "", from: "", to: "", hour: "", compare: "", wall: "", filters: [] };

// How each word is read; "": it says nothing that there is.
const readers = {
	span: v => (Object.hasOwn(spans, v) ? v : ""),
	by: v => (groupings.includes(v) || v === "hour" || hasKey(v) ? v : ""),
	mode: v => (v === "group" || v === "basis" ? v : ""),
	search: v => v, cols: v => knownColumns(v).join(), sort: sortOf,
	now: v => timeOf(v), from: v => timeOf(v, HOUR), to: v => timeOf(v, -HOUR), explain: v => timeOf(v, HOUR),
	wall: v => (v >= 1 && v <= 3600 ? String(Number(v)) : ""),
	compare: v => {
		const [a, b, more] = v.split("/").map(t => timeOf(t, HOUR));
		return v === "before" || v === "week" ? v : a && b && a < b && more === undefined && Date.parse(b) - Date.parse(a) <= HOURS_MAX * HOUR ? a + "/" + b : "";
	},
};

// What an address has that cannot be shown is left out, and `bad` of the view names it.
export function readView() {
	const view = { ...blank, filters: [], bad: [] };
	for (const [key, value] of new URLSearchParams(location.search)) {
		const known = Object.hasOwn(readers, key), text = known && readers[key](value), wanted = key === "hour" ? timeOf(value, HOUR) : value;
		if (known && (text || !value)) view[key === "explain" ? "hour" : key] = text || view[key];
		else if (!known && (filterKeys.includes(key) || hasKey(key)) && (wanted || !value) && view.filters.length < FILTERS_MAX) view.filters.push([key, wanted]);
		else view.bad.push(key + "=" + value);
	}
	const length = Date.parse(view.to) - Date.parse(view.from); // a span has two ends
	if (!(length > 0 && length <= HOURS_MAX * HOUR)) {
		if (view.from || view.to) view.bad.push("from=" + view.from + ", to=" + view.to);
		view.from = view.to = "";
	}
	return view;
}

// A week begins on Monday.
const dayOfWeek = d => (d.getUTCDay() + 6) % 7;

// Of today, this week and this month, the words that ask for its hours that are over and the same part of the one before; of this hour, for it
// and the whole one before. null: of another span, or there are none yet.
export function partBefore(view, now) {
	if (view.from || !["1h", "today", "week", "month"].includes(view.span)) return null;
	const over = Math.floor(Date.parse(now) / HOUR) * HOUR, d = new Date(over), y = d.getUTCFullYear(), m = d.getUTCMonth();
	if (view.span === "1h") return [["from", over], ["to", over + HOUR], ["before_from", over - HOUR], ["before_to", over]].map(([k, ms]) => [k, isoOf(ms)]);
	const length = view.span === "week" ? 7 : 1, first = d.getUTCDate() - (length > 1 ? dayOfWeek(d) : 0);
	const [from, before] = view.span === "month" ? [Date.UTC(y, m, 1), Date.UTC(y, m - 1, 1)] : [Date.UTC(y, m, first), Date.UTC(y, m, first - length)];
	return over > from ? [["from", isoOf(from)], ["to", isoOf(over)], ["before_from", isoOf(before)], ["before_to", isoOf(Math.min(before + over - from, from))]] : null;
}

export function urlOf(view) {
	const words = new URLSearchParams();
	if (view.span !== "24h") words.append("span", view.span);
	if (view.by !== "team") words.append("by", view.by);
	if (view.mode !== "basis") words.append("mode", view.mode);
	if (view.search) words.append("search", view.search);
	for (const key of ["cols", "sort"]) if (view[key]) words.append(key, view[key]);
	for (const key of ["now", "from", "to"]) if (view[key]) words.append(key, view[key]);
	if (view.wall) words.append("wall", view.wall);
	if (view.compare) words.append("compare", view.compare);
	if (view.hour) words.append("explain", view.hour);
	for (const f of view.filters) words.append(...f);
	const text = words.toString();
	return text ? "/?" + text : "/";
}

// The view of one group: filtered by it, and by the next finer grouping that has no filter yet. Of a model who uses it comes next: its panel
// has its profiles and token types.
export function inside(view, key, value) {
	const filters = [...view.filters.filter(([k]) => k !== key), [key, value]];
	const order = ["account", "region", "team", "role", "principal", "family", "model", "token_type"], at = key === "family" || key === "model" ? 3 : order.indexOf(key);
	const taken = new Set(filters.map(([k]) => k));
	const next = [...order.slice(Math.max(at + 1, 2)), ...order.slice(2)].find(k => !taken.has(k) && !(k === "family" && taken.has("model"))) || "model";
	return { filters, by: key === view.by ? next : view.by };
}

export function hoursOf(view, now) {
	if (view.from) return Math.ceil((Date.parse(view.to) - Date.parse(view.from)) / 36e5);
	const d = new Date(now);
	if (view.span === "today") return d.getUTCHours() + 1;
	if (view.span === "week") return dayOfWeek(d) * 24 + d.getUTCHours() + 1;
	if (view.span === "month") return (d.getUTCDate() - 1) * 24 + d.getUTCHours() + 1;
	return spans[view.span];
}
