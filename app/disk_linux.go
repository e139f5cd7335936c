package app

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func diskEncrypted(dir string) (state, how string) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return DiskUnknown, err.Error()
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return DiskUnknown, err.Error()
	}
	return blockEncrypted("/sys", string(mounts), abs)
}

// blockEncrypted finds the mount of a directory in the text of mountinfo, its
// block device below sys, and looks for dm-crypt beneath that.
func blockEncrypted(sys, mountinfo, dir string) (state, how string) {
	m, ok := mountOf(mountinfo, dir)
	if !ok {
		return DiskUnknown, "mount not found"
	}
	// Device numbers with major 0 belong to no disk: network, memory, layers, and
	// file systems that span disks, such as btrfs and ZFS.
	if strings.HasPrefix(m.device, "0:") {
		return DiskUnknown, m.kind
	}
	node, err := filepath.EvalSymlinks(filepath.Join(sys, "dev", "block", m.device))
	if err != nil {
		return DiskUnknown, m.kind + " on " + m.source
	}
	switch crypted(node, 0) {
	case all:
		return DiskYes, "dm-crypt below " + m.source
	case none:
		return DiskNo, m.kind + " on " + m.source
	}
	return DiskUnknown, m.kind + " on " + m.source
}

type mount struct{ device, kind, source string }

// mountOf returns the mount that a directory lies on: the one with the longest
// mount point above it, and of several the last.
func mountOf(mountinfo, dir string) (found mount, ok bool) {
	longest := -1
	for line := range strings.Lines(mountinfo) {
		left, right, cut := strings.Cut(strings.TrimSpace(line), " - ")
		a, b := strings.Fields(left), strings.Fields(right)
		if !cut || len(a) < 6 || len(b) < 2 {
			continue
		}
		point := unescape(a[4])
		if !within(dir, point) || len(point) < longest {
			continue
		}
		longest, ok = len(point), true
		found = mount{device: a[2], kind: b[0], source: unescape(b[1])}
	}
	return found, ok
}

func within(dir, point string) bool {
	return dir == point || strings.HasPrefix(dir, strings.TrimSuffix(point, "/")+"/")
}

// unescape reads the octal numbers that stand for blanks, tabs, line breaks and
// backslashes in mountinfo.
func unescape(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// How much of a block device is encrypted.
const (
	none = iota
	some
	all
)

// crypted looks at a block device of /sys and those it is made of: LVM and RAID
// lie on several, of which each must be encrypted for the whole to be.
func crypted(node string, depth int) int {
	if depth > 16 {
		return some // not a disk we understand
	}
	if id, err := os.ReadFile(filepath.Join(node, "dm", "uuid")); err == nil && strings.HasPrefix(string(id), "CRYPT-") {
		return all
	}
	if _, err := os.Stat(filepath.Join(node, "partition")); err == nil {
		return crypted(filepath.Dir(node), depth+1) // the whole disk knows what it is made of
	}
	slaves, err := os.ReadDir(filepath.Join(node, "slaves"))
	if err != nil || len(slaves) == 0 {
		if name := filepath.Base(node); strings.HasPrefix(name, "loop") || strings.HasPrefix(name, "nbd") {
			return some // a file on another file system, or a disk on the network
		}
		return none
	}
	least, most := all, none
	for _, s := range slaves {
		below, err := filepath.EvalSymlinks(filepath.Join(node, "slaves", s.Name()))
		if err != nil {
			return some
		}
		n := crypted(below, depth+1)
		least, most = min(least, n), max(most, n)
	}
	if least != most {
		return some
	}
	return least
}
