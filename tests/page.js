// SPDX-License-Identifier: Apache-2.0
// The dashboard in a real browser. Prints TAP; screenshots go to a folder, to be looked at by people.
//
//     node page.js URL MANY_URL EMPTY_URL PAST_URL OUT PLAYWRIGHT-FOLDER
//
// URL serves a world of some principals at 2026-11-02T05:40Z, MANY_URL one of thousands with hostile tags, EMPTY_URL nothing, PAST_URL
// weeks with bills, budgets and scores (tests/support/past.py). The environment tells how to fill EMPTY_URL's Redis while it is watched.
"use strict";
const [, , url, many, empty, past, out, modules] = process.argv;
const { spawn } = require("child_process");
const { chromium } = require(modules + "/node_modules/playwright-core");
const axe = require("fs").readFileSync(modules + "/node_modules/axe-core/axe.min.js", "utf8");

let count = 0, failed = 0;
function ok(good, name, why) {
	count++;
	if (!good) failed++;
	console.log((good ? "ok " : "not ok ") + count + " - " + name);
	if (!good && why !== undefined) console.log("# " + String(why).slice(0, 600).replaceAll("\n", "\n# "));
	return good;
}

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const errors = [];

// `asks`: what one of its questions must hold; the page's `asked` says whether one did.
async function open(browser, address, options = {}, asks) {
	const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, colorScheme: "light", ...options });
	const page = await context.newPage();
	page.on("pageerror", e => errors.push(e.message));
	page.on("console", m => m.type() === "error" && !/503|401|ERR_CONNECTION/.test(m.text()) && !/access_key=A/.test(m.location().url) && errors.push(m.text())); // a key that nobody knows is a 400
	page.on("request", r => { page.asked ||= asks && r.url().includes("/api/v1/breakdown?" + asks); });
	await page.goto(address);
	await page.waitForSelector("#groups tbody tr", { timeout: 30000, state: /wall=/.test(address) ? "attached" : "visible" });
	return page;
}

const rows = page => page.$$eval("#groups tbody tr", r => r.length);
// The page's policy forbids waitForFunction, which would evaluate a string.
async function listed(page, n) {
	for (let i = 0; i < 100 && await rows(page) !== n; i++) await page.waitForTimeout(100);
	if (await rows(page) !== n) throw new Error("expected " + n + " rows, there are " + await rows(page));
}
async function settled(page) {
	await page.waitForTimeout(300);
	const shown = () => !!document.querySelector("dialog[open]") || document.body.classList.contains("stale") ||
		(!document.querySelector("[aria-busy]") && document.querySelector("#chart-summary").textContent && !!document.querySelector("#tiles .tile"));
	for (let i = 0; i < 300 && !await page.evaluate(shown).catch(() => false); i++) await page.waitForTimeout(100);
	await page.waitForTimeout(200);
}

// The chart, the list and its sum tell the same dollars.
async function agrees(page, name) {
	const chart = /^(\$[\d,.]+) in this span/.exec(await page.textContent("#chart-summary")), list = /rows?, (\$[\d,.]+) in all/.exec(await page.textContent("#groups-foot"));
	ok(chart && list && chart[1] === list[1], "chart and list come to the same " + name, chart + " | " + list);
}

// Names that are cut off at this width.
const cut = (page, where) => page.$$eval(where + " .name", all => all.filter(e => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1).map(e => e.textContent));

async function accessible(page, name) {
	// The page's policy forbids foreign scripts; the browser's own tools are above it.
	const result = await page.evaluate(axe + "; axe.run(document, {resultTypes: ['violations']})");
	ok(result.violations.length === 0, "axe finds nothing: " + name, JSON.stringify(result.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html, v.nodes[0].failureSummary])));
}

