// A file brought from a device without a network goes to the program as it is.
import { Problem } from "./api/client";
import type { StickBrought, StickSize, Error as Wrong } from "./api/types.gen";
import { bytes, count } from "./files";
import { body, real, type Taken, taken } from "./taken";
import { language, t } from "./words/index.svelte";

const at = "/api/stick/content";

// exportAt is where the file for a device is to be had; with none, for all.
export const exportAt = (device: string, whole: boolean) =>
	`${at}?${new URLSearchParams({ for: device, ...(whole ? { whole: "1" } : {}) })}`;

// bring sends a file, and says what it brought.
export async function bring(file: File | Taken): Promise<StickBrought> {
	const headers = { "X-Inselnetz-Language": language.now };
	let answer: Response;
	try {
		answer = taken(file)
			? await fetch(`/window/send?${new URLSearchParams({ token: file.token, to: at })}`, {
					method: "POST",
					headers,
				})
			: await fetch(at, { method: "PUT", headers, body: await body(file) });
	} catch (err) {
		if (err instanceof Problem) throw err;
		throw new Problem("offline", t.conn.offline, t.conn.offlineNext);
	}
	const said = await answer.json().catch(() => null);
	if (answer.ok && said) return said as StickBrought;
	const wrong = said as Wrong | null;
	if (!wrong?.sentence) throw new Problem("offline", t.conn.offline, t.conn.offlineNext);
	throw new Problem(wrong.code, wrong.sentence, wrong.next);
}

// parts are "214 Nachrichten, 3 Dateistände"; what is not any of these counts as
// other entries.
export function parts(size: StickSize): string {
	const w = t.stick;
	const named = size.messages + size.files + size.documents;
	return [
		size.messages > 0 ? w.messages(size.messages, count(size.messages)) : "",
		size.files > 0 ? w.files(size.files, count(size.files)) : "",
		size.documents > 0 ? w.documents(size.documents, count(size.documents)) : "",
		size.entries > named ? w.entries(size.entries - named, count(size.entries - named), named > 0) : "",
	]
		.filter(Boolean)
		.join(", ");
}

export const amount = (size: StickSize) => `${parts(size)} (${bytes(size.bytes)})`;

// An invitation as a file: a line for people and the link.
const most = 64 << 10;

export const invitationText = (link: string) =>
	`Inselnetz: Einladung, zum Öffnen auf der Seite „Beitreten“ / invitation, to be opened on the page "Join"\n${link}\n`;

// invitationIn returns the link in a text or message; "" if there is none.
export const invitationIn = (text: string) => /inselnetz:join\?\S+/.exec(text)?.[0] ?? "";

export async function readInvitation(file: File | Taken): Promise<string> {
	const link = file.size > most ? "" : invitationIn(await (await real(file)).text());
	if (!link) throw new Problem("no-invitation", t.stick.noInvitation, t.stick.noInvitationNext);
	return link;
}
