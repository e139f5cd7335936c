// Steps that change attributes of a block or embed, each only those it names: two
// people may change different ones at once.
import { Fragment, type Node, type Schema, Slice } from "prosemirror-model";
import { type Mappable, Step, StepResult } from "prosemirror-transform";
import { attrsOf, type Fields, isBlock, isEmbed, mapOf } from "./schema";

function target(doc: Node, pos: number): Node | null {
	const node = pos >= 0 && pos < doc.content.size ? doc.nodeAt(pos) : null;
	return node && (isBlock(node) || isEmbed(node)) ? node : null;
}

function replaced(doc: Node, pos: number, node: Node, map: Fields): StepResult {
	const made = node.type.create(attrsOf(map), null, node.marks);
	return StepResult.fromReplace(doc, pos, pos + 1, new Slice(Fragment.from(made), 0, node.isLeaf ? 0 : 1));
}

// SetStep sets attributes by their names in Go; null takes one away.
export class SetStep extends Step {
	constructor(
		readonly pos: number,
		readonly set: Fields,
	) {
		super();
	}

	override apply(doc: Node): StepResult {
		const node = target(doc, this.pos);
		if (!node) return StepResult.fail("no block");
		return replaced(doc, this.pos, node, { ...mapOf(node), ...this.set });
	}

	override invert(doc: Node): Step {
		const node = target(doc, this.pos);
		const was = node ? mapOf(node) : {};
		return new SetStep(this.pos, Object.fromEntries(Object.keys(this.set).map((k) => [k, was[k] ?? null])));
	}

	override map(mapping: Mappable): Step | null {
		const at = mapping.mapResult(this.pos, 1);
		return at.deletedAfter ? null : new SetStep(at.pos, this.set);
	}

	override toJSON() {
		return { stepType: "set", pos: this.pos, set: this.set };
	}

	static override fromJSON(_schema: Schema, json: { pos: number; set: Fields }): SetStep {
		return new SetStep(json.pos, json.set);
	}
}

Step.jsonID("set", SetStep);

// PutStep sets one value within an attribute, such as a cell of a table: path are
// the keys that lead there, and null takes the last one away.
export class PutStep extends Step {
	constructor(
		readonly pos: number,
		readonly path: readonly string[],
		readonly value: unknown,
	) {
		super();
	}

	override apply(doc: Node): StepResult {
		const node = target(doc, this.pos);
		if (!node) return StepResult.fail("no block");
		return replaced(doc, this.pos, node, put(mapOf(node), this.path, this.value));
	}

	override invert(doc: Node): Step {
		const node = target(doc, this.pos);
		let at: unknown = node ? mapOf(node) : {};
		for (const [i, key] of this.path.entries()) {
			const is = isMap(at) ? at[key] : null;
			// What was made on the way goes as a whole.
			if (is === undefined || is === null) return new PutStep(this.pos, this.path.slice(0, i + 1), null);
			at = is;
		}
		return new PutStep(this.pos, this.path, at);
	}

	override map(mapping: Mappable): Step | null {
		const at = mapping.mapResult(this.pos, 1);
		return at.deletedAfter ? null : new PutStep(at.pos, this.path, this.value);
	}

	override merge(other: Step): Step | null {
		if (!(other instanceof PutStep) || other.pos !== this.pos) return null;
		const same = other.path.length === this.path.length && other.path.every((k, i) => k === this.path[i]);
		return same ? other : null;
	}

	override toJSON() {
		return { stepType: "put", pos: this.pos, path: this.path, value: this.value };
	}

	static override fromJSON(_schema: Schema, json: { pos: number; path: string[]; value: unknown }): PutStep {
		return new PutStep(json.pos, json.path, json.value);
	}
}

Step.jsonID("put", PutStep);

// leads says whether a path leads somewhere: what is on the way is maps.
export function leads(map: Fields, path: readonly string[]): boolean {
	let at: unknown = map;
	for (const key of path.slice(0, -1)) {
		at = (at as Fields)[key] ?? undefined;
		if (at === undefined) return true;
		if (!isMap(at)) return false;
	}
	return true;
}

const isMap = (x: unknown): x is Fields => typeof x === "object" && x !== null && !Array.isArray(x);

// put is a map with a value at a path.
export function put(map: Fields, path: readonly string[], value: unknown): Fields {
	const [key, ...rest] = path;
	if (key === undefined) return map;
	const out = { ...map };
	if (rest.length > 0) {
		const inner = map[key] ?? undefined;
		if (inner === undefined ? value === null : !isMap(inner)) return map;
		out[key] = put(isMap(inner) ? inner : {}, rest, value);
	} else if (value === null || value === undefined) delete out[key];
	else out[key] = value;
	return out;
}
