// SPDX-License-Identifier: Apache-2.0
// Bars over time, stacked, with the error band of the sum. Stacking is done here: each series is drawn from zero up to the
// sum of itself and those below it, the tallest first, so that the shorter ones are drawn over it.
import { at, clock, day, el, spanOf, usd, utcDay, zone } from "./parts.js";

const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const basisColour = name => css("--" + name);
export const groupColour = i => css("--g" + (i % 8));

const DAYS_ONLY = 3 * 86400; // a longer span has a label a day, no hours
const steps = { day: [1, 2, 7, 14].map(n => n * 86400), hour: [1, 2, 3, 6, 12, 24].map(n => n * 3600), minute: [1, 2, 5, 10, 15, 30, 60].map(n => n * 60) }; // between labels
const SELECT_MIN = 8;         // pixels; less is a click that slipped

let plot = null, shown = null, observer = null;

export const canDraw = () => typeof window.uPlot === "function";

function hatch(colour) {
	const c = document.createElement("canvas");
	c.width = c.height = 8;
	const g = c.getContext("2d");
	g.strokeStyle = colour;
	g.lineWidth = 2;
	for (const x of [-8, 0, 8]) {
		g.beginPath();
		g.moveTo(x, 8);
		g.lineTo(x + 8, 0);
		g.stroke();
	}
	return g.createPattern(c, "repeat");
}

// What was not observed: a pattern over the whole height, below the bars.
function gaps(d) {
	const paint = u => {
		const g = u.ctx, x = t => u.valToPos(Math.min(Math.max(t, d.times[0]), d.end), "x", true);
		g.fillStyle = hatch(css("--unobserved"));
		for (const gap of d.gaps) g.fillRect(x(gap.from), u.bbox.top, Math.max(devicePixelRatio, x(gap.to) - x(gap.from)), u.bbox.height);
	};
	return { hooks: { drawClear: paint } };
}

// The band of each bar that is not known exactly. Bands of thin bars have no edges, which would hide what they enclose.
function errorBand(d) {
	const paint = u => {
		const g = u.ctx, band = css("--band"), edges = css("--band-line"), line = isDense(u.root, d) ? 0 : Math.round(1.5 * devicePixelRatio), x = t => u.valToPos(t, "x", true), y = v => u.valToPos(v, "y", true);
		for (let k = 0; k < d.times.length; k++) {
			if (!(d.high[k] > d.low[k])) continue;
			const left = x(d.times[k]), width = (x(d.times[k + 1] ?? d.end) - left) * (line ? 0.92 : 1), top = y(d.high[k]), height = y(d.low[k]) - top;
			g.fillStyle = band;
			g.fillRect(left, top, width, height);
			g.fillStyle = edges;
			if (line && height > 2 * line) for (const edge of [top, top + height - line]) g.fillRect(left, edge, width, line);
		}
	};
	return { hooks: { draw: paint } };
}

const barAt = (d, time) => d.times.findIndex((t, n) => time >= t && time < (d.times[n + 1] ?? d.end));

