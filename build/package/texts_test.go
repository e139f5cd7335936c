package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func text(t *testing.T, path ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestInstallerTexts: what the installer says it says in German and English, and
// what it can say it does say.
func TestInstallerTexts(t *testing.T) {
	script, texts := text(t, "windows", "installer.nsi"), text(t, "windows", "texts.nsh")
	said := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^!insertmacro Text (\w+) \\\n  "(.+)" \\\n  "(.+)"$`).FindAllStringSubmatch(texts, -1) {
		name, german, english := m[1], m[2], m[3]
		said[name] = true
		if german == english || strings.Count(german, "$") != strings.Count(english, "$") {
			t.Errorf("%s: %q and %q are no translations", name, german, english)
		}
		if !strings.Contains(script, "$("+name+")") {
			t.Errorf("%s is never said", name)
		}
	}
	if n := strings.Count(texts, "!insertmacro Text "); n != len(said) {
		t.Errorf("%d of %d texts have both languages", len(said), n)
	}
	for _, m := range regexp.MustCompile(`"\$\((\w+)\)"`).FindAllStringSubmatch(script, -1) {
		if !said[m[1]] {
			t.Errorf("$(%s) has no text", m[1])
		}
	}
}

// TestUninstallerTakesBack: whatever the program or its installer writes into the
// registry, the uninstaller removes.
func TestUninstallerTakesBack(t *testing.T) {
	script := text(t, "windows", "installer.nsi")
	install, remove, ok := strings.Cut(script, `Section "Uninstall"`)
	if !ok {
		t.Fatal("no uninstaller")
	}
	for _, m := range regexp.MustCompile(`WriteReg(?:Str|DWORD) SHCTX "([^"]+)"`).FindAllStringSubmatch(install, -1) {
		root := regexp.MustCompile(`^(Software\\Classes\\inselnetz)\\.*`).ReplaceAllString(m[1], "$1")
		if !strings.Contains(remove, `DeleteRegKey SHCTX "`+root+`"`) {
			t.Errorf("%s stays", root)
		}
	}
	for _, source := range []string{"autostart_windows.go", "notify_windows.go"} {
		code := text(t, "..", "..", "app", "desktop", source)
		for _, m := range regexp.MustCompile("(?m)(?:runKey|approvedKey) += `(.+)`|appKey += \"(.+?)\"").FindAllStringSubmatch(code, -1) {
			if key := m[1] + m[2]; !strings.Contains(remove, key) {
				t.Errorf("%s writes %s, which stays", source, key)
			}
		}
	}
}

// TestQuestions: DSM's questions are the same in both languages.
func TestQuestions(t *testing.T) {
	keys := regexp.MustCompile(`"key": "\w+"`)
	for _, name := range []string{"install_uifile", "uninstall_uifile"} {
		english, german := text(t, "synology", "WIZARD_UIFILES", name), text(t, "synology", "WIZARD_UIFILES", name+"_ger")
		for _, s := range []string{english, german} {
			if !json.Valid([]byte(s)) {
				t.Errorf("%s is no JSON: %s", name, s)
			}
		}
		if e, g := keys.FindAllString(english, -1), keys.FindAllString(german, -1); len(e) == 0 || !slices.Equal(e, g) {
			t.Errorf("%s asks for %v in English and %v in German", name, e, g)
		}
	}
}

// TestServices: the unit, the image and the NAS package start the same node,
// with its page for the office's browsers.
func TestServices(t *testing.T) {
	for what, line := range map[string]string{
		"systemd": text(t, "linux", "inselnetz.service"),
		"dsm":     text(t, "synology", "scripts", "start-stop-status"),
		"image":   strings.Join(settings(order{}).Cmd, " "),
	} {
		for _, flag := range []string{"serve", "--secrets file", "--archive", "--files", "--https auto", "--http auto"} {
			if !strings.Contains(line, flag) {
				t.Errorf("%s starts without %s", what, flag)
			}
		}
	}
}

// TestCommandsAreWritten: flags come behind the command, else the program does not
// take them.
func TestCommandsAreWritten(t *testing.T) {
	for _, path := range []string{"linux/INSTALL.txt", "linux/inselnetz.service", "README.md"} {
		if m := regexp.MustCompile(`(?m)^[ #]*(?:sudo )?inselnetz --\w+.*`).FindString(text(t, path)); m != "" {
			t.Errorf("%s: %q", path, m)
		}
	}
}
