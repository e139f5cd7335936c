package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// nobody is the user in the image; the volumes belong to it.
const nobody = 10001

// Media types of the OCI image format specification, version 1.
const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        *descriptor  `json:"config,omitempty"`
	Layers        []descriptor `json:"layers,omitempty"`
	Manifests     []descriptor `json:"manifests,omitempty"`
}

type imageConfig struct {
	Created time.Time `json:"created"`
	platform
	Config  runConfig `json:"config"`
	RootFS  rootFS    `json:"rootfs"`
	History []history `json:"history"`
}

type runConfig struct {
	User         string
	ExposedPorts map[string]struct{}
	Env          []string
	Entrypoint   []string
	Cmd          []string
	Volumes      map[string]struct{}
	WorkingDir   string
	Labels       map[string]string
	StopSignal   string
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type history struct {
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
}

// image packs the first file as the program of an image with nothing else but
// the texts that follow it. The tar is an OCI layout (image-layout.md of the
// specification) and carries manifest.json too, by which older Docker, as on
// many a NAS, loads it.
func image(o order) ([]byte, error) {
	program, err := read("inselnetz", o.rest[0])
	if err != nil {
		return nil, err
	}
	program.mode = 0o755
	texts, err := load(o.rest[1:])
	if err != nil {
		return nil, err
	}
	layer, err := pack(append([]file{
		dir("data", 0o700).of(nobody), // secrets
		dir("etc", 0o755),
		{name: "etc/passwd", mode: 0o644, body: fmt.Appendf(nil, "inselnetz:x:%d:%[1]d::/data:/inselnetz\n", nobody)},
		dir("files", 0o755).of(nobody),
		program,
		dir("licences", 0o755),
		dir("state", 0o700).of(nobody),
		dir("tmp", 0o1777),
	}, in("licences/", texts)...), o.time)
	if err != nil {
		return nil, err
	}
	return layout(o, layer)
}

func (f file) of(uid int) file { f.uid = uid; return f }

func in(folder string, files []file) []file {
	for i := range files {
		files[i].name = folder + files[i].name
	}
	return files
}

// blobs are contents by digest, in the order they were added.
type blobs []file

func (b *blobs) add(mediaType string, raw []byte) descriptor {
	sum := sha256.Sum256(raw)
	*b = append(*b, file{name: "blobs/sha256/" + hex.EncodeToString(sum[:]), mode: 0o644, body: raw})
	return descriptor{MediaType: mediaType, Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: len(raw)}
}

func (b *blobs) addJSON(mediaType string, v any) (descriptor, error) {
	raw, err := json.Marshal(v)
	return b.add(mediaType, raw), err
}

func layout(o order, layer []byte) ([]byte, error) {
	var content blobs
	compressed, err := gzipped(layer, nil)
	if err != nil {
		return nil, err
	}
	on := platform{Architecture: o.arch, OS: "linux"}
	if o.arch == "arm64" {
		on.Variant = "v8"
	}
	diff := sha256.Sum256(layer)
	config, err := content.addJSON(typeConfig, imageConfig{
		Created: o.time, platform: on, Config: settings(o),
		RootFS:  rootFS{Type: "layers", DiffIDs: []string{"sha256:" + hex.EncodeToString(diff[:])}},
		History: []history{{Created: o.time, CreatedBy: "make packages"}},
	})
	if err != nil {
		return nil, err
	}
	l := content.add(typeLayer, compressed)
	m, err := content.addJSON(typeManifest, manifest{SchemaVersion: 2, MediaType: typeManifest, Config: &config, Layers: []descriptor{l}})
	if err != nil {
		return nil, err
	}
	m.Platform = &on
	m.Annotations = map[string]string{"org.opencontainers.image.ref.name": o.version}
	index, err := json.Marshal(manifest{SchemaVersion: 2, MediaType: typeIndex, Manifests: []descriptor{m}})
	if err != nil {
		return nil, err
	}
	path := func(d descriptor) string { return "blobs/sha256/" + d.Digest[len("sha256:"):] }
	docker, err := json.Marshal([]map[string]any{{"Config": path(config), "RepoTags": []string{"inselnetz:" + o.version}, "Layers": []string{path(l)}}})
	if err != nil {
		return nil, err
	}
	files := []file{dir("blobs", 0o755), dir("blobs/sha256", 0o755)}
	files = append(files, content...)
	return pack(append(files,
		file{name: "index.json", mode: 0o644, body: index},
		file{name: "manifest.json", mode: 0o644, body: docker},
		file{name: "oci-layout", mode: 0o644, body: []byte(`{"imageLayoutVersion":"1.0.0"}`)},
	), o.time)
}

// settings are how a container runs: a node that keeps all versions, with its
// secrets in a file, for there is no key store, and shows its page to the
// browsers of the office.
func settings(o order) runConfig {
	none := struct{}{}
	return runConfig{
		User:         fmt.Sprintf("%d:%[1]d", nobody),
		ExposedPorts: map[string]struct{}{"21960/tcp": none, "21960/udp": none, "21961/udp": none, "21963/tcp": none, "21964/tcp": none},
		Env:          []string{"HOME=/data", "INSELNETZ_DATA=/data", "INSELNETZ_STATE=/state", "PATH=/"},
		Entrypoint:   []string{"/inselnetz"},
		Cmd:          []string{"serve", "--secrets", "file", "--archive", "--files", "/files", "--https", "auto", "--http", "auto"},
		Volumes:      map[string]struct{}{"/data": none, "/files": none, "/state": none},
		WorkingDir:   "/",
		StopSignal:   "SIGTERM",
		Labels: map[string]string{
			"org.opencontainers.image.title":       "Inselnetz",
			"org.opencontainers.image.description": "Chat, files and documents for an office, with no server and no internet",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.version":     o.version,
			"org.opencontainers.image.created":     o.time.Format(time.RFC3339),
		},
	}
}
