// Offices of some size made up in memory, for the map of who is here. Tests only.
const first = [
	"Anke",
	"Jonas",
	"Emre",
	"Marlies",
	"Jürgen",
	"Björn-Söhnke",
	"Zoë",
	"Françoise",
	"Li",
	"Ilse",
];
const last = ["Petersen", "Wolf", "Yıldız", "Brandt", "Großmann-Überschär", "Öztürk", "Ng", "Schmidt"];
const places = [
	"PC Empfang",
	"Laptop",
	"NAS Keller",
	"Rechner Besprechungszimmer im Dachgeschoß",
	"iMac",
	"PC",
];

export const device = (id, name, more = {}) => ({
	id,
	name,
	self: false,
	presence: "here",
	since: Date.now() - 3_600_000,
	path: "192.168.1.7:21960",
	way: "near",
	via: "",
	viaId: "",
	hops: 0,
	latency: 2,
	behind: 0,
	lacks: "hat alles",
	owed: "",
	twice: false,
	seen: Date.now(),
	disk: "yes",
	stays: false,
	removal: "not-allowed",
	gone: 0,
	late: 0,
	...more,
});

export const person = (id, name, devices, more = {}) => ({
	id,
	name,
	initials: name
		.split(" ")
		.map((w) => w[0])
		.join("")
		.slice(0, 2),
	tint: 1 + (id.length % 6),
	role: "member",
	deputy: false,
	until: 0,
	roles: [],
	removal: "not-allowed",
	another: false,
	self: false,
	presence: devices.some((d) => d.presence === "here") ? "here" : "away",
	devices,
	...more,
});

const day = 86_400_000;

// how the i-th of n devices is: some are away, some carried, some far or behind.
function how(i, ids) {
	if (i % 7 === 5)
		return { presence: "away", way: "", latency: 0, seen: Date.now() - i * 0.3 * day, since: 0 };
	if (i % 11 === 8) {
		const lacks = "fehlen 3 Nachrichten von heute";
		return { presence: "unknown", way: "", latency: 0, since: Date.now() - 1_100_000, behind: 3, lacks };
	}
	if (i % 23 === 10) return { presence: "never", way: "", latency: 0, since: 0, seen: 0, lacks: "" };
	if (i === 3) return { way: "member", via: ids[1].name, viaId: ids[1].id, hops: 1, latency: 9 };
	if (i === 4) return { way: "member", via: ids[3].name, viaId: ids[3].id, hops: 2, latency: 31 };
	if (i % 9 === 6) return { way: "internet", path: "93.184.216.34:21960", latency: 48 };
	if (i % 13 === 7) return { behind: 1200, lacks: "lädt noch 1.200 Einträge", latency: 1240 };
	return { latency: 1 + (i % 4) };
}

// office has so many devices; each person has one or two of them.
export function office(n) {
	const ids = [];
	for (let i = 0; i < n; i++) {
		const place = places[i % places.length];
		ids.push({ id: `d${i}`, name: i === 0 ? "PC Brandt" : `${place} ${last[(i * 3) % last.length]}` });
	}
	const people = [];
	for (let i = 0; i < n; ) {
		const devices = [];
		for (let k = 0; k < (i === 0 || i % 4 ? 1 : 2) && i < n; k++, i++) {
			devices.push(
				device(ids[i].id, ids[i].name, i === 0 ? { self: true, latency: 0, way: "" } : how(i, ids)),
			);
		}
		const at = people.length;
		const name = `${first[at % first.length]} ${last[at % last.length]}`;
		people.push(person(`p${at}`, name, devices, { self: at === 0 }));
	}
	return people;
}
