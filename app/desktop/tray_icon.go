//go:build linux || windows

package desktop

import (
	"context"
	"runtime"

	"fyne.io/systray"
)

// NewTray shows the icon, if the desktop has a place for icons; else it returns
// nil. The functions are called when the person chooses to open or quit. It
// stays until the process ends: the library cannot take it away and be sure.
func NewTray(ctx context.Context, words TrayWords, open, quit func()) *Tray {
	if !trayPlace() {
		return nil
	}
	t := &Tray{set: make(chan TrayState), open: open, quit: quit}
	go func() {
		runtime.LockOSThread() // Windows: the icon's window belongs to a thread
		systray.SetOnTapped(open)
		systray.Run(func() { go t.run(ctx, words) }, func() {})
	}()
	return t
}

// Set shows a state.
func (t *Tray) Set(ctx context.Context, s TrayState) {
	if t == nil {
		return
	}
	select {
	case t.set <- s:
	case <-ctx.Done():
	}
}

func (t *Tray) run(ctx context.Context, words TrayWords) {
	systray.SetTitle("Inselnetz")
	systray.SetIcon(trayIcon(false))
	systray.SetTooltip("Inselnetz")
	line := systray.AddMenuItem("", "")
	line.Disable()
	line.Hide()
	systray.AddSeparator()
	open, quit := systray.AddMenuItem(words.Open, ""), systray.AddMenuItem(words.Quit, "")
	var now TrayState
	for {
		select {
		case <-ctx.Done():
			return
		case <-open.ClickedCh:
			t.open()
		case <-quit.ClickedCh:
			t.quit()
		case s := <-t.set:
			if s.Dot != now.Dot {
				systray.SetIcon(trayIcon(s.Dot))
			}
			if s.Tip != now.Tip {
				systray.SetTooltip(s.Tip)
			}
			if s.Line != now.Line {
				line.SetTitle(s.Line)
				line.Show()
			}
			now = s
		}
	}
}

func trayIcon(dot bool) []byte {
	raw := icons()[0]
	if dot {
		raw = icons()[1]
	}
	if runtime.GOOS == "windows" {
		if made, err := ico(raw); err == nil {
			return made
		}
	}
	return raw
}
