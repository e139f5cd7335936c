// The canonical text of a document: what dump_test.go writes for the Go engine,
// line for line.

// quote writes a string so that Go can write the same without thinking.
export const quote = (s) =>
	`"${s.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`;

const hex = (bytes) => Buffer.from(bytes).toString("hex");

function bits(x) {
	const b = Buffer.alloc(8);
	b.writeDoubleBE(x);
	return b.toString("hex");
}

// scalar is the text of a value with its type.
export function scalar(type, v) {
	switch (type) {
		case "null":
			return "null";
		case "boolean":
			return `bool ${v}`;
		case "f64":
			return `f64 ${bits(v)}`;
		case "str":
			return `str ${quote(v)}`;
		case "bytes":
			return `bytes ${hex(v)}`;
		case "timestamp":
			return `timestamp ${v.getTime()}`;
		case "int":
		case "uint":
		case "counter":
			return `${type} ${v}`;
		default:
			return `unknown ${hex(v)}`;
	}
}

// loose is the text of a value whose exact number type JavaScript has lost.
export function loose(v) {
	if (v === null || v === undefined) return "null";
	if (typeof v === "boolean") return `${v}`;
	if (typeof v === "string") return quote(v);
	if (typeof v === "bigint") return `${v}`;
	if (typeof v === "number")
		return Number.isSafeInteger(v) && !Object.is(v, -0) ? `${v}` : bits(v);
	if (v instanceof Date) return `time ${v.getTime()}`;
	if (v instanceof Uint8Array) return `bytes ${hex(v)}`;
	if (Array.isArray(v)) return `[${v.map(loose).join(",")}]`;
	if (v.constructor && v.constructor.name === "ImmutableString")
		return quote(v.val ?? v.toString());
	return `{${sorted(Object.keys(v))
		.map((k) => `${quote(k)}:${loose(v[k])}`)
		.join(",")}}`;
}

export const sorted = (keys) =>
	[...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

const marksOf = (m) =>
	sorted(Object.keys(m ?? {}))
		.map((k) => ` ${quote(k)}=${loose(m[k])}`)
		.join("");

const isObject = (type) =>
	type === "map" || type === "list" || type === "text" || type === "table";

const name = (v) => (isObject(v[0]) ? v[1] : v[2]);

function compareIds(a, b) {
	const [ca, aa] = a.split("@");
	const [cb, ab] = b.split("@");
	if (ca !== cb) return Number(ca) - Number(cb);
	return Buffer.compare(Buffer.from(aa, "hex"), Buffer.from(ab, "hex"));
}

// dump writes everything that can be read of doc, now or at heads. deep adds the
// id of every character.
export function dump(doc, heads, deep) {
	const out = [];
	const all = (obj, prop) =>
		doc.getAll(obj, prop, heads).sort((a, b) => compareIds(name(a), name(b)));

	const entry = (obj, prop, label, depth) => {
		const pad = " ".repeat(depth);
		const values = all(obj, prop);
		const win = doc.getWithType(obj, prop, heads);
		for (const [i, v] of values.entries()) {
			const id = name(v);
			const last = i === values.length - 1;
			if (isObject(v[0])) {
				if (last && win[1] !== id) out.push(`${pad}WINNER ${win}`);
				out.push(`${pad}${label} ${v[0]} ${id}`);
				object(id, v[0], depth + 1);
			} else {
				if (last && scalar(win[0], win[1]) !== scalar(v[0], v[1]))
					out.push(`${pad}WINNER ${win}`);
				out.push(`${pad}${label} ${scalar(v[0], v[1])} ${id}`);
			}
		}
	};

	const text = (obj, depth) => {
		const pad = " ".repeat(depth);
		out.push(`${pad}len ${doc.length(obj, heads)} ${quote(doc.text(obj, heads))}`);
		for (const m of doc.marks(obj, heads))
			out.push(`${pad}mark ${m.start} ${m.end} ${quote(m.name)} ${loose(m.value)}`);
		for (const s of doc.spans(obj, heads)) {
			const v = s.type === "text" ? quote(s.value) : loose(s.value);
			out.push(`${pad}${s.type} ${v}${marksOf(s.marks)}`);
		}
		if (!deep) return;
		const n = doc.length(obj, heads);
		let before = "";
		const stride = n > 300 ? 37 : 1; // of a long text, some
		for (let i = 0; i < n; i += stride) {
			// A wide character covers several indices: shown once.
			const values = all(obj, i);
			const key = values.map(name).join(",");
			if (key === before) continue;
			before = key;
			entry(obj, i, `${i}`, depth);
		}
	};

	const object = (obj, type, depth) => {
		if (type === "text") return text(obj, depth);
		if (type === "table") return; // which the library cannot look into
		if (type === "list") {
			const n = doc.length(obj, heads);
			for (let i = 0; i < n; i++) entry(obj, i, `${i}`, depth);
			return;
		}
		for (const k of sorted(doc.keys(obj, heads))) entry(obj, k, quote(k), depth);
	};

	object("_root", "map", 0);
	return out.join("\n");
}
