// How the page hears of changes: the window through its runtime, a browser
// through the event stream. Both only say what changed; the page asks again.
import type { Event } from "./types.gen";

interface WindowRuntime {
	EventsOn<T>(name: "changed" | "alive", heard: (about: T) => void): () => void;
}

const all: Event = { seq: 0, what: "all", id: "" };

// listen calls heard for every change, with what "all" whenever some may have
// been missed, and alive whenever the connection comes or goes. The result ends
// it.
export function listen(heard: (event: Event) => void, alive: (up: boolean) => void): () => void {
	const window_ = (window as { runtime?: WindowRuntime }).runtime;
	if (window_) {
		// The program around the window tells of the node's coming and going.
		const ends = [window_.EventsOn("changed", heard), window_.EventsOn("alive", alive)];
		return () => {
			for (const end of ends) end();
		};
	}

	let source: EventSource;
	let retry: ReturnType<typeof setTimeout>;
	const open = () => {
		source = new EventSource("/api/events");
		source.onmessage = (message) => heard(JSON.parse(message.data));
		source.onopen = () => {
			alive(true);
			heard(all);
		};
		source.onerror = () => {
			alive(false);
			// The browser retries a broken line by itself, a refused one never.
			if (source.readyState === EventSource.CLOSED) retry = setTimeout(open, 2000);
		};
	};
	open();
	return () => {
		clearTimeout(retry);
		source.close();
	};
}
