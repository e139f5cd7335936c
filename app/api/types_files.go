package api

// Folders is the result of "files/folders": the shared folders of this person's
// spaces.
type Folders struct {
	Folders []Folder `json:"folders"` // of the space of all first, then by name
	Place   string   `json:"place"`   // directory in which new folders lie on this device
}

// Folder is the shared directory of one space, as it is on this device.
type Folder struct {
	Space       string     `json:"space"`
	Name        string     `json:"name"` // of the space; empty for the space of all
	Kept        bool       `json:"kept"` // its files lie on this device's disk
	Dir         string     `json:"dir"`  // where; empty if not kept
	CanWrite    bool       `json:"canWrite"`
	Files       int        `json:"files"`
	Bytes       int64      `json:"bytes"`
	Skipped     []string   `json:"skipped"`  // paths in it that are not kept here
	Progress    *Progress  `json:"progress"` // null: nothing is under way
	Problems    []Sentence `json:"problems"` // why it is not in sync, each with what to do; empty: it is
	Spared      int        `json:"spared"`   // large files that wait because the connection is paid by volume
	SparedBytes int64      `json:"sparedBytes"`
	Holds       []Hold     `json:"holds"` // devices whose changes wait for a decision
	Conflict    int        `json:"conflicts"`
	Trash       int        `json:"trash"`  // paths in the trash
	Phones      []Phone    `json:"phones"` // stock Syncthing devices it is shared with
}

// Sentence is something people can act on.
type Sentence struct {
	Code string `json:"code"`
	Text string `json:"text"` // what is so
	Hint string `json:"hint"` // what to do
	Path string `json:"path"` // what it is about; empty: the folder
}

// Progress is long work under way.
type Progress struct {
	Files     int   `json:"files"` // left
	Bytes     int64 `json:"bytes"` // left
	Done      int64 `json:"done"`  // bytes done since it began
	Rate      int64 `json:"rate"`  // bytes a second; 0: not known
	Left      int   `json:"left"`  // seconds; 0: not known
	Reading   bool  `json:"reading"`
	WaitsFor  int   `json:"waitsFor"`  // files that nobody who is here has
	CanCancel bool  `json:"canCancel"` // by keeping the folder off this device
}

// Hold says that the changes of a device wait for a decision (the brake).
type Hold struct {
	Space   string   `json:"space"`
	Device  string   `json:"device"` // id
	Name    string   `json:"name"`   // of the device
	Person  Person   `json:"person"` // without Devices
	Why     string   `json:"why"`    // "many", "share", "day", "encrypted"
	Since   int64    `json:"since"`  // ms
	Minutes int      `json:"minutes"`
	Files   int      `json:"files"`   // changed or deleted so far, held ones too
	Applied int      `json:"applied"` // of these, changed here before the brake
	Sample  []string `json:"sample"`  // at most 20 paths
	Own     bool     `json:"own"`     // it is this device: somebody else must decide
	Phone   string   `json:"phone"`   // id of a stock Syncthing device instead of Device; empty otherwise
}

// HoldDecide is the request of "files/hold"; the result is the Folder.
type HoldDecide struct {
	Space  string `json:"space"`
	Device string `json:"device"` // or a Phone's id
	Accept bool   `json:"accept"` // false: discard, and restore what was before
}

// FolderSet is the request of "files/folder"; the result is the Folder.
type FolderSet struct {
	Space string `json:"space"`
	Kept  bool   `json:"kept"`
	Dir   string `json:"dir"` // empty: as it is, or in the usual place
}

// SkipSet is the request of "files/skip": is this path kept on this device? The
// result is the Folder.
type SkipSet struct {
	Space string `json:"space"`
	Path  string `json:"path"`
	Kept  bool   `json:"kept"`
}

// FilesAsk is the request of "files/list", "files/info", "files/trash",
// "files/conflicts", "files/moments", "files/mkdir" (result File), and
// "files/open", which opens it with this computer's program for it (result
// empty). The path is relative to the folder, with
// slashes; empty is the folder.
type FilesAsk struct {
	Space string `json:"space"`
	Path  string `json:"path"`
}

// FileList is the result of "files/list".
type FileList struct {
	Folder Folder `json:"folder"`
	Path   string `json:"path"`
	Files  []File `json:"files"` // directories first, then by name
}

// File is a path as people see it in a list.
type File struct {
	Path     string `json:"path"`
	Name     string `json:"name"`
	Kind     string `json:"kind"`    // "file", "dir", "link"
	Type     string `json:"type"`    // "doc", "sheet", "pdf", "image", "slides", "text", "audio", "video", "archive", "other"; of files
	Size     int64  `json:"size"`    // of a directory: all in it
	Count    int    `json:"count"`   // files in a directory
	Changed  int64  `json:"changed"` // when its newest version was announced, ms
	Person   Person `json:"person"`  // who changed it last; without Devices
	Device   string `json:"device"`  // name of the device it was changed on
	Version  string `json:"version"` // id; empty for directories
	Where    string `json:"where"`   // "here", "coming", "elsewhere" (not kept here), "waits" (nobody here has it), "unstorable", "held", "spared" (large, and the connection is paid by volume), "alone" (own change that others do not take)
	Hint     string `json:"hint"`    // a sentence for "waits", "spared", "unstorable", "alone" and Deceptive names; may be empty
	Suggest  string `json:"suggest"` // a name that all devices can store; empty: this one is fine
	Conflict bool   `json:"conflict"`
	Open     string `json:"open"`   // who has it open in a program just now; empty: nobody
	Copies   int    `json:"copies"` // devices that have it, this one too
	Target   string `json:"target"` // of a link
}

