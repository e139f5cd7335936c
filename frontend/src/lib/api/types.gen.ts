// Generated from app/api/types*.go by make generate. Do not edit.

// Error is the answer to a call that did not work out.
export interface Error {
	code: string; // fixed word for programs, such as "too-long"
	sentence: string; // what happened, for a shop owner, in the asked language
	next: string; // what to do now; may be empty
	field: string; // of the request that is wrong; may be empty
}

// Empty is a request or a result without fields.
export type Empty = Record<string, never>;

// Page is the result of "page": an address that opens the page once.
export interface Page {
	address: string;
}

// Phase says how far this device is.
export type Phase = "new" | "joining" | "member";

// Status is the result of "status": this device and its workspace.
export interface Status {
	phase: Phase;
	version: string;
	office: string; // the workspace's name
	person: Person; // who uses this device
	device: Device; // this device
	canInvite: boolean;
	kit: string; // recovery sheet: "none", "waiting" to be printed and confirmed, "printed"
	managers: number; // people who are owner or admin
	approvals: number; // steps of recovery that wait for this person's approval
	people: number; // in the workspace
	peopleHere: number; // reachable now, this one included
	devices: number; // in the workspace
	devicesHere: number; // reachable now, this one included
	unread: number; // messages not read yet, in all channels
	notices: Notice[]; // what someone should know or do
	now: number; // this device's clock
	since: number; // when this program started
}

// Notice is a state of this device that is not as it should be.
export interface Notice {
	code: string; // "copy", "clock", "disk-full", "read-only", "damaged", "update-needed", "twice", "one-admin", "kit-waiting", "secrets-in-file", "late-work", "approve-wanted", "left", "erase-waits"
	level: string; // "info", "warn", "danger"
	sentence: string;
	next: string;
	at: number; // since when; 0 if unknown
}

// Presence of a person or device.
export type Presence = "here" | "away" | "unknown" | "never";

// Person is a human of the workspace.
export interface Person {
	id: string;
	name: string;
	initials: string;
	tint: number; // 1 to 6, the colour of the initials
	role: string; // "owner", "admin", "member", "guest", "carrier"; empty: left
	deputy: boolean; // may approve steps of recovery
	until: number; // a guest's access ends then; 0: no end
	roles: string[]; // roles this device may give the person now, without the present one
	removal: string; // "yes": this device may remove the person; else why not: "self", "senior", "not-allowed"
	another: boolean; // this device may let in another device of the person
	self: boolean;
	presence: Presence;
	devices: Device[];
}

// Device is one installation of a person.
export interface Device {
	id: string;
	name: string;
	self: boolean;
	presence: Presence;
	since: number; // when Presence became so; 0 if unknown
	path: string; // address in use, for diagnosis; empty if none
	via: string; // name of the device that carries between the two; empty: direct
	way: string; // how it is reached: "member" (Via carries), "inside", "near", "routed", "internet"; empty: unknown, or it is not here
	viaId: string; // the device that carries; empty: none
	hops: number; // devices in between; 0: none
	latency: number; // round trip in ms; 0 if unknown
	behind: number; // entries this device has and that one has not said to have
	lacks: string; // the same in words, as in "hat alles"; empty: nothing is known
	owed: string; // what that one has and this device has not, in words; empty: nothing
	twice: boolean; // two copies of it are or were running
	seen: number; // when it was last reached; 0 if never
	disk: string; // whether its disk is encrypted, as it says: "unknown", "yes", "no"
	stays: boolean; // is meant to stay on, as it says
	removal: string; // "yes": this device may remove it; else why not: "self", "senior", "not-allowed"
	gone: number; // when it was removed; 0 if it is in the workspace
	late: number; // entries it wrote after its removal, or that came too late: they are kept and not shown
}

// People is the result of "people".
export interface People {
	people: Person[]; // this person first, then by name
	gone: Person[]; // people and devices that were removed, the latest first
	sentence: string; // how many devices are here, and whether they have everything; empty: not known
}

// Found is the request of "found": begin a new workspace on this device.
export interface Found {
	office: string;
	person: string;
	device: string; // empty: the computer's name
}

// Doors is the result of "doors": workspaces nearby that let someone in now.
export interface Doors {
	doors: Door[];
	device: string; // this computer's name as a suggestion
}

// Door is one such workspace under a name made up for this occasion.
export interface Door {
	id: string;
	name: string;
}

// Join is the request of "join": ask at a door.
export interface Join {
	door: string; // Door.ID; empty: the only one there is
	link: string; // or an invitation "inselnetz:join?…"; then no number is shown, only words
	address: string; // or a typed address "192.168.1.7:4001" or "host:port/peer"; empty otherwise
	person: string;
	device: string; // empty: the computer's name
}

// JoinState is the result of "join/state", and changes while the number path
// goes on: connecting → number → words → done, or failed at any point.
export interface JoinState {
	step: string; // "none", "connecting", "number", "words", "done", "failed"
	number: string; // six digits to be typed by the one who lets in
	words: string; // three words to compare, separated by spaces
	office: string; // known from step "words" on
	person: string; // and who this device's person is there
	door: string;
	deadline: number; // until when the number holds
	error: Error | null; // when failed
}

// JoinConfirm is the request of "join/confirm": whether the words are the same
// on both screens.
export interface JoinConfirm {
	same: boolean;
}

// Invite is the request of "invite/open".
export interface Invite {
	role: string; // "admin", "member", "guest", "carrier", for an owner also "owner"; empty: "member"
	link: boolean; // by link or QR code instead of a number
	hours: number; // how long a link holds, 1 to 24; 0: 1
	person: string; // let in another device of this person; Role is that person's then
	until: number; // a guest's access ends then; 0: no end
	spaces: SpaceFor[]; // what a guest may see
}

