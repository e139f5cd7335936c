// A table is an embed whose attributes are maps: columns and rows by id, each with
// the number that orders it, and the text of cells by "row:column". So two people
// who fill different cells, or each add a row, do not meet; the text of one cell
// merges by characters (crdt/document, edit "put").

export interface Grid {
	rows: string[]; // ids in order
	cols: string[];
	text: (row: string, col: string) => string;
	head: boolean; // the first row is one of headings
	more: boolean; // there are more cells than are given
}

export type X = Record<string, unknown>;

// Put is one change within the attributes of an embed; null takes away.
export interface Put {
	path: string[];
	value: unknown;
}

const mostCells = 5_000; // more are kept, but not shown
const mostCols = 60;

// cut is as much of a text as a cell takes: 8 KiB.
export function cut(text: string): string {
	const room = new Uint8Array(8 << 10);
	const { read } = new TextEncoder().encodeInto(text, room);
	return text.slice(0, read);
}

const map = (x: unknown): X => (x && typeof x === "object" && !Array.isArray(x) ? (x as X) : {});

// idsOf is ids in the order of their numbers, ties by id as everywhere.
function idsOf(of: unknown): string[] {
	return Object.entries(map(of))
		.filter((e): e is [string, number] => typeof e[1] === "number")
		.sort(([a, i], [b, j]) => i - j || (a < b ? -1 : 1))
		.map(([id]) => id);
}

// gridOf reads a table, whatever others put into it.
export function gridOf(x: X | null): Grid {
	const cells = map(x?.cells);
	const cols = idsOf(x?.cols);
	const rows = idsOf(x?.rows);
	const wide = cols.slice(0, mostCols);
	const high = rows.slice(0, Math.floor(mostCells / Math.max(1, wide.length)));
	return {
		rows: high,
		cols: wide,
		text: (row, col) => {
			const text = cells[`${row}:${col}`];
			return typeof text === "string" ? text : typeof text === "number" ? String(text) : "";
		},
		head: x?.head === true,
		more: wide.length < cols.length || high.length < rows.length,
	};
}

const letters = "abcdefghijklmnopqrstuvwxyz234567";

// newID is a random id: two people who add a row at once add two.
export function newID(): string {
	return [...crypto.getRandomValues(new Uint8Array(8))].map((b) => letters[b & 31]).join("");
}

// table makes the attributes of one with these texts.
export function table(texts: readonly (readonly string[])[], head: boolean): X {
	const wide = Math.max(1, ...texts.map((r) => r.length));
	const cols = Array.from({ length: wide }, newID);
	const rows = texts.map(newID);
	const cells: X = {};
	texts.forEach((row, y) => {
		cols.forEach((col, x) => {
			cells[`${rows[y]}:${col}`] = cut(row[x] ?? "");
		});
	});
	const numbered = (ids: string[]) => Object.fromEntries(ids.map((id, i) => [id, i + 1]));
	return { cols: numbered(cols), rows: numbered(rows), cells, head };
}

export const bare = (rows: number, cols: number): X =>
	table(
		Array.from({ length: rows }, () => Array<string>(cols).fill("")),
		true,
	);

// order is the number for something new behind the one at i; -1 is before all.
function order(of: unknown, i: number): number {
	const ids = idsOf(of);
	const at = (k: number) => map(of)[ids[k] ?? ""] as number | undefined;
	const before = at(i);
	const after = at(i + 1);
	if (before === undefined) return (after ?? 2) - 1;
	return after === undefined ? before + 1 : (before + after) / 2;
}

// addRow puts an empty row behind the one at i, with its cells, so that two who
// begin to write in one of them at once do not overwrite each other.
export function addRow(x: X, i: number): { id: string; puts: Put[] } {
	const id = newID();
	const cells = gridOf(x).cols.map((col) => ({ path: ["cells", `${id}:${col}`], value: "" }));
	return { id, puts: [{ path: ["rows", id], value: order(x.rows, i) }, ...cells] };
}

export function addCol(x: X, i: number): { id: string; puts: Put[] } {
	const id = newID();
	const cells = gridOf(x).rows.map((row) => ({ path: ["cells", `${row}:${id}`], value: "" }));
	return { id, puts: [{ path: ["cols", id], value: order(x.cols, i) }, ...cells] };
}

// remove takes a row or column away with its cells.
export function remove(x: X, what: "rows" | "cols", id: string): Put[] {
	const belongs = (key: string) => (what === "rows" ? key.startsWith(`${id}:`) : key.endsWith(`:${id}`));
	const gone = Object.keys(map(x.cells)).filter(belongs);
	return [{ path: [what, id], value: null }, ...gone.map((key) => ({ path: ["cells", key], value: null }))];
}
