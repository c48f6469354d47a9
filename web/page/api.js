// SPDX-License-Identifier: Apache-2.0
// Questions to the server: answers as objects, errors as ApiError with their status, and the live stream. The token
// travels in a header (never in a URL, never in a cookie) and is kept for the life of the tab.

let token = sessionStorage.getItem("nowcast-token") || "";

export function setToken(text) {
	token = text.trim();
	sessionStorage.setItem("nowcast-token", token);
}

function headers() {
	return token ? { Authorization: "Bearer " + token } : {};
}

export class ApiError extends Error {
	constructor(status, message) {
		super(message);
		this.status = status; // 0: there was no answer
	}
}

async function ask(path, signal) {
	try {
		return await fetch(path, { headers: headers(), signal, credentials: "omit", cache: "no-store" });
	} catch (e) {
		if (e.name === "AbortError") throw e;
		throw new ApiError(0, "the server does not answer");
	}
}

// get("breakdown", [["by", "team"], ...])
export async function get(name, words, signal) {
	const query = new URLSearchParams(words).toString();
	const response = await ask("/api/v1/" + name + (query ? "?" + query : ""), signal);
	if (response.ok && /csv/.test(response.headers.get("Content-Type"))) return response.text();
	const body = await response.json().catch(() => ({}));
	if (!response.ok) throw new ApiError(response.status, body.error || "status " + response.status);
	return body;
}

const pause = ms => new Promise(done => setTimeout(done, ms));

// Calls on(event, data) for each event, and on("closed", ApiError) when the stream ends; then connects again, for ever.
export async function listen(on) {
	for (let tries = 0; ; tries++) {
		try {
			const response = await ask("/api/v1/events");
			if (!response.ok) throw new ApiError(response.status, "status " + response.status);
			on("open", null);
			tries = 0;
			await read(response.body.getReader(), on);
			throw new ApiError(0, "the stream ended");
		} catch (e) {
			on("closed", e);
			if (e.status === 401) return; // the caller asks for a token, and listens again
		}
		await pause(Math.min(30000, 1000 * 2 ** Math.min(tries, 5)) * (0.5 + Math.random()));
	}
}

async function read(reader, on) {
	const decoder = new TextDecoder();
	let text = "";
	for (;;) {
		const { done, value } = await reader.read();
		if (done) return;
		text += decoder.decode(value, { stream: true });
		for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
			let event = "message", data = "";
			for (const line of text.slice(0, end).split("\n")) {
				if (line.startsWith("event: ")) event = line.slice(7);
				else if (line.startsWith("data: ")) data += line.slice(6);
			}
			if (data) on(event, JSON.parse(data));
		}
	}
}