// SpaceFor is a space for a guest.
export interface SpaceFor {
	space: string;
	level: string; // "write" or "read"
}

// InviteState is the result of "invite/state", "invite/open" and "invite/type".
export interface InviteState {
	open: boolean;
	door: string; // name shown to those nearby
	role: string;
	link: string; // invitation to be copied; empty: the number path
	qr: string[]; // Link as rows of 0 and 1, without a margin
	person: string; // name of whose further device is let in; empty: a new person
	deadline: number;
	tries: number; // left
	addresses: string[]; // of this device, for a new one that does not find the door
	waiting: Waiting[]; // devices that show a number now
	joined: string; // person just let in; empty before
	words: string; // three words to compare with the new device
	error: Error | null; // why it closed, or that the number was wrong
}

// Waiting is a device that asks to be let in.
export interface Waiting {
	person: string;
	device: string;
}

// InviteType is the request of "invite/type".
export interface InviteType {
	number: string; // six digits; spaces are ignored
}

// Channels is the result of "channels".
export interface Channels {
	channels: Channel[]; // the one of all first, then by name
}

// Channel is a conversation.
export interface Channel {
	id: string;
	name: string; // empty for the one of all
	main: boolean; // the one every workspace has
	unread: number;
	mention: boolean; // an unread message mentions this person
	last: number; // time of the newest message; 0 if none
	topic: string; // first line of the newest message
	space: string; // Space.ID it is in
	kind: string; // of its space: "everyone", "named", "direct"
	in: string; // name of its named space; empty for others
	with: Person | null; // the other person of a direct one, without Devices
	write: boolean; // this person may write here
}

// ChannelCreate is the request of "channel/create"; the result is a Channel.
export interface ChannelCreate {
	space: string; // Space.ID; empty: of all
	name: string;
}

// MessagesAsk is the request of "messages". Positions are Message.Pos; 0 is none.
export interface MessagesAsk {
	channel: string;
	before: number; // messages before this position
	after: number; // or after it
	around: number; // or on both sides of it
	limit: number; // at most; 0 is 50, no more than 500
}

// Messages is a page of a channel in the order people see.
export interface Messages {
	messages: Message[];
	earlier: boolean; // there are more before
	later: boolean; // there are more after
	total: number; // in the channel
	readUpTo: number; // position of this person's read marker
}

// RepliesAsk is the request of "replies"; the result are Messages, the first 500
// answers to a message in their order.
export interface RepliesAsk {
	message: string;
}

// Message is one line of a channel.
export interface Message {
	id: string;
	pos: number; // order within the channel on this device; ascending
	channel: string;
	author: Person; // without Devices
	own: boolean;
	text: string;
	at: number; // when it was written, by its author's clock
	clockOff: boolean; // the author's clock was plainly wrong
	edited: number; // when it was last changed; 0 never
	erase: boolean; // this person may erase it for good
	retracted: boolean; // Text is empty then
	replyTo: Quote | null;
	replies: number;
	mentions: string[]; // ids of persons
	reactions: Reaction[];
	delivery: Delivery | null; // own messages only
}

// Quote is the message another one answers.
export interface Quote {
	id: string;
	pos: number;
	author: string;
	text: string; // its first 140 characters; empty if retracted
}

// Reaction is one word said about a message by some people.
export interface Reaction {
	word: string; // "agree", "thanks", "done", "seen", "question", "no"
	by: string[]; // names
	own: boolean;
}

// Delivery says where an own message is on disk.
export interface Delivery {
	devices: number; // that are known to have it, this one included
	of: number; // in the workspace
	readBy: string[]; // names of people who read it
	sentence: string; // "gespeichert hier", "auf 2 von 3 Geräten"
}

// Post is the request of "post"; the result is the Message, which is on disk then.
export interface Post {
	channel: string; // empty: the one of all
	text: string;
	replyTo: string; // Message.ID or empty
	nonce: string; // made up by the caller: the same one posts once
}

// Edit is the request of "edit"; the result is the Message.
export interface Edit {
	message: string;
	text: string;
}

// Retract is the request of "retract"; the result is the Message.
export interface Retract {
	message: string;
}

// React is the request of "react"; the result is the Message.
export interface React {
	message: string;
	word: string;
	on: boolean;
}

// Read is the request of "read": everything up to this message was read.
export interface Read {
	channel: string;
	message: string;
}

// Search is the request of "search".
export interface Search {
	text: string;
	channel: string; // empty: all
	before: number; // position to go on from; 0: newest
	limit: number; // 0 is 30, no more than 100
}

// Hits is the result of "search", newest first.
export interface Hits {
	hits: Hit[];
	more: boolean;
}

// Hit is a message found.
export interface Hit {
	message: Message;
	channelName: string;
	snippet: Piece[];
}

// Piece is part of a snippet; Hit pieces are what was searched for.
export interface Piece {
	text: string;
	hit: boolean;
}

// Event is one line of the event stream at GET /api/events. It says what
// changed; the listener asks again. One event may stand for many changes of the
// same thing. Whoever connects, or connects again, asks for everything.
export interface Event {
	seq: number;
	what: string; // "status", "people", "doors", "join", "invite", "channels", "channel", "delivery", "spaces", "recovery", "audit"
	id: string; // of the channel; else empty
}

// Spaces is the result of "spaces".
export interface Spaces {
	spaces: Space[]; // those this person is in, without direct ones: of all first, then by name
}

// Space is the unit of access: who may read.
export interface Space {
	id: string;
	name: string; // empty for the space of all
	kind: string; // "everyone", "named"
	level: string; // of this person: "manage", "write", "read"
	members: SpaceMember[]; // those who manage it first, then by name; empty for the space of all
}

// SpaceMember is a person in a space.
export interface SpaceMember {
	person: Person; // without Devices
	level: string;
}

