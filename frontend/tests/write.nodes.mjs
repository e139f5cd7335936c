// Pages without a browser at real nodes: the link of the editor, with the node's API.
import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { load } from "./editor.load.mjs";
import { until } from "./nodes.mjs";

export const core = await load(
	"schema",
	"keep",
	"keep.attrs",
	"keep.own",
	"place.blocks",
	"link",
	"here",
	"undo",
);
const { Link, here, undoing, textOf } = core;

// Typist is a page without a view.
export class Typist {
	composing = false;
	cut = false; // calls get lost
	kinds = [];

	constructor(node, id) {
		this.node = node;
		this.id = id;
		const ask = async (name, request) => {
			const lost = () => Object.assign(new Error("lost"), { code: "offline" });
			if (this.cut && Math.random() < 0.5) throw lost();
			const answer = await node.ask(name, request).catch((err) => {
				// A node that is away, or has just come back.
				throw err.code && typeof err.code === "string" && err.code !== "ECONNREFUSED" ? err : lost();
			});
			if (this.cut) throw lost();
			return answer;
		};
		this.link = new Link(id, {
			ask,
			plugins: () => [undoing(), here()],
			onstate: (s) => this.kinds.push(s.kind),
		});
	}

	async open() {
		this.state = await this.link.open();
		this.link.attach(this);
		this.timer = setInterval(() => this.link.heard({ what: "document", id: this.id }), 150);
		return this;
	}

	updateState(state) {
		this.state = state;
	}

	hasFocus() {
		return true;
	}

	command(command) {
		command(this.state, (tr) => this.link.dispatch(tr));
	}

	async close() {
		clearInterval(this.timer);
		await this.link.close();
	}
}

// told is the text that a node tells of a document to a page that opens it.
export async function told(node, id) {
	const answer = await node.ask("document/open", { id, heads: [], actor: "", next: 0 });
	await node.ask("document/close", { editor: answer.editor });
	return textOf(answer.blocks, answer.unmarked).doc;
}

// kill ends a node as a power cut does.
export async function kill(node) {
	process.kill((await processOf(node)).pid, "SIGKILL");
	await until("it is dead", () =>
		node.ask("status").then(
			() => false,
			() => true,
		),
	);
}

// crash ends a node as a power cut does, and tells how it was started.
export async function crash(node) {
	const { line } = await processOf(node);
	await kill(node);
	return line;
}

async function processOf(node) {
	for (const pid of await readdir("/proc")) {
		if (!/^\d+$/.test(pid)) continue;
		const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
		if (line.includes(`${node.home}/data`))
			return { pid: Number(pid), line: line.split("\0").filter(Boolean) };
	}
	throw new Error("the node does not run");
}

// restart starts a crashed node with its page at the old place. The result is where
// a page gets in, and how to end it.
export async function restart(node, [program, ...args]) {
	const old = new URL(node.origin).host;
	const place = args.indexOf("--page") + 1;
	const child = spawn(program, args.with(place, old), { stdio: ["ignore", "pipe", "pipe"] });
	process.once("exit", () => child.kill());
	let said = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream.on("data", (chunk) => {
			said += chunk;
		});
	}
	const address = await until("an address", () => /http:\S+\/start\?token=[0-9a-f]+/.exec(said)?.[0]);
	const end = async () => {
		const ended = new Promise((done) => child.once("exit", done));
		child.kill();
		await ended;
	};
	return { address, end };
}
