// SPDX-License-Identifier: Apache-2.0
// Small pieces: elements, numbers for people, short names. Text from data is set as textContent only, so a tag that holds HTML is
// shown as its characters.

// el("td", {class: "num", title: arn}, "text", child, ...)
export function el(tag, attributes, ...children) {
	const e = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes || {})) {
		if (value === undefined || value === null || value === false) continue;
		if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
		else e.setAttribute(name, value === true ? "" : value);
	}
	e.append(...children.filter(c => c !== null && c !== undefined));
	return e;
}

// "read with `nowcast replay`": commands as code.
export const told = text => text.split("`").map((t, i) => i % 2 ? el("code", {}, t) : t);

export const byId = id => document.getElementById(id);

const focusKey = e => e.textContent + "|" + (e.closest("tr, li")?.title || "");

// Replaces what is in `where`. The focus is kept: it moves to the new button with the same name, or to the first one that is not the head
// of a table.
export function fill(where, ...children) {
	const held = where.contains(document.activeElement) && document.activeElement !== where ? focusKey(document.activeElement) : null;
	where.replaceChildren(...children.filter(c => c !== null && c !== undefined));
	if (held === null) return;
	const buttons = [...where.querySelectorAll("button")];
	(buttons.find(b => focusKey(b) === held) || buttons.find(b => !b.closest("thead")) || buttons[0] || byId("breakdown")).focus({ preventScroll: true });
}

// ---- numbers

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const fine = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 2 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

// "$1,234", "$12.30", "$0.0041"; null is a figure without a price.
export function usd(value) {
	if (value === null || value === undefined) return "no price";
	const v = Number(value), size = Math.abs(v), sign = v < 0 ? "−" : "";
	if (size === 0) return "$0";
	return sign + "$" + (size >= 1000 ? whole : size >= 0.1 ? cents : fine).format(size);
}

// null is a number that is not known, as that of calls of a token type.
export const count = n => (n === null ? "–" : Math.abs(n) >= 10000 ? compact.format(n) : whole.format(n));

// "1 call", "33.6K calls"
export const some = (n, noun) => count(n) + " " + noun + (n === 1 ? "" : "s");

export function percent(part, all) {
	if (!all) return "";
	const p = 100 * part / all;
	return (p > 0 && p < 1 ? "<1" : Math.round(p)) + "%";
}

// "+12%", "×14"; nothing to compare with: "".
export function change(now, before) {
	if (!(before > 0)) return "";
	const p = Math.round(100 * (now - before) / before);
	return p >= 900 ? "×" + count(now / before) : (p > 0 ? "+" : p < 0 ? "−" : "±") + Math.abs(p) + "%";
}

// ---- times

const two = n => String(n).padStart(2, "0");

// Times are UTC unless the reader chose those of the browser. Days and months are UTC all the same: they are those of the bill.
let local = localStorage.getItem("nowcast-time") === "local";
export const isLocal = () => local;
export function setLocal(on) {
	local = on;
	localStorage.setItem("nowcast-time", on ? "local" : "utc");
}
export const localZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
export const zone = () => (local ? localZone() : "Etc/UTC");
// "UTC", "CET", "GMT+5:30"
export const zoneWord = iso => (local ? new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(new Date(iso)).find(p => p.type === "timeZoneName").value : "UTC");

// A Date whose UTC members are those of the clock that is shown.
function shown(iso) {
	const d = new Date(iso);
	return local ? new Date(d.getTime() - d.getTimezoneOffset() * 6e4) : d;
}

// A day as <input type="date"> has it, and the whole hours nearest to its beginning; `more`: of a day after it.
export const dateOf = iso => shown(iso).toISOString().slice(0, 10);
export function dayStart(date, more = 0) {
	const [y, m, d] = date.split("-").map(Number), ms = local ? new Date(y, m - 1, d + more).getTime() : Date.UTC(y, m - 1, d + more);
	return new Date(Math.round(ms / 36e5) * 36e5).toISOString().slice(0, 19) + "Z";
}