// MemberLevel gives a person access to a space.
export interface MemberLevel {
	person: string;
	level: string; // "manage", "write", "read"
}

// SpaceCreate is the request of "space/create"; the result is the Space. Its
// maker manages it.
export interface SpaceCreate {
	name: string;
	members: MemberLevel[];
}

// SpaceChange is the request of "space/change"; the result is the Space, as it
// is then. Who removes itself leaves.
export interface SpaceChange {
	space: string;
	name: string; // empty: unchanged
	set: MemberLevel[];
	remove: string[]; // ids of persons
}

// Direct is the request of "direct"; the result is the Channel of this person
// and another, which is begun if need be.
export interface Direct {
	person: string;
}

// RoleChange is the request of "person/role"; the result is People.
export interface RoleChange {
	person: string;
	role: string; // one of Person.Roles
}

// LeavingAsk is the request of "person/leaving": what would it mean to remove a
// person, or only one device?
export interface LeavingAsk {
	person: string; // all devices of this person
	device: string; // or this one alone
}

// Leaving is the result of "person/leaving".
export interface Leaving {
	name: string; // of the person or device
	whole: boolean; // the person has no device left then
	devices: Device[]; // that go
	handover: Handover[];
	orphaned: string[]; // what nobody could read any more: names of spaces, of people for direct ones, empty for a name not known here
	managers: number; // people left who manage the office
	deputy: boolean; // is a deputy: another one should be named
}

// Handover is a space that nobody would manage any more.
export interface Handover {
	space: string;
	name: string; // empty if not known here
	choices: Person[]; // who could manage it, without Devices
}

// Remove is the request of "person/remove"; the result is People.
export interface Remove {
	person: string;
	device: string;
	handover: HandoverTo[];
}

// HandoverTo says who manages a space from now on.
export interface HandoverTo {
	space: string;
	person: string;
}

// Late is the result of "late": work of removed devices that came too late. It
// is kept on every device and shown nowhere else.
export interface Late {
	late: LateWork[];
}

// LateWork is what one device wrote.
export interface LateWork {
	device: string; // Device.ID
	name: string;
	person: Person; // without Devices
	entries: number;
	messages: LateMessage[]; // the first of them
	adopt: boolean; // this device may take it over
}

// LateMessage is a message in quarantine.
export interface LateMessage {
	at: number;
	text: string;
}

// Adopt is the request of "late/adopt"; the result is Late.
export interface Adopt {
	device: string;
}

// Erase is the request of "erase": the message and all its versions are taken
// off every device that hears of it, for good. The result is Empty.
export interface Erase {
	message: string;
}

// Kit is the result of "kit": the recovery sheet, as long as it was not
// confirmed. Afterwards no device knows it.
export interface Kit {
	words: string[]; // 24
	qr: string[]; // the same as rows of 0 and 1, without a margin
	ask: number[]; // two of the words to be typed in "kit/confirm", from 1
	office: string;
	made: number;
}

// KitConfirm is the request of "kit/confirm": the sheet is printed and put away.
// The result is Recovery.
export interface KitConfirm {
	words: string[]; // those asked for
}

// Recovery is the result of "recovery": who can help when a device with power
// over the office is lost.
export interface Recovery {
	kit: string; // "none", "waiting", "printed"
	printed: number; // when, as far as known here; 0 if not
	need: number; // approvals that a step needs; 0: nothing is arranged
	deputies: DeputyShow[];
	steps: Step[]; // open ones first, then the latest
	propose: boolean; // this device may propose
	change: boolean; // this person is owner: may change the deputies with one deputy's approval, or the sheet
}

// DeputyShow is a person, or the sheet, that may approve.
export interface DeputyShow {
	kit: boolean;
	person: Person | null; // nil for the sheet; without Devices
	missing: boolean; // has devices the deputies do not know, or none left: name the deputies anew
}

// Step is something deputies decide together.
export interface Step {
	id: string;
	at: number;
	by: string; // name of who proposed it
	state: string; // "open", "done"
	remove: string[]; // devices that go, "PC Empfang (Anna)"
	owners: string[]; // people who become owner
	access: SpaceAccess[]; // people who get access to what would be lost
	policy: PolicyShow | null; // new deputies
	approved: string[]; // names; the sheet has the name ""
	need: number; // approvals in all
	mine: boolean; // this person approved
	canMine: boolean; // this person is asked
	canKit: boolean; // the sheet was not used yet
}

// SpaceAccess is a person who is let into a space.
export interface SpaceAccess {
	space: string; // name; empty if not known here
	person: string; // name
}

// PolicyShow is who may decide.
export interface PolicyShow {
	need: number;
	deputies: string[]; // names; the sheet has the name ""
}

// Propose is the request of "recovery/propose"; the result is Recovery. What is
// proposed is approved by this person, and by the sheet if Words are given.
export interface Propose {
	lost: string[]; // ids of devices that are lost
	owner: string; // id of the person who becomes owner; empty: nobody
	access: AccessTo[];
	deputies: string[]; // ids of persons; with Need > 0: they are the deputies from now on
	keepKit: boolean; // the sheet stays one of them
	newKit: boolean; // a new sheet replaces the old one
	need: number; // more than half of them; 0: deputies stay as they are
	words: string; // the 24 words of the sheet; may be empty
}

// AccessTo asks for a person to be let into a space that would be lost.
export interface AccessTo {
	space: string;
	person: string;
}

// LostSpaces is the result of "recovery/lost": spaces without anybody who
// manages them, or can read them, any more.
export interface LostSpaces {
	spaces: LostSpace[];
}

// LostSpace is such a space.
export interface LostSpace {
	id: string;
	name: string; // empty if not known here
	was: string; // name of who made it
}

