// Where devices stand on the map of who is here. This device is in the middle (on a
// narrow page at the top), the others in rows at its right and left, on a bow. All
// lengths are in pixels at the usual size of letters.

// A Dot is a device to be placed.
export interface Dot {
	id: string;
	via: string; // the device that carries to it; empty: none
	hops: number; // devices in between; more than those that Via tells of may carry
	here: boolean;
}

// A Seat is a device's place in the order; it keeps it while the map is open.
export interface Seat {
	side: 1 | -1;
	row: number;
}
export type Seats = ReadonlyMap<string, Seat>;

// A Spot is a device on the map.
export interface Spot extends Dot {
	side: 1 | -1;
	row: number;
	x: number; // middle of its sign
	y: number;
	room: number; // width of sign and words
	line: string; // path of the line that leads to it; empty: none
	at: { x: number; y: number }; // the words on the line
	anchor: "start" | "end"; // which end of them is there
}

export interface Layout {
	width: number;
	height: number;
	middle: { x: number; y: number };
	narrow: boolean;
	pitch: number; // from row to row
	sign: number; // width and height of a sign
	spots: Spot[];
}

const narrowest = 600; // for rows at both sides
const maxDepth = 2; // steps that a carried device moves outward

// carriers is who carries to whom among those that are here; a ring of carriers,
// as two devices may tell it for a moment, is cut.
function carriers(dots: Dot[]): Map<string, string> {
	const here = new Map(dots.filter((d) => d.here).map((d) => [d.id, d]));
	const by = new Map<string, string>();
	for (const dot of here.values()) {
		let up = here.get(dot.via);
		const met = new Set([dot.id]);
		while (up && !met.has(up.id)) {
			met.add(up.id);
			up = here.get(up.via);
		}
		if (here.has(dot.via) && !up) by.set(dot.id, dot.via);
	}
	return by;
}

// seat gives each device a place. Those that had one keep it. Who is carried sits
// below its carrier, who is not here at the end.
export function seat(dots: Dot[], before: Seats, narrow: boolean): Map<string, Seat> {
	const seats = new Map<string, Seat>();
	const rows = { 1: 0, [-1]: 0 };
	for (const { id } of dots) {
		const old = before.get(id);
		if (!old || (narrow && old.side === -1)) continue;
		seats.set(id, old);
		rows[old.side] = Math.max(rows[old.side], old.row + 1);
	}
	const by = carriers(dots);
	const sit = (dot: Dot, side: 1 | -1) => {
		if (!seats.has(dot.id)) seats.set(dot.id, { side, row: rows[side]++ });
		for (const next of dots) if (by.get(next.id) === dot.id) sit(next, side);
	};
	for (const here of [true, false]) {
		for (const dot of dots) {
			if (dot.here !== here || by.has(dot.id)) continue;
			sit(dot, seats.get(dot.id)?.side ?? (narrow || rows[1] <= rows[-1] ? 1 : -1));
		}
	}
	return seats;
}

// pitchOf is how far it is from row to row: the more there are, the closer.
function pitchOf(rows: number, narrow: boolean): number {
	if (narrow) return rows <= 12 ? 64 : 52;
	if (rows <= 4) return 92;
	if (rows <= 7) return 72;
	return rows <= 12 ? 56 : 36;
}

