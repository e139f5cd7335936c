// Turns what ProseMirror's commands do into the steps of this editor.
import type { Node } from "prosemirror-model";
import { Selection, TextSelection, type Transaction } from "prosemirror-state";
import {
	AddMarkStep,
	AttrStep,
	RemoveMarkStep,
	ReplaceAroundStep,
	ReplaceStep,
	type Step,
	type StepMap,
} from "prosemirror-transform";
import { difference, Keep } from "./keep";
import { PutStep, SetStep } from "./keep.attrs";
import { bare } from "./keep.bare";
import { MarksStep } from "./keep.marks";
import { pieces } from "./keep.pieces";
import { type Fields, isEmbed, mapOf, nameOf, worthOf } from "./schema";

// own replaces the steps of a transaction, before it is applied, by steps of this
// editor that do the same. So the history of undoing holds only those, too.
export function own(tr: Transaction): void {
	if (tr.steps.every(isOwn)) return;
	const made = tr.steps.map((step, i) => owned(step, tr.docs[i] as Node, tr.docs[i + 1] ?? tr.doc));
	const steps = tr.steps as Step[];
	const maps = tr.mapping.maps as StepMap[];
	if (made.every(({ exact, steps }) => exact && steps.length === 1)) {
		for (const [i, m] of made.entries()) {
			steps[i] = m.steps[0] as Step;
			maps[i] = steps[i].getMap();
		}
		return;
	}
	rebuild(
		tr,
		made.flatMap((m) => m.steps),
	);
}

// rebuild gives a transaction other steps, whose positions are alike.
function rebuild(tr: Transaction, made: Step[]): void {
	const at = tr as unknown as { curSelection: Selection; curSelectionFor: number };
	const selection = tr.selection;
	let doc = tr.docs[0] ?? tr.doc;
	const docs: Node[] = [];
	const steps: Step[] = [];
	for (const step of made) {
		const after = step.apply(doc);
		if (!after.doc) throw new Error(`a step that does not fit: ${after.failed}`);
		docs.push(doc);
		steps.push(step);
		doc = after.doc;
	}
	tr.docs.splice(0, tr.docs.length, ...docs);
	tr.steps.splice(0, tr.steps.length, ...steps);
	const maps = tr.mapping.maps as StepMap[];
	maps.splice(0, maps.length, ...steps.map((s) => s.getMap()));
	tr.mapping.to = maps.length;
	tr.doc = doc;
	at.curSelection = again(doc, selection);
	at.curSelectionFor = steps.length;
}

function again(doc: Node, selection: Selection): Selection {
	const at = (pos: number) => doc.resolve(Math.min(pos, doc.content.size));
	if (selection instanceof TextSelection)
		return TextSelection.between(at(selection.anchor), at(selection.head));
	try {
		return Selection.fromJSON(doc, selection.toJSON());
	} catch {
		return Selection.near(at(selection.head));
	}
}

const isOwn = (step: Step): boolean =>
	step instanceof Keep || step instanceof SetStep || step instanceof PutStep || step instanceof MarksStep;

interface Owned {
	steps: Step[];
	exact: boolean; // they do the same
}

function owned(step: Step, doc: Node, after: Node): Owned {
	if (isOwn(step)) return { steps: [step], exact: true };
	if (step instanceof ReplaceStep) {
		const set = swapped(step, doc);
		if (set) return { steps: [set], exact: true };
		const slice = bare(step.slice);
		const keep = Keep.of(doc, step.from, step.to, slice);
		const [part] = keep.parts;
		const alike = part?.from === step.from && part.to === step.to && part.slice === step.slice;
		return { steps: pieces(keep, doc), exact: alike || (keep.apply(doc).doc?.eq(after) ?? false) };
	}
	if (step instanceof AddMarkStep || step instanceof RemoveMarkStep) {
		const value = step instanceof AddMarkStep ? worthOf(step.mark) : null;
		const stroke = { from: step.from, to: step.to, name: nameOf(step.mark), value };
		const alone = step.mark.type.excludes(step.mark.type); // else the order differs
		const exact = alone && !hasEmbed(doc, step.from, step.to);
		return { steps: [new MarksStep([stroke])], exact };
	}
	if (step instanceof AttrStep || step instanceof ReplaceAroundStep) {
		const pos = step instanceof AttrStep ? step.pos : step.from;
		const was = doc.nodeAt(pos);
		const is = after.nodeAt(pos);
		const whole =
			step instanceof AttrStep || (was && is && step.to === pos + was.nodeSize && was.content.eq(is.content));
		if (was && is && was.type === is.type && whole)
			return { steps: [new SetStep(pos, changes(was, is))], exact: true };
	}
	const keep = difference(doc, after);
	return { steps: keep ? pieces(keep, doc) : [], exact: false };
}

// changes are the attributes that differ.
function changes(was: Node, is: Node): Fields {
	const [a, b] = [mapOf(was), mapOf(is)];
	const out: Fields = {};
	for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
		if (JSON.stringify(a[key]) !== JSON.stringify(b[key])) out[key] = b[key] ?? blank[key] ?? null;
	}
	return out;
}

// What takes an attribute back is said, not taken away: so it has a writer.
const blank: Fields = { t: "paragraph", level: 0, checked: false };

// swapped is the change of attributes when an embed takes the place of one of its
// kind.
function swapped(step: ReplaceStep, doc: Node): SetStep | null {
	const is = step.slice.content.firstChild;
	if (step.to !== step.from + 1 || step.slice.content.childCount !== 1 || !is || !isEmbed(is)) return null;
	const was = doc.nodeAt(step.from);
	if (!was || !isEmbed(was) || was.attrs.t !== is.attrs.t || is.marks.length > 0) return null;
	return new SetStep(step.from, changes(was, is));
}

function hasEmbed(doc: Node, from: number, to: number): boolean {
	let found = false;
	doc.nodesBetween(from, to, (node) => {
		found ||= isEmbed(node);
	});
	return found;
}
