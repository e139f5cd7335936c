package desktop

import (
	"context"
	"os/exec"
)

// A Notifier shows notifications by AppleScript, which cannot be answered.
type Notifier struct{}

// NewNotifier returns a Notifier.
func NewNotifier(context.Context, Answers) *Notifier { return &Notifier{} }

// Show shows a notification. Its words are arguments, never part of the script.
func (*Notifier) Show(ctx context.Context, note Note) error {
	return exec.CommandContext(ctx, "osascript", "-e", "on run argv", "-e",
		"display notification (item 1 of argv) with title (item 2 of argv)", "-e", "end run", note.Text, note.Title).Run()
}
