// SPDX-License-Identifier: Apache-2.0
// The list as a file for a spreadsheet: every row, dollars with all their places. A name that a spreadsheet would take for a formula
// is marked as text.

const bases = ["billed", "exact", "telemetry", "allocated", "provisional"];

function cell(value) {
	const text = value === null || value === undefined ? "" : String(value), plain = /^[=+\-@\t\r\n]/.test(text) && !Number.isFinite(Number(text)) ? "'" + text : text;
	return /[",\r\n]/.test(plain) ? '"' + plain.replaceAll('"', '""') + '"' : plain;
}

// `b`: the answer of breakdown by `key`.
export function csvOf(key, b) {
	const head = [key, "usd", "usd_low", "usd_high", "calls", "tokens", "tokens_unpriced", ...bases.map(k => "usd_" + k), "tokens_unbilled", "usd_unbilled", "failed", "tokens_prompt", "tokens_cache_read"];
	const rows = b.groups.map(g => [g.keys[key], g.usd, g.usd_low, g.usd_high, g.calls, g.tokens, g.tokens_unpriced, ...bases.map(k => (g.basis || {})[k]), g.tokens_unbilled, g.usd_unbilled, g.failed, g.tokens_prompt, g.tokens_cache_read]);
	return [head, ...rows].map(r => r.map(cell).join(",") + "\r\n").join("");
}

// All usage of the hours from .. to as FOCUS, which the server answers a day at a time. ask: get of api.js; tell: how much there is,
// in per cent.
export async function focusOf(ask, from, to, pinned, tell) {
	const first = Date.parse(from), end = Date.parse(to), DAY = 864e5, iso = ms => new Date(ms).toISOString(), parts = [];
	for (let at = first; at < end; at += DAY) {
		const text = await ask("focus", [["from", iso(at)], ["to", iso(Math.min(at + DAY, end))], ...pinned]);
		parts.push(at === first ? text : text.slice(text.indexOf("\n") + 1));
		tell(Math.round(100 * (Math.min(at + DAY, end) - first) / (end - first)));
	}
	return parts.join("");
}

export function save(name, text) {
	const url = URL.createObjectURL(new Blob([text], { type: "text/csv" })), a = document.createElement("a");
	a.href = url;
	a.download = name;
	a.click();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
}
