// Whether the search is open, and in which channel it began.
class Searching {
	open = $state(false);
	channel = $state("");

	start(channel = "") {
		this.channel = channel;
		this.open = true;
	}

	stop() {
		this.open = false;
	}
}

export const searching = new Searching();
