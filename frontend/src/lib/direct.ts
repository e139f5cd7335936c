import { ask } from "./api/client";
import { office } from "./state/office.svelte";
import { go, to } from "./state/route.svelte";

// writeTo opens the conversation with a person, beginning it if need be.
export async function writeTo(person: string): Promise<void> {
	const channel = await ask("direct", { person });
	office.hasChannel(channel);
	go(to.channel(channel.id));
}
