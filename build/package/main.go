// Command package writes what goes to others and needs no tool of its own:
// tarballs, OCI images, Synology packages and the bill of materials. The same
// input gives the same bytes; the time everywhere is SOURCE_DATE_EPOCH.
// build/packages.sh calls it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

// order is what one call asks for.
type order struct {
	out     string // path of the file to write
	arch    string // amd64 or arm64
	version string // as the program says it
	build   string // number of the build, for formats that know only numbers
	dir     string // folder of templates, or name of the tarball's folder
	lock    string // npm's lock file
	time    time.Time
	rest    []string
}

const usage = "usage: package tarball|oci|spk|sbom -o FILE [-version V] [-build N] [-arch A] [-dir D] [-lock FILE] [NAME=]FILE …"

func run(args []string) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	var o order
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.StringVar(&o.out, "o", "", "`file` to write")
	flags.StringVar(&o.arch, "arch", "amd64", "amd64 or arm64")
	flags.StringVar(&o.version, "version", "0.0.0", "version")
	flags.StringVar(&o.build, "build", "0", "number of the build")
	flags.StringVar(&o.dir, "dir", "", "folder")
	flags.StringVar(&o.lock, "lock", "", "package-lock.json")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	o.rest = flags.Args()
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	o.time = time.Unix(seconds, 0).UTC()
	make, ok := map[string]func(order) ([]byte, error){"tarball": tarball, "oci": image, "spk": synology, "sbom": bill}[args[0]]
	if !ok || o.out == "" {
		return errors.New(usage)
	}
	raw, err := make(o)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return os.WriteFile(o.out, raw, 0o644)
}

// tarball packs files into one folder, gzipped.
func tarball(o order) ([]byte, error) {
	files, err := load(o.rest)
	if err != nil {
		return nil, err
	}
	all := []file{dir(o.dir, 0o755)}
	for _, f := range files {
		f.name = o.dir + "/" + f.name
		all = append(all, f)
	}
	return gzipped(pack(all, o.time))
}

// load reads the files named on the command line: FILE, or NAME=FILE where it
// is to be called otherwise. What may be executed stays so.
func load(args []string) ([]file, error) {
	var out []file
	for _, a := range args {
		name, path, ok := strings.Cut(a, "=")
		if !ok {
			name, path = filepath.Base(a), a
		}
		f, err := read(name, path)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func read(name, path string) (file, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return file{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return file{}, err
	}
	f := file{name: name, mode: 0o644, body: body}
	if info.Mode()&0o100 != 0 {
		f.mode = 0o755
	}
	return f, nil
}
