// Runs before the first paint, so that the page never flashes in the wrong
// theme or names the wrong language.
for (const key of ["theme", "contrast"]) {
	const value = localStorage.getItem(`inselnetz.${key}`);
	if (value) document.documentElement.dataset[key] = value;
}
document.documentElement.lang =
	localStorage.getItem("inselnetz.language") || (navigator.language.startsWith("de") ? "de" : "en");
