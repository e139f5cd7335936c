//go:build desktop

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/wailsapp/wails/v2"
	"github.com/wailsapp/wails/v2/pkg/options"
	"github.com/wailsapp/wails/v2/pkg/options/assetserver"
	"github.com/wailsapp/wails/v2/pkg/options/linux"
	"github.com/wailsapp/wails/v2/pkg/runtime"

	"inselnetz/app/api"
	"inselnetz/app/desktop"
)

// hasWindow says whether this build has a window.
const hasWindow = true

const placeFile = "window.json"

// A window shows a node that runs in another process, until the person closes it.
type window struct {
	e     *env
	node  *attachment
	taken *taken

	mu    sync.Mutex
	place desktop.Place
	ctx   context.Context // of the window library; nil before there is a window
}

// windowCommand is what the desktop program starts for its window. A line "quit"
// on standard input ends it; the end of standard input does not: the window of a
// program that crashed waits for the next one.
func windowCommand(e *env) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		go func() {
			if line, err := bufio.NewReader(os.Stdin).ReadString('\n'); err == nil && line == "quit\n" {
				stop()
			}
		}()
		return showWindow(ctx, e)
	}
}

// showWindow opens the window of the node that runs with the data directory, and
// returns when it is closed. If it is open already, it comes to the front.
func showWindow(ctx context.Context, e *env) error {
	free, err := desktop.Hold(filepath.Join(e.data, "window.lock"))
	if errors.Is(err, desktop.ErrHeld) {
		return (&window{e: e, node: attach(e)}).raiseOther(ctx)
	}
	if err != nil {
		return err
	}
	defer free()
	w := &window{e: e, node: attach(e), place: desktop.Read(filepath.Join(e.data, placeFile), desktop.FirstPlace)}
	w.place.Zoom = desktop.Zoom(w.place.Zoom)
	w.taken = &taken{a: w.node, ask: w.askFiles}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	mux := http.NewServeMux()
	mux.Handle("/window/save", saver{a: w.node, ask: w.askPlace})
	mux.HandleFunc("/window/zoom", w.zoom)
	mux.HandleFunc("/window/choose", w.taken.choose)
	mux.HandleFunc("/window/send", w.taken.send)
	mux.HandleFunc("/window/file", w.taken.file)
	mux.Handle("/", w.node.proxy())
	var following sync.WaitGroup
	err = open(ctx, mux, w.place, w.close, func(lib context.Context) {
		w.mu.Lock()
		w.ctx = lib
		w.mu.Unlock()
		w.arrange(lib)
		w.watchDrops(lib)
		nativeStart(w.place.Zoom)
		following.Go(func() {
			w.node.follow(ctx, func(ev api.Event) { w.heard(lib, ev) }, func(up bool) { runtime.EventsEmit(lib, "alive", up) })
		})
	})
	stop()
	following.Wait()
	return err
}

// raiseOther asks the window that is there to come to the front.
func (w *window) raiseOther(ctx context.Context) error {
	c, err := w.node.client()
	if err != nil {
		return err
	}
	_, err = ask[api.DesktopShown](ctx, c, "desktop/show", api.DesktopShow{})
	return err
}

func (w *window) heard(lib context.Context, ev api.Event) {
	if ev.What == "show" {
		runtime.WindowUnminimise(lib)
		runtime.WindowShow(lib)
		raise(lib)
	}
	runtime.EventsEmit(lib, "changed", ev)
}

// raise brings the window to the front where the desktop only lets those that
// are always there come by themselves.
func raise(lib context.Context) {
	runtime.WindowSetAlwaysOnTop(lib, true)
	runtime.WindowSetAlwaysOnTop(lib, false)
}

// arrange puts the window where it was.
func (w *window) arrange(lib context.Context) {
	var sizes []desktop.Size
	screens, err := runtime.ScreenGetAll(lib)
	if err != nil {
		return
	}
	for _, s := range screens {
		sizes = append(sizes, desktop.Size{Width: s.Size.Width, Height: s.Size.Height})
	}
	w.mu.Lock()
	w.place = w.place.Fit(sizes)
	p := w.place
	w.mu.Unlock()
	if p.Maximised {
		return // it was begun so
	}
	runtime.WindowSetSize(lib, p.Width, p.Height)
	if p.Known {
		runtime.WindowSetPosition(lib, p.X, p.Y)
	}
}

