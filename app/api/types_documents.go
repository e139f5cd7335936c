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
	ID       string `json:"id"`
	Space    string `json:"space"`
	Title    string `json:"title"`
	Folder   string `json:"folder"` // empty: none
	Archived bool   `json:"archived"`
	Changed  int64  `json:"changed"` // ms
	By       Person `json:"by"`      // without Devices
	Size     int    `json:"size"`    // characters
	Waiting  int    `json:"waiting"` // changes here that wait for others to come
	CanWrite bool   `json:"canWrite"`
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
	Format string   `json:"format"` // "md", "txt", "automerge"
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

// DocumentSession is what one person wrote without a longer pause.
type DocumentSession struct {
	By      Person   `json:"by"`    // without Devices
	From    int64    `json:"from"`  // ms
	To      int64    `json:"to"`    // ms
	Heads   []string `json:"heads"` // the state after it
	Changes int      `json:"changes"`
}
