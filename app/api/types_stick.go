package api

// StickAsk is the request of "stick": how much a file for devices without a network
// would hold.
type StickAsk struct {
	For   string `json:"for"`   // id of a device; empty: what any of the others lacks
	Whole bool   `json:"whole"` // everything from the beginning on
}

// Stick is the result of "stick".
type Stick struct {
	Going string    `json:"going"` // "export", "import": a file is being written or read just now; else empty
	Done  int       `json:"done"`  // entries
	All   int       `json:"all"`   // entries; 0: not known yet
	Last  string    `json:"last"`  // how the file that was written last ended: "whole", "broken"; empty: there was none
	Size  StickSize `json:"size"`  // when nothing is going on
	Name  string    `json:"name"`  // for the file
}

// StickSize is how much some entries are.
type StickSize struct {
	Entries   int `json:"entries"`
	Bytes     int `json:"bytes"`
	Messages  int `json:"messages"` // among the entries
	Files     int `json:"files"`
	Documents int `json:"documents"`
}

// StickBrought is what a file brought.
type StickBrought struct {
	By      string         `json:"by"`     // name of the person who made it, as the file says
	Device  string         `json:"device"` // and of the device
	At      int64          `json:"at"`     // when it was made
	For     string         `json:"for"`    // name of the device it was made for; empty: all
	New     StickSize      `json:"new"`
	Known   int            `json:"known"`  // entries that were here
	Closed  int            `json:"closed"` // spaces that are not for this device
	Refused []StickRefused `json:"refused"`
	Error   *Error         `json:"error"` // why it ended early; what came before is here
}

// StickRefused is why something of a file was not taken.
type StickRefused struct {
	Code     string `json:"code"`
	Entries  int    `json:"entries"`
	Sentence string `json:"sentence"`
	Next     string `json:"next"` // what to do; may be empty
}