// Approve is the request of "recovery/approve"; the result is Recovery.
export interface Approve {
	step: string;
	words: string; // approve by the sheet; empty: by this person
}

// AuditAsk is the request of "audit".
export interface AuditAsk {
	before: number; // go on before this record; 0: the latest
	limit: number; // 0: 100
}

// Audit is the result of "audit": who did what to access, the latest first.
export interface Audit {
	records: AuditRecord[];
	total: number;
}

// AuditRecord is one operation of the control space. Its entry is signed by its
// author and names the entries before it by their hashes.
export interface AuditRecord {
	n: number; // from 1, in the order of what builds on what
	at: number; // by the author's clock
	author: string; // name of the person
	device: string; // name of the device
	act: string; // "genesis", "admit", "raise", "lower", "revoke", …
	sentence: string; // what was done
	counts: boolean;
	why: string; // why it does not count; empty if it does
	entry: string; // hash of the entry
	log: string;
	seq: number;
}

// Doctor is the result of "doctor": what this device looks like from inside.
export interface Doctor {
	checks: Check[];
}

// Check is one thing looked at.
export interface Check {
	code: string; // "secrets", "disk", "database", "clock", "managers", "kit", "copies"
	level: string; // "ok", "info", "warn", "danger"
	sentence: string;
	next: string;
}

// Desktop is the result of "desktop" and "desktop/set": this node as a desktop
// program, with icon, notifications and a window of its own.
export interface Desktop {
	resident: boolean; // it is one, and the rest can be set; else only Window says something
	window: boolean; // a window is open
	autostart: string; // starts when the person logs in: "on", "off"; "none": this computer does not say
	tray: boolean; // there is an icon beside the clock
	notifier: boolean; // this computer shows notifications
	stay: boolean; // goes on when the window is closed
	notify: string; // of which new messages it tells: "all", "mentions" and direct ones, "direct", "none"
	text: boolean; // with what they say
}

// DesktopSet is the request of "desktop/set".
export interface DesktopSet {
	autostart: boolean;
	stay: boolean;
	notify: string;
	text: boolean;
}

// DesktopShow is the request of "desktop/show": bring the window to the front,
// with a page to be shown. Both may be empty.
export interface DesktopShow {
	link: string; // an invitation "inselnetz:join?…"
	channel: string; // Channel.ID
}

// DesktopShown is the result of "desktop/show".
export interface DesktopShown {
	shown: boolean; // a window comes; else the node has none, and who asked may open one
}

// DesktopWanted is the result of "desktop/wanted": what the window shall show,
// told once.
export interface DesktopWanted {
	link: string;
	channel: string;
	error: Error | null; // why the link leads nowhere
}

// DesktopFocus is the request of "desktop/focus": whether the person looks at the
// window.
export interface DesktopFocus {
	focused: boolean;
}

// DiagnoseAsk is the request of "diagnose": look at the network of this computer,
// and why this device is not seen. It takes up to 15 seconds when nobody answers.
export interface DiagnoseAsk {
	device: string; // id; empty: none in particular
}

// Diagnosis is the result of "diagnose".
export interface Diagnosis {
	device: string; // id; empty: none in particular
	name: string; // of the device
	at: number;
	findings: Finding[]; // what was asked about first, then what matters most
	text: string; // all of it and the addresses, for whoever helps; of the office the names of devices alone
}

// Finding is one thing that was looked at.
export interface Finding {
	code: string;
	level: string; // "ok", "info", "warn", "danger"; "unknown": it could not be looked at
	sentence: string;
	next: string; // what to do or what it means; may be empty
}

// DocumentsAsk asks for the documents of a space; empty is every space that this
// person reads.
export interface DocumentsAsk {
	space: string;
}

// Documents is the result of "documents".
export interface Documents {
	documents: Document[]; // by name
}

// Document is a document in a list.
export interface Document {
	id: string;
	space: string;
	title: string;
	folder: string; // empty: none
	archived: boolean;
	changed: number; // ms
	by: Person; // without Devices
	size: number; // characters
	waiting: number; // changes here that wait for others to come
	canWrite: boolean;
	template: string; // what it was made from: "blank", "minutes", …; empty: nothing
	start: string; // the first lines, for a small picture
	new: boolean; // others changed it since this person last had it open here
	mentions: number; // open comments that name this person
	writers: DocumentHere[]; // who has it open elsewhere now
}

// DocumentHere is a page that has a document open now.
export interface DocumentHere {
	page: string; // names the page as long as it is open
	person: string;
	name: string;
	tint: number; // 1 to 6, of the person
	self: boolean; // another page of this person
	typing: boolean;
	shown: boolean; // Anchor and Head are known
	anchor: number; // of the selection, in positions of the text
	head: number;
}

// DocumentAsk names a document, and a state of it: no heads are the present.
export interface DocumentAsk {
	id: string;
	heads: string[]; // in hexadecimal
}

// DocumentText is the result of "document": what it says.
export interface DocumentText {
	document: Document;
	heads: string[];
	markdown: string;
}

// DocumentCreate asks for a new document with a text in Markdown.
export interface DocumentCreate {
	space: string; // empty: the space of all
	title: string; // empty: the first heading of the text
	folder: string;
	markdown: string;
	template: string; // its text, if Markdown is empty
}

// DocumentTemplates is the result of "document/templates", in the language of the
// page.
export interface DocumentTemplates {
	templates: DocumentTemplate[];
}

// DocumentTemplate is what a document may begin with.
export interface DocumentTemplate {
	id: string;
	name: string;
}

// DocumentCopy asks for another document with the present text of one.
export interface DocumentCopy {
	id: string;
	title: string;
}

// DocumentImport asks for a new document with the text of a file: .md, .txt,
// .docx or .odt by its name.
export interface DocumentImport {
	space: string;
	folder: string;
	name: string;
	content: string; // base64
}

