package app

import (
	"inselnetz/app/vault"
	"inselnetz/crdt/access"
)

// A Check is one thing the doctor looked at.
type Check struct {
	Code  string // fixed word; app/api has a sentence for Code and State together
	State string // "ok" or a fixed word
	Level string // "ok", "info", "warn", "danger"
	Args  []any
}

// Doctor looks at this device from inside.
func (w *Workspace) Doctor() []Check {
	var out []Check
	add := func(code, state, level string, args ...any) { out = append(out, Check{code, state, level, args}) }
	if w.id.vault.Place() == vault.InKeyStore {
		add("secrets", "ok", "ok")
	} else {
		add("secrets", "file", "warn", w.dir)
	}
	switch w.diskNow() {
	case 1:
		add("disk", "ok", "ok")
	case 2:
		add("disk", "open", "warn")
	default:
		add("disk", "unknown", "info")
	}
	if w.store.Err() != nil {
		add("database", "damaged", "danger")
	} else {
		add("database", "ok", "ok")
	}
	if w.opts.Now().Before(oldestClock) {
		add("clock", "wrong", "warn")
	} else {
		add("clock", "ok", "ok", w.opts.Now().Format("2006-01-02 15:04"))
	}
	if copies, err := w.store.DamagedCopies(); err == nil && len(copies) > 0 {
		add("copies", "there", "warn", len(copies), w.dir)
	}
	if !w.store.Wiped() {
		add("erase", "waits", "warn")
	}
	st := w.snapshot()
	if st == nil {
		return out
	}
	if n := managers(st); n < 2 {
		add("managers", "one", "warn", n)
	} else {
		add("managers", "ok", "ok", n)
	}
	switch kit, _ := w.kitState(st); kit {
	case KitPrinted:
		add("kit", "ok", "ok")
	case KitWaiting:
		add("kit", "waiting", "warn")
	default:
		add("kit", "none", "warn")
	}
	return out
}

func (w *Workspace) diskNow() uint64 {
	if w.opts.Disk == nil {
		return 0
	}
	return w.disk()
}

// Audit returns every operation of the control space, in the order of what
// builds on what, with names as this device knows them.
func (w *Workspace) Audit() ([]access.Record, *access.State, error) {
	st := w.snapshot()
	if st == nil {
		return nil, nil, problem("not-member")
	}
	return st.Records(), st, nil
}

// SpaceTitle is the name of a space as this device may show it, empty if it is
// not known here.
func (w *Workspace) SpaceTitle(st *access.State, space [16]byte) string {
	return w.spaceTitle(st, space, access.PersonID(w.me()))
}
