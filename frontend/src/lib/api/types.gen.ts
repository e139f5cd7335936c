// Generated from app/api/types.go by make generate. Do not edit.

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
	code: string; // "copy", "clock", "disk-full", "read-only", "damaged", "update-needed", "twice", "one-admin"
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
	role: string; // "owner", "admin", "member"
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
	latency: number; // round trip in ms; 0 if unknown
	behind: number; // entries this device has and that one has not said to have
	twice: boolean; // two copies of it are or were running
}

// People is the result of "people".
export interface People {
	people: Person[]; // this person first, then by name
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
	role: string; // "member" or "admin"; empty: "member"
}

// InviteState is the result of "invite/state", "invite/open" and "invite/type".
export interface InviteState {
	open: boolean;
	door: string; // name shown to those nearby
	role: string;
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
}

// ChannelCreate is the request of "channel/create"; the result is a Channel.
export interface ChannelCreate {
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
	what: string; // "status", "people", "doors", "join", "invite", "channels", "channel", "delivery"
	id: string; // of the channel; else empty
}
