package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"inselnetz/app"
	"inselnetz/app/api"
	"inselnetz/app/desktop"
	"inselnetz/app/vault"
	"inselnetz/frontend"
	"inselnetz/mesh"
	"inselnetz/mesh/lan"
)

// defaultPage is where the page is served on this computer.
const defaultPage = "127.0.0.1:21980"

// A node is everything that runs: workspace, API and the loopback page.
type node struct {
	ws     *app.Workspace
	server *api.Server
	page   net.Listener
	http   *http.Server
	data   string
}

// nodeFlags are what serve and the window take.
type nodeFlags struct {
	page     string
	port     int
	beacon   int
	loopback bool
	secrets  string
	files    string
	archive  bool
	phones   int
	web      api.WebOptions
	webNames list
}

func (f *nodeFlags) add(e *env) {
	e.flags.StringVar(&f.page, "page", "", "loopback `address` of the page (default "+defaultPage+", or a free one)")
	e.flags.IntVar(&f.port, "port", 0, "network `port`, TCP and UDP (default 21960, or a free one)")
	e.flags.IntVar(&f.beacon, "beacon-port", 0, "UDP `port` of the beacons (default 21961; the same for the whole office)")
	e.flags.BoolVar(&f.loopback, "loopback", false, "talk over 127.0.0.1 alone, for trying several nodes on one computer")
	e.flags.StringVar(&f.secrets, "secrets", "auto", "where a new device's master key lies: `auto` is the system's key store if there is one, or file")
	e.flags.StringVar(&f.files, "files", "", "`directory` in which shared folders lie (default Inselnetz in your home, or files beside other data given with --data); - for none")
	e.flags.IntVar(&f.phones, "syncthing-port", 0, "TCP `port` for Syncthing devices a folder is shared with (default 22000, or a free one; -1: do not listen)")
	e.flags.StringVar(&f.web.HTTPS, "https", "", "`address` of the page for browsers of the local network, such as :443; auto: port 443 if allowed and free, else 21963; off: never (default as switched on the page)")
	e.flags.StringVar(&f.web.HTTP, "http", "auto", "`address` of the welcome page beside it, which only explains and links; auto: port 80 if allowed and free, else 21964; off: none")
	e.flags.Var(&f.webNames, "https-name", "further host `name` or private address by which browsers reach the page, such as the host's of a container; may be given several times")
	e.flags.BoolVar(&f.archive, "archive", false, "keep every version of files for the whole time, whatever room it takes: for a NAS")
}

func serveCommand(e *env) func(context.Context) error {
	var f nodeFlags
	f.add(e)
	return func(ctx context.Context) error {
		if len(e.rest) > 0 {
			return errUsage
		}
		return serve(ctx, e, f)
	}
}

// serve runs a node until ctx ends.
func serve(ctx context.Context, e *env, f nodeFlags) error {
	n, err := openNode(ctx, e, f, nil)
	if err != nil {
		return err
	}
	first := n.server.PageAddress()
	if e.json {
		err = e.print(api.Page{Address: first})
	} else {
		_, err = fmt.Fprintf(e.out, e.pick("Inselnetz läuft. Diese Adresse öffnet die Seite einmal, auf diesem Computer:\n\n    %s\n\nEine neue Adresse gibt: inselnetz open\nBeenden mit Strg+C.\n",
			"Inselnetz is running. This address opens the page once, on this computer:\n\n    %s\n\nA fresh address: inselnetz open\nStop with Ctrl+C.\n"), first)
	}
	return errors.Join(err, n.run(ctx), n.close())
}

// openNode builds the parts; reading it shows the whole program. The resident is
// the desktop program around it, nil if there is none.
func openNode(ctx context.Context, e *env, f nodeFlags, resident *api.Resident) (*node, error) {
	level := slog.LevelInfo
	if e.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(e.err, &slog.HandlerOptions{Level: level}))
	listener, err := listen(f.page)
	if err != nil {
		return nil, err
	}
	var keys vault.KeyStore
	switch f.secrets {
	case "auto":
		keys = vault.System()
	case "file":
	default:
		return nil, errors.Join(errUsage, listener.Close())
	}
	ws, err := app.Open(ctx, e.data, app.Options{
		Log: log, State: e.state, Version: version, KeyStore: keys, Disk: diskState, Metered: desktop.Metered, Files: filesPlace(f.files, e.data), Archive: f.archive, PhonePort: f.phones,
		Net: func(ctx context.Context, key ed25519.PrivateKey) (mesh.Transport, error) {
			return lan.New(ctx, lan.Options{Key: key, Port: f.port, BeaconPort: f.beacon, Loopback: f.loopback, Log: log})
		},
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	page, _ := frontend.Files()
	n := &node{ws: ws, server: api.New(ws, api.Options{Log: log, Page: page, Open: opener(), Resident: resident}), page: listener, data: e.data}
	handler, token := n.server.Loopback(listener.Addr())
	n.http = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	if err := n.tellContact(contact{Addr: listener.Addr().String(), Token: token}); err != nil {
		return nil, errors.Join(err, ws.Close(), listener.Close())
	}
	f.web.Names, f.web.Loopback = f.webNames, f.loopback
	n.server.ServeWeb(f.web)
	return n, nil
}

// diskState says whether a directory's disk is encrypted, as devices tell each
// other: 0 unknown, 1 yes, 2 no.
func diskState(dir string) uint64 {
	switch state, _ := app.DiskEncrypted(dir); state {
	case app.DiskYes:
		return 1
	case app.DiskNo:
		return 2
	}
	return 0
}

// listen opens the page's address. Only loopback is allowed: the page has no
// encryption of its own.
func listen(addr string) (net.Listener, error) {
	if addr == "" {
		if l, err := net.Listen("tcp4", defaultPage); err == nil {
			return l, nil
		}
		return net.Listen("tcp4", "127.0.0.1:0")
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("page address: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || ip.To4() == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("page address %s: only 127.0.0.1 is allowed, the page has no encryption of its own", addr)
	}
	l, err := net.Listen("tcp4", addr)
	if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, windowsInUse) {
		return nil, &app.Problem{Code: "port-taken", Args: []any{addr}, Err: err}
	}
	return l, err
}

// windowsInUse is WSAEADDRINUSE.
const windowsInUse = syscall.Errno(10048)

func (n *node) tellContact(c contact) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	path := filepath.Join(n.data, contactFile)
	tmp := path + ".new"
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return fmt.Errorf("tell the command line where to call: %w", err)
	}
	return os.Rename(tmp, path)
}

// run serves until ctx ends.
func (n *node) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.ws.Run(ctx) })
	g.Go(func() error { return n.server.Run(ctx) })
	g.Go(func() error {
		if err := n.http.Serve(n.page); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve page: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		return n.http.Close()
	})
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (n *node) close() error {
	_ = os.Remove(filepath.Join(n.data, contactFile)) // stale ones are told apart by no answer
	return n.ws.Close()
}
