// Package api is what the window, the command line and scripts may call: JSON
// over POST, and an event stream that says what changed.
//
// A call is POST /api/NAME with the request as a JSON object. The answer is the
// result with status 200, or an Error with a status of 400 or above. Ids are
// strings, times are milliseconds since 1970 in UTC.
package api

// Error is the answer to a call that did not work out.
type Error struct {
	Code     string `json:"code"`     // fixed word for programs, such as "too-long"
	Sentence string `json:"sentence"` // what happened, for a shop owner, in the asked language
	Next     string `json:"next"`     // what to do now; may be empty
	Field    string `json:"field"`    // of the request that is wrong; may be empty
}

// Empty is a request or a result without fields.
type Empty struct{}

// Page is the result of "page": an address that opens the page once.
type Page struct {
	Address string `json:"address"`
}

// Phase says how far this device is.
type Phase string

const (
	PhaseNew     Phase = "new"     // belongs to no workspace
	PhaseJoining Phase = "joining" // the number path is under way
	PhaseMember  Phase = "member"  // is part of a workspace
)

// Status is the result of "status": this device and its workspace.
type Status struct {
	Phase       Phase    `json:"phase"`
	Version     string   `json:"version"`
	Office      string   `json:"office"` // the workspace's name
	Person      Person   `json:"person"` // who uses this device
	Device      Device   `json:"device"` // this device
	CanInvite   bool     `json:"canInvite"`
	Kit         string   `json:"kit"`         // recovery sheet: "none", "waiting" to be printed and confirmed, "printed"
	Managers    int      `json:"managers"`    // people who are owner or admin
	Approvals   int      `json:"approvals"`   // steps of recovery that wait for this person's approval
	People      int      `json:"people"`      // in the workspace
	PeopleHere  int      `json:"peopleHere"`  // reachable now, this one included
	Devices     int      `json:"devices"`     // in the workspace
	DevicesHere int      `json:"devicesHere"` // reachable now, this one included
	Unread      int      `json:"unread"`      // messages not read yet, in all channels
	Notices     []Notice `json:"notices"`     // what someone should know or do
	Now         int64    `json:"now"`         // this device's clock
	Since       int64    `json:"since"`       // when this program started
}

// Notice is a state of this device that is not as it should be.
type Notice struct {
	Code     string `json:"code"`  // "copy", "clock", "disk-full", "read-only", "damaged", "update-needed", "twice", "one-admin", "kit-waiting", "secrets-in-file", "late-work", "approve-wanted", "left", "erase-waits"
	Level    string `json:"level"` // "info", "warn", "danger"
	Sentence string `json:"sentence"`
	Next     string `json:"next"`
	At       int64  `json:"at"` // since when; 0 if unknown
}

// Presence of a person or device.
type Presence string

const (
	Here    Presence = "here"    // reachable now
	Away    Presence = "away"    // said goodbye, or was not seen for long
	Unknown Presence = "unknown" // the connection broke without a goodbye
	Never   Presence = "never"   // not seen by this device yet
)

// Person is a human of the workspace.
type Person struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Initials string   `json:"initials"`
	Tint     int      `json:"tint"`    // 1 to 6, the colour of the initials
	Role     string   `json:"role"`    // "owner", "admin", "member", "guest", "carrier"; empty: left
	Deputy   bool     `json:"deputy"`  // may approve steps of recovery
	Until    int64    `json:"until"`   // a guest's access ends then; 0: no end
	Roles    []string `json:"roles"`   // roles this device may give the person now, without the present one
	Removal  string   `json:"removal"` // "yes": this device may remove the person; else why not: "self", "senior", "not-allowed"
	Another  bool     `json:"another"` // this device may let in another device of the person
	Self     bool     `json:"self"`
	Presence Presence `json:"presence"`
	Devices  []Device `json:"devices"`
}

// Device is one installation of a person.
type Device struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Self     bool     `json:"self"`
	Presence Presence `json:"presence"`
	Since    int64    `json:"since"`   // when Presence became so; 0 if unknown
	Path     string   `json:"path"`    // address in use, for diagnosis; empty if none
	Via      string   `json:"via"`     // name of the device that carries between the two; empty: direct
	Way      string   `json:"way"`     // how it is reached: "member" (Via carries), "inside", "near", "routed", "internet"; empty: unknown, or it is not here
	ViaID    string   `json:"viaId"`   // the device that carries; empty: none
	Hops     int      `json:"hops"`    // devices in between; 0: none
	Latency  int      `json:"latency"` // round trip in ms; 0 if unknown
	Behind   int      `json:"behind"`  // entries this device has and that one has not said to have
	Lacks    string   `json:"lacks"`   // the same in words, as in "hat alles"; empty: nothing is known
	Owed     string   `json:"owed"`    // what that one has and this device has not, in words; empty: nothing
	Twice    bool     `json:"twice"`   // two copies of it are or were running
	Seen     int64    `json:"seen"`    // when it was last reached; 0 if never
	Disk     string   `json:"disk"`    // whether its disk is encrypted, as it says: "unknown", "yes", "no"
	Stays    bool     `json:"stays"`   // is meant to stay on, as it says
	Removal  string   `json:"removal"` // "yes": this device may remove it; else why not: "self", "senior", "not-allowed"
	Gone     int64    `json:"gone"`    // when it was removed; 0 if it is in the workspace
	Late     int      `json:"late"`    // entries it wrote after its removal, or that came too late: they are kept and not shown
}

