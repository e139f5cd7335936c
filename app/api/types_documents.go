package api

// DocumentsAsk asks for the documents of a space; empty is every space that this
// person reads.
type DocumentsAsk struct {
	Space string `json:"space"`
}

// Documents is the result of "documents".
type Documents struct {
	Documents []Document `json:"documents"` // by name
}

// Document is a document in a list.
type Document struct {
	ID       string         `json:"id"`
	Space    string         `json:"space"`
	Title    string         `json:"title"`
	Folder   string         `json:"folder"` // empty: none
	Archived bool           `json:"archived"`
	Changed  int64          `json:"changed"` // ms
	By       Person         `json:"by"`      // without Devices
	Size     int            `json:"size"`    // characters
	Waiting  int            `json:"waiting"` // changes here that wait for others to come
	CanWrite bool           `json:"canWrite"`
	Template string         `json:"template"` // what it was made from: "blank", "minutes", …; empty: nothing
	Start    string         `json:"start"`    // the first lines, for a small picture
	New      bool           `json:"new"`      // others changed it since this person last had it open here
	Mentions int            `json:"mentions"` // open comments that name this person
	Writers  []DocumentHere `json:"writers"`  // who has it open elsewhere now
}

// DocumentHere is a page that has a document open now.
type DocumentHere struct {
	Page   string `json:"page"` // names the page as long as it is open
	Person string `json:"person"`
	Name   string `json:"name"`
	Tint   int    `json:"tint"` // 1 to 6, of the person
	Self   bool   `json:"self"` // another page of this person
	Typing bool   `json:"typing"`
	Shown  bool   `json:"shown"`  // Anchor and Head are known
	Anchor int    `json:"anchor"` // of the selection, in positions of the text
	Head   int    `json:"head"`
}

// DocumentAsk names a document, and a state of it: no heads are the present.
type DocumentAsk struct {
	ID    string   `json:"id"`
	Heads []string `json:"heads"` // in hexadecimal
}

// DocumentText is the result of "document": what it says.
type DocumentText struct {
	Document Document `json:"document"`
	Heads    []string `json:"heads"`
	Markdown string   `json:"markdown"`
}

// DocumentCreate asks for a new document with a text in Markdown.
type DocumentCreate struct {
	Space    string `json:"space"` // empty: the space of all
	Title    string `json:"title"` // empty: the first heading of the text
	Folder   string `json:"folder"`
	Markdown string `json:"markdown"`
	Template string `json:"template"` // its text, if Markdown is empty
}

// DocumentTemplates is the result of "document/templates", in the language of the
// page.
type DocumentTemplates struct {
	Templates []DocumentTemplate `json:"templates"`
}

// DocumentTemplate is what a document may begin with.
type DocumentTemplate struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// DocumentCopy asks for another document with the present text of one.
type DocumentCopy struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// DocumentImport asks for a new document with the text of a file: .md, .txt,
// .docx or .odt by its name.
type DocumentImport struct {
	Space   string `json:"space"`
	Folder  string `json:"folder"`
	Name    string `json:"name"`
	Content string `json:"content"` // base64
}

// DocumentSearch looks for words in all documents that this person reads.
type DocumentSearch struct {
	Query string `json:"query"`
	Limit int    `json:"limit"` // 0: 50
}

// DocumentHits is the result of "document/search".
type DocumentHits struct {
	Hits []DocumentHit `json:"hits"` // those with the words in the title first, then the newest
	More bool          `json:"more"`
}

// DocumentHit is a document that has all words.
type DocumentHit struct {
	Document Document `json:"document"`
	Before   string   `json:"before"` // Before, Match, After: a line or so around the first word
	Match    string   `json:"match"`
	After    string   `json:"after"`
	At       int      `json:"at"` // position of the match in the text; -1: in the title only
}