async function desk(browser) {
	const began = Date.now(), page = await open(browser, url + "/");
	ok(Date.now() - began < 5000, "the page shows figures within seconds (" + (Date.now() - began) + " ms)");
	const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1);
	ok(paint > 0 && paint < 1000, "the first paint comes within a second (" + Math.round(paint) + " ms)", paint);
	ok(/^\$[\d,.]+$/.test(await page.textContent(".tile .figure")), "today's spend is a figure");
	ok((await page.$$("#chart canvas")).length === 1, "the chart is drawn");
	ok(/in this span, most in the hour/.test(await page.textContent("#chart-summary")), "and told in words");
	const known = await page.$$eval("#known li", all => all.filter(e => e.checkVisibility()).map(e => e.textContent));
	ok(["billed on the bill", "known exactly a record", "telemetry the caller", "estimated a share", "provisional no metric", "error band the true"].every((words, i) => known[i]?.startsWith(words)), "how figures are known is explained without a hover", known);
	await page.screenshot({ path: out + "/desk-light.png", fullPage: true });
	await accessible(page, "light");

	await page.click("#groups tbody tr:nth-child(2)");
	await settled(page);
	ok(new URL(page.url()).searchParams.get("team") !== null, "a click drills down, and the URL says so", page.url());
	ok(await page.isVisible(".chip"), "a chip shows the filter");
	const address = page.url(), first = await page.textContent("#groups tbody tr .name");
	await page.screenshot({ path: out + "/drilled.png", fullPage: true });
	const other = await open(browser, address);
	ok(await other.textContent("#groups tbody tr .name") === first, "the link shows another the same");
	await other.context().close();
	await page.goBack();
	await settled(page);
	ok(!new URL(page.url()).search && !(await page.isVisible(".chip")), "back goes back");

	await page.keyboard.press("/");
	ok(await page.evaluate(() => document.activeElement.id) === "search", "/ goes to the search");
	await page.keyboard.press("Escape");
	await page.evaluate(() => document.activeElement.blur());
	await page.click("#groupings button:has-text('principal')");
	await settled(page);
	await page.focus("#groups tbody tr:nth-child(3) .name");
	await page.keyboard.press("Enter");
	await settled(page);
	ok(new URL(page.url()).searchParams.get("principal") !== null, "the keyboard drills down too", page.url());
	const arn = new URL(page.url()).searchParams.get("principal");
	await page.waitForSelector("#why-hour table", { timeout: 20000 }).catch(() => {});
	ok((await page.textContent("#principal-facts")).includes(arn) && /Seenfirst 2 Nov 00:00, last 2 Nov 01:00, on 1 day/.test(await page.textContent("#principal-facts")), "whose page says who it is, and when it was seen", await page.textContent("#principal"));
	ok(/TagValueOfSetteam.*(its role|its session|the user)/.test(await page.textContent("#principal-facts")), "which tags it has, and where they are from", await page.textContent("#principal-facts"));
	ok(/zonez1the accountsince 1 Nov 00:00/.test(await page.textContent("#principal-facts")), "those of its account too", await page.textContent("#principal-facts"));
	ok(/in us-east-1: \d+ calls.*TypeTokens.*Input.*\$.*A call was assumed to use .* learned from/.test(await page.textContent("#why-hour")), "and why the most expensive hour is what it is", await page.textContent("#why-hour"));
	ok(await page.evaluate(() => document.activeElement.closest("#groups tbody tr:first-child") !== null), "and goes on from the first row", await page.evaluate(() => document.activeElement.outerHTML));
	const hours = await page.$$eval("#why-choice option", all => all.map(o => o.value));
	await page.focus("#why-choice");
	await page.selectOption("#why-choice", hours[1]);
	await settled(page);
	ok(new URL(page.url()).searchParams.get("explain") === hours[1] && await page.evaluate(() => document.activeElement.id) === "why-choice", "another hour can be asked about, by a link too", page.url());
	await page.screenshot({ path: out + "/principal.png", fullPage: true });
	await accessible(page, "principal");
	await page.evaluate(() => document.activeElement.blur());
	await page.keyboard.press("Escape");
	await settled(page);
	ok(!(await page.isVisible("#principal")), "which goes with the filter");
	await page.fill("#search", "ASIALLM-ERIN0000");
	await page.keyboard.press("Enter");
	await page.waitForSelector("#why-hour table", { timeout: 20000 }).catch(() => {});
	ok((new URL(page.url()).searchParams.get("principal") || "").endsWith("/llm-gateway/erin"), "an access key in the search leads to whose it is", page.url());
	await page.evaluate(() => document.activeElement.blur());
	await page.keyboard.press("Escape");
	await settled(page);
	ok(new URL(page.url()).searchParams.get("principal") === null, "Escape takes the filter away", page.url());

	await page.focus("#spans button:has-text('6h')");
	await page.keyboard.press("Enter");
	await settled(page);
	ok(await page.evaluate(() => document.activeElement.textContent) === "6h", "a button that was pressed keeps the focus", await page.evaluate(() => document.activeElement.outerHTML));
	ok(/in the minute of/.test(await page.textContent("#chart-summary")), "the last hours are shown to the minute", await page.textContent("#chart-summary"));
	await agrees(page, "of the last hours");
	ok(/This month\$[\d,.]+not compared: up to this time last month was not observed.*in the [67]% of it that was observed/.test(await page.textContent("#tiles")), "a month of which little was observed says so", await page.textContent("#tiles"));
	ok(/by day 2 in what was observed of it; last month was not observed/.test(await page.textContent("#months-words")), "and so does its course", await page.textContent("#months-words"));
	ok(/The month will end at.*last month was not observed; from less than a day of history/.test(await page.textContent("#tiles")), "a forecast from hours says that it is", await page.textContent("#tiles"));
	ok(/Nothing to compare: no hour was observed both/.test(await page.textContent("#movers")), "where nothing was before, nothing has moved", await page.textContent("#movers"));
	await page.click("#chart-mode button:nth-child(2)");
	await settled(page);
	ok((await page.$$("#legend .mark")).length >= 3, "the bars can be divided by group");
	await page.hover("#chart .u-over", { position: { x: 600, y: 100 } });
	ok(await page.isVisible(".tip"), "a hover tells what stands there");
	await page.click("#chart-data summary");
	for (let i = 0; i < 50 && (await page.$$("#chart-data tr")).length <= 3; i++) {
		await page.waitForTimeout(100);
		if (i === 25 && !(await page.$("#chart-data[open]"))) await page.click("#chart-data summary"); // a live update may have taken the click
	}
	ok((await page.$$("#chart-data tr")).length > 3, "and there is a table of the same");
	await page.goto(url + "/?from=2026-11-02T00:00:00Z&to=2026-11-02T01:00:00Z&role=llm-gateway");
	await settled(page);
	ok((await page.textContent("#filters")).includes("2 Nov 00:00 to 01:00"), "a link may name its span", await page.textContent("#filters"));
	ok(/in this span, most in the minute of 2 Nov 00:/.test(await page.textContent("#chart-summary")), "which is what is shown", await page.textContent("#chart-summary"));
	await page.goto(url + "/?span=6h&by=model&mode=group");
	await settled(page);
	const models = await page.$$eval("#groups tbody tr", r => r.map(e => e.title + " " + e.querySelector(".name").textContent));
	ok(models.includes("us.anthropic.claude-sonnet-4-6 claude-sonnet-4-6 (us)") && models.includes("global.anthropic.claude-haiku-4-5-20251001-v1:0 claude-haiku-4-5 (global)"), "models are named by what tells them apart", models);
	await page.click("#groups tbody tr:has-text('claude-sonnet-4-6')");
	await page.waitForSelector("#model-types tbody tr", { timeout: 20000 }).catch(() => {});
	await page.click("#model-h button");
	await settled(page);
	ok(new URL(page.url()).searchParams.get("family") === "anthropic.claude-sonnet-4-6" && /us profileus\.anthropic\.claude-sonnet-4-6us-east-1.*k3v9q2m7x1tzapplication profileus-east-1/.test(await page.textContent("#model-ways")), "the page of a model has all its profiles and Regions", await page.textContent("#model"));
	ok(/Output[\d.]+[KM]\$16\.50/.test(await page.textContent("#model-types")), "and what its tokens cost", await page.textContent("#model-types"));
	await page.screenshot({ path: out + "/model.png", fullPage: true });
	await accessible(page, "model");
	await page.goto(url + "/?span=6h&by=model&mode=group");
	await settled(page);
	await page.click("#groupings button:has-text('token type')");
	await settled(page);
	ok((await page.$$eval("#groups tbody .c-calls", e => e.map(x => x.textContent))).every(t => t === "–"), "a call is of no one token type, so none are counted there");
	ok((await page.$$("#groups-foot .legend .mark")).length >= 2, "the bars of the list are explained where the chart has other colours");
	await page.goto(url + "/?by=principal");
	await settled(page);
	await page.click("#columns summary");
	for (const c of ["usd_per_call", "usd_per_token", "failed_share", "cache_hit"]) await page.click("#columns input[value=" + c + "]");
	await page.click("#columns input[value=band]");
	await settled(page);
	ok(/cols=usd%2Cshare%2Ccalls%2Ctokens%2Cusd_per_call%2Cusd_per_token%2Cfailed_share%2Ccache_hit/.test(page.url()), "columns of unit costs can be chosen, and the link has them", page.url());
	await page.screenshot({ path: out + "/columns.png" });
	await accessible(page, "columns");
	await page.keyboard.press("Escape");
	await page.click("#columns summary");
	const column = k => page.$$eval("#groups tbody tr", (r, i) => r.map(e => e.children[i].textContent), k);
	const asked = await page.evaluate(async () => (await (await fetch("/api/v1/breakdown?by=principal&hours=24&limit=100&sort=-usd_per_call")).json()).groups.map(g => Number(g.usd) / g.calls));
	await page.click("#groups th button:has-text('$ a call')");
	await settled(page);
	const per = await column(5), numbers = per.filter(t => t !== "–").map(t => Number(t.replace(/[$,]/g, "")));
	ok(numbers.length > 3 && numbers.every((n, i) => Math.abs(n - asked[i]) < 0.06 * asked[i] && (!i || n <= numbers[i - 1])), "a click sorts by one, the highest first", per + " | " + asked);
	ok(await page.getAttribute("#groups th[aria-sort='descending']", "class") === "num c-unit" && (await page.$$("#groups th[aria-sort='none']")).length === 7, "which is told to a screen reader");
	await page.keyboard.press("Enter");
	await settled(page);
	ok((await page.textContent("#groups th[aria-sort='ascending']")) === "$ a call" && /sort=usd_per_call/.test(page.url()), "the keyboard turns it round", page.url());
	ok((await column(7)).some(t => /^\d/.test(t)) && (await column(8)).some(t => /%$/.test(t)), "error rates and cache hits are shares", await column(8));
	await page.goto(url + "/?span=6h&by=model&mode=group");
	await settled(page);
	await page.setViewportSize({ width: 1200, height: 800 });
	await page.click("#groupings button:has-text('model')");
	await settled(page);
	ok((await cut(page, "#groups")).length === 0, "no model's name is cut on a small desk", await cut(page, "#groups"));
	await page.setViewportSize({ width: 1600, height: 1000 });
	await page.click("#theme");
	await page.screenshot({ path: out + "/desk-dark.png", fullPage: true });
	await accessible(page, "dark");
	await page.context().close();
}

