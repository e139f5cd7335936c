// What another program with the official Automerge library does to a file: checks
// what it reads, and edits it with text, marks and a block.
// node elsewhere.mjs DIRECTORY-WITH-AUTOMERGE IN OUT
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [dir, from, to] = process.argv.slice(2);
const A = createRequire(join(dir, "x.js"))("@automerge/automerge");
let d = A.load(readFileSync(from));
const before = { spans: A.spans(d, ["text"]), changes: A.getAllChanges(d).length };
d = A.change(d, { time: 0 }, (x) => {
	const at = x.text.indexOf("Boot");
	A.splice(x, ["text"], at, 4, "Segelboot");
	A.mark(x, ["text"], { start: at, end: at + 9, expand: "after" }, "strong", true);
	const end = x.text.length;
	A.splitBlock(x, ["text"], end, { t: new A.ImmutableString("task"), checked: true });
	A.splice(x, ["text"], end + 1, 0, "Von anderswo");
});
writeFileSync(to, A.save(d));
process.stdout.write(JSON.stringify({ title: String(d.title), ...before }));
