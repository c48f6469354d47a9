// SPDX-License-Identifier: Apache-2.0
// Bars over time, stacked, with the error band of the sum. Stacking is done here: each series is drawn from zero up to the
// sum of itself and those below it, the tallest first, so that the shorter ones stand in front.
import { el, usd, clock, day } from "./parts.js";

const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const basisColour = name => css("--" + name);
export const groupColour = i => css("--g" + (i % 8));

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

function tooltip(host, d) {
	const tip = el("div", { class: "tip", hidden: true });
	return {
		hooks: {
			init: u => u.over.append(tip),
			setCursor: u => {
				const i = u.posToVal(u.cursor.left, "x");
				const k = d.times.findIndex((t, n) => i >= t && i < (d.times[n + 1] ?? d.end));
				tip.hidden = k < 0 || u.cursor.left < 0;
				if (tip.hidden) return;
				const when = new Date(d.times[k] * 1000).toISOString();
				const lines = d.stack.map(s => [s, s.values[k]]).filter(([, v]) => v > 0).sort((a, b) => b[1] - a[1]).map(([s, v]) => {
					const mark = el("i", { class: "mark" });
					mark.style.background = s.colour;
					return el("div", { class: "tip-line" }, mark, el("span", {}, s.label), el("b", {}, usd(v)));
				});
				tip.replaceChildren(el("div", { class: "tip-head" }, (d.step === "day" ? day(when) : day(when) + " " + clock(when)) + "  " + usd(d.total[k])),
					d.high[k] > d.low[k] ? el("div", { class: "quiet" }, usd(d.low[k]) + " to " + usd(d.high[k])) : "", ...lines);
				tip.style.left = Math.min(Math.max(0, u.cursor.left + 14), Math.max(0, u.over.clientWidth - tip.offsetWidth)) + "px";
				tip.style.top = "0px";
			},
		},
	};
}

function options(host, d) {
	const bars = uPlot.paths.bars({ size: [d.step === "minute" ? 1 : 0.92, 400], align: 1 });
	const steps = uPlot.paths.stepped({ align: 1 });
	const series = [{}];
	for (const s of [...d.stack].reverse())
		series.push({ label: s.label, paths: bars, points: { show: false }, width: 0, fill: s.hatched ? () => hatch(s.colour) : s.colour, stroke: s.colour });
	for (const label of ["high", "low"]) series.push({ label, paths: steps, points: { show: false }, width: 0, stroke: css("--band-line") });
	const n = series.length;
	const axis = { stroke: css("--quiet"), grid: { stroke: css("--grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
	return {
		width: host.clientWidth, height: host.clientWidth < 500 ? 220 : 280,
		tzDate: t => uPlot.tzDate(new Date(t * 1e3), "Etc/UTC"),
		legend: { show: false }, cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
		scales: { x: { range: [d.times[0], d.end] }, y: { range: (u, min, max) => [0, (max || 1) * 1.06] } },
		axes: [{ ...axis, grid: { show: false }, size: 30, space: 70, values: (u, ticks) => ticks.map(t => label(t, d.step, ticks)) },
			{ ...axis, size: 58, values: (u, ticks) => ticks.map(v => (ticks[1] - ticks[0] >= 1 ? "$" + v.toLocaleString("en-US") : usd(v))) }],
		series, bands: [{ series: [n - 2, n - 1], fill: css("--band") }], plugins: [tooltip(host, d)],
	};
}

function label(t, step, ticks) {
	const iso = new Date(t * 1000).toISOString();
	if (step === "day" || ticks[ticks.length - 1] - ticks[0] > 3 * 86400) return day(iso);
	return t % 86400 === 0 ? day(iso) : clock(iso);
}

function columns(d) {
	const sums = new Array(d.times.length).fill(0);
	const stacked = d.stack.map(s => s.values.map((v, i) => (v > 0 ? (sums[i] += v) : null)));
	const ends = a => [...a, a[a.length - 1]].map((v, i) => (d.total[Math.min(i, d.total.length - 1)] ? v : null)); // to the end of the last bar
	return [[...d.times, d.end], ...stacked.reverse().map(c => [...c, null]), ends(d.high), ends(d.low)];
}

// d: {times (s), end, step, total, low, high, stack: [{label, colour, hatched, values}]}
export function draw(host, d) {
	shown = d;
	if (!canDraw()) return;
	if (plot) plot.destroy();
	host.replaceChildren();
	plot = d.times.length ? new uPlot(options(host, d), columns(d), host) : null;
	if (!observer) {
		observer = new ResizeObserver(() => {
			if (plot && Math.abs(plot.width - host.clientWidth) > 2) plot.setSize({ width: host.clientWidth, height: host.clientWidth < 500 ? 220 : 280 });
		});
		observer.observe(host);
	}
}
