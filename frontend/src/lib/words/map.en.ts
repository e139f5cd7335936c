import type { map as german } from "./map.de";

export const map: typeof german = {
	map: {
		title: "Who is here",
		open: "Map: who is here",
		of: "Map of the devices",
		keys: "The arrow keys lead from device to device.",
		table: "All devices",
		device: "Device",
		way: "Way",
		answer: "Answer",
		state: "State",
		seen: "Last here",
		now: "now",
		none: "–",
		member: "via another device",
		direct: "directly",
		internet: "over the internet",
		apart: "not here right now",
		known: "What a device that is not here lacks: as far as this computer knows.",
		gone: (when) => `since ${when.replace("Yesterday", "yesterday")}`,
		check: "Check the connection",
		devices: "In the list of devices",
		close: "Close",
	},
	copying: {
		done: "Copied.",
		refused: "Your browser does not allow copying. Mark the text, and copy it by hand.",
	},
};
