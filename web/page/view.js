// SPDX-License-Identifier: Apache-2.0
// The view: a span, a grouping, filters, a search. It is the query of the URL and nothing else, so a link shows what its sender saw
// and the back button shows the previous view.

import { sortOf } from "./columns.js";
import { hasKey } from "./parts.js";

export const spans = { "1h": 1, "6h": 6, "24h": 24, today: 0, "7d": 168, "30d": 720, month: 0 };
export const spanTitles = { "1h": "This hour", "6h": "Last 6 hours", "24h": "Last 24 hours", today: "Today", "7d": "Last 7 days", "30d": "Last 30 days", month: "This month" };
export const groupings = ["team", "user", "role", "principal", "family", "model", "token_type", "account", "region", "tier"];
const filterKeys = [...groupings, "hour"];
export const blank = { span: "24h", by: "team", mode: "basis", search: "", cols: "", sort: "", now: "", from: "", to: "", hour: "", compare: "", wall: "", filters: [] };

export function readView() {
	const words = new URLSearchParams(location.search), view = { ...blank, filters: [] };
	for (const [key, value] of words) {
		if (key === "span" && value in spans) view.span = value;
		else if (["by", "search", "cols", "now", "from", "to"].includes(key)) view[key] = value;
		else if (key === "compare" && /^(before|week|\S+Z\/\S+Z)$/.test(value)) view.compare = value;
		else if (key === "wall") view.wall = String(Number(value) || 20);
		else if (key === "explain") view.hour = value;
		else if (key === "sort") view.sort = sortOf(value);
		else if (key === "mode" && value === "group") view.mode = value;
		else if (filterKeys.includes(key) || hasKey(key)) view.filters.push([key, value]);
	}
	if (!view.from || !view.to || !(Date.parse(view.to) > Date.parse(view.from))) view.from = view.to = ""; // a span has two ends
	for (const key of ["now", "hour"]) if (!Date.parse(view[key])) view[key] = "";
	return view;
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

// The view of one group: filtered by it, and by the next finer grouping that has no filter yet.
export function inside(view, key, value) {
	const filters = [...view.filters.filter(([k]) => k !== key), [key, value]];
	const order = ["account", "region", "team", "role", "principal", "family", "model", "token_type"], at = order.indexOf(key);
	const taken = new Set(filters.map(([k]) => k));
	const next = [...order.slice(Math.max(at + 1, 2)), ...order.slice(2)].find(k => !taken.has(k) && !(k === "family" && taken.has("model"))) || "model";
	return { filters, by: key === view.by ? next : view.by };
}

export function hoursOf(view, now) {
	if (view.from) return Math.ceil((Date.parse(view.to) - Date.parse(view.from)) / 36e5);
	const d = new Date(now);
	if (view.span === "today") return d.getUTCHours() + 1;
	if (view.span === "month") return (d.getUTCDate() - 1) * 24 + d.getUTCHours() + 1;
	return spans[view.span];
}