// layout places the devices on a map of some width.
export function layout(dots: Dot[], seats: Seats, width: number): Layout {
	const narrow = width < narrowest;
	const by = carriers(dots);
	const chain = (id: string): number => {
		const up = by.get(id);
		return up ? 1 + chain(up) : 0;
	};
	const depth = (dot: Dot) => Math.min(Math.max(chain(dot.id), dot.hops), maxDepth);
	const rows = { 1: 0, [-1]: 0 };
	for (const { side, row } of seats.values()) rows[side] = Math.max(rows[side], row + 1);
	const most = Math.max(rows[1], rows[-1], 1);
	const pitch = pitchOf(most, narrow);
	const tiny = width < 260; // letters twice as large on a phone
	const sign = tiny ? 28 : narrow ? 36 : pitch >= 72 ? 44 : pitch >= 56 ? 40 : 28;
	const top = narrow ? 76 : 12; // below the middle, where that is at the top
	const height = narrow ? top + most * pitch : Math.max(most * pitch + 2 * top, 260);
	const middle = narrow ? { x: 24, y: 30 } : { x: width / 2, y: height / 2 };
	const dense = !narrow && pitch < 44;
	const part = by.size > 0 && !dense ? 0.16 : 0.2; // leaves room where some are further out
	const reach = tiny ? 50 : narrow ? 92 : Math.min(Math.max(width * part, 112), 170);
	const out = tiny ? 14 : narrow || dense ? 44 : 50; // a step outward

	const spots: Spot[] = [];
	for (const dot of dots) {
		const place = seats.get(dot.id);
		if (!place) continue;
		const { side, row } = place;
		const y = narrow ? top + (row + 0.5) * pitch : middle.y + (row - (rows[side] - 1) / 2) * pitch;
		const far = (y - middle.y) / (height / 2);
		const bow = narrow || !dot.here ? 1 : 0.62 + 0.38 * Math.sqrt(Math.max(0, 1 - far ** 2));
		const x = middle.x + side * (reach * bow + (dot.here ? depth(dot) : 0.5) * out);
		const room = (side === 1 ? width - x : x) + sign / 2;
		const at = { x: x - side * (sign / 2 + 5), y: y - 5 };
		spots.push({ ...dot, side, row, x, y, room, at, anchor: side === 1 ? "end" : "start", line: "" });
	}
	const of = new Map(spots.map((s) => [s.id, s]));
	for (const spot of spots) {
		const up = of.get(by.get(spot.id) ?? "");
		// The words stand on the other side than the line comes from.
		if (up ? up.y < spot.y : !narrow && spot.y > middle.y + pitch / 4) spot.at.y = spot.y + 14;
		if (spot.here) spot.line = up ? carried(up, spot, sign) : own(middle, spot, narrow);
	}
	return { width, height, middle, narrow, pitch, sign, spots };
}

const n = (x: number) => Math.round(x * 10) / 10;

// own is the line from the middle, which arrives level.
function own(from: { x: number; y: number }, to: Spot, narrow: boolean): string {
	if (narrow) return `M${n(from.x)} ${n(from.y)}V${n(to.y - 14)}q0 14 14 14H${n(to.x)}`;
	const dx = to.x - from.x;
	return `M${n(from.x)} ${n(from.y)}C${n(from.x + dx * 0.35)} ${n(from.y)} ${n(to.x - dx * 0.6)} ${n(to.y)} ${n(to.x)} ${n(to.y)}`;
}

// carried is the line from the device that carries: down beside its sign and out to
// the device, or where that is at the other side, through between.
function carried(from: Spot, to: Spot, sign: number): string {
	if (from.side !== to.side || Math.abs(to.x - from.x) < sign / 2) {
		const bend = 90;
		return `M${n(from.x)} ${n(from.y)}C${n(from.x - from.side * bend)} ${n(from.y)} ${n(to.x - to.side * bend)} ${n(to.y)} ${n(to.x)} ${n(to.y)}`;
	}
	const round = Math.min(14, Math.abs(to.y - from.y) / 2);
	const down = Math.sign(to.y - from.y);
	return `M${n(from.x)} ${n(from.y)}V${n(to.y - down * round)}q0 ${n(down * round)} ${to.side * round} ${n(down * round)}H${n(to.x)}`;
}

// toward is the device to which an arrow key leads from one; the same if there is
// none. An empty id is this device, in the middle.
export function toward(map: Layout, from: string, key: string): string {
	const order = ["", ...[...map.spots].sort((a, b) => b.side - a.side || a.row - b.row).map((s) => s.id)];
	const now = map.spots.find((s) => s.id === from);
	if (key === "Home") return order[0] ?? "";
	if (key === "End") return order.at(-1) ?? "";
	const step = { ArrowDown: 1, ArrowUp: -1 }[key];
	if (step || map.narrow) {
		const by = step ?? { ArrowRight: 1, ArrowLeft: -1 }[key] ?? 0;
		return order[Math.max(0, Math.min(order.length - 1, order.indexOf(from) + by))] ?? from;
	}
	const side = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
	if (side === 0 || now?.side === side) return from;
	if (now) return ""; // over the middle
	const near = map.spots.filter((s) => s.side === side);
	near.sort((a, b) => Math.abs(a.y - map.middle.y) - Math.abs(b.y - map.middle.y));
	return near[0]?.id ?? from;
}
