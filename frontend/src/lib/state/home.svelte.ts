// How the office stands, asked for while Home is shown.
import { ask } from "../api/client";
import type { Home } from "../api/types.gen";
import { coalesced, office } from "./office.svelte";

class Lage {
	now = $state.raw<Home | null>(null);

	#load = coalesced(async () => {
		this.now = await ask("home", {});
	});

	// watch keeps it fresh until the result is called.
	watch(): () => void {
		this.#load();
		return office.on((event) => {
			if (event.what !== "doors" && event.what !== "delivery") this.#load();
		});
	}

	refresh = () => this.#load();

	// seen says that everything up to now is known.
	async seen() {
		await ask("home/seen", { all: true });
		await this.#load();
	}
}
export const lage = new Lage();
