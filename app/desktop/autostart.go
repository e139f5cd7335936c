package desktop

import (
	"strings"
)

// Autostart is the entry by which the program starts when the person logs in.
// Its state is the system's: people also switch it off there.
type Autostart struct {
	Program string   // path of the program
	Args    []string // it is started with these
	dir     string   // where the entry lies; empty: the usual place (for tests)
}

// execLine writes a command as the Exec key of a desktop entry wants it: each
// argument in quotes, "%" doubled, then backslashes once more as in any value.
func execLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		a = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`, `%`, `%%`).Replace(a)
		quoted[i] = `"` + strings.ReplaceAll(a, `\`, `\\`) + `"`
	}
	return strings.Join(quoted, " ")
}

// xdgEntry is a desktop entry of the autostart directory.
func xdgEntry(args []string) string {
	return "[Desktop Entry]\nType=Application\nName=Inselnetz\nIcon=inselnetz\nExec=" + execLine(args) +
		"\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
}

// xdgOn reports whether a desktop entry starts this command: the person may have
// switched it off in the system's own list, or another copy may have written it.
func xdgOn(entry string, args []string) bool {
	exec, group := "", ""
	for line := range strings.Lines(entry) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			group = line
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case group != "[Desktop Entry]":
		case key == "Hidden" && value == "true", key == "X-GNOME-Autostart-enabled" && value == "false":
			return false
		case key == "Exec":
			exec = value
		}
	}
	return exec == execLine(args)
}

var xmlText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// agentPlist is a LaunchAgent of macOS.
func agentPlist(label string, args []string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>Label</key><string>` + xmlText.Replace(label) + `</string><key>ProgramArguments</key><array>`)
	for _, a := range args {
		b.WriteString("<string>" + xmlText.Replace(a) + "</string>")
	}
	b.WriteString("</array><key>RunAtLoad</key><true/></dict></plist>\n")
	return b.String()
}

func (a Autostart) command() []string { return append([]string{a.Program}, a.Args...) }
