// Finds the answers to a message by reading on from it.
import { ask } from "./api/client";
import type { Message } from "./api/types.gen";

const pages = 8; // of 500 messages; answers further away are found by scrolling

export async function repliesTo(message: Message): Promise<Message[]> {
	const found: Message[] = [];
	let after = message.pos;
	for (let i = 0; i < pages && found.length < message.replies; i++) {
		const answer = await ask("messages", {
			channel: message.channel,
			before: 0,
			after,
			around: 0,
			limit: 500,
		});
		found.push(...answer.messages.filter((m) => m.replyTo?.id === message.id));
		const last = answer.messages.at(-1);
		if (!answer.later || !last) break;
		after = last.pos;
	}
	return found;
}
