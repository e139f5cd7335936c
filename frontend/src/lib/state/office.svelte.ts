// What the program said last about this device and its workspace.
import { untrack } from "svelte";
import { ask, Problem } from "../api/client";
import { listen } from "../api/push";
import type { Channel, Event, People, Person, Recovery, Space, Status } from "../api/types.gen";

class Office {
	status = $state.raw<Status | null>(null);
	// While the program does not answer, nobody is known to be here.
	people = $derived.by(() => (this.cut ? this.#known.map(unknown) : this.#known));
	channels = $state.raw<Channel[]>([]);
	channelsKnown = $state(false);
	everyone = $state(""); // how many devices are here, and whether they have everything
	removed = $state.raw<Person[]>([]); // people and devices that were removed
	spaces = $state.raw<Space[]>([]);
	recovery = $state.raw<Recovery | null>(null);
	gone = $state(false); // the session belongs to another start
	cut = $state(false); // the program does not answer

	#known = $state.raw<Person[]>([]);
	#listeners = new Set<(event: Event) => void>();

	// open begins to listen; the result ends it.
	open(): () => void {
		const end = listen(
			(event) => this.#heard(event),
			(up) => {
				this.cut = !up;
				if (!up) this.#status();
			},
		);
		// what is read meanwhile is no reason to begin anew
		untrack(() => this.refresh());
		return end;
	}

	// on calls heard for every event; the result ends it.
	on(heard: (event: Event) => void): () => void {
		this.#listeners.add(heard);
		return () => this.#listeners.delete(heard);
	}

	// refresh asks for everything again.
	refresh() {
		this.#status();
		this.#people();
		this.#channels();
		this.#spaces();
		this.#recovery();
	}

	#heard(event: Event) {
		const every = event.what === "all";
		if (every || ["status", "people", "join", "channels", "channel"].includes(event.what)) this.#status();
		if (every || event.what === "people" || event.what === "status") this.#people();
		if (every || event.what === "channels" || event.what === "channel") this.#channels();
		if (every || event.what === "spaces" || event.what === "people") this.#spaces();
		if (event.what === "spaces") this.#channels();
		if (every || event.what === "recovery" || event.what === "people") this.#recovery();
		if (event.what === "recovery") this.#status();
		for (const heard of this.#listeners) heard(event);
	}

	#status = coalesced(async () => {
		try {
			const before = this.status?.phase;
			this.status = await ask("status", {});
			this.gone = false;
			this.cut = false;
			if (before !== "member" && this.status.phase === "member") {
				this.#people();
				this.#channels();
				this.#spaces();
				this.#recovery();
			}
		} catch (err) {
			if (!(err instanceof Problem)) throw err;
			if (err.code === "gone") this.gone = true;
			else this.cut = true;
		}
	});

	// follow asks again who is here and how, as long as someone looks at it: how far
	// behind devices are, and how fast they answer, changes without an event of its
	// own. The result ends it.
	follow(): () => void {
		let soon = 0;
		const end = this.on((event) => {
			if (event.what !== "delivery" || soon !== 0) return;
			soon = window.setTimeout(() => {
				soon = 0;
				this.#people();
			}, 1000);
		});
		const timer = setInterval(() => {
			if (document.visibilityState === "visible") this.#people();
		}, 4000);
		return () => {
			end();
			clearTimeout(soon);
			clearInterval(timer);
		};
	}

	#people = coalesced(async () => {
		if (this.status?.phase === "member") this.knows(await ask("people", {}));
	});

	// knows takes an answer that says who belongs to the office now.
	knows(answer: People) {
		this.#known = answer.people;
		this.removed = answer.gone;
		this.everyone = answer.sentence;
	}

	// hasChannel takes a channel that was just begun, before the list names it.
	hasChannel(channel: Channel) {
		if (!this.channels.some((c) => c.id === channel.id)) this.channels = [...this.channels, channel];
		this.#channels();
	}

	// hasSpace takes a space that was just made or changed, and waits for its
	// channels.
	async hasSpace(space: Space) {
		const others = this.spaces.filter((s) => s.id !== space.id);
		this.spaces = [...others, space].sort((a, b) => a.name.localeCompare(b.name));
		this.#spaces();
		await this.#channels();
	}

	#spaces = coalesced(async () => {
		if (this.status?.phase === "member") this.spaces = (await ask("spaces", {})).spaces;
	});

	#recovery = coalesced(async () => {
		if (this.status?.phase === "member") this.recovery = await ask("recovery", {});
	});

	#channels = coalesced(async () => {
		if (this.status?.phase !== "member") return;
		this.channels = (await ask("channels", {})).channels;
		this.channelsKnown = true;
	});
}

function unknown(person: Person): Person {
	const devices = person.devices.map((d) => ({
		...d,
		presence: d.self ? d.presence : ("unknown" as const),
		since: 0,
		behind: 0,
		lacks: "",
		owed: "",
	}));
	return { ...person, presence: person.self ? person.presence : "unknown", devices };
}

// pause keeps a page that hears of many changes from asking all the time.
export const pause = () => new Promise((done) => setTimeout(done, 100));

// coalesced runs load at most once at a time, and once more if it was asked for
// meanwhile. A load that fails keeps what was known; the next event asks again.
export function coalesced(load: () => Promise<void>): () => Promise<void> {
	let running: Promise<void> | null = null;
	let again = false;
	const run = async () => {
		do {
			again = false;
			try {
				await load();
			} catch (err) {
				if (!(err instanceof Problem)) console.error(err);
			}
			if (again) await pause();
		} while (again);
		running = null;
	};
	return () => {
		if (running) again = true;
		else running = run();
		return running ?? Promise.resolve();
	};
}

export const office = new Office();
