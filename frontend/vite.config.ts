import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, loadEnv } from "vite";
import handbook from "./build/handbook.mjs";

// npm run dev with INSELNETZ=http://127.0.0.1:PORT: the page from Vite, the
// calls to a running node.
const node = loadEnv("", ".", "INSELNETZ").INSELNETZ;

export default defineConfig({
	plugins: [svelte(), handbook()],
	build: {
		target: "es2022",
		// The content security policy allows files of our own only: nothing may
		// become a data: address or an inline script.
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
	},
	server: { proxy: node ? { "/api": node, "/start": node } : undefined },
});