// DocEdit is one step of an editor, or what an editor must do to show what others
// did. Positions count UTF-16 units of the flat text, in which a block's beginning
// and an embed take one each, and are right when all edits before it are done.
type DocEdit struct {
	Kind   string         `json:"kind"` // "splice", "mark", "unmark", "split", "join", "update", "put"
	At     int            `json:"at"`
	Del    int            `json:"del,omitempty"`    // splice: so many units go
	End    int            `json:"end,omitempty"`    // mark, unmark: [at, end)
	Text   string         `json:"text,omitempty"`   // splice: comes
	Marks  map[string]any `json:"marks,omitzero"`   // splice: of the text; to the program: none says those that the place has
	Name   string         `json:"name,omitempty"`   // mark, unmark
	Value  any            `json:"value,omitempty"`  // mark: true, a number or a string; put: any, null takes away
	Block  map[string]any `json:"block,omitempty"`  // split: attributes; update: those that change, null takes one away
	Expand string         `json:"expand,omitempty"` // mark, unmark: "after", "before", "both", "none"; empty: as the name has it
	Path   []string       `json:"path,omitempty"`   // put: keys within the embed or block at At
}

// DocumentOpen opens a document in a page. A page whose editor is gone, because the
// program started anew, says what it shows and goes on from there.
type DocumentOpen struct {
	ID    string   `json:"id"`
	Heads []string `json:"heads"` // of what the page shows, without what no answer came to
	Actor string   `json:"actor"` // as the last answer said
	Next  int      `json:"next"`  // as the last answer said
}

// DocumentEditor is the result of "document/open".
type DocumentEditor struct {
	Editor   string       `json:"editor"` // for the calls that follow
	Document Document     `json:"document"`
	Heads    []string     `json:"heads"`
	Edits    []DocEdit    `json:"edits"`    // if resumed: what leads from what the page shows to Heads
	Blocks   []DocBlock   `json:"blocks"`   // else: the text
	Unmarked bool         `json:"unmarked"` // the first block has no beginning in the text: it takes no position
	Resumed  bool         `json:"resumed"`  // the page goes on with what it shows
	Arrived  bool         `json:"arrived"`  // the edits that no answer came to are in there: they lie before Edits
	Length   int          `json:"length"`
	Actor    string       `json:"actor"`
	Next     int          `json:"next"`
	Seen     []string     `json:"seen"` // the state when this person last had it open here; empty: never, or it is the present
	SeenAt   int64        `json:"seenAt"`
	Save     DocumentSave `json:"save"`
}

// DocumentSave says where what this page wrote is.
type DocumentSave struct {
	Devices int `json:"devices"` // that have it, with this one
	Of      int `json:"of"`
}

// DocumentSync brings what was typed and fetches what others did. One call of an
// editor runs at a time. A call that is sent again has the same batch and edits.
type DocumentSync struct {
	Editor string    `json:"editor"`
	Batch  int       `json:"batch"` // 1, 2, …
	Edits  []DocEdit `json:"edits"`
	More   bool      `json:"more"`   // more edits follow that belong to these: news wait
	Typing bool      `json:"typing"` // for others to see
	Shown  bool      `json:"shown"`  // Anchor and Head say where the selection is, when Edits are done
	Anchor int       `json:"anchor"`
	Head   int       `json:"head"`
}

// DocumentNews is the result of "document/sync". The edits that came are on the disk
// of this device.
type DocumentNews struct {
	Edits    []DocEdit      `json:"edits"`  // what others did
	Length   int            `json:"length"` // of the text before Edits: what the page must have
	Heads    []string       `json:"heads"`
	Actor    string         `json:"actor"`
	Next     int            `json:"next"`
	Here     []DocumentHere `json:"here"`
	Meta     bool           `json:"meta"` // title, folder or comments changed as well
	CanWrite bool           `json:"canWrite"`
	Save     DocumentSave   `json:"save"`
}

// DocumentClose ends an editor. State "seen" is noted.
type DocumentClose struct {
	Editor string `json:"editor"`
}

// DocumentCheck is the result of "document/check": what the page of an editor must
// show when it has sent everything.
type DocumentCheck struct {
	Heads    []string   `json:"heads"`
	Blocks   []DocBlock `json:"blocks"`
	Unmarked bool       `json:"unmarked"`
}

// DocumentState asks how a document was. With Since, what differs from then is
// marked.
type DocumentState struct {
	ID    string   `json:"id"`
	Heads []string `json:"heads"` // empty: now
	Since []string `json:"since"` // empty: nothing is marked
}

