//go:build desktop

package main

import (
	"context"
	"errors"
	"html/template"
	"net/http"

	"github.com/wailsapp/wails/v2"
	"github.com/wailsapp/wails/v2/pkg/options"
	"github.com/wailsapp/wails/v2/pkg/options/assetserver"
	"github.com/wailsapp/wails/v2/pkg/options/linux"
	"github.com/wailsapp/wails/v2/pkg/runtime"

	"inselnetz/app/api"
)

// mainCommand opens the window on a node in the same process.
func mainCommand(e *env) func(context.Context) error {
	var f nodeFlags
	f.add(e)
	return func(ctx context.Context) error {
		if len(e.rest) > 0 {
			return errUsage
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		n, err := openNode(ctx, e, f)
		if err != nil {
			// who starts a window reads no terminal
			return errors.Join(err, open(ctx, apology(e, err), func(context.Context) {}))
		}
		stopped := make(chan error, 1)
		go func() { stopped <- n.run(ctx) }()
		err = open(ctx, n.server.Window(), func(window context.Context) {
			go func() { // ends with ctx, before main does
				_ = n.server.Listen(ctx, func(ev api.Event) error {
					runtime.EventsEmit(window, "changed", ev)
					return nil
				})
			}()
		})
		stop()
		return errors.Join(err, <-stopped, n.close())
	}
}

// open shows a window until it is closed or ctx ends.
func open(ctx context.Context, page http.Handler, ready func(window context.Context)) error {
	return wails.Run(&options.App{
		Title: "Inselnetz", Width: 1280, Height: 800, MinWidth: 360, MinHeight: 480,
		BackgroundColour: &options.RGBA{R: 0xef, G: 0xeb, B: 0xe2, A: 255},
		AssetServer:      &assetserver.Options{Handler: page},
		Linux:            &linux.Options{ProgramName: "inselnetz"},
		OnStartup: func(window context.Context) {
			context.AfterFunc(ctx, func() { runtime.Quit(window) })
			ready(window)
		},
	})
}

var apologyPage = template.Must(template.New("").Parse(`<!doctype html><meta charset="utf-8"><title>Inselnetz</title>
<style>body{font:16px/1.5 system-ui,sans-serif;background:#efebe2;color:#192123;margin:15vh auto;max-width:34em;padding:0 2em}</style>
<h1>{{.Sentence}}</h1><p>{{.Next}}</p>`))

// apology is a page that says why there is no other.
func apology(e *env, err error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = apologyPage.Execute(w, e.phrase(err)) // the window may be gone
	})
}
