// SPDX-License-Identifier: Apache-2.0
// The columns of the list: what each shows of a group, which are chosen, and by which the server sorts (web/breakdown_order.h). What
// cannot be known is a dash.
import { bar, basisText, count, el, percent, usd } from "./parts.js";

const ratio = (a, b) => (b > 0 ? a / b : null);
const dash = (v, show) => (v === null ? "–" : show(v));
const whole = g => (g.usd === null || g.tokens_unpriced ? null : Number(g.usd)); // dollars of all its tokens
const shareText = v => (v > 0 && v < 0.001 ? "<0.1%" : (100 * v).toFixed(v > 0 && v < 0.0995 ? 1 : 0) + "%");

// cell(g, list): the text or the children; list: {most, total: dollars}. `sort`: of the API.
const columns = {
	usd: { head: "Spend", class: "num c-usd", sort: "usd", cell: g => usd(g.usd) },
	band: { head: "Between", class: "num c-band quiet", cell: g => (g.usd !== null && Number(g.usd_high) > Number(g.usd_low) ? usd(g.usd_low) + " – " + usd(g.usd_high) : "") },
	share: { head: "Share", class: "c-bar", title: basisText, cell: (g, list) => [bar(g, list.most), el("span", { class: "more" }, g.usd === null ? "" : percent(Number(g.usd), list.total))] },
	calls: { head: "Calls", class: "num c-calls", sort: "calls", cell: g => count(g.calls) },
	tokens: { head: "Tokens", class: "num c-tokens", sort: "tokens", cell: g => count(g.tokens) },
	usd_per_call: { head: "$ a call", words: "dollars a call", class: "num c-unit", sort: "usd_per_call", cell: g => dash(whole(g) === null ? null : ratio(whole(g), g.calls), usd) },
	usd_per_token: { head: "$ / M tokens", words: "dollars a million tokens", class: "num c-unit", sort: "usd_per_token", cell: g => dash(whole(g) === null || g.units ? null : ratio(1e6 * whole(g), g.tokens), usd) },
	failed_share: { head: "Errors", words: "error rate: refused calls of all calls", class: "num c-unit", sort: "failed_share", cell: g => dash(ratio(g.failed, g.calls + g.failed), shareText) },
	cache_hit: { head: "Cache hits", words: "cache hit rate: prompt tokens that were read from a cache", class: "num c-unit", sort: "cache_hit", cell: g => dash(ratio(g.tokens_cache_read, g.tokens_prompt), shareText) },
};
const usual = ["usd", "band", "share", "calls", "tokens"];

// "usd,calls" of a URL; what is unknown is left out.
export const knownColumns = text => { const names = text.split(","); return Object.keys(columns).filter(c => names.includes(c)); };
const columnsOf = text => (text ? knownColumns(text) : usual);

export const sortOf = text => (text.replace("-", "") === "name" || Object.values(columns).some(c => c.sort === text.replace("-", "")) ? text : "");

// The heads. A click sorts, from the highest down first; a second one turns it round. view: {by, sort, cols}; go: changes the view.
export function headsOf(view, name, go) {
	const sort = view.sort || "-usd", down = sort.startsWith("-"), by = sort.replace("-", "");
	const head = (text, column, kind, words) => {
		const on = column === by, next = on ? (down ? column : "-" + column) : column === "name" ? column : "-" + column;
		const title = (words ? words + "; " : "") + "sort by it";
		return el("th", { class: kind, scope: "col", "aria-sort": on ? (down ? "descending" : "ascending") : column ? "none" : null },
			column ? el("button", { type: "button", class: "sort", title, onclick: () => go({ sort: next === "-usd" ? "" : next }) }, text) : text);
	};
	return el("tr", {}, head(name, "name", "c-name"), ...columnsOf(view.cols).map(c => head(columns[c].head, columns[c].sort, columns[c].class, columns[c].words)));
}

export const cellsOf = (view, g, list) => columnsOf(view.cols).map(c => el("td", { class: columns[c].class, title: columns[c].title?.(g) }, ...[].concat(columns[c].cell(g, list))));

// The choice of columns: a box each. Boxes that are there stay, with the focus.
export function paintChoice(host, view, go) {
	const choose = () => {
		const names = [...host.querySelectorAll("input")].filter(i => i.checked).map(i => i.value).join();
		go({ cols: names === usual.join() ? "" : names });
	};
	if (!host.children.length) host.append(...Object.entries(columns).map(([c, { head, words }]) =>
		el("label", {}, el("input", { type: "checkbox", value: c, onchange: choose }), words ? words[0].toUpperCase() + words.slice(1) : head)));
	for (const box of host.querySelectorAll("input")) box.checked = columnsOf(view.cols).includes(box.value);
}
