package api

// Spaces is the result of "spaces".
type Spaces struct {
	Spaces []Space `json:"spaces"` // those this person is in, without direct ones: of all first, then by name
}

// Space is the unit of access: who may read.
type Space struct {
	ID      string        `json:"id"`
	Name    string        `json:"name"`    // empty for the space of all
	Kind    string        `json:"kind"`    // "everyone", "named"
	Level   string        `json:"level"`   // of this person: "manage", "write", "read"
	Members []SpaceMember `json:"members"` // those who manage it first, then by name; empty for the space of all
}

// SpaceMember is a person in a space.
type SpaceMember struct {
	Person Person `json:"person"` // without Devices
	Level  string `json:"level"`
}

// MemberLevel gives a person access to a space.
type MemberLevel struct {
	Person string `json:"person"`
	Level  string `json:"level"` // "manage", "write", "read"
}

// SpaceCreate is the request of "space/create"; the result is the Space. Its
// maker manages it.
type SpaceCreate struct {
	Name    string        `json:"name"`
	Members []MemberLevel `json:"members"`
}

// SpaceChange is the request of "space/change"; the result is the Space, as it
// is then. Who removes itself leaves.
type SpaceChange struct {
	Space  string        `json:"space"`
	Name   string        `json:"name"` // empty: unchanged
	Set    []MemberLevel `json:"set"`
	Remove []string      `json:"remove"` // ids of persons
}

// Direct is the request of "direct"; the result is the Channel of this person
// and another, which is begun if need be.
type Direct struct {
	Person string `json:"person"`
}

// RoleChange is the request of "person/role"; the result is People.
type RoleChange struct {
	Person string `json:"person"`
	Role   string `json:"role"` // one of Person.Roles
}

// LeavingAsk is the request of "person/leaving": what would it mean to remove a
// person, or only one device?
type LeavingAsk struct {
	Person string `json:"person"` // all devices of this person
	Device string `json:"device"` // or this one alone
}

// Leaving is the result of "person/leaving".
type Leaving struct {
	Name     string     `json:"name"`    // of the person or device
	Whole    bool       `json:"whole"`   // the person has no device left then
	Devices  []Device   `json:"devices"` // that go
	Handover []Handover `json:"handover"`
	Orphaned []string   `json:"orphaned"` // what nobody could read any more: names of spaces, of people for direct ones, empty for a name not known here
	Managers int        `json:"managers"` // people left who manage the office
	Deputy   bool       `json:"deputy"`   // is a deputy: another one should be named
}

// Handover is a space that nobody would manage any more.
type Handover struct {
	Space   string   `json:"space"`
	Name    string   `json:"name"`    // empty if not known here
	Choices []Person `json:"choices"` // who could manage it, without Devices
}

// Remove is the request of "person/remove"; the result is People.
type Remove struct {
	Person   string       `json:"person"`
	Device   string       `json:"device"`
	Handover []HandoverTo `json:"handover"`
}

// HandoverTo says who manages a space from now on.
type HandoverTo struct {
	Space  string `json:"space"`
	Person string `json:"person"`
}

// Late is the result of "late": work of removed devices that came too late. It
// is kept on every device and shown nowhere else.
type Late struct {
	Late []LateWork `json:"late"`
}

// LateWork is what one device wrote.
type LateWork struct {
	Device   string        `json:"device"` // Device.ID
	Name     string        `json:"name"`
	Person   Person        `json:"person"` // without Devices
	Entries  int           `json:"entries"`
	Messages []LateMessage `json:"messages"` // the first of them
	Adopt    bool          `json:"adopt"`    // this device may take it over
}

// LateMessage is a message in quarantine.
type LateMessage struct {
	At   int64  `json:"at"`
	Text string `json:"text"`
}

// Adopt is the request of "late/adopt"; the result is Late.
type Adopt struct {
	Device string `json:"device"`
}

// Erase is the request of "erase": the message and all its versions are taken
// off every device that hears of it, for good. The result is Empty.
type Erase struct {
	Message string `json:"message"`
}

// Kit is the result of "kit": the recovery sheet, as long as it was not
// confirmed. Afterwards no device knows it.
type Kit struct {
	Words  []string `json:"words"` // 24
	QR     []string `json:"qr"`    // the same as rows of 0 and 1, without a margin
	Ask    []int    `json:"ask"`   // two of the words to be typed in "kit/confirm", from 1
	Office string   `json:"office"`
	Made   int64    `json:"made"`
}

// KitConfirm is the request of "kit/confirm": the sheet is printed and put away.
// The result is Recovery.
type KitConfirm struct {
	Words []string `json:"words"` // those asked for
}

