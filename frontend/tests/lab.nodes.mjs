// Computers in networks of their own (namespaces of Linux), each with the program,
// for what cannot be seen on one computer. Needs root.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const able = process.platform === "linux" && process.getuid() === 0;

const ip = (...args) => execFileSync("ip", args, { stdio: "pipe" });

// row makes so many computers, each with a cable to the next one only: a network
// for each cable, and no way from one network into another.
export function row(n) {
	// The tests in Go remove those whose process is gone, by this name.
	const prefix = `insellab-${process.pid}-page`;
	const hosts = Array.from({ length: n }, (_, i) => `${prefix}-h${i}`);
	const stop = () => {
		for (const ns of hosts) {
			try {
				ip("netns", "del", ns);
			} catch {
				// it was not made
			}
		}
	};
	try {
		for (const ns of hosts) {
			ip("netns", "add", ns);
			ip("-n", ns, "link", "set", "lo", "up");
		}
		for (let i = 0; i + 1 < n; i++) {
			const [here, there] = [hosts[i], hosts[i + 1]];
			ip("-n", here, "link", "add", "right", "type", "veth", "peer", "name", "left", "netns", there);
			ip("-n", here, "addr", "add", `10.77.${i}.1/24`, "dev", "right");
			ip("-n", there, "addr", "add", `10.77.${i}.2/24`, "dev", "left");
			ip("-n", here, "link", "set", "right", "up");
			ip("-n", there, "link", "set", "left", "up");
		}
	} catch (err) {
		stop();
		throw err;
	}
	return { hosts, stop };
}

const inside = `
const { createConnection, createServer } = require("node:net");
const [port, path] = process.argv.slice(1);
createServer((near) => {
	const far = createConnection({ host: "127.0.0.1", port });
	near.pipe(far).pipe(near);
	for (const end of [near, far]) end.on("error", () => { near.destroy(); far.destroy(); });
}).listen(path, () => console.log("ready"));
process.stdin.resume().on("end", () => process.exit());
`;

// window makes a port of this computer lead to the same port of 127.0.0.1 within a
// host: a socket of the file system belongs to no network.
export async function window(ns, port) {
	const dir = mkdtempSync(join(tmpdir(), "inselnetz-lab-"));
	const path = join(dir, "s");
	const child = spawn("ip", ["netns", "exec", ns, process.execPath, "-e", inside, String(port), path], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	await new Promise((ready, failed) => {
		child.stdout.once("data", ready);
		child.once("exit", () => failed(new Error(`no way into ${ns}`)));
	});
	const open = new Set();
	const server = createServer((near) => {
		const far = createConnection(path);
		open.add(near);
		near.pipe(far).pipe(near);
		const end = () => {
			near.destroy();
			far.destroy();
			open.delete(near);
		};
		for (const s of [near, far]) s.on("error", end).on("close", end);
	});
	await new Promise((ready, failed) => server.once("error", failed).listen(port, "127.0.0.1", ready));
	return () => {
		child.stdin.end();
		for (const s of open) s.destroy();
		server.close();
		rmSync(dir, { recursive: true, force: true });
	};
}
