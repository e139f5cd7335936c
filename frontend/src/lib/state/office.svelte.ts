// What the program said last about this device and its workspace.
import { ask, Problem } from "../api/client";
import { listen } from "../api/push";
import type { Channel, Event, Person, Status } from "../api/types.gen";

class Office {
	status = $state.raw<Status | null>(null);
	// While the program does not answer, nobody is known to be here.
	people = $derived.by(() => (this.cut ? this.#known.map(unknown) : this.#known));
	channels = $state.raw<Channel[]>([]);
	channelsKnown = $state(false);
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
		this.refresh();
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
	}

	#heard(event: Event) {
		const every = event.what === "all";
		if (every || ["status", "people", "join", "channels", "channel"].includes(event.what)) this.#status();
		if (every || event.what === "people" || event.what === "status") this.#people();
		if (every || event.what === "channels" || event.what === "channel") this.#channels();
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
			}
		} catch (err) {
			if (!(err instanceof Problem)) throw err;
			if (err.code === "gone") this.gone = true;
			else this.cut = true;
		}
	});

	#people = coalesced(async () => {
		if (this.status?.phase === "member") this.#known = (await ask("people", {})).people;
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