// Words of an address that mean nothing are left out and named; the page shows the rest.
const bad = [
	{ words: ["compare=xZ/yZ", "span=forever", "by=nobody", "mode=up", "sort=-colour", "cols=,,x", "wall=-1"], more: "&span=7d&principal=" },
	{ words: ["compare=2026-11-02T00:00:00Z/2026-11-01T00:00:00Z", "now=yesterday", "explain=noon", "wall=1e999", "span=toString", "__proto__=x", "constructor=1"], more: "" },
	{ words: ["compare=1/2/3", "from=x", "now=275760-09-13T00:00:00Z", "tag:=x", "hour=noon", "unknown=<b>"], more: "&to=2026-11-02T00:00:00Z" },
	{ words: ["compare=" + "9".repeat(300)], more: "&from=1970-01-01&to=9999-12-31&by=tag:%25&" + "team=a&".repeat(9) },
	{ words: [], more: "&from=2026-11-01T00:30:00Z&to=2026-11-02&compare=2026-10-30/2026-10-31T12:00Z&explain=2026-11-01T05:30:00Z&now=2026-11-19T14:40Z&cols=usd,calls,x&sort=name" },
];
async function addresses(page) {
	for (const { words, more } of bad) {
		await page.evaluate(search => { history.pushState(null, "", "/?" + search); dispatchEvent(new PopStateEvent("popstate")); }, words.map(w => w.split("=").map(encodeURIComponent).join("=")).join("&") + more);
		await settled(page);
		const note = await page.isHidden("#banner") ? "" : await page.textContent("#banner"), missing = words.filter(w => !note.includes(w.slice(0, 80)));
		ok(!missing.length && !/cannot be shown:/.test(note.replace(/^Left out[^:]*:/, "")) && await page.$$eval("#tiles .tile", t => t.length) > 3, "an address is shown as far as it means something: " + (words[0] || more).slice(0, 60), missing + " | " + note + " | " + page.url());
	}
	await page.evaluate(() => { history.pushState(null, "", "/?span=month&sort=-colour"); dispatchEvent(new PopStateEvent("popstate")); });
	await settled(page);
	await page.click("#banner button");
	ok(await page.isHidden("#banner") && !/colour/.test(page.url()), "and the note goes with a click", page.url());
}

async function phone(browser) {
	for (const scheme of ["light", "dark"]) {
		const page = await open(browser, url + "/?by=principal", { viewport: { width: 390, height: 844 }, colorScheme: scheme, hasTouch: true });
		const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
		ok(wide <= 0, "nothing sticks out on a phone, " + scheme, wide + " px");
		await page.goto(url + "/?by=principal&cols=usd,usd_per_call,cache_hit&sort=-cache_hit");
		await settled(page);
		ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth) && await page.isVisible("#groups th[aria-sort='descending']"), "nor do columns that were chosen");
		await page.screenshot({ path: out + "/phone-" + scheme + ".png", fullPage: true });
		await page.goto(url + "/?by=model&principal=arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Developer_0f1e2d3c4b5a6978/bob@example.com");
		await page.waitForSelector("#why-hour table");
		ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nor does the page of a principal with a long role");
		await page.goto(url + "/?by=principal&family=anthropic.claude-sonnet-4-6");
		await page.waitForSelector("#model-types tbody tr");
		ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nor that of a model");
		await page.goto(url + "/?by=model&principal=arn:aws:sts::111122223333:assumed-role/llm-gateway/erin");
		await page.waitForSelector("#why-hour table");
		await page.screenshot({ path: out + "/phone-principal-" + scheme + ".png", fullPage: true });
		if (scheme === "dark") await accessible(page, "principal on a phone, dark");
		await page.context().close();
	}
}

