package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"inselnetz/app/folder"
	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/mesh/bep"
)

// phones are the stock Syncthing devices of this device and the gateway to them.
type phones struct {
	soon chan struct{} // the settings changed
	set  sync.Mutex    // one at a time changes the settings or makes the certificate
	tell coalescer

	mu      sync.Mutex
	gateway *bep.Gateway // nil: does not run
	err     error        // why not
}

func newPhones() phones { return phones{soon: make(chan struct{}, 1)} }

// phoneSet is one device as the settings have it.
type phoneSet struct {
	ID     bep.DeviceID  `json:"id"`
	Name   string        `json:"name"`
	Addr   string        `json:"addr,omitempty"`
	Spaces []log.SpaceID `json:"spaces"`
}

const (
	metaPhones   = "phones" // the list of phoneSet as JSON
	phoneCert    = "syncthing.sealed"
	phoneDefault = 22000 // Syncthing's port
)

// runPhones keeps the gateway running while folders are shared with such devices.
func (w *Workspace) runPhones(ctx context.Context) error {
	select {
	case <-w.member:
	case <-ctx.Done():
		return nil
	}
	for ctx.Err() == nil {
		list, err := w.phoneSets()
		if err == nil && len(list) > 0 {
			err = w.gateway(ctx, list)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			w.log.Warn("gateway to Syncthing devices", "err", err)
		}
		w.phones.mu.Lock()
		w.phones.err = err
		w.phones.mu.Unlock()
		if err != nil || len(list) == 0 {
			select {
			case <-w.phones.soon:
			case <-time.After(time.Minute): // the port may be free again
			case <-ctx.Done():
			}
		}
	}
	return nil
}

// gateway runs until the settings change or ctx ends.
func (w *Workspace) gateway(ctx context.Context, list []phoneSet) error {
	cert, err := w.phoneCert()
	if err != nil {
		return err
	}
	changes, unsubscribe := w.Subscribe()
	defer unsubscribe()
	shares := map[log.SpaceID]*phoneFolder{}
	opts := bep.Options{
		Cert: cert, Name: "Inselnetz", State: phoneState(filepath.Join(w.dir, "phones")), Now: w.opts.Now, Log: w.log,
		OnChange: func() { w.phones.told(w) },
	}
	st := w.snapshot()
	for _, p := range list {
		d := bep.Device{ID: p.ID, Name: p.Name}
		if p.Addr != "" {
			d.Addrs = []string{p.Addr}
		}
		for _, space := range p.Spaces {
			d.Folders = append(d.Folders, shareID(space))
			if shares[space] == nil {
				shares[space] = &phoneFolder{w: w, space: space, news: make(chan struct{}, 1)}
				opts.Shares = append(opts.Shares, bep.Share{ID: shareID(space), Label: w.phoneLabel(st, space), Folder: shares[space]})
			}
		}
		opts.Devices = append(opts.Devices, d)
	}
	g, err := w.openGateway(opts)
	if err != nil {
		return err
	}
	run, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = g.Run(run) // it ends with run
	}()
	w.phones.put(g)
	w.changed("files", "")
	defer func() {
		w.phones.put(nil)
		stop()
		<-done
	}()
	for {
		select {
		case c := <-changes:
			for space, p := range shares {
				if c.What == "files" && (c.ID == "" || c.ID == space.String()) {
					select {
					case p.news <- struct{}{}:
					default:
					}
				}
			}
		case <-w.phones.soon:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// openGateway opens it at the usual port, or at a free one.
func (w *Workspace) openGateway(opts bep.Options) (*bep.Gateway, error) {
	port := w.opts.PhonePort
	switch {
	case port < 0:
		return bep.Open(opts)
	case port > 0:
		opts.Listen = fmt.Sprintf(":%d", port)
		return bep.Open(opts)
	}
	opts.Listen = fmt.Sprintf(":%d", phoneDefault)
	g, err := bep.Open(opts)
	if err != nil { // a Syncthing may run on this device
		opts.Listen = ":0"
		g, err = bep.Open(opts)
	}
	return g, err
}

func (p *phones) put(g *bep.Gateway) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gateway = g
}

func (p *phones) running() (*bep.Gateway, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gateway, p.err
}

// told tells pages that something changed with a phone, not for every single file.
// It names no space: that would have the gateway read the folder again.
func (p *phones) told(w *Workspace) {
	p.tell.want(500*time.Millisecond, func() { w.changed("files", "phones") })
}

// shareID is the id of a space's folder for Syncthing, which must be the same on
// both sides.
func shareID(space log.SpaceID) string { return "inselnetz-" + strings.ToLower(space.String()) }

func (w *Workspace) phoneLabel(st *access.State, space log.SpaceID) string {
	if space == w.everyone() {
		return access.ShowName(st.Office)
	}
	return w.spaceTitle(st, space, access.PersonID{})
}

// phoneCert returns the certificate that names this device for Syncthing devices.
// It is made once.
func (w *Workspace) phoneCert() (tls.Certificate, error) {
	w.phones.set.Lock()
	defer w.phones.set.Unlock()
	var pair struct{ Cert, Key []byte }
	raw, err := w.id.openFile(phoneCert)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if pair.Cert, pair.Key, err = bep.NewCertificate(w.opts.Now()); err != nil {
			return tls.Certificate{}, err
		}
		if raw, err = json.Marshal(pair); err != nil {
			return tls.Certificate{}, err
		}
		if err := w.id.sealFile(phoneCert, raw); err != nil {
			return tls.Certificate{}, err
		}
	case err != nil:
		return tls.Certificate{}, err
	default:
		if err := json.Unmarshal(raw, &pair); err != nil {
			return tls.Certificate{}, fmt.Errorf("read %s: %w", phoneCert, err)
		}
	}
	return tls.X509KeyPair(pair.Cert, pair.Key)
}

