//go:build !desktop

package main

import "context"

// mainCommand starts a node: this build has no window.
func mainCommand(e *env) func(context.Context) error { return serveCommand(e) }
