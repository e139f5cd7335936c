package api

// Metered is the result of "metered" and "metered/set": whether the connection of
// this computer is paid by volume. Large files then wait until somebody asks for
// them, by opening one or by "files/fetch" (request FilesAsk without a path, result
// Folder).
type Metered struct {
	Mode   string `json:"mode"`   // what a person said: "auto" (as the system says), "yes", "no"
	System string `json:"system"` // what the system says: "yes", "no", "unknown"
	Now    bool   `json:"now"`    // large files wait
	Over   int64  `json:"over"`   // from which size on, in bytes
}

// MeteredSet is the request of "metered/set".
type MeteredSet struct {
	Mode string `json:"mode"`
}