func (w *Workspace) phoneSets() (list []phoneSet, err error) {
	return list, w.getJSON(metaPhones, &list)
}

// changePhones changes the settings and has the gateway begin anew.
func (w *Workspace) changePhones(change func([]phoneSet) []phoneSet) error {
	w.phones.set.Lock()
	defer w.phones.set.Unlock()
	list, err := w.phoneSets()
	if err != nil {
		return storeProblem(err, w.dir)
	}
	list = slices.DeleteFunc(change(list), func(p phoneSet) bool { return len(p.Spaces) == 0 })
	if err := w.putJSON(metaPhones, list); err != nil {
		return storeProblem(err, w.dir)
	}
	select {
	case w.phones.soon <- struct{}{}:
	default:
	}
	w.changed("files", "")
	return nil
}

// A Phone is a stock Syncthing device that a folder is shared with.
type Phone struct {
	ID        string
	Name      string
	Connected bool
	Left      int    // files not in sync yet
	Problem   string // "accept", "paused", "encrypted", "held", or what went wrong
}

// Phones are the stock Syncthing devices of this device, and how it is known to
// them.
type Phones struct {
	ID     string
	Addr   string // where it listens
	Phones []Phone
}

// Phones returns the stock Syncthing devices that folders are shared with, or
// that one space's folder is.
func (w *Workspace) Phones(space *log.SpaceID) (Phones, error) {
	list, err := w.phoneSets()
	if err != nil {
		return Phones{}, storeProblem(err, w.dir)
	}
	g, gerr := w.phones.running()
	var out Phones
	if space == nil {
		cert, err := w.phoneCert()
		if err != nil {
			return Phones{}, storeProblem(err, w.dir)
		}
		out.ID = bep.IDOf(cert).String()
	}
	status := map[bep.DeviceID]bep.DeviceStatus{}
	if g != nil {
		st := g.Status()
		out.Addr = reachable(st.Listen)
		for _, d := range st.Devices {
			status[d.ID] = d
		}
	}
	for _, p := range list {
		if space == nil || slices.Contains(p.Spaces, *space) {
			row := phoneRow(p, status[p.ID], space)
			if gerr != nil && row.Problem == "" {
				row.Problem = gerr.Error()
			}
			out.Phones = append(out.Phones, row)
		}
	}
	slices.SortFunc(out.Phones, func(a, b Phone) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

func phoneRow(p phoneSet, d bep.DeviceStatus, space *log.SpaceID) Phone {
	row := Phone{ID: p.ID.String(), Name: p.Name, Connected: d.Connected, Problem: d.Err}
	for _, f := range d.Folders {
		if space != nil && f.Share != shareID(*space) {
			continue
		}
		row.Left += f.Theirs + f.Ours
		switch {
		case f.Held != nil:
			row.Problem = "held"
			row.Left += f.Held.Changed + f.Held.Deleted + f.Held.New
		case row.Problem != "":
		case f.Waits != bep.WaitsNot && f.Waits != bep.WaitsDevice:
			row.Problem = string(f.Waits)
		case len(f.Errors) > 0:
			row.Problem = f.Errors[0].Path + ": " + f.Errors[0].Err
		}
	}
	return row
}

// reachable turns an address that is listened on into one that people can enter
// on a phone: the first of this device in a local network.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		return listen
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsPrivate() {
			return net.JoinHostPort(n.IP.String(), port)
		}
	}
	return net.JoinHostPort("localhost", port)
}

