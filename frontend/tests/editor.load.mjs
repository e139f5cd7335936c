// The editor's core as Node can import it: the same source as the page, compiled.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";

const source = fileURLToPath(new URL("../src/lib/editor/", import.meta.url));
const results = fileURLToPath(new URL("../test-results/", import.meta.url));

// load imports modules of lib/editor by their names.
export async function load(...names) {
	await mkdir(results, { recursive: true });
	const dir = await mkdtemp(join(results, "editor-"));
	try {
		const bundle = await rolldown({
			input: Object.fromEntries(names.map((name) => [name, join(source, `${name}.ts`)])),
			external: /^prosemirror-/,
			treeshake: false,
			logLevel: "silent",
		});
		await bundle.write({ dir, format: "esm", entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs" });
		await bundle.close();
		const modules = await Promise.all(
			names.map((name) => import(pathToFileURL(join(dir, `${name}.mjs`)).href)),
		);
		return Object.assign({}, ...modules);
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
}
