package folder

import (
	"bytes"
	"math"
	"path"
	"strings"
)

// leastSample is how many bytes it takes to tell.
const leastSample = 1 << 10

// magics are how files with an extension begin. At "ftyp" four bytes come first.
var magics = map[string][]string{
	"pdf": {"%PDF"}, "ps": {"%!PS"}, "rtf": {"{\\rtf"},
	"zip": {"PK"}, "docx": {"PK"}, "xlsx": {"PK"}, "pptx": {"PK"}, "odt": {"PK"}, "ods": {"PK"}, "odp": {"PK"}, "odg": {"PK"},
	"docm": {"PK"}, "xlsm": {"PK"}, "epub": {"PK"}, "jar": {"PK"}, "apk": {"PK"}, "kmz": {"PK"},
	"doc": {ole, "PK"}, "xls": {ole, "PK"}, "ppt": {ole, "PK"}, "msg": {ole}, "mpp": {ole}, "vsd": {ole},
	"jpg": {"\xff\xd8\xff"}, "jpeg": {"\xff\xd8\xff"}, "png": {"\x89PNG"}, "gif": {"GIF8"}, "bmp": {"BM"}, "webp": {"RIFF"},
	"tif": {"II*\x00", "MM\x00*"}, "tiff": {"II*\x00", "MM\x00*"}, "psd": {"8BPS"}, "heic": {"ftyp"}, "avif": {"ftyp"}, "ico": {"\x00\x00\x01\x00"},
	"mp3": {"ID3", "\xff\xfb", "\xff\xf3", "\xff\xf2"}, "m4a": {"ftyp"}, "mp4": {"ftyp"}, "mov": {"ftyp", "moov", "mdat"}, "wav": {"RIFF"}, "avi": {"RIFF"},
	"flac": {"fLaC"}, "ogg": {"OggS"}, "opus": {"OggS"}, "mkv": {"\x1aE\xdf\xa3"}, "webm": {"\x1aE\xdf\xa3"},
	"7z": {"7z\xbc\xaf"}, "gz": {"\x1f\x8b"}, "tgz": {"\x1f\x8b"}, "bz2": {"BZh"}, "xz": {"\xfd7zXZ"}, "zst": {"\x28\xb5\x2f\xfd"}, "rar": {"Rar!"}, "cab": {"MSCF"},
	"sqlite": {"SQLite"}, "db": {"SQLite"}, "exe": {"MZ"}, "dll": {"MZ"}, "pst": {"!BDN"}, "accdb": {"\x00\x01\x00\x00"}, "mdb": {"\x00\x01\x00\x00"},
}

const ole = "\xd0\xcf\x11\xe0"

// known are further extensions that people and programs put behind a name, or
// that hold what looks random by right.
var known = map[string]bool{
	"bak": true, "old": true, "orig": true, "txt": true, "md": true, "csv": true, "html": true, "htm": true, "xml": true, "json": true,
	"log": true, "tar": true, "gpg": true, "asc": true, "pgp": true, "p7m": true, "p7s": true, "sig": true, "kdbx": true, "age": true,
	"eml": true, "svg": true, "dwg": true, "dxf": true, "iso": true, "part": true, "lnk": true, "url": true, "ini": true,
}

// sealed are extensions of files that are encrypted by right.
var sealed = map[string]bool{"gpg": true, "asc": true, "pgp": true, "p7m": true, "kdbx": true, "age": true, "vc": true, "hc": true}

func extensionOf(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}

// knownExtension reports whether an extension, without its dot, is one that
// people use. A number is: "Brief.2", "archive.001".
func knownExtension(ext string) bool {
	ext = strings.ToLower(ext)
	return known[ext] || magics[ext] != nil || strings.Trim(ext, "0123456789") == ""
}

// looksEncrypted reports whether a file that begins like this is as good as
// random and nothing that its name says. Of too little it says no.
func looksEncrypted(name string, first []byte) bool {
	ext := extensionOf(name)
	if len(first) < leastSample || sealed[ext] || hasMagic(ext, first) {
		return false
	}
	// A sample of n random bytes has about 8 - 255/(2n ln 2) bits a byte: 7.955 of
	// 4 KiB. Compressed data without a known beginning is taken for random too;
	// then the file before it must have been something else.
	return entropy(first) >= 8-255/(2*float64(len(first))*math.Ln2)-0.055
}

// hasMagic reports whether a file begins as its extension wants it; or, if
// nothing is known of that, as any known kind does.
func hasMagic(ext string, first []byte) bool {
	if m, ok := magics[ext]; ok {
		return begins(first, m)
	}
	for _, m := range magics {
		for _, s := range m {
			if len(s) >= 4 && begins(first, []string{s}) { // two bytes come by chance
				return true
			}
		}
	}
	return false
}

func begins(first []byte, with []string) bool {
	for _, s := range with {
		if bytes.HasPrefix(first, []byte(s)) {
			return true
		}
		if (s == "ftyp" || s == "moov" || s == "mdat") && len(first) > 8 && string(first[4:8]) == s {
			return true
		}
	}
	return false
}

// entropy returns bits a byte.
func entropy(b []byte) float64 {
	var count [256]int
	for _, c := range b {
		count[c]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(b))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
