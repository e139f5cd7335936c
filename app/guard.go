package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"inselnetz/crdt/log"
)

// The guard answers one question at each start: is this data directory
// certainly the only continuation of its logs? A restored backup, a cloned disk
// or a copied folder is not, and must write into new logs, else two entries
// would share one place.
//
// It compares two things that an old copy of the directory cannot know:
//   - where the directory lies (machine, path, the file number of the identity);
//   - how many own entries were written, in a file outside the directory.
//
// The database commits first, the outside count follows without fsync. After a
// crash the count may therefore lag behind the database: then a new log begins
// too, which costs 200 bytes and is not worth a word to anybody. A count that is
// ahead of the database means an old copy was restored.

// suspicion says why a new incarnation must begin.
type suspicion int

const (
	certain  suspicion = iota
	crashed            // the count lags behind: a crash or power cut
	first              // there was no guard before
	moved              // other machine, other folder, other file
	restored           // the count is ahead: entries were written that are not here
)

func (s suspicion) String() string {
	return [...]string{"certain", "crashed", "first", "moved", "restored"}[s]
}

// judge decides from what the database holds and what was found outside.
func judge(before, now where, db, outside mark, found bool) suspicion {
	switch {
	case before.Place == "":
		return first
	case before.Place != now.Place, disjoint(before.Cards, now.Cards):
		return moved
	case !found || outside.count < db.count:
		return crashed
	case outside != db:
		return restored
	default:
		return certain
	}
}

// A mark sums up the logs a device continues: how many entries, and which.
type mark struct {
	count  uint64
	digest [16]byte
}

// guardFile is the count outside the data directory.
type guardFile struct {
	f *os.File
}

// where a data directory lies, so that a copy of it is elsewhere. A cloned disk
// has everything in common with its original but the network cards; of those
// one in common is enough, for docks and dongles come and go.
type where struct {
	Place string   `json:"place"` // sum of machine, path and file number
	Cards []string `json:"cards"` // hardware addresses of the network cards
}

func disjoint(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	return !slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// whereIs looks at a data directory.
func whereIs(dir string) (w where, err error) {
	if w.Place, err = place(dir); err != nil {
		return w, err
	}
	ifaces, _ := net.Interfaces() // none is as good as unknown
	for _, i := range ifaces {
		// locally administered addresses are made up anew by software
		if len(i.HardwareAddr) == 6 && i.HardwareAddr[0]&2 == 0 {
			w.Cards = append(w.Cards, i.HardwareAddr.String())
		}
	}
	return w, nil
}

func place(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	file, err := fileNumber(filepath.Join(dir, identityFile))
	if err != nil {
		return "", fmt.Errorf("look at data directory: %w", err)
	}
	h := sha256.Sum256([]byte(machine() + "\x00" + abs + "\x00" + file))
	return hex.EncodeToString(h[:]), nil
}

// machine names this computer as far as the system tells.
func machine() string {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if b, err := os.ReadFile(path); err == nil && len(b) > 8 {
			return string(b)
		}
	}
	name, _ := os.Hostname() // an unknown name only makes the guess coarser
	return name
}

// openGuard opens the outside count of a device at a place.
func openGuard(stateDir string, dev log.DeviceID, place string) (g *guardFile, m mark, found bool, err error) {
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return nil, m, false, err
	}
	h := sha256.Sum256(append(dev[:], place...))
	path := filepath.Join(stateDir, hex.EncodeToString(h[:12])+".count")
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, m, false, err
	}
	count, digest, ok := strings.Cut(string(bytes.TrimSpace(raw)), " ")
	sum, derr := hex.DecodeString(digest)
	if n, perr := strconv.ParseUint(count, 10, 64); ok && perr == nil && derr == nil && len(sum) == len(m.digest) {
		m, found = mark{count: n, digest: [16]byte(sum)}, true
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, m, false, err
	}
	return &guardFile{f: f}, m, found, nil
}

// set writes the mark in place: always of the same length, one write, no fsync.
func (g *guardFile) set(m mark) error {
	if g == nil {
		return nil
	}
	_, err := g.f.WriteAt(fmt.Appendf(nil, "%020d %x\n", m.count, m.digest), 0)
	return err
}

func (g *guardFile) close() {
	if g != nil {
		_ = g.f.Close() // the count is advisory; see the package comment on crashes
	}
}