// DocumentSearch looks for words in all documents that this person reads.
export interface DocumentSearch {
	query: string;
	limit: number; // 0: 50
}

// DocumentHits is the result of "document/search".
export interface DocumentHits {
	hits: DocumentHit[]; // those with the words in the title first, then the newest
	more: boolean;
}

// DocumentHit is a document that has all words.
export interface DocumentHit {
	document: Document;
	before: string; // Before, Match, After: a line or so around the first word
	match: string;
	after: string;
	at: number; // position of the match in the text; -1: in the title only
}

// DocEdit is one step of an editor, or what an editor must do to show what others
// did. Positions count UTF-16 units of the flat text, in which a block's beginning
// and an embed take one each, and are right when all edits before it are done.
export interface DocEdit {
	kind: string; // "splice", "mark", "unmark", "split", "join", "update", "put"
	at: number;
	del?: number; // splice: so many units go
	end?: number; // mark, unmark: [at, end)
	text?: string; // splice: comes
	marks?: Record<string, unknown>; // splice: of the text; to the program: none says those that the place has
	name?: string; // mark, unmark
	value?: unknown; // mark: true, a number or a string; put: any, null takes away
	block?: Record<string, unknown>; // split: attributes; update: those that change, null takes one away
	expand?: string; // mark, unmark: "after", "before", "both", "none"; empty: as the name has it
	path?: string[]; // put: keys within the embed or block at At
}

// DocumentOpen opens a document in a page. A page whose editor is gone, because the
// program started anew, says what it shows and goes on from there.
export interface DocumentOpen {
	id: string;
	heads: string[]; // of what the page shows, without what no answer came to
	actor: string; // as the last answer said
	next: number; // as the last answer said
}

// DocumentEditor is the result of "document/open".
export interface DocumentEditor {
	editor: string; // for the calls that follow
	document: Document;
	heads: string[];
	edits: DocEdit[]; // if resumed: what leads from what the page shows to Heads
	blocks: DocBlock[]; // else: the text
	unmarked: boolean; // the first block has no beginning in the text: it takes no position
	resumed: boolean; // the page goes on with what it shows
	arrived: boolean; // the edits that no answer came to are in there: they lie before Edits
	length: number;
	actor: string;
	next: number;
	seen: string[]; // the state when this person last had it open here; empty: never, or it is the present
	seenAt: number;
	save: DocumentSave;
}

// DocumentSave says where what this page wrote is.
export interface DocumentSave {
	devices: number; // that have it, with this one
	of: number;
}

// DocumentSync brings what was typed and fetches what others did. One call of an
// editor runs at a time. A call that is sent again has the same batch and edits.
export interface DocumentSync {
	editor: string;
	batch: number; // 1, 2, …
	edits: DocEdit[];
	more: boolean; // more edits follow that belong to these: news wait
	typing: boolean; // for others to see
	shown: boolean; // Anchor and Head say where the selection is, when Edits are done
	anchor: number;
	head: number;
}

// DocumentNews is the result of "document/sync". The edits that came are on the disk
// of this device.
export interface DocumentNews {
	edits: DocEdit[]; // what others did
	length: number; // of the text before Edits: what the page must have
	heads: string[];
	actor: string;
	next: number;
	here: DocumentHere[];
	meta: boolean; // title, folder or comments changed as well
	canWrite: boolean;
	save: DocumentSave;
}

// DocumentClose ends an editor. State "seen" is noted.
export interface DocumentClose {
	editor: string;
}

// DocumentCheck is the result of "document/check": what the page of an editor must
// show when it has sent everything.
export interface DocumentCheck {
	heads: string[];
	blocks: DocBlock[];
	unmarked: boolean;
}

// DocumentState asks how a document was. With Since, what differs from then is
// marked.
export interface DocumentState {
	id: string;
	heads: string[]; // empty: now
	since: string[]; // empty: nothing is marked
}

// DocumentShown is the result of "document/state": blocks to show, with the marks of
// the text and where Since was given "added", "removed" or (of an embed) "changed",
// whose value is the place in People.
export interface DocumentShown {
	title: string;
	heads: string[];
	blocks: DocBlock[];
	people: Person[]; // without Devices
	added: number; // characters
	removed: number;
}

// DocBlock is a paragraph, heading, item of a list and so on.
export interface DocBlock {
	kind: string;
	level?: number;
	checked?: boolean;
	other?: Record<string, unknown>;
	change?: string; // "added", "removed", "changed"
	by?: number; // of Change: place in People
	spans?: DocSpan[];
}

// DocSpan is a stretch of text with the same marks, or an embed.
export interface DocSpan {
	text?: string;
	marks?: Record<string, unknown>;
	embed?: Record<string, unknown>;
}

// DocumentCommentsAsk asks for the comments of a document.
export interface DocumentCommentsAsk {
	id: string;
}

// DocumentComments is the result of "document/comments" and of "document/comment".
export interface DocumentComments {
	threads: DocumentThread[]; // in the order of the text, then those whose place is gone
}

// DocumentThread is a comment with its answers. The text it is about has the mark
// "comment:" + ID.
export interface DocumentThread {
	id: string;
	resolved: boolean;
	by: Person; // who resolved it; without Devices
	at: number; // ms, when it was resolved
	quote: string;
	anchor: number; // where the text begins; -1: it is gone
	remarks: DocumentRemark[]; // the comment, then the answers, oldest first
}

// DocumentRemark is a comment or an answer.
export interface DocumentRemark {
	id: string;
	by: Person; // without Devices
	at: number; // ms
	text: string;
	mentions: string[]; // people
	edited: boolean;
}

