// Documents that stay open between requests, for sync with another engine.
import { ApiHandler } from "./node_modules/@automerge/automerge/dist/mjs/low_level.js";
import { dump } from "./dump.mjs";

const open = new Map();
const b64 = (bytes) => (bytes ? Buffer.from(bytes).toString("base64") : null);
const raw = (s) => new Uint8Array(Buffer.from(s, "base64"));

const verbs = {
	open({ id, actor, bytes }) {
		const doc = bytes ? ApiHandler.load(raw(bytes), { actor }) : ApiHandler.create({ actor });
		open.set(id, { doc, state: ApiHandler.initSyncState() });
	},
	close({ id }) {
		open.get(id).doc.free();
		open.delete(id);
	},
	say: ({ id }) => {
		const { doc, state } = open.get(id);
		return b64(doc.generateSyncMessage(state));
	},
	hear({ id, message }) {
		const { doc, state } = open.get(id);
		doc.receiveSyncMessage(state, raw(message));
	},
	again({ id }) {
		const o = open.get(id);
		o.state = ApiHandler.decodeSyncState(ApiHandler.encodeSyncState(o.state));
	},
	put({ id, key, value }) {
		const { doc } = open.get(id);
		doc.put("_root", key, value);
		doc.commit(null, 0);
	},
	read({ id }) {
		const { doc } = open.get(id);
		return { heads: doc.getHeads(), dump: dump(doc, undefined, true) };
	},
};

export const talk = ({ verb, ...args }) => verbs[verb](args) ?? null;
