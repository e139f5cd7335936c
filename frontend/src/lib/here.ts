// What the map of who is here says of a device, in words.
import type { Device, Person } from "./api/types.gen";
import { deviceReach, deviceState } from "./people";
import { brief, moment } from "./state/clock.svelte";
import { t } from "./words/index.svelte";

// A Mapped is a device with whose it is.
export interface Mapped {
	device: Device;
	person: Person;
}

// mapped are all devices, this one first.
export function mapped(people: Person[]): Mapped[] {
	const all = people.flatMap((person) => person.devices.map((device) => ({ device, person })));
	return all.sort((a, b) => Number(b.device.self) - Number(a.device.self));
}

// lastHere is when a device was here last, or empty.
export function lastHere(device: Device): string {
	if (device.presence === "here") return t.map.now;
	const at = device.seen || device.since;
	if (device.presence === "never" || at === 0) return "";
	return moment(at);
}

// standing is what either lacks of the other.
export function standing(device: Device): string {
	if (device.self || device.presence === "never") return "";
	return [device.lacks, device.owed].filter(Boolean).join(", ");
}

// underName is the second line of a device on the map: what is out of the ordinary,
// else whose it is.
export function underName({ device, person }: Mapped): string {
	if (device.presence === "here") return device.behind > 0 && device.lacks ? device.lacks : person.name;
	const at = device.seen || device.since;
	return device.presence !== "never" && at > 0 ? t.map.gone(brief(at)) : t.presence[device.presence];
}

// facts is what is beside the two lines of a device, for whoever does not see the map.
export function facts(who: Mapped): string {
	const { device, person } = who;
	if (device.self) return person.name;
	const whose = underName(who) === person.name ? "" : person.name;
	return [whose, deviceState(device), deviceReach(device)].filter(Boolean).join(", ");
}

// kind is how the line to a device is drawn.
export function kind(device: Device): "direct" | "member" | "internet" | "apart" {
	if (device.presence !== "here") return "apart";
	if (device.via) return "member";
	return device.way === "internet" ? "internet" : "direct";
}
