// A step that changes marks of text by their names in Go. Embeds have none.
import { Fragment, type Mark, type Node, type Schema, Slice } from "prosemirror-model";
import { type Mappable, Step, StepResult } from "prosemirror-transform";
import { markOf, nameOf, painted, worthOf } from "./schema";

// A Stroke gives the text in [from,to) a mark, or takes the one with the name away
// if value is null.
export interface Stroke {
	from: number;
	to: number;
	name: string;
	value: unknown;
}

// MarksStep does strokes, which do not overlap where they have the same name.
export class MarksStep extends Step {
	constructor(readonly strokes: readonly Stroke[]) {
		super();
	}

	override apply(doc: Node): StepResult {
		for (const { from, to, name, value } of this.strokes) {
			const mark = value === null ? null : markOf(name, value);
			const slice = doc.slice(from, to);
			const painted = paint(slice.content, name, mark);
			if (painted !== slice.content)
				doc = doc.replace(from, to, new Slice(painted, slice.openStart, slice.openEnd));
		}
		return StepResult.ok(doc);
	}

	override invert(doc: Node): Step {
		const out: Stroke[] = [];
		for (const stroke of this.strokes) {
			doc.nodesBetween(stroke.from, stroke.to, (node, pos) => {
				if (!node.isText) return;
				const had = node.marks.find((m) => nameOf(m) === stroke.name);
				const value = had ? worthOf(had) : null;
				const from = Math.max(stroke.from, pos);
				const to = Math.min(stroke.to, pos + node.nodeSize);
				const last = out[out.length - 1];
				if (last && last.to === from && last.name === stroke.name && last.value === value) last.to = to;
				else out.push({ from, to, name: stroke.name, value });
			});
		}
		return new MarksStep(out);
	}

	override map(mapping: Mappable): Step | null {
		const out: Stroke[] = [];
		for (const s of this.strokes) {
			const from = mapping.map(s.from, 1);
			const to = mapping.map(s.to, -1);
			if (from < to) out.push({ ...s, from, to });
		}
		return out.length > 0 ? new MarksStep(out) : null;
	}

	override toJSON() {
		return { stepType: "marks", strokes: this.strokes };
	}

	static override fromJSON(_schema: Schema, json: { strokes: Stroke[] }): MarksStep {
		return new MarksStep(json.strokes);
	}
}

Step.jsonID("marks", MarksStep);

function paint(content: Fragment, name: string, mark: Mark | null): Fragment {
	const out: Node[] = [];
	let changed = false;
	content.forEach((node) => {
		let made = node;
		if (node.isText) {
			made = node.mark(painted(node.marks, name, mark));
		} else if (node.content.size > 0) {
			const inner = paint(node.content, name, mark);
			if (inner !== node.content) made = node.copy(inner);
		}
		changed ||= made !== node;
		out.push(made);
	});
	return changed ? Fragment.fromArray(out) : content;
}
