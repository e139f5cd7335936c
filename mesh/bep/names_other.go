//go:build !windows

package bep

// slashOnWindows is what a backslash in a path stands for: here itself.
const slashOnWindows = "\\"
