// The time as the page shows it, moved on every second while someone looks at a
// countdown, and every half minute otherwise.
import { language, t } from "../words/index.svelte";

let now = $state(Date.now());
setInterval(() => {
	now = Date.now();
}, 30_000);

export const clock = {
	get now(): number {
		return now;
	},
	// seconds ticks every second until the result is called.
	seconds(): () => void {
		now = Date.now();
		const timer = setInterval(() => {
			now = Date.now();
		}, 1000);
		return () => clearInterval(timer);
	},
};

const formats = new Map<string, Intl.DateTimeFormat>();
function format(at: number, options: Intl.DateTimeFormatOptions): string {
	const locale = language.now === "de" ? "de-DE" : "en-GB";
	const key = locale + JSON.stringify(options);
	let f = formats.get(key);
	if (!f) {
		f = new Intl.DateTimeFormat(locale, options);
		formats.set(key, f);
	}
	return f.format(at);
}

// time is "09:31".
export const time = (at: number) => format(at, { hour: "2-digit", minute: "2-digit" });

// sameDay says whether two moments are on the same day here.
export function sameDay(a: number, b: number): boolean {
	return new Date(a).toDateString() === new Date(b).toDateString();
}

// date is "Dienstag, 3. November".
export const date = (at: number) => format(at, { weekday: "long", day: "numeric", month: "long" });

// day is "Heute, Dienstag, 3. November", or with its year when that is another.
export function day(at: number): string {
	const today = new Date(now);
	const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1).getTime();
	const sameYear = new Date(at).getFullYear() === today.getFullYear();
	const long = format(at, {
		weekday: "long",
		day: "numeric",
		month: "long",
		year: sameYear ? undefined : "numeric",
	});
	if (sameDay(at, now)) return `${t.chat.today}, ${long}`;
	if (sameDay(at, yesterday)) return `${t.chat.yesterday}, ${long}`;
	return long;
}

// shortDate is "3. November", or "3. November 2027" in another year.
export function shortDate(at: number): string {
	const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
	return format(at, { day: "numeric", month: "long", year: sameYear ? undefined : "numeric" });
}

// longDate is "3. November 2026".
export const longDate = (at: number) => format(at, { day: "numeric", month: "long", year: "numeric" });

// moment is "09:12, vor 18 min" today, else "3. November, 09:12, vor 2 Tagen".
export function moment(at: number): string {
	if (!sameDay(at, now)) {
		const days = Math.round(
			(new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000,
		);
		const ago = days > 0 && days < 60 ? `, ${t.ago.days(days)}` : "";
		return `${shortDate(at)}, ${time(at)}${ago}`;
	}
	const minutes = Math.floor((now - at) / 60_000);
	if (minutes < 1) return t.ago.now;
	const ago = minutes < 60 ? t.ago.min(minutes) : t.ago.hours(Math.floor(minutes / 60));
	return `${time(at)}, ${ago}`;
}

// brief is "10:22", "Gestern 17:58", "Mo 16:02", "2. Nov., 11:47", "2. Nov. 2025".
export function brief(at: number): string {
	const hour = time(at);
	if (sameDay(at, now)) return hour;
	const midnight = new Date(now).setHours(0, 0, 0, 0);
	const days = Math.round((midnight - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
	if (days === 1) return `${t.chat.yesterday} ${hour}`;
	if (days > 1 && days < 7) return `${format(at, { weekday: "short" })} ${hour}`;
	if (new Date(at).getFullYear() === new Date(now).getFullYear())
		return `${format(at, { day: "numeric", month: "short" })}, ${hour}`;
	return format(at, { day: "numeric", month: "short", year: "numeric" });
}

// stamp is "3. November 2026, 09:12", for tooltips and screen readers.
export const stamp = (at: number) =>
	format(at, { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" });