// SetPhone shares a space's folder with a stock Syncthing device.
func (w *Workspace) SetPhone(_ context.Context, space log.SpaceID, id, name, addr string) error {
	if _, err := w.sharedFolder(space); err != nil {
		return err
	}
	dev, err := bep.ParseDeviceID(strings.TrimSpace(id))
	if err != nil {
		return &Problem{Code: "bad-phone", Field: "id", Err: err}
	}
	cert, err := w.phoneCert()
	if err != nil {
		return storeProblem(err, w.dir)
	}
	if dev == bep.IDOf(cert) {
		return &Problem{Code: "bad-phone", Field: "id"}
	}
	addr = strings.TrimSpace(addr)
	if addr != "" && !goodAddr(addr) {
		return &Problem{Code: "bad-request", Args: []any{"addr"}, Field: "addr"}
	}
	if name = strings.TrimSpace(name); name == "" {
		name = dev.String()[:7]
	}
	return w.changePhones(func(list []phoneSet) []phoneSet {
		i := slices.IndexFunc(list, func(p phoneSet) bool { return p.ID == dev })
		if i < 0 {
			return append(list, phoneSet{dev, name, addr, []log.SpaceID{space}})
		}
		p := &list[i]
		p.Name, p.Addr = name, addr
		if !slices.Contains(p.Spaces, space) {
			p.Spaces = append(p.Spaces, space)
		}
		return list
	})
}

// goodAddr reports whether an address can be dialed: host or host:port, with or
// without tcp://.
func goodAddr(addr string) bool {
	addr = strings.TrimPrefix(addr, "tcp://")
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return !strings.ContainsAny(addr, " /")
	}
	n, err := strconv.Atoi(port)
	return err == nil && n > 0 && n < 1<<16 && host != ""
}

// RemovePhone ends that. What is on the device stays there.
func (w *Workspace) RemovePhone(_ context.Context, space log.SpaceID, id string) error {
	dev, err := bep.ParseDeviceID(id)
	if err != nil {
		return &Problem{Code: "bad-phone", Field: "id", Err: err}
	}
	return w.changePhones(func(list []phoneSet) []phoneSet {
		for i := range list {
			if list[i].ID == dev {
				list[i].Spaces = slices.DeleteFunc(list[i].Spaces, func(s log.SpaceID) bool { return s == space })
			}
		}
		return list
	})
}

// DecidePhone accepts or discards changes of such a device that are held.
func (w *Workspace) DecidePhone(ctx context.Context, space log.SpaceID, id string, accept bool) error {
	dev, err := bep.ParseDeviceID(id)
	if err != nil {
		return &Problem{Code: "bad-phone", Field: "id", Err: err}
	}
	g, err := w.phones.running()
	if g == nil {
		return because("phones-off", err, fmt.Sprint(err))
	}
	if accept {
		err = g.Accept(ctx, shareID(space), dev)
	} else {
		err = g.Discard(ctx, shareID(space), dev)
	}
	switch {
	case errors.Is(err, bep.ErrUnknown):
		return because("not-held", err)
	case err != nil:
		return because("phones-off", err, err.Error())
	}
	w.changed("files", space.String())
	return nil
}

// phoneHolds returns the phones whose changes to a space's folder are held.
func (w *Workspace) phoneHolds(space log.SpaceID) (out []FileHold) {
	g, _ := w.phones.running()
	if g == nil {
		return nil
	}
	for _, d := range g.Status().Devices {
		for _, f := range d.Folders {
			if f.Share != shareID(space) || f.Held == nil {
				continue
			}
			h := FileHold{Phone: d.ID.String(), By: FileBy{Name: d.Name, Device: d.Name}}
			h.Hold = folder.Hold{
				Why: folder.HeldMany, Since: f.Held.Since, Window: 5 * time.Minute,
				Files: f.Held.Changed + f.Held.Deleted + f.Held.New, Sample: f.Held.Paths[:min(len(f.Held.Paths), 20)],
			}
			if f.Held.Encrypted {
				h.Why = folder.HeldEncrypted
			}
			out = append(out, h)
		}
	}
	return out
}

// phoneState keeps what the gateway remembers, a file per share.
type phoneState string

func (s phoneState) Load(share string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(string(s), share))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (s phoneState) Save(share string, data []byte) error {
	if err := os.MkdirAll(string(s), 0o700); err != nil {
		return err
	}
	name := filepath.Join(string(s), share)
	tmp, err := os.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
