// The one typed door to the program: ask(name, request) → result.
import { language, t } from "../words/index.svelte";
import type * as api from "./types.gen";

export interface Calls {
	status: [api.Empty, api.Status];
	home: [api.Empty, api.Home];
	"home/seen": [api.HomeSeen, unknown];
	setup: [api.Empty, api.Setup];
	"setup/go": [api.SetupGo, api.Setup];
	"setup/kind": [api.SetupKindSet, api.Setup];
	"setup/device": [api.SetupDevice, api.Setup];
	people: [api.Empty, api.People];
	found: [api.Found, api.Status];
	doors: [api.Empty, api.Doors];
	join: [api.Join, api.JoinState];
	"join/state": [api.Empty, api.JoinState];
	"join/confirm": [api.JoinConfirm, api.JoinState];
	"join/cancel": [api.Empty, unknown];
	"invite/open": [api.Invite, api.InviteState];
	"invite/state": [api.Empty, api.InviteState];
	"invite/type": [api.InviteType, api.InviteState];
	"invite/close": [api.Empty, unknown];
	channels: [api.Empty, api.Channels];
	"channel/create": [api.ChannelCreate, api.Channel];
	messages: [api.MessagesAsk, api.Messages];
	replies: [api.RepliesAsk, api.Messages];
	post: [api.Post, api.Message];
	edit: [api.Edit, api.Message];
	retract: [api.Retract, api.Message];
	react: [api.React, api.Message];
	read: [api.Read, unknown];
	search: [api.Search, api.Hits];
	erase: [api.Erase, unknown];
	spaces: [api.Empty, api.Spaces];
	"space/create": [api.SpaceCreate, api.Space];
	"space/change": [api.SpaceChange, api.Space];
	direct: [api.Direct, api.Channel];
	"person/role": [api.RoleChange, api.People];
	"person/leaving": [api.LeavingAsk, api.Leaving];
	"person/remove": [api.Remove, api.People];
	late: [api.Empty, api.Late];
	"late/adopt": [api.Adopt, api.Late];
	kit: [api.Empty, api.Kit];
	"kit/confirm": [api.KitConfirm, api.Recovery];
	recovery: [api.Empty, api.Recovery];
	"recovery/lost": [api.Empty, api.LostSpaces];
	"recovery/propose": [api.Propose, api.Recovery];
	"recovery/approve": [api.Approve, api.Recovery];
	audit: [api.AuditAsk, api.Audit];
	doctor: [api.Empty, api.Doctor];
	diagnose: [api.DiagnoseAsk, api.Diagnosis];
	stick: [api.StickAsk, api.Stick];
	"stick/stop": [api.Empty, unknown];
	places: [api.Empty, api.Places];
	"places/own": [api.PlacesOwn, api.Places];
	"places/of": [api.PlacesOf, api.Places];
	"files/folders": [api.Empty, api.Folders];
	"files/list": [api.FilesAsk, api.FileList];
	"files/info": [api.FilesAsk, api.FileInfo];
	"files/trash": [api.FilesAsk, api.FilePaths];
	"files/conflicts": [api.FilesAsk, api.FilePaths];
	"files/moments": [api.FilesAsk, api.FileMoments];
	"files/mkdir": [api.FilesAsk, api.File];
	"files/open": [api.FilesAsk, unknown];
	"files/rename": [api.FileRename, api.File];
	"files/remove": [api.FileRemove, api.FilePaths];
	"files/restore": [api.FileRestore, api.File];
	"files/rewind": [api.FileRewind, api.Rewound];
	"files/resolve": [api.FileResolve, api.File];
	"files/hold": [api.HoldDecide, api.Folder];
	"files/folder": [api.FolderSet, api.Folder];
	"files/skip": [api.SkipSet, api.Folder];
	"files/fetch": [api.FilesAsk, api.Folder];
	metered: [api.Empty, api.Metered];
	"metered/set": [api.MeteredSet, api.Metered];
	documents: [api.DocumentsAsk, api.Documents];
	document: [api.DocumentAsk, api.DocumentText];
	"document/create": [api.DocumentCreate, api.Document];
	"document/templates": [api.Empty, api.DocumentTemplates];
	"document/copy": [api.DocumentCopy, api.Document];
	"document/import": [api.DocumentImport, api.Document];
	"document/set": [api.DocumentSet, api.Document];
	"document/export": [api.DocumentExport, api.DocumentFile];
	"document/search": [api.DocumentSearch, api.DocumentHits];
	"document/open": [api.DocumentOpen, api.DocumentEditor];
	"document/sync": [api.DocumentSync, api.DocumentNews];
	"document/check": [api.DocumentClose, api.DocumentCheck];
	"document/close": [api.DocumentClose, unknown];
	"document/history": [api.DocumentAsk, api.DocumentHistory];
	"document/state": [api.DocumentState, api.DocumentShown];
	"document/restore": [api.DocumentAsk, api.Document];
	"document/comments": [api.DocumentCommentsAsk, api.DocumentComments];
	"document/comment": [api.DocumentComment, api.DocumentComments];
	web: [api.Empty, api.Web];
	"web/set": [api.WebSet, api.Web];
	"web/pair": [api.Empty, api.WebPair];
	"web/pair/close": [api.Empty, api.Web];
	"web/cut": [api.WebCut, api.Web];
	"web/company": [api.WebBring, api.Web];
	"web/company/drop": [api.Empty, api.Web];
	"web/renew": [api.Empty, api.Web];
	"web/here": [api.Empty, api.WebHere];
	"web/leave": [api.Empty, unknown];
	"web/claim": [api.WebClaim, api.WebHere];
	phones: [api.Empty, api.Phones];
	"phone/set": [api.PhoneSet, api.Phones];
	"phone/remove": [api.PhoneSet, api.Phones];
	desktop: [api.Empty, api.Desktop];
	"desktop/set": [api.DesktopSet, api.Desktop];
	"desktop/wanted": [api.Empty, api.DesktopWanted];
	"desktop/focus": [api.DesktopFocus, unknown];
	"desktop/quit": [api.Empty, unknown];
}

// Problem is an answer that did not work out, in the words of the program.
export class Problem extends Error {
	constructor(
		readonly code: string,
		sentence: string,
		readonly next: string,
		readonly field = "", // of the request that is wrong
	) {
		super(sentence);
	}

	get sentence(): string {
		return this.message;
	}
}

export async function ask<K extends keyof Calls>(
	name: K,
	request: Calls[K][0],
	signal?: AbortSignal,
): Promise<Calls[K][1]> {
	let answer: Response;
	try {
		answer = await fetch(`/api/${name}`, {
			method: "POST",
			headers: { "Content-Type": "application/json", "X-Inselnetz-Language": language.now },
			body: JSON.stringify(request),
			signal,
		});
	} catch (err) {
		if (signal?.aborted) throw err;
		// The program is not there to word this one.
		throw new Problem("offline", t.conn.offline, t.conn.offlineNext);
	}
	if (answer.ok) return (await answer.json()) as Calls[K][1];
	if (answer.status === 401) throw new Problem("gone", t.gone.title, "");
	let error: api.Error;
	try {
		error = (await answer.json()) as api.Error;
	} catch {
		throw new Problem("offline", t.conn.offline, t.conn.offlineNext);
	}
	throw new Problem(error.code, error.sentence, error.next, error.field);
}

// problem makes a Problem of whatever was thrown.
export function problem(err: unknown): Problem {
	if (err instanceof Problem) return err;
	console.error(err);
	return new Problem("page", t.conn.offline, t.conn.offlineNext);
}
