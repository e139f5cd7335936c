package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A component is one part of the product, as CycloneDX 1.6 (ECMA-424) names it.
type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	Scope      string     `json:"scope,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licenses   []license  `json:"licenses,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type license struct {
	Expression string `json:"expression"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type bom struct {
	Schema      string      `json:"$schema"`
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Serial      string      `json:"serialNumber"`
	Version     int         `json:"version"`
	Metadata    metadata    `json:"metadata"`
	Components  []component `json:"components"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

// bill lists every Go module in the given programs, as the linker wrote it into
// them, and every npm package of the lock file: those whose code is in the page
// and the tools that build and test it, which the lock file does not tell apart.
func bill(o order) ([]byte, error) {
	parts, err := modules(o.rest)
	if err != nil {
		return nil, err
	}
	packages, err := npm(o.lock)
	if err != nil {
		return nil, err
	}
	b := bom{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata: metadata{
			Timestamp: o.time.Format(time.RFC3339),
			Component: component{Type: "application", Ref: "inselnetz", Name: "inselnetz", Version: o.version, Licenses: []license{{"Apache-2.0"}}},
		},
		Components: append(parts, packages...),
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	b.Serial = serial(raw)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err = enc.Encode(b)
	return out.Bytes(), err
}

// serial is a UUID of version 8 (RFC 9562: free choice of bits) made of the
// content, so that two builds have the same.
func serial(raw []byte) string {
	s := sha256.Sum256(raw)
	s[6], s[8] = s[6]&0x0f|0x80, s[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", s[:4], s[4:6], s[6:8], s[8:10], s[10:16])
}

func modules(programs []string) ([]component, error) {
	found := map[string]component{}
	users := map[string][]string{}
	for _, path := range programs {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return nil, err
		}
		add := func(name, version, sum string) {
			ref := "pkg:golang/" + name + "@" + version
			c := component{Type: "library", Ref: ref, Name: name, Version: version, Scope: "required", PURL: ref}
			if sum != "" {
				c.Properties = []property{{"go:sum", sum}}
			}
			found[ref] = c
			users[ref] = append(users[ref], filepath.Base(path))
		}
		add("stdlib", strings.TrimPrefix(info.GoVersion, "go"), "")
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			add(m.Path, m.Version, m.Sum)
		}
	}
	for ref, c := range found {
		for _, u := range users[ref] {
			c.Properties = append(c.Properties, property{"inselnetz:program", u})
		}
		found[ref] = c
	}
	return sorted(found), nil
}

func npm(lock string) ([]component, error) {
	raw, err := os.ReadFile(lock)
	if err != nil {
		return nil, err
	}
	var file struct {
		Packages map[string]struct {
			Name, Version, Integrity, License string
			Dev                               bool
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("read %s: %w", lock, err)
	}
	found := map[string]component{}
	for path, p := range file.Packages {
		if path == "" { // the page itself
			continue
		}
		name := p.Name
		if name == "" {
			name = path[strings.LastIndex(path, "node_modules/")+len("node_modules/"):]
		}
		ref := "pkg:npm/" + strings.ReplaceAll(url.PathEscape(name), "%2F", "/") + "@" + p.Version
		ref = strings.Replace(ref, "pkg:npm/@", "pkg:npm/%40", 1)
		c := component{Type: "library", Ref: ref, Name: name, Version: p.Version, PURL: ref}
		if p.Dev {
			c.Properties = []property{{"cdx:npm:package:development", "true"}}
		}
		if alg, sum, ok := strings.Cut(p.Integrity, "-"); ok {
			b, err := base64.StdEncoding.DecodeString(sum)
			if err != nil {
				return nil, fmt.Errorf("integrity of %s: %w", name, err)
			}
			c.Hashes = []hash{{strings.Replace(strings.ToUpper(alg), "SHA", "SHA-", 1), hex.EncodeToString(b)}}
		}
		if p.License != "" {
			c.Licenses = []license{{p.License}}
		}
		found[ref] = c
	}
	return sorted(found), nil
}

func sorted(m map[string]component) []component {
	out := make([]component, 0, len(m))
	for _, c := range m {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	return out
}
