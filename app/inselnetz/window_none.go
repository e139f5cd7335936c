//go:build !desktop

package main

import "context"

// hasWindow says whether this build has a window.
const hasWindow = false

// mainCommand starts a node: this build has no window.
func mainCommand(e *env) func(context.Context) error { return serveCommand(e) }

func windowCommand(*env) func(context.Context) error { return nil }
