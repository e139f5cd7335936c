package desktop

// TrayWords are what the icon's menu says.
type TrayWords struct{ Open, Quit string }

// TrayState is what the icon shows.
type TrayState struct {
	Line string // one line about the office, the first of the menu; empty: none
	Tip  string // shown when the pointer rests on the icon
	Dot  bool   // something is unread
}

// A Tray is the icon beside the clock. There is at most one in a process.
type Tray struct {
	set  chan TrayState
	open func()
	quit func()
}
