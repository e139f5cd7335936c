package desktop

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"git.sr.ht/~jackmordaunt/go-toast/v2/wintoast"
)

// A Notifier shows toasts.
type Notifier struct{}

const (
	appID  = "Inselnetz"
	appKey = "{6C1B7D5E-2F0B-4E4C-9A1D-5B6B0F3E7A21}" // of the class that toasts call; made up once
)

// NewNotifier returns nil if the registry cannot be written, which names the
// program in toasts.
func NewNotifier(_ context.Context, answers Answers) *Notifier {
	icon := filepath.Join(os.TempDir(), "inselnetz-toast.png")
	if os.WriteFile(icon, Icon, 0o600) != nil {
		icon = "" // toasts go without
	}
	exe, err := os.Executable()
	if err != nil {
		return nil
	}
	// a click on a toast that outlived the program starts it with -Embedding
	if wintoast.SetAppData(wintoast.AppData{AppID: appID, GUID: appKey, IconPath: icon, ActivationExe: exe}) != nil {
		return nil
	}
	wintoast.SetActivationCallback(func(_, args string, data []wintoast.UserData) {
		if tag, ok := strings.CutPrefix(args, openArg); ok {
			answers.Open(tag)
		}
		if tag, ok := strings.CutPrefix(args, replyArg); ok {
			for _, d := range data {
				if d.Key == toastField && strings.TrimSpace(d.Value) != "" {
					answers.Reply(tag, d.Value)
				}
			}
		}
	})
	return &Notifier{}
}

// Show shows a toast.
func (*Notifier) Show(_ context.Context, note Note) error {
	return wintoast.Push(appID, toastXML(note))
}
