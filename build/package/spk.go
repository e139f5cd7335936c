package main

import (
	"crypto/md5"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// platforms are the names Synology has for its processors ("Platform and Arch
// Value Mapping Table" of the DSM 7 developer guide).
var platforms = map[string]string{
	"amd64": "x86_64 apollolake avoton braswell broadwell broadwellnk broadwellnkv2 broadwellntbap bromolow cedarview denverton epyc7002 epyc7003 epyc7003ntb geminilake geminilakenk grantley icelaked kvmx64 purley r1000 r1000nk v1000 v1000nk",
	"arm64": "armv8 rtd1296 rtd1619b armada37xx",
}

// synology packs the first file as the program of a package for DSM 7; what
// follows goes beside it. The folder holds the package's other parts as DSM
// wants them; INFO there is a template.
func synology(o order) ([]byte, error) {
	program, err := read("bin/inselnetz", o.rest[0])
	if err != nil {
		return nil, err
	}
	program.mode = 0o755
	texts, err := load(o.rest[1:])
	if err != nil {
		return nil, err
	}
	payload := append([]file{dir("bin", 0o755), program, dir("share", 0o755)}, in("share/", texts)...)
	inner, err := gzipped(pack(payload, o.time))
	if err != nil {
		return nil, err
	}
	size := 0
	for _, f := range payload {
		size += len(f.body)
	}
	parts, err := tree(o.dir)
	if err != nil {
		return nil, err
	}
	number, _, _ := strings.Cut(o.version, "-")
	fill := strings.NewReplacer("{version}", number+"-"+o.build, "{arch}", platforms[o.arch],
		"{checksum}", fmt.Sprintf("%x", md5.Sum(inner)), "{kibibytes}", fmt.Sprint((size+1023)/1024))
	var out []file
	for _, f := range parts {
		if f.name == "INFO" { // the first entry, and package.tgz behind it, as Synology's own tool writes them
			f.body = []byte(fill.Replace(string(f.body)))
			out = append([]file{f, {name: "package.tgz", mode: 0o644, body: inner}}, out...)
			continue
		}
		out = append(out, f)
	}
	if len(out) == len(parts) {
		return nil, errors.New("there is no INFO in " + o.dir)
	}
	return pack(out, o.time)
}

// tree reads a folder, sorted by name. Scripts may be executed, nothing else.
func tree(root string) ([]file, error) {
	var out []file
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if e.IsDir() {
			out = append(out, dir(name, 0o755))
			return nil
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f := file{name: name, mode: 0o644, body: body}
		if strings.HasPrefix(name, "scripts/") {
			f.mode = 0o755
		}
		out = append(out, f)
		return nil
	})
	return out, err
}
