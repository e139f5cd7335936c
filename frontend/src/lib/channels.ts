import type { Channel } from "./api/types.gen";
import { t } from "./words/index.svelte";

// channelName is what people call a channel: the one every office has takes its
// name from the language of the reader, a direct one that of the other person.
export function channelName(channel: Channel | undefined): string {
	if (channel === undefined) return "";
	if (channel.kind === "direct") return channel.with?.name ?? t.spaces.direct;
	if (channel.kind === "named") return channel.name || channel.in;
	return channel.main ? t.chat.all : channel.name;
}
