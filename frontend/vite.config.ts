import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
	plugins: [svelte()],
	build: {
		target: "es2022",
		// The content security policy allows files of our own only: nothing may
		// become a data: address or an inline script.
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
	},
	server: {
		// npm run dev: the page from Vite, the calls to a running node.
		proxy: process.env.INSELNETZ ? { "/api": process.env.INSELNETZ, "/start": process.env.INSELNETZ } : undefined,
	},
});