// A click shows the hour or day of a bar alone, a drag the stretch that it goes over.
function tooltip(host, d) {
	const tip = el("div", { class: "tip", hidden: true });
	return {
		hooks: {
			setSelect: u => {
				const { left, width } = u.select;
				if (width < SELECT_MIN) return;
				u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
				d.zoom(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
			},
			init: u => {
				u.over.append(tip);
				u.over.addEventListener("mousedown", beginChoosing);
				let pressed = 0;
				u.over.addEventListener("mousedown", e => { pressed = e.clientX; });
				u.over.addEventListener("click", e => {
					const k = barAt(d, u.posToVal(e.clientX - u.over.getBoundingClientRect().left, "x"));
					if (k >= 0 && Math.abs(e.clientX - pressed) < SELECT_MIN) d.zoom(d.times[k], d.times[k + 1] ?? d.end);
				});
			},
			setCursor: u => {
				const k = barAt(d, u.posToVal(u.cursor.left, "x"));
				tip.hidden = k < 0 || u.cursor.left < 0;
				if (tip.hidden) return;
				const when = new Date(d.times[k] * 1000).toISOString();
				const lines = d.stack.map(s => [s, s.values[k]]).filter(([, v]) => v > 0).sort((a, b) => b[1] - a[1]).map(([s, v]) => {
					const mark = el("i", { class: "mark" });
					mark.style.background = s.colour;
					return el("div", { class: "tip-line" }, mark, el("span", {}, s.label), el("b", {}, usd(v)));
				});
				const missed = d.gaps.filter(g => g.from < (d.times[k + 1] ?? d.end) && g.to > d.times[k]);
				tip.replaceChildren(el("div", { class: "tip-head" }, (d.step === "day" ? utcDay(when) : at(when)) + "  " + (d.observed[k] === 0 && !d.total[k] ? "not observed" : usd(d.total[k]))),
					d.high[k] > d.low[k] ? el("div", { class: "quiet" }, usd(d.low[k]) + " to " + usd(d.high[k])) : "", ...lines,
					...missed.slice(0, 3).map(g => el("div", { class: "quiet gap" }, el("i", { class: "mark unobserved" }), " not observed " + spanOf(g) + ": " + g.why)),
					d.step === "minute" ? "" : el("div", { class: "quiet" }, "A click shows this " + d.step + " alone"));
				tip.style.left = Math.min(Math.max(0, u.cursor.left + 14), Math.max(0, u.over.clientWidth - tip.offsetWidth)) + "px";
				tip.style.top = "0px";
			},
		},
	};
}

const dollars = (u, ticks) => ticks.map(v => (ticks[1] - ticks[0] >= 1 ? "$" + v.toLocaleString("en-US") : usd(v)));
// On a wall screen everything is larger, the chart too: lengths here are for letters of 15 pixels.
const scaled = px => Math.round(px * parseFloat(getComputedStyle(document.documentElement).fontSize) / 15);
const axisStyle = () => ({ stroke: css("--quiet"), grid: { stroke: css("--grid"), width: 1 }, ticks: { show: false }, font: scaled(12) + "px system-ui, sans-serif" });
// On the wall a chart fills what is left of the screen.
const heightOf = host => (document.body.classList.contains("wall") ? Math.max(scaled(180), innerHeight - host.getBoundingClientRect().top - scaled(96)) : scaled(host.clientWidth < 500 ? 220 : 280));

// Thin bars have no gaps: rounding to pixels would make the gaps uneven.
const isDense = (host, d) => host.clientWidth / d.times.length < 6;

function options(host, d) {
	const bars = isDense(host, d) ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.bars({ size: [0.92, 400], align: 1 });
	const series = [{}], most = Math.max(...d.high, ...d.total);
	for (const s of [...d.stack].reverse())
		series.push({ label: s.label, paths: bars, points: { show: false }, width: 0, fill: s.hatched ? () => hatch(s.colour) : s.colour, stroke: s.colour });
	const axis = axisStyle();
	return {
		width: host.clientWidth, height: heightOf(host),
		tzDate: t => uPlot.tzDate(new Date(t * 1e3), d.step === "day" ? "Etc/UTC" : zone()),
		legend: { show: false }, cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
		scales: { x: { range: [d.times[0], d.end] }, y: { range: [0, (most || 1) * 1.06] } },
		axes: [{ ...axis, grid: { show: false }, size: scaled(34), gap: scaled(9), space: scaled(70), incrs: steps[d.end - d.times[0] > DAYS_ONLY ? "day" : d.step], values: (u, ticks) => ticks.map(t => label(t, d.step, ticks)) },
			{ ...axis, size: scaled(58), values: dollars }],
		series, plugins: [gaps(d), errorBand(d), tooltip(host, d)],
	};
}

function label(t, step, ticks) {
	const iso = new Date(t * 1000).toISOString();
	if (step === "day") return utcDay(iso);
	return clock(iso) === "00:00" || ticks[ticks.length - 1] - ticks[0] > DAYS_ONLY ? day(iso) : clock(iso);
}

function columns(host, d) {
	const sums = new Array(d.times.length).fill(0), dense = isDense(host, d);
	const stacked = d.stack.map(s => s.values.map((v, i) => (sums[i] += v)));
	return [[...d.times, d.end], ...stacked.reverse().map(c => [...c, dense ? c[c.length - 1] : null])]; // to the end of the last bar
}

// While a stretch of the chart is being chosen, a live update waits: a new plot would drop what was chosen.
let choosing = false, waiting = null;

function beginChoosing() {
	choosing = true;
	addEventListener("mouseup", () => setTimeout(() => {
		choosing = false;
		waiting?.();
	}), { once: true });
}

// d: {times (s), end, step, total, low, high, stack: [{label, colour, hatched, values}], observed: the part of each bar's time that
// was, null: still to come; gaps: [{from, to (s), why}] that were not}
export function draw(host, d) {
	shown = d;
	if (!canDraw()) return;
	waiting = choosing ? () => draw(host, d) : null;
	if (choosing) return;
	if (plot) plot.destroy();
	host.replaceChildren();
	plot = d.times.length ? new uPlot(options(host, d), columns(host, d), host) : null;
	if (!observer) {
		observer = new ResizeObserver(() => {
			if (plot && Math.abs(plot.width - host.clientWidth) > 2) plot.setSize({ width: host.clientWidth, height: heightOf(host) });
		});
		observer.observe(host);
	}
}

// ---- two months, day by day as they add up

let months = null;

function pad(list, n) {
	return [...list, ...new Array(Math.max(0, n - list.length)).fill(null)];
}

// A straight line from today to the forecast end.
function forecastLine(m, n, end) {
	const from = m.current.length - 1, to = m.length - 1, line = new Array(n).fill(null);
	for (let i = from; i <= to; i++) line[i] = to > from ? m.current[from] + (end - m.current[from]) * (i - from) / (to - from) : end;
	return line;
}

// The plot is as high as its panel, which fills what the panel beside it leaves.
// m: {current, before: dollars by the end of each day, length: days of this month, end: [low, middle, high] or null}
export function drawMonths(host, m) {
	if (!canDraw() || !m.current.length) return host.replaceChildren();
	const n = Math.max(m.length, m.before.length), days = Array.from({ length: n }, (_, i) => i + 1);
	const lines = m.end ? [2, 0, 1].map(i => forecastLine(m, n, m.end[i])) : [];
	const data = [days, pad(m.before, n), ...lines, pad(m.current, n)];
	const axis = axisStyle();
	const line = (label, colour, width, dash) => ({ label, stroke: colour, width, dash, points: { show: false } });
	const series = [{}, line("last month", css("--other"), 2), ...(m.end ? [line("at most", "transparent", 0), line("at least", "transparent", 0), line("forecast", css("--exact"), 2, [5, 5])] : []),
		line("this month", css("--exact"), 3)];
	if (months) months.destroy();
	else new ResizeObserver(() => host.clientHeight && months.setSize({ width: host.clientWidth, height: host.clientHeight })).observe(host);
	host.replaceChildren();
	months = new uPlot({
		width: host.clientWidth, height: host.clientHeight, legend: { show: false }, cursor: { show: false }, scales: { x: { time: false, range: [1, n] }, y: { range: (u, min, max) => [0, (max || 1) * 1.06] } },
		axes: [{ ...axis, grid: { show: false }, size: scaled(32), gap: scaled(9), space: scaled(40), incrs: [1, 2, 5, 7, 10] }, { ...axis, size: scaled(62), values: dollars }],
		series, bands: m.end ? [{ series: [2, 3], fill: css("--band") }] : [],
	}, data, host);
}
