// The six words one can say about a message, each with its sign.
import CircleCheck from "@lucide/svelte/icons/circle-check";
import CircleQuestionMark from "@lucide/svelte/icons/circle-question-mark";
import CircleX from "@lucide/svelte/icons/circle-x";
import Eye from "@lucide/svelte/icons/eye";
import HandHeart from "@lucide/svelte/icons/hand-heart";
import ThumbsUp from "@lucide/svelte/icons/thumbs-up";

export const reactions = [
	{ word: "agree", icon: ThumbsUp },
	{ word: "thanks", icon: HandHeart },
	{ word: "done", icon: CircleCheck },
	{ word: "seen", icon: Eye },
	{ word: "question", icon: CircleQuestionMark },
	{ word: "no", icon: CircleX },
];

export const reactionIcon = (word: string) =>
	reactions.find((r) => r.word === word)?.icon ?? CircleQuestionMark;
