// Sentences about people and their devices.
import type { Device, Person } from "./api/types.gen";
import { moment } from "./state/clock.svelte";
import { t } from "./words/index.svelte";

// deviceState says how a device is: "da", "zuletzt 10:20, vor 22 min".
export function deviceState(device: Device): string {
	if (device.self) return t.people.thisDevice;
	switch (device.presence) {
		case "here":
			return device.behind > 0
				? `${t.people.hereNow}, ${t.people.behind(device.behind)}`
				: `${t.people.hereNow}, ${t.people.current}`;
		case "away":
			return device.since > 0 ? t.people.lastSeen(moment(device.since)) : t.people.away;
		case "unknown":
			return device.since > 0 ? t.people.unknownSince(moment(device.since)) : t.people.unknown;
		default:
			return t.people.never;
	}
}

// deviceLine says in a few words where a person is.
export function deviceLine(person: Person): string {
	const here = person.devices.find((d) => d.self) ?? person.devices.find((d) => d.presence === "here");
	if (person.self) return here ? `${t.you}, ${here.name}` : t.you;
	if (here) return here.name;
	const last = person.devices[0];
	return last ? deviceState(last) : t.presence[person.presence];
}