export function clock(iso) {
	const d = shown(iso);
	return two(d.getUTCHours()) + ":" + two(d.getUTCMinutes());
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const dayText = d => d.getUTCDate() + " " + months[d.getUTCMonth()];
export const day = iso => dayText(shown(iso));
export const utcDay = iso => dayText(new Date(iso));

export const at = iso => day(iso) + " " + clock(iso);

// "2 Nov 02:00 to 05:12", of a gap in seconds.
export function spanOf(gap) {
	const [from, to] = [gap.from, gap.to].map(s => new Date(s * 1000).toISOString());
	return at(from) + " to " + (day(from) === day(to) ? clock(to) : at(to));
}

export function age(seconds) {
	if (seconds < 120) return Math.max(0, Math.round(seconds)) + " s";
	if (seconds < 7200) return Math.round(seconds / 60) + " min";
	if (seconds < 172800) return Math.round(seconds / 3600) + " h";
	return Math.round(seconds / 86400) + " days";
}

// ---- names

// The part that identifies it, and the rest in small print: {main, more}.
// "Developer" of "AWSReservedSSO_Developer_0f1e2d3c4b5a6978", as in query/short_names.c; other roles unchanged.
const permissionSet = role => role.replace(/^AWSReservedSSO_(.+)_[0-9a-f]{16}$/i, "$1");

export function nameOf(key, value) {
	if (value === "") return { main: key === "role" ? "(no role)" : key === "team" ? "(no team)" : key === "user" ? "(no user)" : "(none)", more: "" };
	const arn = /^arn:[^:]*:([^:]*):([^:]*):([^:]*):(.*)$/s.exec(value);
	if (!arn) return key === "role" && permissionSet(value) !== value ? { main: permissionSet(value), more: "SSO role …" + value.slice(-16) } : { main: value, more: "" };
	const parts = arn[4].split("/");
	if (parts[0] === "assumed-role") return { main: parts.slice(2).join("/"), more: permissionSet(parts[1]) + " · " + arn[3] };
	if (parts[0] === "user" || parts[0] === "federated-user") return { main: parts[parts.length - 1], more: parts[0] + " · " + arn[3] };
	if (parts.length > 1) return { main: permissionSet(parts[parts.length - 1]), more: parts[0].replaceAll("-", " ") + " · " + arn[3] };
	return { main: arn[4], more: arn[3] };
}

// "global.anthropic.claude-haiku-4-5-20251001-v1:0": the model and the profile identify it, the rest is small print. A name that says
// little without its maker ("deepseek.r1") keeps it.
function modelOf(id) {
	const m = /^(?:(global|us-gov|us|eu|apac|jp|au|ca)\.)?([a-z0-9]+)\.(.+?)(-\d{8})?(-v\d+)?(:\d+)?$/.exec(id);
	if (!m) return { main: id, more: "" };
	const [, profile, maker, name, date, version, revision] = m, own = /[a-z]{4}/.test(name);
	const small = [own ? maker : "", date || version ? [date, version, revision].join("").slice(1) : ""].filter(Boolean).join(" · ");
	return { main: (own ? name : maker + "." + name) + (version && !/^-v[01]$/.test(version) ? version : "") + (profile ? " (" + profile + ")" : ""), more: small };
}

const keyNames = { token_type: "token type", family: "model family" };
// Groupings with a key of their own: tags, request metadata, who is behind a session, columns of the mapping file.
export const hasKey = grouping => /^(tag|meta|identity|map):./.test(grouping);
export const keyName = key => hasKey(key) ? key.replace(":", " ") : keyNames[key] || key;

const typeNames = { input: "Input", output: "Output", cache_read: "Cache read", cache_write_5m: "Cache write, 5 min", cache_write_1h: "Cache write, 1 h" };
export const typeName = type => typeNames[type] || type;
export function labelOf(key, value) {
	if (key === "hour" && Date.parse(value)) return { main: at(value), more: "" };
	if ((key === "model" || key === "family") && value && !value.startsWith("arn:")) return modelOf(value);
	return key === "token_type" && value ? { main: typeName(value), more: "" } : nameOf(key, value);
}

// ---- how a figure is known

export const basisNames = { billed: "billed", exact: "known exactly", telemetry: "telemetry", allocated: "estimated", provisional: "provisional" }; // as in index.html
export const basisTitles = {
	billed: "On the bill", exact: "Tokens of the call are known exactly", telemetry: "Tokens as the caller's own telemetry says, within the metric", allocated: "Estimated: a share of the metric's tokens", provisional: "Estimated without a metric: what such calls usually use",
};

// A bar as long as the figure's part of `most`, divided by basis, with its error band as a whisker.
export function bar(figure, most) {
	const width = v => Math.min(100, Math.max(0, 100 * Number(v || 0) / most)) + "%";
	const e = el("div", { class: "bar", "aria-hidden": "true", title: basisText(figure) });
	if (!(most > 0)) return e;
	for (const name of Object.keys(basisNames)) {
		const part = Number((figure.basis || {})[name] || 0);
		if (part <= 0) continue;
		const s = el("span", { class: "part " + name });
		s.style.width = width(part);
		e.append(s);
	}
	if (Number(figure.usd_high) > Number(figure.usd_low)) {
		const w = el("span", { class: "whisker" });
		w.style.left = width(figure.usd_low);
		w.style.width = width(Math.min(most, figure.usd_high) - figure.usd_low);
		e.append(w);
	}
	return e;
}

// "billed 20% · estimated 80%"
export function basisText(figure) {
	const parts = Object.entries(figure.basis || {}).filter(([, v]) => Number(v) > 0);
	if (figure.usd === null) return "no price";
	const name = k => basisNames[k] || k;
	if (parts.length === 1) return name(parts[0][0]);
	return parts.map(([k, v]) => name(k) + " " + percent(Number(v), Number(figure.usd))).join(" · ");
}