// close keeps where the window was; it never prevents.
func (w *window) close(lib context.Context) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.place.Maximised = runtime.WindowIsMaximised(lib)
	if !w.place.Maximised && !runtime.WindowIsMinimised(lib) {
		w.place.Width, w.place.Height = runtime.WindowGetSize(lib)
		w.place.X, w.place.Y = runtime.WindowGetPosition(lib)
		w.place.Known = true
	}
	if err := desktop.Write(filepath.Join(w.e.data, placeFile), w.place); err != nil {
		fmt.Fprintln(w.e.err, err)
	}
	return false
}

// zoom answers POST /window/zoom?by=N: one step larger (1), smaller (-1), or as
// at first (0). The answer is the zoom in percent, 0 if the webview zooms by
// itself.
func (w *window) zoom(res http.ResponseWriter, r *http.Request) {
	by, err := strconv.Atoi(r.URL.Query().Get("by"))
	if r.Method != http.MethodPost || err != nil {
		http.Error(res, "POST by=-1, 0 or 1", http.StatusBadRequest)
		return
	}
	if !pageZooms {
		fmt.Fprint(res, 0)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.place.Zoom = desktop.ZoomStep(w.place.Zoom, by)
	nativeZoom(w.place.Zoom)
	fmt.Fprintf(res, "%.0f", w.place.Zoom*100)
}

func (w *window) askPlace(name string) (string, error) {
	w.mu.Lock()
	lib := w.ctx
	w.mu.Unlock()
	home, _ := os.UserHomeDir() // without one the dialog begins somewhere
	dir := filepath.Join(home, "Downloads")
	if _, err := os.Stat(dir); err != nil {
		dir = home
	}
	return runtime.SaveFileDialog(lib, runtime.SaveDialogOptions{DefaultDirectory: dir, DefaultFilename: name, Title: w.e.pick("Speichern unter", "Save as"), CanCreateDirectories: true})
}

// open shows a window until it is closed or ctx ends.
func open(ctx context.Context, page http.Handler, p desktop.Place, closing func(context.Context) bool, ready func(window context.Context)) error {
	state := options.Normal
	if p.Maximised {
		state = options.Maximised
	}
	o := &options.App{
		Title: "Inselnetz", Width: p.Width, Height: p.Height, MinWidth: desktop.LeastWidth, MinHeight: desktop.LeastHeight,
		BackgroundColour: &options.RGBA{R: 0xef, G: 0xeb, B: 0xe2, A: 255},
		AssetServer:      &assetserver.Options{Handler: page},
		// drawn without the graphics card a page costs 100 MB less, and old drivers show white windows
		Linux:                    &linux.Options{ProgramName: "inselnetz", Icon: desktop.Icon, WebviewGpuPolicy: linux.WebviewGpuPolicyNever},
		WindowStartState:         state,
		EnableDefaultContextMenu: true,
		OnBeforeClose:            closing,
		OnStartup: func(window context.Context) {
			context.AfterFunc(ctx, func() { runtime.Quit(window) })
			ready(window)
		},
	}
	nativeOptions(o, p.Zoom)
	return wails.Run(o)
}

var apologyPage = template.Must(template.New("").Parse(`<!doctype html><meta charset="utf-8"><title>Inselnetz</title>
<style>body{font:16px/1.5 system-ui,sans-serif;background:#efebe2;color:#192123;margin:15vh auto;max-width:34em;padding:0 2em}</style>
<h1>{{.Sentence}}</h1><p>{{.Next}}</p>`))

// apologise opens a window that says why there is no other.
func apologise(ctx context.Context, e *env, err error) error {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = apologyPage.Execute(w, e.phrase(err)) // the window may be gone
	})
	return open(ctx, page, desktop.FirstPlace, nil, func(context.Context) {})
}
