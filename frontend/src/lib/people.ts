// Sentences about people and their devices.
import type { Device, Person } from "./api/types.gen";
import { moment, shortDate } from "./state/clock.svelte";
import { t } from "./words/index.svelte";

// deviceState says how a device is: "da", "zuletzt 10:20, vor 22 min".
export function deviceState(device: Device): string {
	if (device.self) return t.people.thisDevice;
	switch (device.presence) {
		case "here":
			return and(t.people.hereNow, device.lacks, device.owed);
		case "away":
			return and(seen(device) > 0 ? t.people.lastSeen(moment(seen(device))) : t.people.away, ...open(device));
		case "unknown":
			return and(
				device.since > 0 ? t.people.unknownSince(moment(device.since)) : t.people.unknown,
				...open(device),
			);
		default:
			return device.seen > 0 ? t.people.lastSeen(moment(device.seen)) : t.people.never;
	}
}

// deviceReach says how a device that is here is reached: "direkt verbunden, antwortet
// sofort (2 ms)", or empty.
export function deviceReach(device: Device): string {
	if (device.self || device.presence !== "here") return "";
	const words = device.latency < 30 ? t.reach.quick : device.latency < 200 ? t.reach.fair : t.reach.slow;
	return and(deviceWay(device), device.latency > 0 ? words(device.latency) : "");
}

// deviceWay says by which way a device that is here is reached: "über Anna-PC", or
// empty.
export function deviceWay(device: Device): string {
	if (device.self || device.presence !== "here") return "";
	if (device.via) return t.reach.via(device.via, Math.max(0, device.hops - 1));
	if (!device.way) return device.path ? t.reach.unknown : "";
	return t.reach.way[device.way] ?? t.reach.unknown;
}

// open is what one of the two lacks, for a device that is not here.
const open = (device: Device) => (device.behind > 0 ? [device.lacks, device.owed] : [device.owed]);
const and = (...parts: string[]) => parts.filter(Boolean).join(", ");
const seen = (device: Device) => device.seen || device.since;

// roleChip is what a person is besides working along: "verwaltet", "Gast bis
// 3. Dezember", or empty.
export function roleChip(person: Person): string {
	if (person.role === "guest" && person.until > 0) return t.roles.guestUntil(shortDate(person.until));
	return t.roles.chip[person.role] ?? "";
}

// deviceLine says in a few words where a person is.
export function deviceLine(person: Person): string {
	const here = person.devices.find((d) => d.self) ?? person.devices.find((d) => d.presence === "here");
	if (person.self) return here ? `${t.you}, ${here.name}` : t.you;
	if (here) return here.name;
	const last = person.devices[0];
	return last ? deviceState(last) : t.presence[person.presence];
}