// People is the result of "people".
type People struct {
	People   []Person `json:"people"`   // this person first, then by name
	Gone     []Person `json:"gone"`     // people and devices that were removed, the latest first
	Sentence string   `json:"sentence"` // how many devices are here, and whether they have everything; empty: not known
}

// Found is the request of "found": begin a new workspace on this device.
type Found struct {
	Office string `json:"office"`
	Person string `json:"person"`
	Device string `json:"device"` // empty: the computer's name
}

// Doors is the result of "doors": workspaces nearby that let someone in now.
type Doors struct {
	Doors  []Door `json:"doors"`
	Device string `json:"device"` // this computer's name as a suggestion
}

// Door is one such workspace under a name made up for this occasion.
type Door struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Join is the request of "join": ask at a door.
type Join struct {
	Door   string `json:"door"`    // Door.ID; empty: the only one there is
	Link   string `json:"link"`    // or an invitation "inselnetz:join?…"; then no number is shown, only words
	Addr   string `json:"address"` // or a typed address "192.168.1.7:4001" or "host:port/peer"; empty otherwise
	Person string `json:"person"`
	Device string `json:"device"` // empty: the computer's name
}

// JoinState is the result of "join/state", and changes while the number path
// goes on: connecting → number → words → done, or failed at any point.
type JoinState struct {
	Step     string `json:"step"`   // "none", "connecting", "number", "words", "done", "failed"
	Number   string `json:"number"` // six digits to be typed by the one who lets in
	Words    string `json:"words"`  // three words to compare, separated by spaces
	Office   string `json:"office"` // known from step "words" on
	Person   string `json:"person"` // and who this device's person is there
	Door     string `json:"door"`
	Deadline int64  `json:"deadline"` // until when the number holds
	Error    *Error `json:"error"`    // when failed
}

// JoinConfirm is the request of "join/confirm": whether the words are the same
// on both screens.
type JoinConfirm struct {
	Same bool `json:"same"`
}

// Invite is the request of "invite/open".
type Invite struct {
	Role   string     `json:"role"`   // "admin", "member", "guest", "carrier", for an owner also "owner"; empty: "member"
	Link   bool       `json:"link"`   // by link or QR code instead of a number
	Hours  int        `json:"hours"`  // how long a link holds, 1 to 24; 0: 1
	Person string     `json:"person"` // let in another device of this person; Role is that person's then
	Until  int64      `json:"until"`  // a guest's access ends then; 0: no end
	Spaces []SpaceFor `json:"spaces"` // what a guest may see
}

// SpaceFor is a space for a guest.
type SpaceFor struct {
	Space string `json:"space"`
	Level string `json:"level"` // "write" or "read"
}

// InviteState is the result of "invite/state", "invite/open" and "invite/type".
type InviteState struct {
	Open     bool      `json:"open"`
	Door     string    `json:"door"` // name shown to those nearby
	Role     string    `json:"role"`
	Link     string    `json:"link"`   // invitation to be copied; empty: the number path
	QR       []string  `json:"qr"`     // Link as rows of 0 and 1, without a margin
	Person   string    `json:"person"` // name of whose further device is let in; empty: a new person
	Deadline int64     `json:"deadline"`
	Tries    int       `json:"tries"`     // left
	Addrs    []string  `json:"addresses"` // of this device, for a new one that does not find the door
	Waiting  []Waiting `json:"waiting"`   // devices that show a number now
	Joined   string    `json:"joined"`    // person just let in; empty before
	Words    string    `json:"words"`     // three words to compare with the new device
	Error    *Error    `json:"error"`     // why it closed, or that the number was wrong
}

// Waiting is a device that asks to be let in.
type Waiting struct {
	Person string `json:"person"`
	Device string `json:"device"`
}

// InviteType is the request of "invite/type".
type InviteType struct {
	Number string `json:"number"` // six digits; spaces are ignored
}

// Channels is the result of "channels".
type Channels struct {
	Channels []Channel `json:"channels"` // the one of all first, then by name
}

// Channel is a conversation.
type Channel struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"` // empty for the one of all
	Main    bool    `json:"main"` // the one every workspace has
	Unread  int     `json:"unread"`
	Mention bool    `json:"mention"` // an unread message mentions this person
	Last    int64   `json:"last"`    // time of the newest message; 0 if none
	Topic   string  `json:"topic"`   // first line of the newest message
	Space   string  `json:"space"`   // Space.ID it is in
	Kind    string  `json:"kind"`    // of its space: "everyone", "named", "direct"
	In      string  `json:"in"`      // name of its named space; empty for others
	With    *Person `json:"with"`    // the other person of a direct one, without Devices
	Write   bool    `json:"write"`   // this person may write here
}

