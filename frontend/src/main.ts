import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { desktop } from "./lib/desktop.svelte";

const target = document.getElementById("app");
if (target) mount(App, { target });

if (desktop.here) {
	desktop.open();
	import("./components/DesktopSettings.svelte").then((settings) => {
		desktop.Settings = settings.default;
	});
	import("./components/DesktopNote.svelte").then((note) => mount(note.default, { target: document.body }));
}
