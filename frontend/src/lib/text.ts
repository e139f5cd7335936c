// Cuts a message into what is shown differently: links and mentioned names.

export interface Piece {
	is: "text" | "link" | "mention";
	text: string;
}

const links = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;

// pieces cuts text at links and at the names of the people mentioned in it.
export function pieces(text: string, names: string[]): Piece[] {
	const found: { at: number; piece: Piece }[] = [];
	for (const match of text.matchAll(links)) {
		found.push({ at: match.index, piece: { is: "link", text: match[0] } });
	}
	for (const name of names) {
		for (let at = text.indexOf(`@${name}`); at >= 0; at = text.indexOf(`@${name}`, at + 1)) {
			found.push({ at, piece: { is: "mention", text: `@${name}` } });
		}
	}
	found.sort((a, b) => a.at - b.at || b.piece.text.length - a.piece.text.length);
	const out: Piece[] = [];
	let done = 0;
	for (const { at, piece } of found) {
		if (at < done) continue; // inside the one before
		if (at > done) out.push({ is: "text", text: text.slice(done, at) });
		out.push(piece);
		done = at + piece.text.length;
	}
	if (done < text.length) out.push({ is: "text", text: text.slice(done) });
	return out;
}
