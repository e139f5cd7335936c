// A phone's browser: paired by the link, it writes in the person's name over
// HTTPS with the device's own certificate, and is cut off.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { get } from "node:http";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { accessible, fits, launch, looks, open, pictures, quiet, phone as small, step } from "./browser.mjs";
import { startNode, until } from "./nodes.mjs";

let browser;
let node;
let page; // at the computer
let web; // what the node says of its page
let mobile; // browser that trusts the node's key, as a phone with the issuer installed
let hand; // its page
let host;

const state = () => node.ask("web");
const button = (p, name) => p.getByRole("button", { name, exact: true });

before(async () => {
	[browser, node] = await Promise.all([launch(), startNode()]);
	await node.ask("found", { office: "Kanzlei Petersen", person: "Anke Petersen", device: "NAS" });
	page = await open(browser, node);
});

after(async () => {
	await mobile?.close();
	await browser?.close();
	await node?.stop();
});

// fetched is what the welcome server hands out; its host is checked, so it is named.
const fetched = (path) =>
	new Promise((done, failed) => {
		const port = new URL(web.welcome).port || 80;
		get({ host: "127.0.0.1", port, path, headers: { Host: host } }, (answer) => {
			const parts = [];
			answer.on("data", (part) => parts.push(part));
			answer.on("end", () =>
				done({ status: answer.statusCode, head: answer.headers, body: Buffer.concat(parts) }),
			);
		}).on("error", failed);
	});

step("it is off until somebody switches it on", async () => {
	assert.equal((await state()).running, false);
	await page.evaluate(() => {
		location.hash = "#/phone";
	});
	await button(page, "Einschalten").click();
	await page.getByText("Eingeschaltet", { exact: true }).waitFor();
	web = await until("the page", async () => {
		const now = await state();
		return now.running && now;
	});
	const local = web.addresses.map((a) => new URL(a)).find((a) => a.hostname.endsWith(".local"));
	assert.ok(local, `no name among ${web.addresses}`);
	host = local.host;
	await looks(page, "phone-on");
});

step("without encryption there is a page that explains, and nothing else", async () => {
	for (const lang of ["de", "en"]) {
		const welcome = await fetched(`/?lang=${lang}`);
		assert.equal(welcome.status, 200);
		assert.equal(welcome.head["set-cookie"], undefined);
		const text = welcome.body.toString();
		assert.ok(text.includes(web.authority.fingerprint), "the fingerprint is there");
		assert.ok(!/Petersen/.test(text), "strangers learn no names");
	}
	assert.equal((await fetched("/api/status")).status, 404);
	const root = new X509Certificate((await fetched("/inselnetz.crt")).body);
	assert.equal(root.fingerprint256, web.authority.fingerprint);
	assert.equal((await fetched("/handbook/de.html")).status, 200);
});

// leafOf is the certificate the node shows for the name.
async function leafOf() {
	const { connect } = await import("node:tls");
	const [servername, port] = host.split(":");
	return new Promise((done, failed) => {
		const root = `-----BEGIN CERTIFICATE-----\n${Buffer.from(rootRaw).toString("base64")}\n-----END CERTIFICATE-----\n`;
		const socket = connect({ host: "127.0.0.1", port: port || 443, servername, ca: root }, () => {
			assert.equal(socket.authorized, true);
			done(new X509Certificate(socket.getPeerCertificate().raw));
			socket.end();
		});
		socket.on("error", failed);
	});
}
let rootRaw;
step("the certificate is the issuer's, for this name", async () => {
	rootRaw = (await fetched("/inselnetz.crt")).body;
	await leafOf();
});

