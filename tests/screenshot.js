// SPDX-License-Identifier: Apache-2.0
// One picture of the dashboard, as WebP: Chromium itself encodes it.
//
//     node screenshot.js URL FILE PLAYWRIGHT-FOLDER
"use strict";
const [, , url, file, modules] = process.argv;
const { chromium } = require(modules + "/node_modules/playwright-core");

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const size = { width: 1280, height: 1000 };

(async () => {
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: flags });
	const context = await browser.newContext({ viewport: size, colorScheme: "light" }), page = await context.newPage();
	await page.goto(url);
	await page.waitForSelector("#groups tbody tr", { timeout: 30000 });
	await page.waitForTimeout(500);
	for (let i = 0; i < 100 && await page.$("[aria-busy]"); i++) await page.waitForTimeout(100);
	await page.waitForTimeout(500);
	const devtools = await context.newCDPSession(page);
	const picture = await devtools.send("Page.captureScreenshot", { format: "webp", quality: 70 });
	require("fs").writeFileSync(file, Buffer.from(picture.data, "base64"));
	await browser.close();
})().catch(e => { console.error(e); process.exit(1); });
