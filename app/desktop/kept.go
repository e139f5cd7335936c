package desktop

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Prefs are what the person chose for this computer.
type Prefs struct {
	Stay   bool   `json:"stay"`   // go on when the window is closed
	Notify string `json:"notify"` // "all", "mentions", "direct", "none"
	Text   bool   `json:"text"`   // notifications say what messages say
	Told   bool   `json:"told"`   // the person was told once that the program goes on
}

// DefaultPrefs hold until the person chooses.
var DefaultPrefs = Prefs{Stay: true, Notify: "all", Text: true}

// Read returns what the file at path holds, laid over value. A file that is not
// there, or holds something else, counts as empty: these are conveniences, no
// reason not to start.
func Read[T any](path string, value T) T {
	raw, err := os.ReadFile(path)
	if err != nil {
		return value
	}
	read := value
	if json.Unmarshal(raw, &read) != nil {
		return value
	}
	return read
}

// Write replaces the file at path.
func Write[T any](path string, value T) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return fmt.Errorf("keep %s: %w", path, err)
	}
	return os.Rename(tmp, path)
}

// A Place is where a window is and how it looks. Sizes and positions are in
// pixels of the desktop.
type Place struct {
	X         int     `json:"x"`
	Y         int     `json:"y"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	Known     bool    `json:"known"` // X and Y say something
	Maximised bool    `json:"maximised"`
	Zoom      float64 `json:"zoom"`
}

// The window as it is at first, and the least it can be.
const (
	firstWidth, firstHeight = 1280, 800
	LeastWidth, LeastHeight = 360, 480
	leastZoom, mostZoom     = 0.5, 3
	handle                  = 120 // so much of it must be on a screen to be caught, in pixels
)

// FirstPlace is where a window opens that was never closed.
var FirstPlace = Place{Width: firstWidth, Height: firstHeight, Zoom: 1}

// A Size is that of a screen.
type Size struct{ Width, Height int }

// Fit returns the place as it can be on these screens, of which only sizes are
// known: they may stand beside or below each other. With none it is left as it
// is, but for its size.
func (p Place) Fit(screens []Size) Place {
	p.Zoom = Zoom(p.Zoom)
	p.Width, p.Height = max(p.Width, LeastWidth), max(p.Height, LeastHeight)
	if len(screens) == 0 {
		p.Known = false
		return p
	}
	var all, widest Size
	for _, s := range screens {
		all = Size{all.Width + s.Width, all.Height + s.Height}
		widest = Size{max(widest.Width, s.Width), max(widest.Height, s.Height)}
	}
	p.Width, p.Height = min(p.Width, max(widest.Width, LeastWidth)), min(p.Height, max(widest.Height, LeastHeight))
	if len(screens) == 1 {
		all = screens[0]
	}
	if p.X < -p.Width+handle || p.Y < 0 || p.X > all.Width-handle || p.Y > all.Height-handle/2 {
		p.X, p.Y, p.Known = 0, 0, false
	}
	return p
}

// Zoom returns a zoom as it may be; 0 is 1.
func Zoom(z float64) float64 {
	if z == 0 || z != z {
		return 1
	}
	return min(max(z, leastZoom), mostZoom)
}

// ErrHeld says that another process holds a lock.
var ErrHeld = errors.New("held by another process")

// Hold takes the lock of the file at path until the process ends or release is
// called. The error is ErrHeld if another process has it.
func Hold(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fs.FileMode(0o600))
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// ZoomStep is the zoom one step larger (by 1), smaller (by -1), or the first one
// (by 0), in steps as browsers have them.
func ZoomStep(z float64, by int) float64 {
	steps := []float64{leastZoom, 0.67, 0.75, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, mostZoom}
	const near = 0.01
	switch z = Zoom(z); {
	case by > 0:
		for _, s := range steps {
			if s > z+near {
				return s
			}
		}
		return mostZoom
	case by < 0:
		for i := len(steps) - 1; i >= 0; i-- {
			if steps[i] < z-near {
				return steps[i]
			}
		}
		return leastZoom
	}
	return 1
}
