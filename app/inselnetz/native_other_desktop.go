//go:build desktop && !linux

package main

import (
	"github.com/wailsapp/wails/v2/pkg/options"
	"github.com/wailsapp/wails/v2/pkg/options/windows"
)

// nativeStart does nothing: spelling is checked by the system's webview as the
// person set it.
func nativeStart(float64) {}

func nativeZoom(float64) {}

// nativeOptions lets the webview zoom by itself, from where it was.
func nativeOptions(o *options.App, zoom float64) {
	o.Windows = &windows.Options{ZoomFactor: zoom, IsZoomControlEnabled: true}
}

// pageZooms: the webview has its own keys; the page only tells what they did.
const pageZooms = false
