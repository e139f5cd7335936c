// Real nodes for the tests: the program itself, on loopback, each with a data
// directory of its own.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { window } from "./lab.nodes.mjs";

const program = process.env.INSELNETZ_BIN;
if (!program) throw new Error("INSELNETZ_BIN must be the path of the program");

// All nodes of one run hear each other's beacons, and no other run's.
const beacon = String(20000 + Math.floor(Math.random() * 10000));

// startNode starts a node that talks within this computer alone, or in the network
// of a host.
export async function startNode(host = "") {
	const home = await mkdtemp(join(tmpdir(), "inselnetz-page-"));
	const node = { origin: "" };
	let at = ["--beacon-port", beacon, "--port", "0"];
	let child;
	let cookie = "";
	let said = "";
	let leave = () => {}; // closes the way into the host
	process.once("exit", () => child?.kill()); // whatever went wrong

	const start = async () => {
		const from = said.length;
		child = spawn(
			host ? "ip" : program,
			(host ? ["netns", "exec", host, program] : []).concat([
				...["serve", "--data", join(home, "data"), "--state", join(home, "state")],
				"--secrets",
				"file", // never the key store of whoever runs the tests
				...(host ? [] : ["--loopback", ...at]),
				"--page",
				"127.0.0.1:0",
			]),
			{ stdio: ["ignore", "pipe", "pipe"] },
		);
		const address = await new Promise((found, failed) => {
			const hear = (chunk) => {
				said += chunk;
				const match = /http:\/\/127\.0\.0\.1:\d+\/start\?token=[0-9a-f]+/.exec(said.slice(from));
				if (match) found(match[0]);
			};
			child.stdout.on("data", hear);
			child.stderr.on("data", hear);
			child.once("exit", (code) => failed(new Error(`the program ended with ${code}: ${said}`)));
			setTimeout(() => failed(new Error(`no address after 15 s: ${said}`)), 15_000).unref();
		});
		node.origin = new URL(address).origin;
		if (host) leave = await window(host, Number(new URL(address).port));
		const answer = await fetch(address, { redirect: "manual" });
		cookie = answer.headers.get("set-cookie").split(";")[0];
	};
	const end = async (signal) => {
		if (child.exitCode !== null || child.signalCode !== null) return;
		const ended = new Promise((done) => child.once("exit", done));
		child.kill(signal);
		await ended;
		leave();
	};

	// ask calls the API as the page does.
	const ask = async (name, request = {}) => {
		const answer = await fetch(`${node.origin}/api/${name}`, {
			method: "POST",
			headers: {
				"Content-Type": "application/json",
				Origin: node.origin,
				Cookie: cookie,
				"X-Inselnetz-Language": "de",
			},
			body: JSON.stringify(request),
		});
		const body = await answer.json();
		if (!answer.ok) throw Object.assign(new Error(body.sentence), body);
		return body;
	};

	await start();
	return Object.assign(node, {
		home,
		ask,
		address: async () => (await ask("page")).address,
		log: () => said,
		pause: () => end("SIGTERM"),
		resume: start, // at a new address
		// Started again, it hears nobody and nobody knows where it is.
		apart: (port) => {
			at = ["--beacon-port", String(port), "--port", String(port + 1)];
		},
		stop: async () => {
			await end("SIGTERM");
			await rm(home, { recursive: true, force: true });
		},
		// As if the computer had burnt down.
		destroy: async () => {
			await end("SIGKILL");
			await rm(home, { recursive: true, force: true });
		},
	});
}

// until asks again until the answer holds.
export async function until(what, holds, ms = 15_000) {
	const end = Date.now() + ms;
	for (;;) {
		const value = await holds();
		if (value) return value;
		if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
		await new Promise((r) => setTimeout(r, 50));
	}
}

// pair brings the second node into the office of the first through the API, and
// founds that office if names has it.
export async function pair(first, second, names) {
	if (names.office)
		await first.ask("found", { office: names.office, person: names.first, device: names.firstDevice });
	await first.ask("invite/open", { role: names.role ?? "member" });
	const door = await until("a door", async () => (await second.ask("doors")).doors[0]);
	await second.ask("join", { door: door.id, address: "", person: names.second, device: names.secondDevice });
	const shown = await until("a number", async () => {
		const state = await second.ask("join/state");
		return state.step === "number" && state;
	});
	await until("someone waiting", async () => (await first.ask("invite/state")).waiting.length > 0);
	await first.ask("invite/type", { number: shown.number });
	await until("words", async () => (await second.ask("join/state")).step === "words");
	await second.ask("join/confirm", { same: true });
	await until("membership", async () => (await second.ask("status")).phase === "member");
}