// DocumentComment changes the comments of a document. A new thread gets its mark by
// the editor, before or after.
export interface DocumentComment {
	id: string;
	do: string; // "add" (begins the thread or answers), "edit", "remove", "resolve", "reopen"
	thread: string; // 26 letters and digits, made by the page for a new thread
	remark: string; // edit, remove
	text: string;
	mentions: string[];
}

// DocumentSet changes what is set.
export interface DocumentSet {
	id: string;
	title: string | null;
	folder: string | null;
	archived: boolean | null;
}

// DocumentWrite makes the text say what the Markdown does. Paragraphs that say it
// already are left alone.
export interface DocumentWrite {
	id: string;
	markdown: string;
}

// DocumentExport asks for a document as a file.
export interface DocumentExport {
	id: string;
	heads: string[];
	format: string; // "md", "txt", "html", "docx", "odt", "automerge"
}

// DocumentFile is the result of "document/export".
export interface DocumentFile {
	name: string;
	content: string; // base64
}

// DocumentHistory is the result of "document/history".
export interface DocumentHistory {
	sessions: DocumentSession[]; // oldest first
}

// DocumentSession is what one or more people wrote without a longer pause.
export interface DocumentSession {
	by: Person; // without Devices
	from: number; // ms
	to: number; // ms
	heads: string[]; // the state after it
	changes: number;
	added: number; // characters
	removed: number;
	people: Person[]; // all who wrote, without Devices; By is the first
}

// Folders is the result of "files/folders": the shared folders of this person's
// spaces.
export interface Folders {
	folders: Folder[]; // of the space of all first, then by name
	place: string; // directory in which new folders lie on this device
}

// Folder is the shared directory of one space, as it is on this device.
export interface Folder {
	space: string;
	name: string; // of the space; empty for the space of all
	kept: boolean; // its files lie on this device's disk
	dir: string; // where; empty if not kept
	canWrite: boolean;
	files: number;
	bytes: number;
	skipped: string[]; // paths in it that are not kept here
	progress: Progress | null; // null: nothing is under way
	problems: Sentence[]; // why it is not in sync, each with what to do; empty: it is
	spared: number; // large files that wait because the connection is paid by volume
	sparedBytes: number;
	holds: Hold[]; // devices whose changes wait for a decision
	conflicts: number;
	trash: number; // paths in the trash
	phones: Phone[]; // stock Syncthing devices it is shared with
}

// Sentence is something people can act on.
export interface Sentence {
	code: string;
	text: string; // what is so
	hint: string; // what to do
	path: string; // what it is about; empty: the folder
}

// Progress is long work under way.
export interface Progress {
	files: number; // left
	bytes: number; // left
	done: number; // bytes done since it began
	rate: number; // bytes a second; 0: not known
	left: number; // seconds; 0: not known
	reading: boolean;
	waitsFor: number; // files that nobody who is here has
	canCancel: boolean; // by keeping the folder off this device
}

// Hold says that the changes of a device wait for a decision (the brake).
export interface Hold {
	space: string;
	device: string; // id
	name: string; // of the device
	person: Person; // without Devices
	why: string; // "many", "share", "day", "encrypted"
	since: number; // ms
	minutes: number;
	files: number; // changed or deleted so far, held ones too
	applied: number; // of these, changed here before the brake
	sample: string[]; // at most 20 paths
	own: boolean; // it is this device: somebody else must decide
	phone: string; // id of a stock Syncthing device instead of Device; empty otherwise
}

// HoldDecide is the request of "files/hold"; the result is the Folder.
export interface HoldDecide {
	space: string;
	device: string; // or a Phone's id
	accept: boolean; // false: discard, and restore what was before
}

// FolderSet is the request of "files/folder"; the result is the Folder.
export interface FolderSet {
	space: string;
	kept: boolean;
	dir: string; // empty: as it is, or in the usual place
}

// SkipSet is the request of "files/skip": is this path kept on this device? The
// result is the Folder.
export interface SkipSet {
	space: string;
	path: string;
	kept: boolean;
}

// FilesAsk is the request of "files/list", "files/info", "files/trash",
// "files/conflicts", "files/moments", "files/mkdir" (result File), and
// "files/open", which opens it with this computer's program for it (result
// empty). The path is relative to the folder, with
// slashes; empty is the folder.
export interface FilesAsk {
	space: string;
	path: string;
}

// FileList is the result of "files/list".
export interface FileList {
	folder: Folder;
	path: string;
	files: File[]; // directories first, then by name
}

// File is a path as people see it in a list.
export interface File {
	path: string;
	name: string;
	kind: string; // "file", "dir", "link"
	type: string; // "doc", "sheet", "pdf", "image", "slides", "text", "audio", "video", "archive", "other"; of files
	size: number; // of a directory: all in it
	count: number; // files in a directory
	changed: number; // when its newest version was announced, ms
	person: Person; // who changed it last; without Devices
	device: string; // name of the device it was changed on
	version: string; // id; empty for directories
	where: string; // "here", "coming", "elsewhere" (not kept here), "waits" (nobody here has it), "unstorable", "held", "spared" (large, and the connection is paid by volume), "alone" (own change that others do not take)
	hint: string; // a sentence for "waits", "spared", "unstorable", "alone" and Deceptive names; may be empty
	suggest: string; // a name that all devices can store; empty: this one is fine
	conflict: boolean;
	open: string; // who has it open in a program just now; empty: nobody
	copies: number; // devices that have it, this one too
	target: string; // of a link
}

// FileInfo is the result of "files/info".
export interface FileInfo {
	file: File;
	devices: string[]; // names of devices that have the present version, this one first
	versions: FileVersion[]; // newest first; the first is the present one unless it is in the trash
	others: FileVersion[]; // concurrent versions: a conflict
	preview: string; // "image", "pdf", "text", "": none
	days: number; // versions are kept here for so long
	gone: boolean; // it is in the trash
	problems: Sentence[]; // why it is not in sync; empty: it is
}

