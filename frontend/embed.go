// Package frontend holds the page that the window and a browser show, as built
// by Vite.
package frontend

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built page, and whether it was built: a fresh checkout
// compiles before the first npm build and then has no page to show.
func Files() (fs.FS, bool) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return dist, false // cannot happen: the embed directive names dist
	}
	_, err = fs.Stat(files, "index.html")
	return files, err == nil
}
