// The screens of the page. Each is fetched when it is first shown, or before
// that, once the page has nothing else to do.
import type { Component } from "svelte";

// biome-ignore lint/suspicious/noExplicitAny: each screen has properties of its own
type Screen = Component<any>;

const all = {
	start: () => import("../../screens/Start.svelte"),
	home: () => import("../../screens/Home.svelte"),
	chat: () => import("../../screens/Chat.svelte"),
	documents: () => import("../../screens/Documents.svelte"),
	document: () => import("../../screens/Document.svelte"),
	files: () => import("../../screens/Files.svelte"),
	people: () => import("../../screens/People.svelte"),
	recovery: () => import("../../screens/Recovery.svelte"),
	help: () => import("../../screens/Help.svelte"),
	phone: () => import("../../screens/Phone.svelte"),
	claim: () => import("../../screens/Claim.svelte"),
	kit: () => import("../../screens/Kit.svelte"),
	search: () => import("../../components/Search.svelte"),
	doctor: () => import("../../components/Doctor.svelte"),
} satisfies Record<string, () => Promise<{ default: Screen }>>;

export type ScreenName = keyof typeof all;

class Screens {
	#here = $state.raw<{ [name in ScreenName]?: Screen }>({});
	#asked = new Set<ScreenName>();
	lost = $state(false); // the program did not hand one out

	// of is a screen that is here. One that is not is on its way from now on.
	of(name: ScreenName): Screen | undefined {
		if (!this.#here[name]) this.load(name);
		return this.#here[name];
	}

	async load(name: ScreenName): Promise<void> {
		if (this.#asked.has(name)) return;
		this.#asked.add(name);
		try {
			const { default: screen } = await all[name]();
			this.#here = { ...this.#here, [name]: screen };
			this.lost = false;
		} catch {
			this.#asked.delete(name);
			this.lost = true;
		}
	}

	// rest fetches the others, one after the other, so that they are here even if
	// the program is away when they are wanted. The result stops it.
	rest(): () => void {
		let stopped = false;
		const names = Object.keys(all) as ScreenName[];
		const idle = globalThis.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 200));
		const next = () =>
			idle(async () => {
				const name = stopped ? undefined : names.shift();
				if (!name) return;
				if (name !== "start") await this.load(name);
				if (!this.lost) next();
			});
		next();
		return () => {
			stopped = true;
		};
	}
}

export const screens = new Screens();
