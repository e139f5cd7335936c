package api

// Desktop is the result of "desktop" and "desktop/set": this node as a desktop
// program, with icon, notifications and a window of its own.
type Desktop struct {
	Resident  bool   `json:"resident"`  // it is one, and the rest can be set; else only Window says something
	Window    bool   `json:"window"`    // a window is open
	Autostart string `json:"autostart"` // starts when the person logs in: "on", "off"; "none": this computer does not say
	Tray      bool   `json:"tray"`      // there is an icon beside the clock
	Notifier  bool   `json:"notifier"`  // this computer shows notifications
	Stay      bool   `json:"stay"`      // goes on when the window is closed
	Notify    string `json:"notify"`    // of which new messages it tells: "all", "mentions" and direct ones, "direct", "none"
	Text      bool   `json:"text"`      // with what they say
}

// DesktopSet is the request of "desktop/set".
type DesktopSet struct {
	Autostart bool   `json:"autostart"`
	Stay      bool   `json:"stay"`
	Notify    string `json:"notify"`
	Text      bool   `json:"text"`
}

// DesktopShow is the request of "desktop/show": bring the window to the front,
// with a page to be shown. Both may be empty.
type DesktopShow struct {
	Link    string `json:"link"`    // an invitation "inselnetz:join?…"
	Channel string `json:"channel"` // Channel.ID
}

// DesktopShown is the result of "desktop/show".
type DesktopShown struct {
	Shown bool `json:"shown"` // a window comes; else the node has none, and who asked may open one
}

// DesktopWanted is the result of "desktop/wanted": what the window shall show,
// told once.
type DesktopWanted struct {
	Link    string `json:"link"`
	Channel string `json:"channel"`
	Error   *Error `json:"error"` // why the link leads nowhere
}

// DesktopFocus is the request of "desktop/focus": whether the person looks at the
// window.
type DesktopFocus struct {
	Focused bool `json:"focused"`
}
