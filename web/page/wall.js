// SPDX-License-Identifier: Apache-2.0
// The wall: a screen that nobody touches. It shows a few panels at a time in large letters, without scrolling, then the next ones, then
// the spend of each of the most expensive teams. Loaded when the view has `wall`, the seconds of each. The address stays what it was.
//
//     arrow keys: another one     space: stay, or go on     Escape: the usual page
import { get } from "./api.js";
import { byId, el, fill, labelOf } from "./parts.js";

const TEAMS = 6, SECONDS = 20, SECONDS_MIN = 2, SECONDS_MAX = 600, LETTERS_MIN = 12;
const panels = [{ name: "spend" }, { name: "list" }, { name: "budgets" }];

let at = 0, slides = panels, base = null, timer = 0, page = null, paused = false;

const seconds = () => Math.min(SECONDS_MAX, Math.max(SECONDS_MIN, Number(page.view().wall) || SECONDS));

function paint() {
	const slide = slides[at];
	document.body.dataset.slide = slide.name;
	fill(byId("wall"), el("b", {}, slide.team === undefined ? "" : "Team " + labelOf("team", slide.team).main), el("span", { class: "quiet" }, at + 1 + " of " + slides.length + (paused ? ", paused" : "")));
}

const isLow = () => [...document.querySelectorAll("main .panel, main .tile, #groups tbody tr")].some(e => e.checkVisibility() && e.getBoundingClientRect().bottom > innerHeight - 8);

// Nothing is cut off: letters become smaller until all of a panel is seen. A chart takes what is left.
function fit() {
	const html = document.documentElement;
	html.style.fontSize = "";
	page.paint();
	for (let size = parseFloat(getComputedStyle(html).fontSize); isLow() && size > LETTERS_MIN;) {
		html.style.fontSize = (size *= 0.95) + "px";
		page.paint();
	}
}

// Alerts and tiles change between the rounds of answers, and what is below them moves.
const observer = new ResizeObserver(() => base && isLow() && fit());

function show(i) {
	at = (i + slides.length) % slides.length;
	paint();
	const slide = slides[at], filters = slide.team === undefined ? base.filters : [...base.filters.filter(([k]) => k !== "team"), ["team", slide.team]];
	if (JSON.stringify(filters) !== JSON.stringify(page.view().filters)) page.go({ filters, by: slide.team === undefined ? base.by : "model" });
	else fit();
	schedule();
}

function schedule() {
	clearTimeout(timer);
	if (!paused) timer = setTimeout(() => { if (at + 1 === slides.length) findTeams(); show(at + 1); }, 1000 * seconds());
}

// Of those who see one team already, there are no others to show.
function findTeams() {
	if (base.filters.some(([k]) => k === "team")) return Promise.resolve();
	return get("breakdown", [...page.span(), ["by", "team"], ["limit", TEAMS], ...base.filters]).then(b => {
		slides = [...panels, ...b.groups.filter(g => g.keys.team && Number(g.usd)).map(g => ({ name: "spend", team: g.keys.team }))];
		if (at < slides.length) paint();
	}, () => {}); // the next round asks again
}

function press(e) {
	if (!document.body.classList.contains("wall") || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, dialog")) return;
	if (e.key === "ArrowRight" || e.key === "ArrowLeft") show(at + (e.key === "ArrowRight" ? 1 : -1));
	else if (e.key === " ") { paused = !paused; paint(); schedule(); }
	else if (e.key === "Escape") leave();
	else return;
	e.preventDefault();
	e.stopImmediatePropagation(); // of the usual page, whose Escape takes a filter away
}

function leave() {
	clearTimeout(timer);
	observer.disconnect();
	document.body.classList.remove("wall");
	document.documentElement.style.fontSize = "";
	delete document.body.dataset.slide;
	page.go({ wall: "", filters: base.filters, by: base.by });
	base = null;
}

// After each round of answers. view(): the view now; go: changes it; paint(): draws the charts again; span(): the words of its span.
export function startWall(of) {
	if (base) return fit();
	page = of;
	base = { filters: page.view().filters, by: page.view().by };
	at = 0;
	if (!document.getElementById("wall-css")) document.head.append(el("link", { rel: "stylesheet", href: "/wall.css", id: "wall-css", onload: fit }));
	document.body.classList.add("wall");
	addEventListener("keydown", press, true);
	for (const id of ["alerts-panel", "tiles"]) observer.observe(byId(id), { box: "border-box" });
	findTeams();
	show(0);
}
