import type { why as german } from "./why.de";

export const why: typeof german = {
	why: {
		open: "Why not here?",
		openFor: (name) => `Why not here? ${name}`,
		network: "Check the network",
		title: "How the network is doing",
		titleFor: (name) => `Why is ${name} not here?`,
		titleHere: (name) => `Connection to ${name}`,
		toDevices: "To the devices",
		looking: "Checking. It takes up to 15 seconds …",
		again: "Check again",
		looked: "What else was checked",
		others: "What else stands out",
		copy: "Copy text for whoever helps",
		copyWhy:
			"The text for whoever helps names devices and addresses of this network, and nothing else of the office.",
		show: "See the text",
		checked: (time) => `Checked at ${time}.`,
		level: {
			ok: "in order",
			info: "Note",
			unknown: "not checked",
			warn: "Please look",
			danger: "Please act",
		},
	},
	reach: {
		unknown: "connected directly",
		way: {
			inside: "directly, on the same computer",
			near: "directly by cable or Wi-Fi",
			routed: "directly, through another network",
			internet: "directly, over the internet",
		},
		via: (name, more) =>
			more === 0
				? `via ${name}`
				: `via ${name} and ${more === 1 ? "one more device" : `${more} more devices`}`,
		quick: (ms) => `answers at once (${ms}\u00a0ms)`,
		fair: (ms) => `answers quickly (${ms}\u00a0ms)`,
		slow: (ms) => `answers slowly (${ms}\u00a0ms)`,
	},
};