step("a phone is paired by the link", async () => {
	await button(page, "Code zeigen").click();
	const code = await page.locator(".code").first().textContent();
	await page.getByRole("img", { name: "QR-Code zum Verbinden" }).waitFor();
	await looks(page, "phone-pair");

	// The name resolves on a real network by mDNS. The key of the leaf is what a
	// phone with the issuer installed would come to trust.
	const leaf = await leafOf();
	assert.equal(leaf.fingerprint256, web.authority.leaf);
	const spki = createHash("sha256")
		.update(leaf.publicKey.export({ type: "spki", format: "der" }))
		.digest("base64");
	mobile = await chromium.launch({
		executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
		args: [
			"--no-sandbox",
			"--disable-gpu",
			"--disable-quic",
			`--host-resolver-rules=MAP ${host.split(":")[0]} 127.0.0.1`,
			`--ignore-certificate-errors-spki-list=${spki}`,
		],
	});
	const origin = `https://${host}`;
	hand = await open(
		mobile,
		{ origin, address: async () => `${origin}/#/pair/${code}` },
		{ viewport: small, hasTouch: true },
	);
	await hand.getByRole("heading", { name: "Dieses Gerät verbinden" }).waitFor();
	assert.ok(!(await hand.evaluate(() => location.href)).includes(code), "the code left the address");
	await accessible(hand, "claim");
	await fits(hand, "claim");
	await hand.setViewportSize(small);
	await hand.screenshot({ path: `${pictures}/phone-claim.png` });
	await hand.getByLabel("Wie heißt dieses Gerät?").fill("Annas iPhone");
	await button(hand, "Verbinden").click();
	await hand.getByText("Sie lesen und schreiben hier als Anke Petersen").waitFor();
	await hand.screenshot({ path: `${pictures}/phone-done.png` });
	await page.getByText("„Annas iPhone“ ist verbunden.").waitFor();
	await button(hand, "Los").click();
	await hand.getByRole("navigation").waitFor();
	const cookies = await hand.context().cookies();
	assert.equal(cookies.length, 1);
	assert.ok(cookies[0].secure && cookies[0].httpOnly && cookies[0].sameSite === "Strict");
});

step("it writes, and hears what others write", async () => {
	await hand.evaluate(() => {
		location.hash = "#/chat";
	});
	const { channels } = await node.ask("channels");
	const main = channels.find((c) => c.main);
	await hand.evaluate((id) => {
		location.hash = `#/chat/${encodeURIComponent(id)}`;
	}, main.id);
	const box = hand.getByRole("textbox").last();
	await box.fill("Bin am Gericht.");
	await box.press("Control+Enter");
	await button(hand, "Senden")
		.click({ timeout: 1000 })
		.catch(() => {}); // Enter has sent it already
	await until("the message", async () => {
		const { messages } = await node.ask("messages", { channel: main.id });
		return messages.some((m) => m.text === "Bin am Gericht." && m.author?.name === "Anke Petersen");
	});
	await node.ask("post", { channel: main.id, text: "Die Frist läuft.", replyTo: "", nonce: "n1" });
	await hand.getByText("Die Frist läuft.").first().waitFor();
	await hand.screenshot({ path: `${pictures}/phone-chat.png` });
});

step("files go up and down", async () => {
	const { folders } = await node.ask("files/folders");
	const { space } = folders[0];
	const got = await hand.evaluate(async (space) => {
		const at = `/api/files/content?space=${encodeURIComponent(space)}&path=${encodeURIComponent("Foto.txt")}`;
		const up = await fetch(`${at}&base=none`, { method: "PUT", body: "x".repeat(300_000) });
		if (!up.ok) return `up: ${up.status} ${await up.text()}`;
		const down = await fetch(at);
		return down.ok ? (await down.text()).length : `down: ${down.status}`;
	}, space);
	assert.equal(got, 300_000);
});

step("what concerns the computer is refused", async () => {
	const status = await hand.evaluate(
		async () =>
			(
				await fetch("/api/web/pair", {
					method: "POST",
					body: "{}",
					headers: { "Content-Type": "application/json" },
				})
			).status,
	);
	assert.equal(status, 403);
});

step("every page fits the phone", async () => {
	for (const place of ["home", "chat", "documents", "files", "people", "help"]) {
		await hand.evaluate((hash) => {
			location.hash = hash;
		}, `#/${place}`);
		await hand.locator("main h1, main h2").first().waitFor();
		await fits(hand, place);
		await hand.setViewportSize(small);
		await hand.screenshot({ path: `${pictures}/phone-page-${place}.png` });
	}
	for (const lang of ["de", "en"]) {
		await hand.goto(`https://${host}/welcome?lang=${lang}`);
		await hand.locator("summary").first().click();
		await accessible(hand, `welcome ${lang}`);
		await fits(hand, `welcome ${lang}`);
		await hand.setViewportSize(small);
		await hand.screenshot({ path: `${pictures}/phone-welcome-${lang}.png`, fullPage: true });
	}
	await hand.goto(`https://${host}/`);
	await hand.getByRole("navigation").waitFor();
	quiet(hand);
});

step("cut at the computer it is gone at once", async () => {
	await button(page, "Annas iPhone trennen").click();
	await page.getByText("Noch keiner.").waitFor();
	await hand.getByRole("heading", { name: "Dieses Gerät verbinden" }).waitFor();
	assert.equal((await state()).sessions.length, 0);
	quiet(page);
});