// FileInfo is the result of "files/info".
type FileInfo struct {
	File     File          `json:"file"`
	Devices  []string      `json:"devices"`  // names of devices that have the present version, this one first
	Versions []FileVersion `json:"versions"` // newest first; the first is the present one unless it is in the trash
	Others   []FileVersion `json:"others"`   // concurrent versions: a conflict
	Preview  string        `json:"preview"`  // "image", "pdf", "text", "": none
	Days     int           `json:"days"`     // versions are kept here for so long
	Gone     bool          `json:"gone"`     // it is in the trash
	Problems []Sentence    `json:"problems"` // why it is not in sync; empty: it is
}

// FileVersion is one state of a path.
type FileVersion struct {
	ID      string `json:"id"`
	Path    string `json:"path"` // it may have had another name
	At      int64  `json:"at"`   // announced, ms
	Person  Person `json:"person"`
	Device  string `json:"device"`
	Size    int64  `json:"size"`
	Kind    string `json:"kind"`  // "file", "dir", "link", "gone"
	State   string `json:"state"` // "now", "here", "elsewhere" (can be had from another device), "lost" (kept by nobody who is here), "held"
	Renamed bool   `json:"renamed"`
}

// FileRename is the request of "files/rename"; the result is the File. It moves
// too.
type FileRename struct {
	Space string `json:"space"`
	Path  string `json:"path"`
	To    string `json:"to"`
}

// FileRemove is the request of "files/remove"; everything goes to the trash.
type FileRemove struct {
	Space string   `json:"space"`
	Paths []string `json:"paths"`
}

// FileRestore is the request of "files/restore": bring a version of a path
// back, as a new version. The result is the File.
type FileRestore struct {
	Space   string `json:"space"`
	Path    string `json:"path"`
	Version string `json:"version"` // empty: the last one before it was deleted
}

// FileRewind is the request of "files/rewind": bring a directory back to a time.
// It is itself undone by another rewind, to the time before it.
type FileRewind struct {
	Space string `json:"space"`
	Path  string `json:"path"`
	At    int64  `json:"at"`  // ms
	Dry   bool   `json:"dry"` // only say what would happen
}

// Rewound is the result of "files/rewind".
type Rewound struct {
	Changed  int      `json:"changed"`  // files that get an older content
	Restored int      `json:"restored"` // come back
	Removed  int      `json:"removed"`  // go to the trash
	Lost     int      `json:"lost"`     // whose content of that time nobody here has: they stay as they are
	Sample   []string `json:"sample"`   // at most 20 paths
	Undo     int64    `json:"undo"`     // the time to rewind to if it was a mistake
}

// FileResolve is the request of "files/resolve": which version is right? The
// result is the File.
type FileResolve struct {
	Space   string `json:"space"`
	Path    string `json:"path"`
	Version string `json:"version"`
	Both    bool   `json:"both"` // the others become files beside it
}

// FileMoments is the result of "files/moments": times at which something changed
// below a path, newest first, at most 200; for choosing one to go back to.
type FileMoments struct {
	Moments []FileMoment `json:"moments"`
}

// FileMoment is some changes close together by one person.
type FileMoment struct {
	At     int64  `json:"at"` // ms, of the last one
	Person Person `json:"person"`
	Files  int    `json:"files"`
	Gone   int    `json:"gone"` // of these, deleted
}

// FilePaths is the result of "files/conflicts", "files/trash" and
// "files/remove".
type FilePaths struct {
	Files []File `json:"files"`
}

// Phone is a stock Syncthing device, such as a phone or an existing NAS, that a
// folder is shared with through this device.
type Phone struct {
	ID        string `json:"id"` // its Syncthing device id
	Name      string `json:"name"`
	Connected bool   `json:"connected"`
	Left      int    `json:"left"` // files not in sync yet
	Problem   string `json:"problem"`
}

// PhoneSet is the request of "phone/set" (add or change) and "phone/remove"; the
// result is Phones.
type PhoneSet struct {
	Space string `json:"space"`
	ID    string `json:"id"`
	Name  string `json:"name"`
	Addr  string `json:"addr"` // host:port to dial; empty: it dials here
}

// Phones is the result of "phones".
type Phones struct {
	ID     string   `json:"id"`   // this device's Syncthing id, to be typed there
	QR     []string `json:"qr"`   // the same as rows of 0 and 1, without a margin
	Addr   string   `json:"addr"` // where it listens; empty: no folder is shared
	Phones []Phone  `json:"phones"`
}

// Upload is the result of PUT /api/files/content?space=…&path=…&base=…&time=…
// whose body is the content: base is the version it replaces, "" whatever is
// there, "none" if there must be nothing (then a free name beside it is taken);
// time is the file's own in ms. GET /api/files/content?space=…&path=…&version=…
// gives a content; without version it is the present one; with inline=1 it is
// shown rather than saved, for images, PDF and text alone. Both answer with an
// error as calls do.
type Upload struct {
	File File `json:"file"`
}
