// What only the program's own window can do: save by the system's dialog, zoom,
// say whether the person looks at it, and be told what to show. In a browser
// nothing of this is there.
import type { Component } from "svelte";
import { ask, Problem } from "./api/client";
import type { Error as ApiError, Desktop, Event } from "./api/types.gen";
import { carriesFiles, land } from "./drop";
import { office } from "./state/office.svelte";
import { go, to } from "./state/route.svelte";
import type { Brought } from "./taken";
import { t } from "./words/index.svelte";

interface Runtime {
	WindowSetTitle(title: string): void;
	BrowserOpenURL(url: string): void;
	EventsOn(name: "dropped", heard: (what: Brought & { x: number; y: number }) => void): () => void;
	EventsOn(name: "undropped", heard: (why: ApiError) => void): () => void;
}

const runtime = (window as { runtime?: Runtime }).runtime;

class DesktopProgram {
	readonly here = !!runtime; // the page is in the window
	link = $state(""); // an invitation from outside the program, to be used
	wrong = $state.raw<Problem | null>(null); // why one leads nowhere
	now = $state.raw<Desktop | null>(null); // what Settings shows
	Settings = $state.raw<Component | null>(null); // its part about this PC, once it is fetched

	// taken says that the link was used.
	taken() {
		this.link = "";
	}

	// open begins; the result ends it.
	open(): () => void {
		if (!runtime) return () => {};
		const stop = new AbortController();
		const on = (event: string, heard: (e: never) => void, options = {}) =>
			addEventListener(event, heard as EventListener, { signal: stop.signal, ...options });
		on("focus", () => this.#focus(true));
		on("blur", () => this.#focus(false));
		on("keydown", (e: KeyboardEvent) => this.#zoom(e));
		on("click", (e: MouseEvent) => this.#click(e), { capture: true });
		// A file that nothing here takes must not take the place of the page.
		for (const kind of ["dragover", "drop"]) {
			on(kind, (e: DragEvent) => {
				if (e.defaultPrevented || !carriesFiles(e)) return;
				e.preventDefault();
				if (e.dataTransfer) e.dataTransfer.dropEffect = "none";
			});
		}
		const drops = [
			runtime.EventsOn("dropped", (what) => land(what, what.x, what.y)),
			runtime.EventsOn("undropped", (why) => {
				this.wrong = new Problem(why.code, why.sentence, why.next);
			}),
		];
		const watch = new MutationObserver(() => runtime.WindowSetTitle(document.title));
		watch.observe(document.head, { childList: true, subtree: true, characterData: true });
		runtime.WindowSetTitle(document.title);
		const end = office.on((event: Event) => {
			if (event.what === "show" || event.what === "all") this.#wanted();
			if (event.what === "all") this.#focus(document.hasFocus());
		});
		this.#wanted();
		this.refresh().catch(() => {}); // Settings asks again
		this.#focus(document.hasFocus());
		return () => {
			stop.abort();
			for (const end of drops) end();
			watch.disconnect();
			end();
		};
	}

	async refresh() {
		this.now = await ask("desktop", {});
	}

	async set(change: Partial<Desktop>) {
		if (!this.now) return;
		const { autostart, stay, notify, text } = { ...this.now, ...change };
		this.now = await ask("desktop/set", { autostart: autostart === "on", stay, notify, text });
	}

	quit() {
		return ask("desktop/quit", {});
	}

	#focus(focused: boolean) {
		ask("desktop/focus", { focused }).catch(() => {}); // a program that does not answer notifies nobody
	}

	async #wanted() {
		let wanted: Awaited<ReturnType<typeof asked>>;
		try {
			wanted = await asked();
		} catch {
			return; // it is asked again when the program answers
		}
		if (wanted.error) {
			this.wrong = new Problem(wanted.error.code, wanted.error.sentence, wanted.error.next);
		} else if (wanted.link) {
			this.link = wanted.link;
		}
		if (wanted.channel) go(to.channel(wanted.channel));
	}

	// Zoom as in browsers; the webview has no keys of its own everywhere.
	#zoom(e: KeyboardEvent) {
		if (!(e.ctrlKey || e.metaKey) || e.altKey) return;
		const by = { "+": 1, "=": 1, "-": -1, _: -1, "0": 0 }[e.key];
		if (by === undefined) return;
		// Where the webview zooms by itself, the answer says so by nothing happening.
		fetch(`/window/zoom?by=${by}`, { method: "POST" }).catch(() => {});
	}

	#click(e: MouseEvent) {
		const link = (e.target as Element | null)?.closest?.("a");
		if (!link || e.defaultPrevented) return;
		if (link.hasAttribute("download")) {
			e.preventDefault();
			this.save(link);
		} else if (/^(https?|mailto):/.test(link.href) && link.origin !== location.origin) {
			e.preventDefault();
			runtime?.BrowserOpenURL(link.href);
		}
	}

	// save puts what a link leads to where the person says.
	async save(link: HTMLAnchorElement) {
		const url = new URL(link.href);
		const query = new URLSearchParams({ name: link.download });
		let body: Blob | undefined;
		if (url.protocol === "blob:") body = await (await fetch(link.href)).blob();
		else query.set("from", url.pathname + url.search);
		try {
			const answer = await fetch(`/window/save?${query}`, { method: "POST", body });
			if (!answer.ok) {
				const error = (await answer.json()) as ApiError;
				throw new Problem(error.code, error.sentence, error.next);
			}
		} catch (err) {
			this.wrong = err instanceof Problem ? err : new Problem("offline", t.conn.offline, t.conn.offlineNext);
		}
	}
}

const asked = () => ask("desktop/wanted", {});

export const desktop = new DesktopProgram();

// saveLink follows a link that has a "download": in the window by its dialog, in
// a browser to its downloads.
export function saveLink(link: HTMLAnchorElement) {
	if (desktop.here) void desktop.save(link);
	else link.click();
}
