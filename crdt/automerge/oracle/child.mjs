// A program that the Go tests talk to: one request of JSON a line in, one answer a
// line out. It knows @automerge/automerge by its low-level interface, which is
// the one that mirrors the operations.
import { createInterface } from "node:readline";
import "@automerge/automerge"; // initialises the WebAssembly
import { ApiHandler } from "./node_modules/@automerge/automerge/dist/mjs/low_level.js";
import * as history from "./history.mjs";
import { talk } from "./talk.mjs";

const commands = {
	play: history.play,
	look: history.look,
	apply: history.apply,
	talk,
	release: () => ApiHandler.wasmReleaseInfo(),
};

// A panic of the library leaves its memory in an unknown state: the child says
// so and ends; the Go side starts another.
const isPanic = (e) => e instanceof WebAssembly.RuntimeError || /unreachable|panicked|recursive use/.test(`${e}`);

console.error = () => {}; // the library prints its panics

for await (const line of createInterface({ input: process.stdin })) {
	const { cmd, ...args } = JSON.parse(line);
	let answer;
	let panic = false;
	try {
		answer = { ok: commands[cmd](args) };
	} catch (e) {
		panic = isPanic(e);
		answer = { error: `${e?.message ?? e}`, panic, stack: `${e?.stack ?? ""}`.slice(0, 2000) };
	}
	process.stdout.write(
		`${JSON.stringify(answer, (_, v) => (typeof v === "bigint" ? `${v}` : v))}\n`,
		() => panic && process.exit(3),
	);
}