async function crowd(browser) {
	const page = await open(browser, many + "/?by=principal");
	ok(await rows(page) === 100, "of thousands the most expensive hundred are listed", await rows(page));
	ok(/5,?000 rows/.test(await page.textContent("#groups-foot")), "and the rest is counted", await page.textContent("#groups-foot"));
	await page.waitForSelector("#budgets li");
	const u0 = await page.textContent("#budgets li:first-child"), rate = /u0.*at the rate of the last day (\$[\d,]+) for the month/.exec(u0);
	ok(rate && Math.abs(Number(rate[1].replace(/[$,]/g, "")) - 33 * (1 + 41660 / 60)) < 50, "budgets of thousands go on as the hour that was observed did, and say so", u0);
	const warning = await page.textContent("#budgets > p.warn").catch(() => "");
	ok(/^rule misspelt watches nobody: only = taem-1, and no team of that name was ever seen/.test(warning), "a budget of nobody is told", warning);
	await page.fill("#search", "session-04321");
	await listed(page, 1);
	ok(true, "a search finds one of them");
	await page.fill("#search", "");
	await listed(page, 100);
	await page.click("#groups-foot button");
	await listed(page, 400);
	const frames = await page.evaluate(async () => {
		const box = document.querySelector("#breakdown .scroll");
		let worst = 0, last = performance.now();
		for (let i = 0; i < 40; i++) {
			box.scrollTop = i * 300;
			await new Promise(requestAnimationFrame);
			worst = Math.max(worst, performance.now() - last);
			last = performance.now();
		}
		return worst;
	});
	ok(frames < 300, "scrolling them does not lag (slowest frame " + Math.round(frames) + " ms)");
	await page.screenshot({ path: out + "/many.png", fullPage: true });

	await page.goto(many + "/?by=team");
	await page.waitForSelector("#groups tbody tr");
	await page.click("#chart-mode button:nth-child(2)");
	await settled(page);
	ok((await page.textContent("#groups")).includes("<img src=x onerror"), "a tag that holds HTML is shown as it is");
	const [file] = await Promise.all([page.waitForEvent("download"), page.click("#groups-foot button:has-text('CSV')")]);
	const csv = require("fs").readFileSync(await file.path(), "utf8"), lines = csv.trimEnd().split("\r\n");
	ok(lines.every(l => (l.replace(/"[^"]*"/g, "").match(/,/g) || []).length === lines[0].split(",").length - 1), "every row of the CSV has a field for each name", csv);
	ok(/^team,usd,usd_low/.test(lines[0]) && lines.length === 1 + await rows(page) && lines.some(l => l.startsWith("'=cmd|")), "the list can be had as CSV, in which no name is a formula", csv);
	ok(await page.$$eval("main img, main script", e => e.length) === 0 && !(await page.title()).includes("owned"), "and is not run");
	await page.click("#groups tbody tr:has-text('<img src=x') .name");
	await settled(page);
	ok((await page.textContent(".chip")).includes("<img src=x"), "nor in the filter");
	await page.screenshot({ path: out + "/hostile.png", fullPage: true });
	await page.context().close();
}

async function nothing(browser) {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light" }), page = await context.newPage();
	await page.goto(empty + "/");
	await page.waitForSelector("#signals li", { timeout: 20000 });
	await page.waitForSelector("#findings li", { timeout: 20000 });
	ok(await page.isVisible("#welcome") && !(await page.isVisible("#tiles")), "where nothing has come, the page says what to do instead of $0");
	ok(/CloudTrail calls\s*missing\s*no data: nothing can be attributed/.test(await page.textContent("#signals")) && await page.isVisible("#findings"), "and what is missing");
	await page.screenshot({ path: out + "/empty.png", fullPage: true });
	await accessible(page, "empty");
	await page.evaluate(() => { window.loadedOnce = true; });
	const figure = async () => (await page.$(".tile .figure")) && page.textContent(".tile .figure");
	for (const file of process.env.REPLAYED.split(" ")) {
		const before = await figure();
		spawn(process.env.NOWCAST, ["replay", "--redis", process.env.EMPTY_REDIS, "--sessions-max", "10000", file], { stdio: "ignore" });
		for (let i = 0; i < 200 && (await figure() === before || !(await page.$("#groups tbody tr"))); i++) await page.waitForTimeout(100);
		ok(await figure() !== before && await page.isVisible("#tiles") && !(await page.isVisible("#welcome")), "figures that come are shown: " + before + ", then " + await figure());
	}
	await settled(page);
	ok(await page.evaluate(() => window.loadedOnce), "and the page was never reloaded");
	await context.close();
}

async function locked(browser) {
	const context = await browser.newContext(), page = await context.newPage(), said = () => page.textContent("#token-why");
	let asked = 0;
	page.on("request", r => { asked += r.url().includes("/api/v1/"); });
	await page.goto(process.env.LOCKED + "/");
	await page.waitForSelector("#token-dialog[open]");
	await page.waitForTimeout(500);
	ok(asked <= 2, "a server that wants a token is asked once, not by each panel", asked);
	for (const token of ["wrong", "0123456789abcdef".repeat(2)]) {
		await page.fill("#token", token);
		await page.keyboard.press("Enter");
		await page.waitForTimeout(1000);
		if (token === "wrong") ok(/not known here/.test(await said()) && await page.isVisible("#token-dialog"), "a wrong token is refused", await said());
	}
	await page.waitForSelector("#groups tbody tr");
	ok(!(await page.isVisible("#token-dialog")) && !new URL(page.url()).search, "the right one shows the figures, and is not in the URL", page.url());
	await context.close();
}

async function weeks(browser) {
	const page = await open(browser, past + "/");
	for (const part of ["#budgets li", "#scores table", "#months canvas", "#cache table", "#gaps li", "#alerting li"]) await page.waitForSelector(part, { timeout: 20000 }).catch(() => {});
	await settled(page);
	const text = id => page.textContent(id);
	ok((await page.$$("#budgets li")).length === 7, "every budget is shown: one of all, and one a team", (await page.$$("#budgets li")).length);
	ok(/over by \$[\d.]+; forecast \$/.test(await text("#budgets")) && /over from \d+ Nov \d\d:\d\d on; forecast \$[\d.,]+ for the month/.test(await text("#budgets")), "one is passed, others will be, and when", await text("#budgets"));
	ok(/^spentforecastalerts herethe budget$/.test(await text("#budgets .legend")) && await page.isVisible("#budgets .legend"), "what is on their bars is said", await text("#budgets"));
	ok(/rules company \(budget at 50, 80, 100 %\), company will end over \(forecast\)/.test(await text("#budgets li:has-text('Everything')")), "and which rules are behind one", await text("#budgets"));
	const forecast = async () => /The month will end at(\$[\d,.]+)/.exec(await text("#tiles"))[1];
	ok((await text("#budgets li:has-text('Everything')")).includes("forecast " + await forecast() + " for the month"), "the budget of all has the forecast of the month", await text("#budgets"));
	ok(/5 minutes after.*an hour after.*a day after.*when the bill came/.test(await text("#scores")), "the scoreboard tells how good the estimates were", await text("#scores"));
	const head = () => text(".tile.headline"), total = async () => /rows?, (\$[\d,.]+) in all/.exec(await text("#groups-foot"))[1];
	ok((await head()).startsWith("Last 24 hours" + await total()) && /[+−]\d+% on the same length before: \$[\d.]+ up to 14:00, against \$[\d.]+/.test(await head()), "the chosen span is the headline, beside the span before", await head());
	await page.click("#spans button:has-text('7d')");
	await settled(page);
	ok((await head()).startsWith("Last 7 days" + await total()) && /the same length before/.test(await head()) && /last 7 days/.test(await page.title()), "whichever is chosen", await head());
	await page.click("#spans button:has-text('today')");
	await settled(page);
	ok((await head()).startsWith("Today" + await total()) && /by this time yesterday/.test(await head()) && !/Today\$/.test((await text("#tiles")).replace(await head(), "")), "a fixed tile does not say the same again", await text("#tiles"));
	await page.click("#spans button:has-text('24h')");
	await settled(page);
	await page.click("#ask-why");
	await page.waitForSelector("#why-parts li", { timeout: 20000 }).catch(() => {});
	ok(/^\+\$3\.61 \+9%\$45\.26 in 11\.3K calls.*More calls\+\$3\.66Fewer tokens a call−\$0\.05/.test(await text("#why-parts")), "why it changed is said in calls, tokens and rates", await text("#why-parts"));
	ok(/By principaletl▲ \$2\.35.*By modelclaude-haiku-4-5 \(global\)▲ \$1\.39.*By token typeInput▲ \$1\.84/.test(await text("#why-by")), "and by principal, model and token type", await text("#why-by"));
	await page.click("#why-form button:has-text('week')");
	await settled(page);
	ok(new URL(page.url()).searchParams.get("compare") === "week" && /11 Nov 14:00 to 12 Nov 14:00/.test(await text("#why-parts")) && await page.evaluate(() => document.activeElement.textContent) === "a week earlier", "a week earlier is a click away, and the link has it", page.url() + await text("#why-parts"));
	await page.screenshot({ path: out + "/why.png", fullPage: true });
	await accessible(page, "why");
	await page.click("#why-form button:has-text('dates')");
	await page.fill("[aria-label='First day to compare with']", "2026-11-10");
	await page.fill("[aria-label='Last day to compare with']", "2026-11-11");
	await page.keyboard.press("Enter");
	await settled(page);
	ok(/10 Nov 00:00 to 12 Nov 00:00.*differ in length, 24 h and 48 h/.test(await text("#why-parts")), "so are any days, whose length is said", await text("#why-parts"));
	await page.click("#why-form button:has-text('close')");
	await settled(page);
	ok(!(await page.isVisible("#why")), "and it can be closed");
	ok(/last month \$[\d,.]+, of which/.test(await text("#months-words")) && (await page.$$("#months canvas")).length === 1, "this month is drawn beside the last", await text("#months-words"));
	const ends = q => page.$eval(q, e => Math.round(e.getBoundingClientRect().bottom)), below = [await ends(".middle"), await ends(".pair"), await ends("#months-words"), await ends("main > .side")];
	ok(below[0] === below[1] && below[1] - below[2] < 60 && below[0] >= below[3], "the months leave no hole, neither below them nor beside the budgets", below);
	ok(!/[+−]0%/.test(await text("#tiles")), "a change that rounds to nothing has no sign", await text("#tiles"));
	ok(/off by [\d.]+% on the last 14 days/.test(await text("#tiles")), "the forecast says how far off it was", await text("#tiles"));
	ok(/Writes, 5 minutes.*Writes, 1 hour/.test(await text("#cache")) && /saved/.test(await text("#cache")), "what caching saved", await text("#cache"));
	ok(/between \$[\d.,]+ (lost|saved) and \$[\d.,]+ saved: who used/.test(await text("#cache")), "and between what and what, each by its word", await text("#cache"));
	ok(/no price.*no caller yet/.test(await text("#gaps")), "what has no price, and what no caller", await text("#gaps"));
	await page.waitForSelector("#teamless .foot", { timeout: 20000 }).catch(() => {});
	const none = /\(no team\)(\$[\d.]+)/.exec(await text("#groups")), teamless = await text("#teamless");
	ok(none && teamless.includes("(unattributed)" + none[1]) && teamless.includes(none[1] + ", <1% of the spend, by 1 caller"), "what has no team, and by whom", teamless);
	const byRole = /^(\S+?)(\$[\d.]+)/.exec(await text("#roles"));
	ok(byRole && /\d+ roles, the others \$[\d.]+: a click shows the principals of one/.test(await text("#roles")), "roles have the spend of all their sessions", await text("#roles"));
	await page.click("#roles .name");
	await settled(page);
	const opened = new URL(page.url()).searchParams;
	ok(opened.get("role") === byRole[1] && opened.get("by") === "principal" && await total() === byRole[2] && !(await page.isVisible("#roles-h")), "a click lists the principals of one", page.url() + " " + await text("#groups-foot"));
	await page.goBack();
	await settled(page);
	await page.waitForSelector("#teamless .foot", { timeout: 20000 }).catch(() => {});
	await page.click("#teamless button:has-text('list them')");
	await settled(page);
	ok(new URL(page.url()).searchParams.get("team") === "" && new URL(page.url()).searchParams.get("by") === "principal" && await total() === none[1] && !(await page.isVisible("#teamless-h")), "which a click lists", page.url() + " " + await text("#groups-foot"));
	await page.goBack();
	await settled(page);
	ok(await page.isVisible("#alerts-panel"), "alerts stand on top");
	ok(/6 times its usual \$0\.38 since 19 Nov 14:28; most by etl \$2\.31/.test(await text("#alerts")), "and say since when and by whom", await text("#alerts"));
	ok(/bob@example\.com is new/.test(await text("#alerts")) && !/arn:/.test(await text("#alerts")), "in names as short as those of the list", await text("#alerts"));
	ok((await page.$$("#alerts li")).length === 6 && /2 more/.test(await text("#alerts")), "a storm of them leaves room for the figures", await text("#alerts"));
	await page.click("#alerts button:has-text('show them')");
	ok((await page.$$("#alerts li")).length === 8, "all are a click away");
	ok(/Silencesnews-\*until .*launch of the notebooks/.test(await text("#alerting")), "silences are shown, with their reason", await text("#alerting"));
	ok(/What rangspikesfiringetl-enrich spends.*19 Nov 14:28spikesresolved.*ended: below its usual for an hour/.test(await text("#alerting")), "and what rang, the newest first", await text("#alerting"));
	ok(/Rules in forcecompanywarning?.*budget of everything, \$1,000 a month at 50, 80, 100 %.*teams.*budget of each team, \$190 a month/.test(await text("#alerting")), "and the rules in force", await text("#alerting"));
	ok((await page.$$(".billed")).length > 0, "what is billed has a colour of its own");
	await page.screenshot({ path: out + "/weeks-light.png", fullPage: true });
	await accessible(page, "weeks");
	const months = await open(browser, past + "/?span=month&mode=group", {}, 'hours=' + (18 * 24 + 15) + "&");
	ok(months.asked, "this month is the server's from the first question on, whatever the browser's clock says");
	await settled(months);
	ok((await months.$$("#groups .mark")).length === 6, "the list has the colours of the chart", (await months.$$("#groups .mark")).length);
	const over = await months.locator("#chart .u-over").boundingBox(), y = over.y + over.height / 2;
	await months.mouse.move(over.x + over.width * .5, y);
	await months.mouse.down();
	await months.mouse.move(over.x + over.width * .55, y, { steps: 5 });
	await months.evaluate(() => document.dispatchEvent(new Event("visibilitychange"))); // which asks for everything again
	await months.waitForResponse(r => r.url().includes("/api/v1/series"));
	await settled(months);
	const same = await months.locator("#chart .u-over").boundingBox(); // panels above may have grown
	await months.mouse.move(same.x + same.width * .6, same.y + same.height / 2, { steps: 5 });
	await months.mouse.up();
	await settled(months);
	ok(/^2026-11-(09|10|11)T.*2026-11-(11|12|13)T/.test(new URL(months.url()).searchParams.getAll("from") + " " + new URL(months.url()).searchParams.get("to")), "a stretch of the chart becomes the span", months.url());
	await months.click("#filters button[aria-label='Back to the present']");
	await settled(months);
	ok(!new URL(months.url()).searchParams.has("from"), "and is left again");
	ok(/1 Nov 00:00 to 19 Nov 14:00, compared with 1 Oct 00:00 to 19 Oct 14:00/.test(await months.textContent("#movers")), "of a month the hours that are over are compared with the same part of the last one", await months.textContent("#movers"));
	await addresses(months);
	await months.context().close();
	await page.click("#spans button:has-text('dates')");
	ok(await page.evaluate(() => document.activeElement.type) === "date", "any days can be asked for without a mouse");
	await page.fill("[aria-label='First day']", "2026-10-31");
	await page.fill("[aria-label='Last day']", "2026-10-01");
	await page.keyboard.press("Enter");
	await settled(page);
	const october = /last month (\$[\d,.]+)/.exec(await text("#tiles"))[1];
	ok((await text("#chart-summary")).startsWith(october + " in this span") && /1 Oct 00:00 to 1 Nov 00:00/.test(await text("#filters")) && (await head()).startsWith("1 Oct 00:00 to 1 Nov 00:00" + october), "all of October is what last month was", await text("#filters") + await text("#chart-summary"));
	await page.goBack();
	await settled(page);
	const caller = await open(browser, past + "/?by=model");
	await settled(caller);

	await caller.goto(past + "/?by=model&principal=arn:aws:sts::111122223333:assumed-role/etl-enrich/etl");
	await settled(caller);
	ok(/nowcast explain 'arn:aws:sts::111122223333:assumed-role\/etl-enrich\/etl' 2026-11-1\dT\d\d:00:00Z/.test(await caller.textContent("#chart-summary")), "a caller's figure comes with the way to ask why", await caller.textContent("#chart-summary"));
	await caller.context().close();
	const then = await open(browser, past + "/?now=2026-11-16T14:00:00Z&span=1h");
	await settled(then);
	ok(/as if it were16 Nov 14:00/.test(await then.textContent("#filters")) && /not live/.test(await then.textContent("#live")), "a view of the past does not call itself live", await then.textContent("#filters") + await then.textContent("#live"));
	await then.click("#filters button[aria-label='Back to now']");
	await settled(then);
	ok(!new URL(then.url()).searchParams.has("now") && /19 Nov/.test(await then.textContent("#asof")) && /live/.test(await then.textContent("#live")), "and leads back to now", then.url());
	await then.context().close();
	const india = await open(browser, past + "/", { timezoneId: "Asia/Kolkata" });
	await settled(india);
	const times = async () => [await india.textContent("#asof"), await india.textContent("#chart-summary"), await india.textContent("#alerts"), await india.textContent("#zone-note")].join(" | ");
	ok(/^19 Nov, 14:40 UTC .* hour of 19 Nov 11:00 .*since 19 Nov 14:28.*All times are UTC/.test(await times()), "times are UTC, wherever the browser is", await times());
	await india.click("#asof");
	await settled(india);
	ok(/^19 Nov, 20:10 GMT\+5:30 .* hour of 19 Nov 16:30 .*since 19 Nov 19:58.*Times are of Asia\/(Kolkata|Calcutta); days and months are UTC/.test(await times()), "and local by choice", await times());
	const plot = await india.locator("#chart .u-over").boundingBox();
	await india.mouse.move(plot.x + plot.width - 5, plot.y + 40);
	ok(/^19 Nov 19:30/.test(await india.textContent(".tip")), "so is a tooltip", await india.textContent(".tip"));
	await india.click("#spans button:has-text('dates')");
	await india.fill("[aria-label='First day']", "2026-11-10");
	await india.fill("[aria-label='Last day']", "2026-11-10");
	await india.keyboard.press("Enter");
	await settled(india);
	ok(/from=2026-11-09T19%3A00%3A00Z&to=2026-11-10T19%3A00%3A00Z/.test(india.url()) && /10 Nov 00:30 to 11 Nov 00:30/.test(await india.textContent("#filters")), "and a day, in whole hours", india.url() + await india.textContent("#filters"));
	await india.goto(past + "/?span=30d");
	await settled(india);
	ok(/GMT/.test(await india.textContent("#asof")) && /in the day of \d+ (Oct|Nov) UTC /.test(await times()), "it is remembered; days of the bill stay UTC", await times());
	await accessible(india, "local time");
	await india.context().close();
	const month30 = await open(browser, past + "/?span=30d&by=model", { viewport: { width: 1024, height: 768 } });
	await settled(month30);
	await agrees(month30, "of thirty days, the first of them in part");
	ok(/Only \d+ of 720 hours are compared: the others were not observed of both/.test(await month30.textContent("#movers")), "half a span before is no fair comparison", await month30.textContent("#movers"));
	ok(/410K tokens without a price/.test(await month30.textContent("#groups tr:has-text('palmyra') .c-name")), "what has no price says so beside its name");
	const jumped = await open(browser, past + "/?span=24h&by=principal");
	await settled(jumped);
	const marks = await jumped.$$eval("#groups .c-name .warn", all => all.map(e => e.textContent));
	ok(marks.filter(t => t === "split unsure: calls jumped at 19 Nov 13:20").length === 1, "a caller whose calls have jumped is marked beside its name", marks);
	ok((await cut(month30, "#budgets")).length === 0, "no budget's name is cut on a tablet", await cut(month30, "#budgets"));
	ok(!(await month30.isVisible("#budgets-h .whole")), "without a filter all panels are of everything");
	await month30.click("#groups tbody tr");
	await settled(month30);
	ok(await month30.isVisible("#budgets-h .whole") && await month30.isVisible("#bill-h .whole"), "with one, those it does not narrow say so");
	await month30.context().close();
	await page.click("#alerts .wrap .name");
	await settled(page);
	ok(page.url().startsWith(past) && new URL(page.url()).searchParams.get("role") === "etl-enrich" && (await text(".chip")).includes("etl-enrich"), "the link of an alert leads to what it is about, here", page.url());
	await page.goBack();
	await settled(page);
	await page.click("#budgets li:has-text('payments') .name");
	await settled(page);
	ok(new URL(page.url()).searchParams.get("team") === "payments", "a click on a budget shows whose it is", page.url());
	ok((await text("#budgets li:has-text('payments')")).includes("forecast " + await forecast() + " for the month"), "whose forecast is that of the tile", await text("#budgets"));
	await page.goBack();
	const hung = await open(browser, past + "/?span=7d", { viewport: { width: 1920, height: 1080 }, colorScheme: "dark" });
	await settled(hung);
	const low = await hung.evaluate(() => ["#tiles", "#over-time", "#movers", "#budgets", "#gaps", "#bill", "#signals", "#alerts"].filter(s => document.querySelector(s).getBoundingClientRect().top > innerHeight - 200));
	ok(low.length === 0, "a wall screen shows without scrolling what the day is like", low);
	await hung.screenshot({ path: out + "/wall-1080.png" });
	await hung.context().close();
	for (const size of [{ width: 1920, height: 1080 }, { width: 2560, height: 1440 }]) {
		const turning = await open(browser, past + "/?wall=600&span=7d&by=principal", { viewport: size, colorScheme: "dark" }), told = [];
		await settled(turning);
		for (let i = 0; i < 4; i++) {
			const look = () => turning.evaluate(() => {
				const seen = [...document.querySelectorAll("main .panel, main .tile, #groups tbody tr")].filter(e => e.checkVisibility()), low = seen.filter(e => e.getBoundingClientRect().bottom > innerHeight + 1);
				return { slide: document.body.dataset.slide, team: document.querySelector("#wall b").textContent, seen: seen.length, low: low.map(e => e.className + e.id), letters: parseFloat(getComputedStyle(document.documentElement).fontSize), scrolls: document.documentElement.scrollHeight > innerHeight, address: location.search };
			});
			let now = await look();
			for (let k = 0; k < 100 && (now.low.length || now.seen < 2); k++) { // until the last answer has come
				await turning.waitForTimeout(100);
				now = await look();
			}
			told.push(now);
			if (size.width === 1920) await turning.screenshot({ path: out + "/wall-" + i + ".png" });
			if (size.width === 1920 && i < 2) await accessible(turning, "the wall, panel " + i);
			await turning.keyboard.press("ArrowRight");
			await settled(turning);
		}
		ok(told.map(t => t.slide).join() === "spend,list,budgets,spend" && told.every(t => t.seen > 1) && told[3].team === "Team payments", "the wall turns from panel to panel, then to the teams", JSON.stringify(told));
		ok(told.every(t => !t.low.length && !t.scrolls && t.letters >= size.height / 56), "in large letters, with nothing cut off, " + size.width + " wide", JSON.stringify(told));
		ok(told.every(t => t.address === "?span=7d&by=principal&wall=600" || t.address === "?wall=600&span=7d&by=principal"), "and its address stays", JSON.stringify(told));
		const cut = await turning.evaluate(async () => {
			document.querySelector("#tiles").style.paddingBottom = innerHeight / 20 + "px";
			await new Promise(done => setTimeout(done, 500));
			return document.querySelector("#over-time").getBoundingClientRect().bottom - innerHeight;
		});
		ok(cut <= 0, "nor where what is above the chart grows, " + size.width + " wide", cut);
		await turning.keyboard.press("Escape");
		await settled(turning);
		ok(await turning.isVisible("#spans") && !/wall|team=/.test(turning.url()), "Escape leads to the usual page", turning.url());
		await turning.context().close();
	}
	const quick = await open(browser, past + "/?wall=2", { viewport: { width: 1920, height: 1080 } });
	const first = await quick.getAttribute("body", "data-slide");
	for (let i = 0; i < 50 && await quick.getAttribute("body", "data-slide") === first; i++) await quick.waitForTimeout(100);
	ok(first === "spend" && await quick.getAttribute("body", "data-slide") === "list", "without a touch, after as many seconds as the link says");
	await quick.context().close();
	const wall = await open(browser, past + "/?span=7d&mode=group", { viewport: { width: 2560, height: 1440 }, colorScheme: "dark" });
	await settled(wall);
	ok(await wall.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out on a wall screen");
	ok(await wall.evaluate(() => document.querySelector("#chart canvas").clientHeight > 300), "and charts grow with the letters");
	await wall.screenshot({ path: out + "/wall-dark.png" });
	await accessible(wall, "wall, dark");
	await wall.context().close();
	const hand = await open(browser, past + "/?compare=before", { viewport: { width: 390, height: 844 }, hasTouch: true });
	await settled(hand);
	ok(await hand.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nor on a phone");
	await hand.screenshot({ path: out + "/weeks-phone.png", fullPage: true });
	await hand.context().close();
	process.kill(Number(process.env.PAST_REDIS), "SIGKILL");
	await page.waitForSelector("#banner.bad", { timeout: 30000 }).catch(() => {});
	ok(/Stale since \d\d:\d\d UTC/.test(await text("#banner")), "without Redis the page says since when it is stale", await text("#banner"));
	ok((await page.$$("#groups tbody tr")).length > 3 && /stale/.test(await text("#live")), "and goes on showing what it had");
	await page.screenshot({ path: out + "/stale.png" });
	await accessible(page, "stale");
	await page.context().close();
}

// The tasks of docs/tasks.md that a page can do, from its first view, each in few clicks.
async function tasks(browser) {
	const pages = new Map();
	const begin = async address => {
		const page = pages.get(address) || await open(browser, address + "/");
		if (pages.has(address)) await page.click("#home");
		pages.set(address, page);
		await settled(page);
		let clicks = 0;
		return { page, clicks: () => clicks, text: id => page.textContent(id), click: async q => { clicks++; await page.click(q); await settled(page); } };
	};
	const bar = async (t, k, n) => { // the middle of one of n
		const box = await t.page.locator("#chart .u-over").boundingBox();
		await t.page.mouse.click(box.x + box.width * (k + .5) / n, box.y + box.height - 20);
		await settled(t.page);
	};
	let t = await begin(past);
	await t.click("#spans button:has-text('today')");
	await t.click("#groups tbody tr:has-text('payments')");
	ok(/^Today\$[\d.]+.*on \$[\d.]+ by this time yesterday/.test(await t.text(".tile.headline")) && t.clicks() === 2 && /team=payments/.test(t.page.url()), "what payments spent today takes two clicks", await t.text(".tile.headline"));

	t = await begin(past);
	await bar(t, 20, 24);
	ok(/from=2026-11-19T11%3A00%3A00Z&to=2026-11-19T12%3A00%3A00Z/.test(t.page.url()) && /in the same length before/.test(await t.text(".tile.headline")), "a click on a bar shows its hour alone", t.page.url() + await t.text(".tile.headline"));
	await t.click("#ask-why");
	ok(/19 Nov 11:00 to 19 Nov 12:00.*19 Nov 10:00 to 19 Nov 11:00.*More calls/.test(await t.text("#why-parts")) && /By principal.*▲/.test(await t.text("#why-by")), "and one more says why it jumped then", await t.text("#why"));
	t = await begin(past);
	await bar(t, 23, 24);
	await t.click("#ask-why");
	ok(/The hour of 14:00 is not over/.test(await t.text("#why-parts")) && /14:00 to 19 Nov 15:00.*13:00 to 19 Nov 14:00/.test(await t.text("#why-parts")) && /By principal.*[▲▼]/.test(await t.text("#why-by")), "while the hour still goes on, too, which is said", await t.text("#why"));
	ok(/in the whole hour before/.test(await t.text(".tile.headline")) && /The hour of 14:00 is not over/.test(await t.text("#movers")), "nor is it taken for less spend", await t.text(".tile.headline") + await t.text("#movers"));
	const before = /\$[\d.]+ in the whole hour before/.exec(await t.text(".tile.headline"))[0];
	await t.click("#filters button[aria-label='Back to the present']");
	await t.click("#spans button:has-text('hour')");
	ok((await t.text(".tile.headline")).includes(before), "as it is said of this hour", before + " | " + await t.text(".tile.headline"));
	await t.page.click("#chart-data summary");
	await t.click("#spans button:has-text('24h')");
	await t.page.focus("#chart-data tbody tr:nth-child(4) button");
	await t.page.keyboard.press("Enter");
	await settled(t.page);
	ok(/from=2026-11-19T11%3A00%3A00Z&to=2026-11-19T12%3A00%3A00Z/.test(t.page.url()), "the keyboard opens an hour of the table", t.page.url());

	t = await begin(past);
	await t.click("#groupings button:has-text('family')");
	await t.click("#groups tbody tr:has-text('haiku')");
	ok(/^Principal/.test(await t.text("#groups")) && await t.page.isVisible("#model-types tbody tr") && t.clicks() === 2, "who uses a model takes two clicks, whatever profile it is called by", t.page.url());

	t = await begin(url);
	await t.page.fill("#search", "ASIANOBODY0000000000");
	await settled(t.page);
	ok(/Enter leads to whose key it is/.test(await t.text("#groups-foot")), "a key in the search is taken for one", await t.text("#groups-foot"));
	await t.page.keyboard.press("Enter");
	await settled(t.page);
	ok(/ASIANOBODY0000000000: no session is known by this key: keys are stored as long as their calls/.test(await t.text("#banner")), "one that nobody knows is said to be unknown, and why", await t.text("#banner"));
	await t.page.fill("#search", "AKIAIOSFODNN7EXAMPLE");
	await t.page.keyboard.press("Enter");
	await settled(t.page);
	ok(/long-term keys are not stored: `aws iam get-access-key-last-used` names the user/.test(await t.text("#banner")), "for a long-term key it says who knows", await t.text("#banner"));
	await t.page.click("#banner button");
	await t.page.fill("#search", "");
	ok(/nowcast budget set month --amount 5000/.test(await t.text("#budgets")) && /receiver slack.*nowcast alert test/.test(await t.text("#alerting")), "where no budget and no receiver is, it says how to make them", await t.text("#budgets") + await t.text("#alerting"));
	ok(/A rate of your own: nowcast price add MODEL/.test(await t.text("#gaps")), "and how a private rate is added", await t.text("#gaps"));
	const commands = await t.page.$$eval("#budgets code, #bill code, #alerting code", all => all.map(e => e.textContent));
	ok(commands.join() === "nowcast budget set month --amount 5000,nowcast reconcile,nowcast alert list,nowcast alert test" && !/`/.test(await t.text("main")), "commands are shown as such", commands);
	ok(/What was not observed, nowcast replay --reopen of its files brings in/.test(await t.text("#chart-summary")), "and how what was missed is brought in", await t.text("#chart-summary"));

	t = await begin(past);
	await t.click("#spans button:has-text('30d')");
	const file = async q => { const [f] = await Promise.all([t.page.waitForEvent("download"), t.page.click(q)]); return [f.suggestedFilename(), require("fs").readFileSync(await f.path(), "utf8").trimEnd().split(/\r?\n/).map(l => l.match(/("([^"]|"")*"|[^,]*)(,|$)/g).map(c => c.replace(/,$/, "")))]; };
	const [csvName, csv] = await file("#groups-foot button:has-text('CSV')"), [name, focus] = await file("#focus");
	ok(csvName === "nowcast-team-2026-10-20-2026-11-19.csv" && csv.length === 1 + await rows(t.page), "CSV for finance is two clicks away", csvName);
	const of = (row, column) => row[focus[0].indexOf(column)], usage = focus.slice(1).filter(r => of(r, "x_TokenType")), total = Number(/, \$([\d,.]+) in all/.exec(await t.text("#groups-foot"))[1].replace(",", ""));
	const sum = usage.reduce((s, r) => s + Number(of(r, "BilledCost")) + Number(of(r, "x_EstimatedCost")), 0);
	ok(name === "nowcast-2026-10-20-2026-11-19.focus.csv" && focus.filter(r => r[0] === "BilledCost").length === 1 && new Set(focus.map(String)).size === focus.length && Math.abs(sum - total) < .51, "so is FOCUS, which comes to the same", name + " " + sum + " " + total + " " + focus.length);
	ok(await t.text("#focus") === "FOCUS", "and the button is ready again", await t.text("#focus"));

	t = await begin(past);
	const words = () => t.text("#what-if"), amount = async () => Number(/reads: \$([\d.,]+) less/.exec(await words())[1].replace(",", ""));
	const caching = (await t.page.evaluate(async () => (await (await fetch("/api/v1/cache?hours=24")).json()).total.cacheable));
	const saves = (share, reads) => share * (caching.usd - caching.usd_if_read) - share / reads * (caching.usd_if_written - caching.usd);
	ok(caching.tokens > 0 && Number(caching.usd_if_read) < caching.usd && Number(caching.usd_if_written) > caching.usd && Math.abs(await amount() - saves(.8, 16)) < .006, "what caching would save is on the first view", await words());
	await t.page.fill("#what-if input[aria-label^='Per cent']", "40");
	await t.page.fill("#what-if input[aria-label^='Reads']", "2");
	ok(Math.abs(await amount() - saves(.4, 2)) < .006, "of any share that comes again", await words());
	await t.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
	await t.page.waitForResponse(r => r.url().includes("/api/v1/cache"));
	await settled(t.page);
	ok(await t.page.evaluate(() => document.activeElement.value) === "2", "which a live update leaves", await words());

	t = await begin(past);
	await t.click("#spans button:has-text('week')");
	ok(/^This week\$[\d.]+.*on last week: \$[\d.]+ up to 14:00, against \$[\d.]+/.test(await t.text(".tile.headline")) && /16 Nov 00:00 to 19 Nov 14:00, compared with 9 Nov 00:00 to 12 Nov 14:00/.test(await t.text("#movers")) && t.clicks() === 1, "this week against last is one click", await t.text(".tile.headline") + await t.text("#movers"));
	await t.click("#ask-why");
	ok(/16 Nov 00:00 to 19 Nov 14:00.*9 Nov 00:00 to 12 Nov 14:00/.test(await t.text("#why-parts")), "and why, another", await t.text("#why-parts"));
	for (const page of pages.values()) await page.context().close();
}

// Five hours after the last record.
async function late(browser) {
	const page = await open(browser, process.env.LATE + "/");
	await settled(page);
	const text = q => page.textContent(q);
	ok(/^stale since (2 Nov )?0[12]:\d\d/.test((await text("#live")).trim()) && !(await page.$("#live.on")), "old figures are not live", await text("#live"));
	ok(/figures end at (2 Nov )?0[12]:\d\d: not compared/.test(await text("#tiles")) && !/yesterday/.test(await text("#tiles")), "nor are they compared with a day that was whole", await text("#tiles"));
	ok(/This hour–not known/.test(await text("#tiles")), "an hour of which nothing is known is not free", await text("#tiles"));
	ok(/DeveloperSSO role …|Developer\$/.test(await text("#roles")) && !/AWSReserved/.test(await text("#roles")), "a role of SSO is shown by its permission set", await text("#roles"));
	ok(!/last month/.test(await text("#months-legend")), "a month that was not observed is not drawn", await text("#months-legend"));
	const dayLate = await open(browser, process.env.DAY_LATE + "/?span=7d");
	await settled(dayLate);
	ok(/Today–not known: figures end at/.test(await dayLate.textContent("#tiles")), "nor is a day of which nothing is known", await dayLate.textContent("#tiles"));
	await dayLate.context().close();
	ok((await page.$$("#signals .state.stale")).length >= 2, "the signals are stale, though they arrived a moment ago", await text("#signals"));
	ok(/figures end at/.test(await text("#findings")), "and the doctor says so", await text("#findings"));
	ok(/not observed/.test(await text("#legend")), "what was not observed has a pattern of its own", await text("#legend"));
	const box = await page.locator("#chart .u-over").boundingBox();
	await page.hover("#chart .u-over", { position: { x: box.width - 60, y: 60 } });
	ok(/not observed.*2 Nov 0[12]:\d\d to 07:00: nothing was read of this time/s.test(await text(".tip")), "a hover says from when to when, and why", await text(".tip"));
	await page.screenshot({ path: out + "/late.png" });
	await accessible(page, "late");
	await page.context().close();
}

async function main() {
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, args: flags });
	try {
		await desk(browser);
		await phone(browser);
		await crowd(browser);
		await nothing(browser);
		await late(browser);
		await locked(browser);
		await tasks(browser);
		await weeks(browser); // which ends the Redis of PAST
		ok(errors.length === 0, "no error was said in the console", errors.join("\n"));
	} finally {
		await browser.close();
	}
}

main().catch(e => ok(false, "the browser's script came to its end", e.stack)).then(() => {
	console.log("1.." + count);
	process.exit(failed > 0 ? 1 : 0);
});
