import type { second as german } from "./second.de";

export const second: typeof german = {
	second: {
		title: "Second office",
		open: "Second office",
		enter: "Enter an address",
		intro: "Two offices connect over the internet when a device in one of them can be reached from outside.",
		without: "Your own office does not need it: everything there works without the internet too.",
		router: "What to do at the router",
		step1: "Open your router's page and there “port forwarding”, sometimes “port sharing”.",
		step2: (port, device, addresses) =>
			`Forward port ${port}, TCP and UDP, to this device: ${device}${addresses ? `, ${addresses}` : ""}.`,
		step3:
			"Enter here what your router is called on the internet: a name such as office.example.com or a fixed address.",
		either: "It is enough if one of the two offices does it. The device should always be on.",
		own: "This device from outside",
		ownField: "Address from outside",
		ownHint: (port) =>
			`Without a port, ${port || 21960} is meant. The other devices hear of it by themselves.`,
		ownNone: "No address yet. Other offices do not reach this device by themselves.",
		other: "Devices in the other office",
		otherField: "Address of the device",
		otherHint: "It is shown there under “This device from outside”.",
		device: "Device",
		choose: "Please choose",
		chooseFirst: "Choose a device first.",
		otherNone: "No address of another device yet.",
		alone: "No other device belongs to it yet",
		aloneWhy: "Enter the address above, then invite the other office by a link: the link leads there.",
		go: "Enter",
		drop: (address) => `Take ${address} away`,
		typed: "entered here",
		told: "told by that side",
		connected: (way) => `connected via ${way}`,
		direct: "direct way",
		notYet: "not connected",
		ms: (ms) => `${ms} ms`,
		why: (name) => `Why not here? ${name}`,
	},
	metered: {
		waits: (n, size) => (n === 1 ? `One large file waits (${size}).` : `${n} large files wait (${size}).`),
		why: (size) =>
			`This connection is paid by volume. Files over ${size} are then loaded only when you say so. Messages and documents keep coming.`,
		now: "Load now",
		always: "Always load here",
		title: "Connection paid by volume",
		auto: "Automatic",
		yes: "Yes",
		no: "No",
		says: {
			yes: "The computer says: this connection is paid by volume.",
			no: "The computer says: this connection is not paid by volume.",
			unknown: "The computer does not say. When in doubt, everything is loaded.",
		},
		means: (size) => `With “Yes”, files over ${size} wait until you load them.`,
	},
};
