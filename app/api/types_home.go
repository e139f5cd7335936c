package api

// Home is the result of "home": how the office stands, in sentences.
type Home struct {
	Level         string      `json:"level"`    // "ok", "info", "warn", "danger"
	Sentence      string      `json:"sentence"` // how things are; the most serious first
	More          string      `json:"more"`     // and what else; may be empty
	Hint          string      `json:"hint"`     // what it means; may be empty
	Now           int64       `json:"now"`      // this device's clock
	Since         int64       `json:"since"`    // end of the visit before; what is new is newer
	Points        []HomePoint `json:"points"`   // what is open, the most serious first
	Next          []HomePoint `json:"next"`     // what to do next in an office that is new; empty in others
	Channels      []Channel   `json:"channels"` // with unread messages: mentions first
	Documents     []Document  `json:"documents"`
	DocumentsMore int         `json:"documentsMore"` // changed documents beyond those
	Files         []HomeFile  `json:"files"`
	FilesMore     int         `json:"filesMore"` // changed files beyond those
}

// HomePoint is something that is open, and where it is done.
type HomePoint struct {
	Code     string `json:"code"`
	Level    string `json:"level"` // "info", "warn", "danger"
	Sentence string `json:"sentence"`
	Next     string `json:"next"`   // what it means or what to do; may be empty
	At       int64  `json:"at"`     // since when; 0 unknown
	Action   string `json:"action"` // words of the button; empty: there is nothing to press
	Link     string `json:"link"`   // where it is done, "#/kit"; or "doctor", "kind", "device": a dialog of the page
}

// HomeFile is a file that somebody else changed.
type HomeFile struct {
	Space  string `json:"space"`
	Folder string `json:"folder"` // name of its space; empty: of all
	Path   string `json:"path"`
	Name   string `json:"name"`
	At     int64  `json:"at"`
	Person Person `json:"person"` // without Devices
	Device string `json:"device"`
}

// HomeSeen is the request of "home/seen": somebody looks at the page. After half an
// hour without, the next one begins a visit.
type HomeSeen struct {
	All bool `json:"all"` // everything up to now is known
}

// Setup is the result of "setup": how far the wizard is, and what it asks about.
type Setup struct {
	Path     string      `json:"path"` // "found", "join"; empty: nobody uses it, or it is over
	Step     int         `json:"step"` // from 1
	Steps    int         `json:"steps"`
	Kind     string      `json:"kind"` // of office; empty: not chosen
	Choose   bool        `json:"choose"`
	Kinds    []SetupKind `json:"kinds"`
	Stays    bool        `json:"stays"`    // this device is meant to stay on
	Place    string      `json:"place"`    // directory in which new folders lie; empty: none
	CanPlace bool        `json:"canPlace"` // it may be another one
	Folder   string      `json:"folder"`   // where the files of all lie on this device; empty: nowhere, or not yet
	Full     bool        `json:"full"`     // it has files already, and stays where it is
}

// SetupKind is a kind of office and what it brings.
type SetupKind struct {
	ID        string   `json:"id"` // "law", "practice", "driving", "other"
	Name      string   `json:"name"`
	Text      string   `json:"text"`      // whom it is for
	Channels  []string `json:"channels"`  // names
	Documents []string `json:"documents"` // names
}

// SetupGo is the request of "setup/go": the wizard is at this step, or over if Path
// is empty. The result is the Setup.
type SetupGo struct {
	Path string `json:"path"`
	Step int    `json:"step"`
}

// SetupKindSet is the request of "setup/kind": this is the kind of office; make
// what it brings, in the language of the request. The result is the Setup.
type SetupKindSet struct {
	Kind string `json:"kind"`
}

// SetupDevice is the request of "setup/device". The result is the Setup.
type SetupDevice struct {
	Stays bool   `json:"stays"`
	Place string `json:"place"` // empty: as it is
}
