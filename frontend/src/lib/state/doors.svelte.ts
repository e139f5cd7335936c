// Workspaces nearby that let someone in, asked for while a page looks at them.
import { ask } from "../api/client";
import type { Doors } from "../api/types.gen";
import { coalesced, office } from "./office.svelte";

class Nearby {
	now = $state.raw<Doors>({ doors: [], device: "" });

	#ask = coalesced(async () => {
		this.now = await ask("doors", {});
	});

	// watch keeps the list fresh until the result is called.
	watch(): () => void {
		this.#ask();
		const timer = setInterval(this.#ask, 5000);
		const end = office.on((event) => {
			if (event.what === "doors" || event.what === "all") this.#ask();
		});
		return () => {
			clearInterval(timer);
			end();
		};
	}
}

export const nearby = new Nearby();
