package app

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// A keepsake is what a device must still know when its database is gone: which
// workspace it belongs to, and the control entries that admit it. They hold its
// keys (sealed to it), and with the keys the others let it fetch all the rest.
// It is a file of its own beside the identity.
type keepsake struct {
	Version   int         `json:"version"`
	Workspace string      `json:"workspace"`
	Entries   []keptEntry `json:"entries"` // what they build on comes first
}

type keptEntry struct {
	Workspace   string `json:"workspace"` // of the log; zero for the founder's first
	Device      string `json:"device"`
	Incarnation string `json:"incarnation"`
	Entry       []byte `json:"entry"`
}

const keepsakeFile = "membership.json"

// keep writes the keepsake if it is not what it should be.
func (w *Workspace) keep(st *access.State) error {
	own, ok := st.Devices[w.self]
	if !ok || own.Entry == w.kept {
		return nil
	}
	k := keepsake{Version: 1, Workspace: st.Workspace.String()}
	for _, a := range st.Closure(own.Entry) {
		k.Entries = append(k.Entries, keptEntry{
			Workspace: a.Card.Workspace.String(), Device: a.Card.Device.String(),
			Incarnation: hex.EncodeToString(a.Card.Incarnation[:]), Entry: a.Entry.Bytes(),
		})
	}
	raw, err := json.MarshalIndent(k, "", "\t")
	if err != nil {
		return err
	}
	path := filepath.Join(w.dir, keepsakeFile)
	if old, err := os.ReadFile(path); err != nil || !bytes.Equal(old, raw) {
		if err := writeFile(path, raw); err != nil {
			return err
		}
	}
	w.kept = own.Entry
	return nil
}

// readKeepsake returns the workspace and the entries of the keepsake; none is no
// error.
func readKeepsake(dir string) (ws log.WorkspaceID, entries []access.Authored, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, keepsakeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return ws, nil, nil
	}
	if err != nil {
		return ws, nil, err
	}
	var k keepsake
	if err := json.Unmarshal(raw, &k); err != nil || k.Version != 1 || unhex(ws[:], k.Workspace) != nil {
		return ws, nil, fmt.Errorf("%s is damaged: %v", keepsakeFile, err)
	}
	for i, e := range k.Entries {
		a := access.Authored{Card: log.Card{Space: log.Control}}
		dev, err := log.ParseDeviceID(e.Device)
		if err = errors.Join(err, unhex(a.Card.Workspace[:], e.Workspace), unhex(a.Card.Incarnation[:], e.Incarnation)); err != nil {
			return ws, nil, fmt.Errorf("%s is damaged: entry %d: %w", keepsakeFile, i, err)
		}
		a.Card.Device = dev
		if a.Entry, err = log.Decode(e.Entry); err != nil {
			return ws, nil, fmt.Errorf("%s is damaged: entry %d: %w", keepsakeFile, i, err)
		}
		entries = append(entries, a)
	}
	return ws, entries, nil
}

func unhex(to []byte, s string) error {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(to) {
		return fmt.Errorf("%q is not %d bytes in hexadecimal", s, len(to))
	}
	copy(to, b)
	return nil
}

// recall takes up the workspace of the keepsake after the database was lost.
func (w *Workspace) recall(ctx context.Context) (bool, error) {
	ws, entries, err := readKeepsake(w.dir)
	if err != nil {
		w.log.Warn("membership", "err", err) // joining again is always possible
		return false, nil
	}
	if len(entries) == 0 {
		return false, nil
	}
	for _, a := range entries {
		if _, err := w.store.Import(ctx, a.Card, []*log.Entry{a.Entry}, true); err != nil {
			w.log.Warn("take over membership", "err", err)
		}
	}
	if err := w.store.Put(metaWorkspace, ws[:]); err != nil {
		return false, storeProblem(err, w.dir)
	}
	w.log.Info("took up the membership kept beside the database")
	return true, w.enter(ctx, ws)
}
