import type { Channel } from "./api/types.gen";
import { t } from "./words/index.svelte";

// channelName is what people call a channel: the one every office has takes its
// name from the language of the reader.
export const channelName = (channel: Channel | undefined): string =>
	channel === undefined ? "" : channel.main ? t.chat.all : channel.name;