// ChannelCreate is the request of "channel/create"; the result is a Channel.
type ChannelCreate struct {
	Space string `json:"space"` // Space.ID; empty: of all
	Name  string `json:"name"`
}

// MessagesAsk is the request of "messages". Positions are Message.Pos; 0 is none.
type MessagesAsk struct {
	Channel string `json:"channel"`
	Before  int64  `json:"before"` // messages before this position
	After   int64  `json:"after"`  // or after it
	Around  int64  `json:"around"` // or on both sides of it
	Limit   int    `json:"limit"`  // at most; 0 is 50, no more than 500
}

// Messages is a page of a channel in the order people see.
type Messages struct {
	Messages []Message `json:"messages"`
	Earlier  bool      `json:"earlier"`  // there are more before
	Later    bool      `json:"later"`    // there are more after
	Total    int       `json:"total"`    // in the channel
	ReadUpTo int64     `json:"readUpTo"` // position of this person's read marker
}

// RepliesAsk is the request of "replies"; the result are Messages, the first 500
// answers to a message in their order.
type RepliesAsk struct {
	Message string `json:"message"`
}

// Message is one line of a channel.
type Message struct {
	ID        string     `json:"id"`
	Pos       int64      `json:"pos"` // order within the channel on this device; ascending
	Channel   string     `json:"channel"`
	Author    Person     `json:"author"` // without Devices
	Own       bool       `json:"own"`
	Text      string     `json:"text"`
	At        int64      `json:"at"`        // when it was written, by its author's clock
	ClockOff  bool       `json:"clockOff"`  // the author's clock was plainly wrong
	Edited    int64      `json:"edited"`    // when it was last changed; 0 never
	Erase     bool       `json:"erase"`     // this person may erase it for good
	Retracted bool       `json:"retracted"` // Text is empty then
	ReplyTo   *Quote     `json:"replyTo"`
	Replies   int        `json:"replies"`
	Mentions  []string   `json:"mentions"` // ids of persons
	Reactions []Reaction `json:"reactions"`
	Delivery  *Delivery  `json:"delivery"` // own messages only
}

// Quote is the message another one answers.
type Quote struct {
	ID     string `json:"id"`
	Pos    int64  `json:"pos"`
	Author string `json:"author"`
	Text   string `json:"text"` // its first 140 characters; empty if retracted
}

// Reaction is one word said about a message by some people.
type Reaction struct {
	Word string   `json:"word"` // "agree", "thanks", "done", "seen", "question", "no"
	By   []string `json:"by"`   // names
	Own  bool     `json:"own"`
}

// Delivery says where an own message is on disk.
type Delivery struct {
	Devices  int      `json:"devices"`  // that are known to have it, this one included
	Of       int      `json:"of"`       // in the workspace
	ReadBy   []string `json:"readBy"`   // names of people who read it
	Sentence string   `json:"sentence"` // "gespeichert hier", "auf 2 von 3 Geräten"
}

// Post is the request of "post"; the result is the Message, which is on disk then.
type Post struct {
	Channel string `json:"channel"` // empty: the one of all
	Text    string `json:"text"`
	ReplyTo string `json:"replyTo"` // Message.ID or empty
	Nonce   string `json:"nonce"`   // made up by the caller: the same one posts once
}

// Edit is the request of "edit"; the result is the Message.
type Edit struct {
	Message string `json:"message"`
	Text    string `json:"text"`
}

// Retract is the request of "retract"; the result is the Message.
type Retract struct {
	Message string `json:"message"`
}

// React is the request of "react"; the result is the Message.
type React struct {
	Message string `json:"message"`
	Word    string `json:"word"`
	On      bool   `json:"on"`
}

// Read is the request of "read": everything up to this message was read.
type Read struct {
	Channel string `json:"channel"`
	Message string `json:"message"`
}

// Search is the request of "search".
type Search struct {
	Text    string `json:"text"`
	Channel string `json:"channel"` // empty: all
	Before  int64  `json:"before"`  // position to go on from; 0: newest
	Limit   int    `json:"limit"`   // 0 is 30, no more than 100
}

// Hits is the result of "search", newest first.
type Hits struct {
	Hits []Hit `json:"hits"`
	More bool  `json:"more"`
}

// Hit is a message found.
type Hit struct {
	Message Message `json:"message"`
	Channel string  `json:"channelName"`
	Snippet []Piece `json:"snippet"`
}

// Piece is part of a snippet; Hit pieces are what was searched for.
type Piece struct {
	Text string `json:"text"`
	Hit  bool   `json:"hit"`
}

// Event is one line of the event stream at GET /api/events. It says what
// changed; the listener asks again. One event may stand for many changes of the
// same thing. Whoever connects, or connects again, asks for everything.
type Event struct {
	Seq  uint64 `json:"seq"`
	What string `json:"what"` // "status", "people", "doors", "join", "invite", "channels", "channel", "delivery", "spaces", "recovery", "audit"
	ID   string `json:"id"`   // of the channel; else empty
}
