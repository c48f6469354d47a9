// SPDX-License-Identifier: Apache-2.0
// The panel of one principal, loaded when a view has one: what is known of it, and why the figure of an hour is what it is.
import { get } from "./api.js";
import { at, basisText, byId, count, el, fill, labelOf, some, typeName, usd } from "./parts.js";

const HOURS = 24; // to choose from, the most expensive ones
const KEYS = 5;

const facts = rows => el("table", { class: "scores facts" }, el("tbody", {}, ...rows.filter(Boolean).map(([head, ...cells]) => el("tr", {}, el("th", { scope: "row" }, head), el("td", { class: "wide" }, ...cells)))));

const sources = { call: "its calls", session: "its session", role: "its role", user: "the user", account: "the account", map: "the mapping file" };

function tagsOf(p) {
	if (!p.tags.length) return el("p", { class: "quiet" }, "No tags are known.");
	const head = el("tr", {}, ...["Tag", "Value", "Of", "Set"].map(h => el("th", { scope: "col" }, h)));
	const row = t => el("tr", { class: t.overridden || t.until && t.of !== "session" && t.of !== "call" && t.of !== "map" ? "quiet" : "" },
		el("td", {}, t.key), el("td", {}, t.value), el("td", {}, sources[t.of] + (t.overridden ? ", overridden" : "")),
		el("td", {}, ["role", "user", "account"].includes(t.of) ? "since " + at(t.since) + (t.until ? " until " + at(t.until) : "") : t.event ? "" : "seen with its calls", t.event ? el("span", { class: "more" }, t.event) : null));
	return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Tags" }, el("table", { class: "tags" }, el("thead", {}, head), el("tbody", {}, ...p.tags.map(row))));
}

// Those used last; when is known to six hours.
function keysOf(p) {
	const part = k => [el("code", {}, k.id), " used between " + at(k.used_from) + " and " + at(k.used_to) + (k.since ? ", session of " + at(k.since) : "")];
	const shown = p.access_keys.slice(0, KEYS), left = p.access_keys.length - shown.length;
	return shown.length && ["Access keys", ...shown.map(k => el("div", {}, ...part(k))), left ? el("span", { class: "more" }, "and " + left + (p.access_keys_more ? " or more" : "") + ", see nowcast who") : null];
}

function paintFacts(p, drill) {
	const name = labelOf("principal", p.principal), role = (p.role || "").split("/").pop();
	const models = [...new Set(p.models.map(m => labelOf("model", m.keys.model).main))], regions = [...new Set(p.models.map(m => m.keys.region))];
	const early = p.first === p.searched_from ? ", where the search begins" : "";
	fill(byId("principal-h"), name.main, el("span", { class: "more" }, name.more));
	fill(byId("principal-facts"), p.known ? null : el("p", { class: "warn" }, "Nothing is known of it since " + at(p.searched_from) + ", within the filters."),
		facts([["Name", el("code", {}, p.principal)],
			role && ["Role", el("button", { type: "button", class: "name", title: p.role, onclick: () => drill("role", role) }, role)],
			p.account && ["Account", p.account],
			keysOf(p),
			p.first && ["Seen", "first " + at(p.first) + early + ", last " + at(p.last) + ", on " + count(p.days) + (p.days === 1 ? " day" : " days")],
			["Spend", usd(p.total.usd) + (Number(p.total.usd_high) > Number(p.total.usd_low) ? ", between " + usd(p.total.usd_low) + " and " + usd(p.total.usd_high) : "") + "; " + basisText(p.total)],
			models.length && ["Models", models.join(", ") + " in " + regions.join(", ")]]), tagsOf(p));
}

// ---- why

function howKnown(r) {
	const parts = [["billed", r.billed], ["known exactly", r.exact - r.telemetry], ["telemetry", r.telemetry], ["estimated", r.allocated, r.spread], ["provisional", r.provisional]];
	return parts.filter(([, n]) => n).map(([words, n, spread]) => words + (n === r.tokens ? "" : " " + count(n)) + (spread ? " ± " + count(spread) : "")).join(", ");
}

function remarks(rows) {
	const some = key => rows.some(r => r[key]);
	return [some("rate_of_other_region") && "the Region has no rate: that of the nearest one is used", some("scope_unknown") && "at the regional rate, though the global one may apply",
		some("prompt_length_estimated") && "the rate depends on the length of prompts, of which the mean is estimated", some("ttl_estimated") && "the TTL of cache writes is estimated"].filter(Boolean);
}

