// Just enough of PDF, as Chromium writes it, to say how many pages one has and
// which text is on them.
import { inflateSync } from "node:zlib";

// pages counts the pages of a PDF.
export const pages = (pdf) => pdf.toString("latin1").match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0;

// lines returns the text of a PDF, one line for each run of it.
export function lines(pdf) {
	const raw = pdf.toString("latin1");
	const streams = new Map(); // object → its stream
	for (const found of raw.matchAll(/(\d+) 0 obj\b(?:(?!endobj)[\s\S])*?stream\r?\n/g)) {
		const start = found.index + found[0].length;
		try {
			const bytes = inflateSync(pdf.subarray(start, raw.indexOf("endstream", start)));
			streams.set(found[1], bytes.toString("latin1"));
		} catch {
			// Not compressed: no text of ours.
		}
	}
	const fonts = new Map(); // name of a font → what its glyphs stand for
	for (const [, name, object] of raw.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
		const body = new RegExp(`(?:^|\\n)${object} 0 obj\\b(?:(?!endobj)[\\s\\S])*?/ToUnicode (\\d+)`).exec(raw);
		fonts.set(name, spelling(streams.get(body?.[1]) ?? ""));
	}
	return [...streams.values()].flatMap((content) =>
		[...content.matchAll(/\bBT\b([\s\S]*?)\bET\b/g)].map(([, run]) => spell(run, fonts)),
	);
}

function spelling(cmap) {
	const out = new Map();
	const code = (hex) => Number.parseInt(hex, 16);
	for (const [, body] of cmap.matchAll(/beginbfchar([\s\S]*?)endbfchar/g)) {
		for (const [, glyph, to] of body.matchAll(/<([0-9a-f]+)>\s*<([0-9a-f]+)>/gi)) {
			out.set(code(glyph), Buffer.from(to, "hex").swap16().toString("utf16le"));
		}
	}
	for (const [, body] of cmap.matchAll(/beginbfrange([\s\S]*?)endbfrange/g)) {
		for (const [, from, to, first] of body.matchAll(/<([0-9a-f]+)>\s*<([0-9a-f]+)>\s*<([0-9a-f]+)>/gi)) {
			for (let glyph = code(from); glyph <= code(to); glyph++) {
				out.set(glyph, String.fromCodePoint(code(first) + glyph - code(from)));
			}
		}
	}
	return out;
}

function spell(run, fonts) {
	let font = new Map();
	let wide = false; // two bytes for each glyph
	let text = "";
	for (const [, name, glyphs] of run.matchAll(/\/(F\d+) [\d.]+ Tf|<([0-9a-f]+)>/gi)) {
		if (name) {
			font = fonts.get(name) ?? new Map();
			wide = false;
		} else {
			wide ||= glyphs.length % 4 === 0;
			for (const glyph of glyphs.match(wide ? /.{4}/g : /.{2}/g)) {
				text += font.get(Number.parseInt(glyph, 16)) ?? "";
			}
		}
	}
	return text;
}
