// The part of a channel that the page holds: a run of messages without gaps, as
// long as one answer of the program. Scrolling moves it along the channel.
import { tick } from "svelte";
import { ask, type Problem, problem } from "../api/client";
import type { Message, Messages, MessagesAsk } from "../api/types.gen";
import { t } from "../words/index.svelte";
import { pause } from "./office.svelte";

const page = 100; // messages asked for at first
const further = 160; // messages asked for when scrolling on
const most = 500; // messages held: what the program gives in one answer

export class Conversation {
	messages = $state.raw<Message[]>([]);
	earlier = $state(false); // there are more before
	later = $state(false); // there are more after
	total = $state(0);
	readUpTo = $state(0);
	loaded = $state(false);
	wrong = $state.raw<Problem | null>(null);
	fresh = $state(0); // position of the first message that was new on opening; 0 for none
	shift = $state(false); // the list changes at its start: keep what is seen in place
	announcement = $state(""); // the newest message of someone else, for screen readers

	#turn: Promise<unknown> = Promise.resolve();
	#refreshing = false;
	#again = false;
	#moving = false;

	constructor(readonly channel: string) {}

	// open shows the first unread message, or the newest when there is none: own
	// messages are not read, but they are not new either.
	open(news: number): Promise<void> {
		return this.#queue(async () => {
			let answer = await this.#ask({});
			const first = answer.messages[0];
			if (news > 0 && first && answer.earlier && answer.readUpTo > 0 && answer.readUpTo < first.pos) {
				answer = await this.#ask({ around: answer.readUpTo });
			}
			this.#take(answer);
			const unread = answer.messages.find((m) => m.pos > answer.readUpTo && !m.own);
			this.fresh = answer.readUpTo > 0 && unread ? unread.pos : 0;
		});
	}

	newest(): Promise<void> {
		return this.#queue(async () => this.#take(await this.#ask({})));
	}

	around(pos: number): Promise<void> {
		return this.#queue(async () => this.#take(await this.#ask({ around: pos })));
	}

	async loadEarlier(): Promise<void> {
		if (!this.earlier || this.#moving) return;
		this.#moving = true;
		await this.#queue(async () => {
			const first = this.messages[0];
			if (!first) return;
			const answer = await this.#ask({ before: first.pos, limit: further });
			this.earlier = answer.earlier;
			await this.#fromStart([...answer.messages, ...this.messages]);
			if (this.messages.length > most) {
				this.messages = this.messages.slice(0, most);
				this.later = true;
			}
		});
		this.#moving = false;
	}

	async loadLater(): Promise<void> {
		if (!this.later || this.#moving) return;
		this.#moving = true;
		await this.#queue(async () => {
			const last = this.messages.at(-1);
			if (!last) return;
			const answer = await this.#ask({ after: last.pos, limit: further });
			this.later = answer.later;
			this.messages = [...this.messages, ...answer.messages];
			await tick();
			await this.#trim();
		});
		this.#moving = false;
	}

	// refresh asks again for what is held, and for what came after it.
	async refresh(): Promise<void> {
		if (this.#refreshing) {
			this.#again = true;
			return;
		}
		this.#refreshing = true;
		do {
			this.#again = false;
			await this.#queue(() => this.#reload());
			if (this.#again) await pause();
		} while (this.#again);
		this.#refreshing = false;
	}

	async #reload() {
		if (!this.loaded) return;
		const first = this.messages[0];
		const last = this.messages.at(-1);
		if (!first || !last) {
			this.#take(await this.#ask({}));
			return;
		}
		const room = this.later ? 0 : page;
		let answer = await this.#ask({
			after: first.pos - 1,
			limit: Math.min(most, this.messages.length + room),
		});
		let earlier = this.earlier || answer.earlier;
		if (answer.earlier && !this.earlier) {
			// What was written apart may belong before all that is held.
			const all = await this.#ask({ after: 1, limit: most });
			if (!all.later || this.later) {
				answer = all;
				earlier = all.earlier;
			}
		}
		const news = answer.messages.filter((m) => m.pos > last.pos && !m.own);
		const said = news.at(-1);
		const looking = document.visibilityState === "visible" && document.hasFocus();
		if (news[0] && !looking && this.fresh <= this.readUpTo) this.fresh = news[0].pos;
		if (said && !this.later) this.announcement = t.chat.announce(said.author.name, said.text);
		this.#take(answer, earlier);
		await tick();
		await this.#trim();
	}

	async #trim() {
		if (this.messages.length <= most) return;
		this.earlier = true;
		await this.#fromStart(this.messages.slice(-most));
	}

	async #fromStart(messages: Message[]) {
		this.shift = true;
		this.messages = messages;
		await tick();
		this.shift = false;
	}

	#ask(where: Partial<MessagesAsk>): Promise<Messages> {
		return ask("messages", { channel: this.channel, before: 0, after: 0, around: 0, limit: page, ...where });
	}

	#take(answer: Messages, earlier = answer.earlier) {
		this.messages = answer.messages;
		this.earlier = earlier;
		this.later = answer.later;
		this.total = answer.total;
		this.readUpTo = Math.max(this.readUpTo, answer.readUpTo);
		this.loaded = true;
	}

	// One question at a time: an answer must fit what is held when it arrives.
	#queue(job: () => Promise<void>): Promise<void> {
		const mine = this.#turn.then(async () => {
			try {
				await job();
				this.wrong = null;
			} catch (err) {
				this.wrong = problem(err);
			}
		});
		this.#turn = mine;
		return mine;
	}
}
