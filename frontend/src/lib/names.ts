// nameField says beside which field a sentence about a name belongs: the program
// words it, but does not say which of several names it means.
export function nameField(code: string, names: Record<string, string>): string | undefined {
	const entries = Object.entries(names);
	switch (code) {
		case "name-empty":
			return entries.find(([, name]) => name.trim() === "")?.[0];
		case "name-long":
			return entries.reduce((a, b) => (b[1].length > a[1].length ? b : a))[0];
		case "name-control":
		case "name-direction":
			return entries.find(([, name]) => /[\p{Cc}\p{Cf}]/u.test(name))?.[0];
	}
	return undefined;
}