function rowsOf(m) {
	const head = el("tr", {}, ...["Type", "Tokens", "$ / M", "Spend"].map((h, i) => el("th", { scope: "col", class: i ? "num" : "" }, h)));
	const row = r => el("tr", {}, el("th", { scope: "row" }, typeName(r.token_type) + (r.tier && r.tier !== "standard" ? " · " + r.tier : "") + (r.prompt_from > 0 ? " · prompts of at least " + count(r.prompt_from) : ""), el("span", { class: "more" }, howKnown(r))), el("td", { class: "num" }, count(r.tokens)),
		el("td", { class: "num" }, r.usd === null || !r.tokens ? "" : usd(1e6 * Number(r.usd) / r.tokens)), el("td", { class: "num" }, usd(r.usd)));
	return el("table", { class: "scores" }, el("thead", {}, head), el("tbody", {}, ...m.rows.map(row)));
}

function weightsOf(e, m) {
	const parts = new Map(), own = e.weights.filter(w => w.model === m.model && w.region === m.region && w.account === m.account);
	const tagsOf = w => Object.entries(w.tags).map(([k, v]) => k + "=" + v).join(", "), several = new Set(own.map(tagsOf)).size > 1;
	for (const w of own) {
		const words = (several ? "with " + (tagsOf(w) || "no tags") + " " : "") + "|" + w.learned_from;
		parts.set(words, [...(parts.get(words) || []), count(Math.round(w.a_call)) + " ± " + Math.round(100 * w.sd_part) + "% " + w.tokens.replace("_", " ")]);
	}
	return parts.size ? "A call " + [...parts].map(([words, list]) => words.replace(/\|.*/, "") + "was assumed to use " + list.join(", ") + " tokens, learned from " + words.split("|").pop()).join("; ") + "." : "";
}

function paintWhy(e) {
	fill(byId("why-hour"), ...e.models.map(m => {
		const name = labelOf("model", m.model), notes = remarks(m.rows), unbilled = m.unbilled.reduce((sum, r) => sum + r.tokens, 0);
		return el("div", { class: "why" }, el("h3", { title: m.model }, name.main + (m.foundation ? ", which is " + labelOf("model", m.foundation).main : "") + " in " + m.region + ": " + some(m.calls, "call") + (m.failed ? ", " + count(m.failed) + " refused" : "") + (m.billed ? ", as billed" : "")),
			rowsOf(m), el("p", { class: "quiet" }, [weightsOf(e, m), ...notes.map(n => n[0].toUpperCase() + n.slice(1) + "."), unbilled ? some(unbilled, "token") + " not on the bill, and in no sum." : ""].filter(Boolean).join(" ")));
	}), e.models.length ? null : el("p", { class: "quiet" }, "No figures in this hour."));
}

// The most expensive hours of the span to choose from; the first, or the view's own, is explained.
function paintHours(hours, chosen, go) {
	const list = hours.map(h => [h.keys.hour, usd(h.usd)]);
	if (chosen && !list.some(([h]) => h === chosen)) list.unshift([chosen, ""]);
	const options = list.map(([h, words]) => el("option", { value: h, selected: h === chosen }, at(h) + (words ? "  " + words : "")));
	fill(byId("why-of"), ...(list.length ? [el("label", {}, "Why the hour of ", el("select", { id: "why-choice", onchange: e => go({ hour: e.target.value }) }, ...options))] : [el("span", { class: "quiet" }, "No hour of this span has figures.")]));
}

// view: {hour}; question: the words of the view's questions; pinned: those of its time.
export async function showPrincipal({ signal, view, question, pinned, go, drill }) {
	const held = document.activeElement?.id === "why-choice";
	const [p, b] = await Promise.all([get("principal", question(), signal), get("breakdown", question(["by", "hour"], ["limit", HOURS]), signal)]);
	const hour = view.hour || b.groups[0]?.keys.hour;
	const e = hour && await get("explain", [["hour", hour], ...pinned(), ...view.filters.filter(([k]) => k !== "hour")], signal);
	if (signal.aborted) return;
	paintFacts(p, drill);
	paintHours(b.groups, hour, go);
	if (held) byId("why-choice")?.focus();
	if (e) paintWhy(e);
	else byId("why-hour").replaceChildren();
}

// Whose an access key is.
export const principalOf = (key, more) => get("principal", [["access_key", key], ...more]).then(p => p.principal);
