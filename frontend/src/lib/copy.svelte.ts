// Copying to the clipboard, which a browser may refuse: an address on the network
// without a certificate, a permission that was taken away.

import { t } from "./words/index.svelte";

// A Copy tells how the last attempt ended.
export class Copy {
	state = $state<"" | "yes" | "no">("");

	// put copies a text, and says whether it is there.
	async put(text: string): Promise<boolean> {
		try {
			await navigator.clipboard.writeText(text); // there is no clipboard at all where the page is not secure
			this.state = "yes";
		} catch {
			this.state = "no";
		}
		return this.state === "yes";
	}

	// said is the outcome in words; refused is it only where the browser refused.
	get said(): string {
		return this.state === "yes" ? t.copying.done : this.refused;
	}
	get refused(): string {
		return this.state === "no" ? t.copying.refused : "";
	}

	// forget begins anew, as when the text changed.
	forget() {
		this.state = "";
	}
}
