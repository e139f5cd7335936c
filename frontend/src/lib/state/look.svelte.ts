// Theme and contrast, kept in this browser. public/look.js applies them before
// the first paint.

export type Theme = "system" | "light" | "dark";
export type Contrast = "system" | "more";

class Look {
	theme = $state((localStorage.getItem("inselnetz.theme") ?? "system") as Theme);
	contrast = $state((localStorage.getItem("inselnetz.contrast") ?? "system") as Contrast);

	set(key: "theme" | "contrast", value: string) {
		if (key === "theme") this.theme = value as Theme;
		else this.contrast = value as Contrast;
		if (value === "system") {
			localStorage.removeItem(`inselnetz.${key}`);
			delete document.documentElement.dataset[key];
		} else {
			localStorage.setItem(`inselnetz.${key}`, value);
			document.documentElement.dataset[key] = value;
		}
	}
}

export const look = new Look();