// FileVersion is one state of a path.
export interface FileVersion {
	id: string;
	path: string; // it may have had another name
	at: number; // announced, ms
	person: Person;
	device: string;
	size: number;
	kind: string; // "file", "dir", "link", "gone"
	state: string; // "now", "here", "elsewhere" (can be had from another device), "lost" (kept by nobody who is here), "held"
	renamed: boolean;
}

// FileRename is the request of "files/rename"; the result is the File. It moves
// too.
export interface FileRename {
	space: string;
	path: string;
	to: string;
}

// FileRemove is the request of "files/remove"; everything goes to the trash.
export interface FileRemove {
	space: string;
	paths: string[];
}

// FileRestore is the request of "files/restore": bring a version of a path
// back, as a new version. The result is the File.
export interface FileRestore {
	space: string;
	path: string;
	version: string; // empty: the last one before it was deleted
}

// FileRewind is the request of "files/rewind": bring a directory back to a time.
// It is itself undone by another rewind, to the time before it.
export interface FileRewind {
	space: string;
	path: string;
	at: number; // ms
	dry: boolean; // only say what would happen
}

// Rewound is the result of "files/rewind".
export interface Rewound {
	changed: number; // files that get an older content
	restored: number; // come back
	removed: number; // go to the trash
	lost: number; // whose content of that time nobody here has: they stay as they are
	sample: string[]; // at most 20 paths
	undo: number; // the time to rewind to if it was a mistake
}

// FileResolve is the request of "files/resolve": which version is right? The
// result is the File.
export interface FileResolve {
	space: string;
	path: string;
	version: string;
	both: boolean; // the others become files beside it
}

// FileMoments is the result of "files/moments": times at which something changed
// below a path, newest first, at most 200; for choosing one to go back to.
export interface FileMoments {
	moments: FileMoment[];
}

// FileMoment is some changes close together by one person.
export interface FileMoment {
	at: number; // ms, of the last one
	person: Person;
	files: number;
	gone: number; // of these, deleted
}

// FilePaths is the result of "files/conflicts", "files/trash" and
// "files/remove".
export interface FilePaths {
	files: File[];
}

// Phone is a stock Syncthing device, such as a phone or an existing NAS, that a
// folder is shared with through this device.
export interface Phone {
	id: string; // its Syncthing device id
	name: string;
	connected: boolean;
	left: number; // files not in sync yet
	problem: string;
}

// PhoneSet is the request of "phone/set" (add or change) and "phone/remove"; the
// result is Phones.
export interface PhoneSet {
	space: string;
	id: string;
	name: string;
	addr: string; // host:port to dial; empty: it dials here
}

// Phones is the result of "phones".
export interface Phones {
	id: string; // this device's Syncthing id, to be typed there
	qr: string[]; // the same as rows of 0 and 1, without a margin
	addr: string; // where it listens; empty: no folder is shared
	phones: Phone[];
}

// Upload is the result of PUT /api/files/content?space=…&path=…&base=…&time=…
// whose body is the content: base is the version it replaces, "" whatever is
// there, "none" if there must be nothing (then a free name beside it is taken);
// time is the file's own in ms. GET /api/files/content?space=…&path=…&version=…
// gives a content; without version it is the present one; with inline=1 it is
// shown rather than saved, for images, PDF and text alone. Both answer with an
// error as calls do.
export interface Upload {
	file: File;
}

// Home is the result of "home": how the office stands, in sentences.
export interface Home {
	level: string; // "ok", "info", "warn", "danger"
	sentence: string; // how things are; the most serious first
	more: string; // and what else; may be empty
	hint: string; // what it means; may be empty
	now: number; // this device's clock
	since: number; // end of the visit before; what is new is newer
	points: HomePoint[]; // what is open, the most serious first
	next: HomePoint[]; // what to do next in an office that is new; empty in others
	channels: Channel[]; // with unread messages: mentions first
	documents: Document[];
	documentsMore: number; // changed documents beyond those
	files: HomeFile[];
	filesMore: number; // changed files beyond those
}

// HomePoint is something that is open, and where it is done.
export interface HomePoint {
	code: string;
	level: string; // "info", "warn", "danger"
	sentence: string;
	next: string; // what it means or what to do; may be empty
	at: number; // since when; 0 unknown
	action: string; // words of the button; empty: there is nothing to press
	link: string; // where it is done, "#/kit"; or "doctor", "kind", "device": a dialog of the page
}

// HomeFile is a file that somebody else changed.
export interface HomeFile {
	space: string;
	folder: string; // name of its space; empty: of all
	path: string;
	name: string;
	at: number;
	person: Person; // without Devices
	device: string;
}

// HomeSeen is the request of "home/seen": somebody looks at the page. After half an
// hour without, the next one begins a visit.
export interface HomeSeen {
	all: boolean; // everything up to now is known
}

// Setup is the result of "setup": how far the wizard is, and what it asks about.
export interface Setup {
	path: string; // "found", "join"; empty: nobody uses it, or it is over
	step: number; // from 1
	steps: number;
	kind: string; // of office; empty: not chosen
	choose: boolean;
	kinds: SetupKind[];
	stays: boolean; // this device is meant to stay on
	place: string; // directory in which new folders lie; empty: none
	canPlace: boolean; // it may be another one
	folder: string; // where the files of all lie on this device; empty: nowhere, or not yet
	full: boolean; // it has files already, and stays where it is
}

// SetupKind is a kind of office and what it brings.
export interface SetupKind {
	id: string; // "law", "practice", "driving", "other"
	name: string;
	text: string; // whom it is for
	channels: string[]; // names
	documents: string[]; // names
}

// SetupGo is the request of "setup/go": the wizard is at this step, or over if Path
// is empty. The result is the Setup.
export interface SetupGo {
	path: string;
	step: number;
}

