// The wizard on this device: how far it is, and what somebody has typed so far.
import { ask } from "../api/client";
import type { Setup } from "../api/types.gen";
import { coalesced, office } from "./office.svelte";

class Wizard {
	now = $state.raw<Setup | null>(null);
	failed = $state(false); // the program did not answer

	#load = coalesced(async () => {
		try {
			this.now = await ask("setup", {});
			this.failed = false;
		} catch (err) {
			this.failed = true;
			throw err;
		}
	});

	// watch keeps it fresh until the result is called.
	watch(): () => void {
		this.#load();
		return office.on((event) => {
			if (
				["all", "setup", "join", "files"].includes(event.what) &&
				(event.what !== "files" || this.now?.path)
			)
				this.#load();
		});
	}

	refresh = () => this.#load();

	// go shows a step, which is on disk before.
	async go(path: "found" | "join", step: number) {
		this.now = await ask("setup/go", { path, step });
	}

	// leave ends it.
	async leave() {
		forget();
		this.now = await ask("setup/go", { path: "", step: 0 });
	}
}
export const wizard = new Wizard();

// What was typed stays when the page is loaded anew, until the wizard is left.
const store = "inselnetz.setup";
type Typed = Record<string, string>;

function read(): Typed {
	try {
		return JSON.parse(sessionStorage.getItem(store) ?? "{}") as Typed;
	} catch {
		return {};
	}
}

export const typed = (name: string): string => read()[name] ?? "";

export function keep(values: Typed) {
	sessionStorage.setItem(store, JSON.stringify({ ...read(), ...values }));
}

// forget drops what was typed: it is saved, or not wanted.
export const forget = () => sessionStorage.removeItem(store);

const every = 5 * 60_000; // ms between two notes that somebody looks at the page

// visit tells the program that somebody looks at the page, until the result is
// called. After a while without, the next look begins a visit.
export function visit(): () => void {
	const look = () => {
		if (document.visibilityState === "visible") ask("home/seen", { all: false }).catch(() => {});
	};
	look();
	const timer = setInterval(look, every);
	document.addEventListener("visibilitychange", look);
	return () => {
		clearInterval(timer);
		document.removeEventListener("visibilitychange", look);
	};
}
