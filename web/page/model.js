// SPDX-License-Identifier: Apache-2.0
// The panel of one model, loaded when a view has one: by which profiles and in which Regions it is called, by name, and what its
// tokens cost by type.
import { get } from "./api.js";
import { byId, count, el, fill, labelOf, nameOf, typeName, usd } from "./parts.js";

const WAYS = 12; // shown before a click
let waysOpen = false;

const perMillion = g => (g.usd === null || g.tokens_unpriced || g.units || !g.tokens ? "–" : usd(1e6 * Number(g.usd) / g.tokens));
const head = names => el("thead", {}, el("tr", {}, ...names.map(([h, kind]) => el("th", { scope: "col", class: kind }, h))));

// "eu profile", "on demand", "billing-bot": the name of its owner, where it has one.
function wayOf(m) {
	if (m.profile === "application") return { main: m.name || nameOf("model", m.keys.model).main, more: "application profile" + (m.name ? " · " + nameOf("model", m.keys.model).main : "") };
	return { main: m.profile ? m.profile + " profile" : "on demand", more: m.keys.model };
}

function paintWays(a, drill) {
	const list = waysOpen ? a.models : a.models.slice(0, WAYS), more = a.all - list.length;
	const row = m => {
		const way = wayOf(m);
		return el("tr", { title: m.keys.model }, el("th", { scope: "row" }, el("button", { type: "button", class: "name", onclick: () => drill("model", m.keys.model) }, way.main), el("span", { class: "more" }, way.more)),
			el("td", {}, m.keys.region), el("td", { class: "num" }, count(m.calls)), el("td", { class: "num" }, count(m.tokens)), el("td", { class: "num" }, perMillion(m)), el("td", { class: "num" }, usd(m.usd)));
	};
	fill(byId("model-ways"), el("h3", {}, "How it is called"), !list.length ? el("p", { class: "quiet" }, "Not at all in this span.") : el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "How it is called" },
		el("table", { class: "scores" }, head([["Profile", ""], ["Region", ""], ["Calls", "num"], ["Tokens", "num"], ["$ / M", "num"], ["Spend", "num"]]), el("tbody", {}, ...list.map(row)))),
	more > 0 ? el("p", { class: "foot" }, el("span", {}, count(more) + " more"), el("button", { type: "button", class: "plain", onclick: () => { waysOpen = true; paintWays(a, drill); } }, "show them")) : null);
}

function paintTypes(b) {
	const row = g => el("tr", {}, el("th", { scope: "row" }, typeName(g.keys.token_type)), el("td", { class: "num" }, count(g.tokens)), el("td", { class: "num" }, perMillion(g)), el("td", { class: "num" }, usd(g.usd)));
	fill(byId("model-types"), el("h3", {}, "What its tokens cost"), el("table", { class: "scores" }, head([["Type", ""], ["Tokens", "num"], ["$ / M", "num"], ["Spend", "num"]]), el("tbody", {}, ...b.groups.map(row))));
}

// view: its filters name a model or a family; question: the words of its questions.
export async function showModel({ signal, view, question, go, drill }) {
	const [a, b] = await Promise.all([get("models", question(["limit", 100]), signal), get("breakdown", question(["by", "token_type"], ["limit", 20]), signal)]);
	if (signal.aborted) return;
	const families = [...new Set(a.models.map(m => m.keys.family))], [key, value] = view.filters.find(([k]) => k === "family") || view.filters.find(([k]) => k === "model");
	const name = labelOf(key, value), whole = key === "model" && families.length === 1 && families[0] !== value ? families[0] : "";
	fill(byId("model-h"), name.main, el("span", { class: "more" }, name.more), whole ? el("button", { type: "button", class: "plain", onclick: () => go({ filters: [...view.filters.filter(([k]) => k !== "model"), ["family", whole]] }) }, "All of " + labelOf("family", whole).main) : null);
	paintWays(a, drill);
	paintTypes(b);
}