// DocumentShown is the result of "document/state": blocks to show, with the marks of
// the text and where Since was given "added", "removed" or (of an embed) "changed",
// whose value is the place in People.
type DocumentShown struct {
	Title   string     `json:"title"`
	Heads   []string   `json:"heads"`
	Blocks  []DocBlock `json:"blocks"`
	People  []Person   `json:"people"` // without Devices
	Added   int        `json:"added"`  // characters
	Removed int        `json:"removed"`
}

// DocBlock is a paragraph, heading, item of a list and so on.
type DocBlock struct {
	Kind    string         `json:"kind"`
	Level   int            `json:"level,omitempty"`
	Checked bool           `json:"checked,omitempty"`
	Other   map[string]any `json:"other,omitempty"`
	Change  string         `json:"change,omitempty"` // "added", "removed", "changed"
	By      int            `json:"by,omitempty"`     // of Change: place in People
	Spans   []DocSpan      `json:"spans,omitempty"`
}

// DocSpan is a stretch of text with the same marks, or an embed.
type DocSpan struct {
	Text  string         `json:"text,omitempty"`
	Marks map[string]any `json:"marks,omitempty"`
	Embed map[string]any `json:"embed,omitempty"`
}

// DocumentCommentsAsk asks for the comments of a document.
type DocumentCommentsAsk struct {
	ID string `json:"id"`
}

// DocumentComments is the result of "document/comments" and of "document/comment".
type DocumentComments struct {
	Threads []DocumentThread `json:"threads"` // in the order of the text, then those whose place is gone
}

// DocumentThread is a comment with its answers. The text it is about has the mark
// "comment:" + ID.
type DocumentThread struct {
	ID       string           `json:"id"`
	Resolved bool             `json:"resolved"`
	By       Person           `json:"by"` // who resolved it; without Devices
	At       int64            `json:"at"` // ms, when it was resolved
	Quote    string           `json:"quote"`
	Anchor   int              `json:"anchor"`  // where the text begins; -1: it is gone
	Remarks  []DocumentRemark `json:"remarks"` // the comment, then the answers, oldest first
}

// DocumentRemark is a comment or an answer.
type DocumentRemark struct {
	ID       string   `json:"id"`
	By       Person   `json:"by"` // without Devices
	At       int64    `json:"at"` // ms
	Text     string   `json:"text"`
	Mentions []string `json:"mentions"` // people
	Edited   bool     `json:"edited"`
}

// DocumentComment changes the comments of a document. A new thread gets its mark by
// the editor, before or after.
type DocumentComment struct {
	ID       string   `json:"id"`
	Do       string   `json:"do"`     // "add" (begins the thread or answers), "edit", "remove", "resolve", "reopen"
	Thread   string   `json:"thread"` // 26 letters and digits, made by the page for a new thread
	Remark   string   `json:"remark"` // edit, remove
	Text     string   `json:"text"`
	Mentions []string `json:"mentions"`
}

// DocumentSet changes what is set.
type DocumentSet struct {
	ID       string  `json:"id"`
	Title    *string `json:"title"`
	Folder   *string `json:"folder"`
	Archived *bool   `json:"archived"`
}

// DocumentWrite makes the text say what the Markdown does. Paragraphs that say it
// already are left alone.
type DocumentWrite struct {
	ID       string `json:"id"`
	Markdown string `json:"markdown"`
}

// DocumentExport asks for a document as a file.
type DocumentExport struct {
	ID     string   `json:"id"`
	Heads  []string `json:"heads"`
	Format string   `json:"format"` // "md", "txt", "html", "docx", "odt", "automerge"
}

// DocumentFile is the result of "document/export".
type DocumentFile struct {
	Name    string `json:"name"`
	Content string `json:"content"` // base64
}

// DocumentHistory is the result of "document/history".
type DocumentHistory struct {
	Sessions []DocumentSession `json:"sessions"` // oldest first
}

// DocumentSession is what one or more people wrote without a longer pause.
type DocumentSession struct {
	By      Person   `json:"by"`    // without Devices
	From    int64    `json:"from"`  // ms
	To      int64    `json:"to"`    // ms
	Heads   []string `json:"heads"` // the state after it
	Changes int      `json:"changes"`
	Added   int      `json:"added"` // characters
	Removed int      `json:"removed"`
	People  []Person `json:"people"` // all who wrote, without Devices; By is the first
}
