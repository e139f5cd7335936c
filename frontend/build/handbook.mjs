// The handbook: Markdown in handbook/{de,en}, made HTML while building. A chapter
// is a file NN-ID.md: "# Title" begins it, "## Title {#ID}" a section. A link leads
// to a chapter (02-first-day.md), to a section (02-first-day.md#sheet), or to a page
// of the window (#/files). What stands in **bold** are words of the window.
//
// It comes out twice: as modules virtual:handbook/LANGUAGE for the window, and as
// handbook/LANGUAGE.html, one page each that needs neither script nor session.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Marked } from "marked";
import { sheet } from "./handbook.page.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
export const languages = ["de", "en"];
const font = "node_modules/@fontsource-variable/inter/files/inter-latin-opsz-normal.woff2";

const escaped = (text) =>
	text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const unescaped = (html) =>
	html.replace(
		/&(amp|lt|gt|quot|#39);/g,
		(_, name) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name],
	);
export const plain = (html) =>
	unescaped(html.replace(/<[^>]+>/g, " "))
		.replace(/\s+/g, " ")
		.replace(/ ([.,:;!?)“])/g, "$1")
		.trim();

// anchor is what a place in the handbook is called on the static page.
export const anchor = (chapter, section) => (section ? `${chapter}.${section}` : chapter);

// renderer writes HTML for one of the two outputs. Links are checked by check().
function renderer(output) {
	const marked = new Marked({ gfm: true });
	marked.use({
		renderer: {
			link({ href, tokens }) {
				const text = this.parser.parseInline(tokens);
				if (href.startsWith("#/")) {
					// The static page has no window to lead to.
					return output === "window" ? `<a href="${escaped(href)}">${text}</a>` : `<b>${text}</b>`;
				}
				const to = /^\d\d-([a-z-]+)\.md(?:#([a-z-]+))?$/.exec(href);
				if (!to) throw new Error(`the handbook cannot link to ${href}`);
				const place =
					output === "window"
						? `#/help/${to.slice(1).filter(Boolean).join("/")}`
						: `#${anchor(to[1], to[2])}`;
				return `<a href="${place}">${text}</a>`;
			},
			html({ text }) {
				if (/^<\/?kbd>$/.test(text.trim())) return text;
				throw new Error(`the handbook has HTML of its own: ${text}`);
			},
			image({ href }) {
				throw new Error(`the handbook shows no pictures: ${href}`);
			},
			table(token) {
				const cell = (c, tag) => `<${tag}>${this.parser.parseInline(c.tokens)}</${tag}>`;
				const row = (cells, tag) => `<tr>${cells.map((c) => cell(c, tag)).join("")}</tr>`;
				return `<div class="table" tabindex="0" role="group"><table><thead>${row(token.header, "th")}</thead><tbody>${token.rows.map((r) => row(r, "td")).join("")}</tbody></table></div>\n`;
			},
			code({ text }) {
				return `<pre tabindex="0"><code>${escaped(text)}</code></pre>\n`;
			},
		},
	});
	return marked;
}

// read returns the chapters of a language, in order:
// {id, title, html, text, sections: [{id, title, html, text}]}.
export function read(language, output = "window") {
	const marked = renderer(output);
	const dir = join(root, "handbook", language);
	const files = readdirSync(dir)
		.filter((name) => /^\d\d-[a-z-]+\.md$/.test(name))
		.sort();
	return files.map((name) => {
		const source = readFileSync(join(dir, name), "utf8").replace(/(\d) (KB|MB|GB)\b/g, "$1\u00a0$2");
		const [head, ...parts] = source.split(/^## /m);
		const top = /^# (.+)\n/.exec(head);
		if (!top) throw new Error(`${language}/${name} does not begin with a title`);
		const lead = marked.parse(head.slice(top[0].length));
		return {
			id: name.slice(3, -3),
			title: top[1].trim(),
			html: lead,
			text: plain(lead),
			sections: parts.map((part) => {
				const title = /^(.+?) \{#([a-z-]+)\}\n/.exec(part);
				if (!title) throw new Error(`${language}/${name}: a section without {#id}: ${part.slice(0, 40)}`);
				const html = marked.parse(part.slice(title[0].length));
				return { id: title[2], title: title[1], html, text: plain(html) };
			}),
		};
	});
}

// check fails where a link of the handbook leads nowhere within it.
export function check(chapters) {
	const places = new Set(chapters.flatMap((c) => [c.id, ...c.sections.map((s) => `${c.id}/${s.id}`)]));
	for (const chapter of chapters) {
		for (const { html } of [chapter, ...chapter.sections]) {
			for (const [, place] of html.matchAll(/href="#\/help\/([^"]+)"/g)) {
				if (!places.has(place))
					throw new Error(`${chapter.id} links to ${place}, which is not in the handbook`);
			}
		}
	}
	return chapters;
}

// handbook is the plugin of Vite.
export default function handbook() {
	const name = /^virtual:handbook\/(de|en)$/;
	const style = () =>
		readFileSync(join(root, "src/styles/tokens.css"), "utf8") +
		readFileSync(join(root, "build/handbook.css"), "utf8");
	const files = () => ({
		"handbook/handbook.css": style(),
		"handbook/logo.svg": readFileSync(join(root, "public/logo.svg")),
		"handbook/inter.woff2": readFileSync(join(root, font)),
		...Object.fromEntries(languages.map((l) => [`handbook/${l}.html`, sheet(l, read(l, "sheet"))])),
	});
	return {
		name: "handbook",
		resolveId: (id) => (name.test(id) ? `\0${id}` : undefined),
		load(id) {
			const language = id.startsWith("\0") && name.exec(id.slice(1))?.[1];
			if (!language) return;
			for (const file of readdirSync(join(root, "handbook", language))) {
				this.addWatchFile(join(root, "handbook", language, file));
			}
			return `export default ${JSON.stringify(check(read(language)))};`;
		},
		generateBundle() {
			for (const [fileName, source] of Object.entries(files())) {
				this.emitFile({ type: "asset", fileName, source });
			}
		},
		configureServer(server) {
			server.middlewares.use((request, answer, next) => {
				const source = files()[request.url?.slice(1)];
				if (!source) return next();
				const type = { css: "text/css", svg: "image/svg+xml", woff2: "font/woff2" };
				answer.setHeader("Content-Type", type[request.url.split(".")[1]] ?? "text/html; charset=utf-8");
				answer.end(source);
			});
		},
	};
}