// SetupKindSet is the request of "setup/kind": this is the kind of office; make
// what it brings, in the language of the request. The result is the Setup.
export interface SetupKindSet {
	kind: string;
}

// SetupDevice is the request of "setup/device". The result is the Setup.
export interface SetupDevice {
	stays: boolean;
	place: string; // empty: as it is
}

// Web is the result of "web" and of the calls that change it: this device's page
// for browsers of the local network.
export interface Web {
	on: boolean; // it shall be served
	fixed: boolean; // as the program was started; "web/set" changes nothing
	running: boolean;
	problem: Error | null; // why it is not running, or not as it should be
	addresses: string[]; // of the page, "https://…/", the best one first
	welcome: string; // of the welcome page, "http://…/"; empty: none
	authority: WebAuthority | null; // the device's own; null before it first ran
	company: WebCompany | null; // null: none
	sessions: WebSession[]; // paired browsers, the latest used first
	most: number; // of them
	pairing: number; // a code to pair holds until then; 0: none
	steps: WebSteps[]; // how to trust the authority
}

// WebAuthority is the device's own certificate authority.
export interface WebAuthority {
	name: string;
	fingerprint: string; // SHA-256
	fingerprint1: string; // SHA-1, as the dialog of Windows shows
	leaf: string; // SHA-256 of the page's own certificate; empty: none yet
	names: string[]; // all it may speak for
	ranges: string[];
	until: number;
	lacks: string[]; // names of the device it may not speak for: a new authority would
}

// WebCompany is a certificate that was brought.
export interface WebCompany {
	names: string[];
	issuer: string;
	fingerprint: string;
	until: number;
	used: boolean; // it is valid now; else the own one stands in
}

// WebSession is a paired browser.
export interface WebSession {
	id: string;
	name: string;
	created: number;
	used: number; // last
	address: string;
}

// WebSteps say how to make one system trust the authority, and how to undo it.
export interface WebSteps {
	platform: string;
	lines: string[];
	undo: string;
}

// WebSet is the request of "web/set".
export interface WebSet {
	on: boolean;
}

// WebPair is the result of "web/pair": a code that lets one browser in, once.
export interface WebPair {
	code: string;
	link: string; // with the code behind the #, which no server or log sees
	qr: string[]; // Link as rows of 0 and 1, without a margin
	deadline: number;
}

// WebCut is the request of "web/cut".
export interface WebCut {
	id: string; // WebSession.ID
}

// WebBring is the request of "web/company": texts in PEM form.
export interface WebBring {
	chain: string; // the host's certificate first
	key: string; // empty: it is in Chain
}

// WebClaim is the request of "web/claim", which needs no session: it begins one.
export interface WebClaim {
	code: string;
	name: string; // of the browser's device
}

// WebHere is the result of "web/here" and "web/claim": who this page acts as.
export interface WebHere {
	paired: boolean; // by a session over the network; else this is the computer itself
	name: string; // of the session
	person: string; // in whose name everything is written
	device: string; // over which everything goes
}

// Metered is the result of "metered" and "metered/set": whether the connection of
// this computer is paid by volume. Large files then wait until somebody asks for
// them, by opening one or by "files/fetch" (request FilesAsk without a path, result
// Folder).
export interface Metered {
	mode: string; // what a person said: "auto" (as the system says), "yes", "no"
	system: string; // what the system says: "yes", "no", "unknown"
	now: boolean; // large files wait
	over: number; // from which size on, in bytes
}

// MeteredSet is the request of "metered/set".
export interface MeteredSet {
	mode: string;
}

// Places is the result of "places", "places/own" and "places/of": the ways between
// the network of this computer and others, for a second office.
export interface Places {
	port: number; // of this computer, TCP and UDP; 0 unknown
	near: string[]; // addresses of this computer in its own network: where a router has to forward to
	outside: string[]; // where this computer is reached from outside, as someone typed
	devices: Place[]; // others with an address typed or told, by name
}

// Place says how another device is reached from outside its network.
export interface Place {
	person: string; // name
	device: Device;
	typed: string[]; // on this computer
	told: string[]; // by that device or by others
}

// PlacesOwn is the request of "places/own": where this computer is reached from
// outside.
export interface PlacesOwn {
	addresses: string[]; // "host" or "host:port", at most 4; empty: nowhere
}

// PlacesOf is the request of "places/of": where another device is reached.
export interface PlacesOf {
	device: string;
	addresses: string[]; // as in PlacesOwn
}

// StickAsk is the request of "stick": how much a file for devices without a network
// would hold.
export interface StickAsk {
	for: string; // id of a device; empty: what any of the others lacks
	whole: boolean; // everything from the beginning on
}

// Stick is the result of "stick".
export interface Stick {
	going: string; // "export", "import": a file is being written or read just now; else empty
	done: number; // entries
	all: number; // entries; 0: not known yet
	last: string; // how the file that was written last ended: "whole", "broken"; empty: there was none
	size: StickSize; // when nothing is going on
	name: string; // for the file
}

// StickSize is how much some entries are.
export interface StickSize {
	entries: number;
	bytes: number;
	messages: number; // among the entries
	files: number;
	documents: number;
}

// StickBrought is what a file brought.
export interface StickBrought {
	by: string; // name of the person who made it, as the file says
	device: string; // and of the device
	at: number; // when it was made
	for: string; // name of the device it was made for; empty: all
	new: StickSize;
	known: number; // entries that were here
	closed: number; // spaces that are not for this device
	refused: StickRefused[];
	error: Error | null; // why it ended early; what came before is here
}

// StickRefused is why something of a file was not taken.
export interface StickRefused {
	code: string;
	entries: number;
	sentence: string;
	next: string; // what to do; may be empty
}
