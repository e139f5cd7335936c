// What the handbook says about an open point or a notice, by its code:
// chapter/section.
export const saidOf: Record<string, string> = {
	hold: "files/brake",
	conflicts: "files/conflicts",
	"late-work": "people/late",
	"kit-waiting": "recovery/sheet",
	"approve-wanted": "recovery/owner",
	"one-admin": "first-day/second-person",
	"always-on": "always-on/which",
	"secrets-in-file": "security/key",
	"disk-full": "trouble/full",
	clock: "trouble/clock",
	copy: "trouble/twice",
	twice: "trouble/twice",
	damaged: "trouble/damaged",
	"check-damaged": "trouble/damaged",
};