// Recovery is the result of "recovery": who can help when a device with power
// over the office is lost.
type Recovery struct {
	Kit      string       `json:"kit"`     // "none", "waiting", "printed"
	Printed  int64        `json:"printed"` // when, as far as known here; 0 if not
	Need     int          `json:"need"`    // approvals that a step needs; 0: nothing is arranged
	Deputies []DeputyShow `json:"deputies"`
	Steps    []Step       `json:"steps"`   // open ones first, then the latest
	Propose  bool         `json:"propose"` // this device may propose
	Change   bool         `json:"change"`  // this person is owner: may change the deputies with one deputy's approval, or the sheet
}

// DeputyShow is a person, or the sheet, that may approve.
type DeputyShow struct {
	Kit     bool    `json:"kit"`
	Person  *Person `json:"person"`  // nil for the sheet; without Devices
	Missing bool    `json:"missing"` // has devices the deputies do not know, or none left: name the deputies anew
}

// Step is something deputies decide together.
type Step struct {
	ID       string        `json:"id"`
	At       int64         `json:"at"`
	By       string        `json:"by"`       // name of who proposed it
	State    string        `json:"state"`    // "open", "done"
	Remove   []string      `json:"remove"`   // devices that go, "PC Empfang (Anna)"
	Owners   []string      `json:"owners"`   // people who become owner
	Access   []SpaceAccess `json:"access"`   // people who get access to what would be lost
	Policy   *PolicyShow   `json:"policy"`   // new deputies
	Approved []string      `json:"approved"` // names; the sheet has the name ""
	Need     int           `json:"need"`     // approvals in all
	Mine     bool          `json:"mine"`     // this person approved
	CanMine  bool          `json:"canMine"`  // this person is asked
	CanKit   bool          `json:"canKit"`   // the sheet was not used yet
}

// SpaceAccess is a person who is let into a space.
type SpaceAccess struct {
	Space  string `json:"space"`  // name; empty if not known here
	Person string `json:"person"` // name
}

// PolicyShow is who may decide.
type PolicyShow struct {
	Need     int      `json:"need"`
	Deputies []string `json:"deputies"` // names; the sheet has the name ""
}

// Propose is the request of "recovery/propose"; the result is Recovery. What is
// proposed is approved by this person, and by the sheet if Words are given.
type Propose struct {
	Lost     []string   `json:"lost"`  // ids of devices that are lost
	Owner    string     `json:"owner"` // id of the person who becomes owner; empty: nobody
	Access   []AccessTo `json:"access"`
	Deputies []string   `json:"deputies"` // ids of persons; with Need > 0: they are the deputies from now on
	KeepKit  bool       `json:"keepKit"`  // the sheet stays one of them
	NewKit   bool       `json:"newKit"`   // a new sheet replaces the old one
	Need     int        `json:"need"`     // more than half of them; 0: deputies stay as they are
	Words    string     `json:"words"`    // the 24 words of the sheet; may be empty
}

// AccessTo asks for a person to be let into a space that would be lost.
type AccessTo struct {
	Space  string `json:"space"`
	Person string `json:"person"`
}

// LostSpaces is the result of "recovery/lost": spaces without anybody who
// manages them, or can read them, any more.
type LostSpaces struct {
	Spaces []LostSpace `json:"spaces"`
}

// LostSpace is such a space.
type LostSpace struct {
	ID   string `json:"id"`
	Name string `json:"name"` // empty if not known here
	Was  string `json:"was"`  // name of who made it
}

// Approve is the request of "recovery/approve"; the result is Recovery.
type Approve struct {
	Step  string `json:"step"`
	Words string `json:"words"` // approve by the sheet; empty: by this person
}

// AuditAsk is the request of "audit".
type AuditAsk struct {
	Before int `json:"before"` // go on before this record; 0: the latest
	Limit  int `json:"limit"`  // 0: 100
}

// Audit is the result of "audit": who did what to access, the latest first.
type Audit struct {
	Records []AuditRecord `json:"records"`
	Total   int           `json:"total"`
}

// AuditRecord is one operation of the control space. Its entry is signed by its
// author and names the entries before it by their hashes.
type AuditRecord struct {
	N        int    `json:"n"`        // from 1, in the order of what builds on what
	At       int64  `json:"at"`       // by the author's clock
	Author   string `json:"author"`   // name of the person
	Device   string `json:"device"`   // name of the device
	Act      string `json:"act"`      // "genesis", "admit", "raise", "lower", "revoke", …
	Sentence string `json:"sentence"` // what was done
	Counts   bool   `json:"counts"`
	Why      string `json:"why"`   // why it does not count; empty if it does
	Entry    string `json:"entry"` // hash of the entry
	Log      string `json:"log"`
	Seq      uint64 `json:"seq"`
}

// Doctor is the result of "doctor": what this device looks like from inside.
type Doctor struct {
	Checks []Check `json:"checks"`
}

// Check is one thing looked at.
type Check struct {
	Code     string `json:"code"`  // "secrets", "disk", "database", "clock", "managers", "kit", "copies"
	Level    string `json:"level"` // "ok", "info", "warn", "danger"
	Sentence string `json:"sentence"`
	Next     string `json:"next"`
}
