package app

import (
	"os"
	"path/filepath"
	"testing"
)

// A fakeSys builds a tree like /sys: block devices, what they are made of, and
// the uuid that the device mapper gives them.
type fakeSys struct {
	t   *testing.T
	dir string
}

func (f fakeSys) block(name, number, uuid string, slaves ...string) {
	f.t.Helper()
	node := filepath.Join(f.dir, "devices", name)
	f.dirs(filepath.Join(node, "slaves"), filepath.Join(f.dir, "dev", "block"))
	if uuid != "" {
		f.dirs(filepath.Join(node, "dm"))
		if err := os.WriteFile(filepath.Join(node, "dm", "uuid"), []byte(uuid+"\n"), 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
	f.link(filepath.Join("..", "..", "devices", name), filepath.Join(f.dir, "dev", "block", number))
	for _, s := range slaves {
		f.link(filepath.Join("..", "..", s), filepath.Join(node, "slaves", s))
	}
}

func (f fakeSys) part(name string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, "devices", name, "partition"), []byte("1\n"), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f fakeSys) dirs(paths ...string) {
	f.t.Helper()
	for _, p := range paths {
		if err := os.MkdirAll(p, 0o700); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f fakeSys) link(to, at string) {
	f.t.Helper()
	if err := os.Symlink(to, at); err != nil {
		f.t.Fatal(err)
	}
}

func TestDiskOfLinux(t *testing.T) {
	sys := fakeSys{t, t.TempDir()}
	const luks, lvm = "CRYPT-LUKS2-0123-root", "LVM-abcd"
	sys.block("nvme0n1p2", "259:2", "")
	sys.block("sda1", "8:1", "")
	sys.block("sdb1", "8:17", "")
	sys.block("loop0", "7:0", "")
	sys.block("dm-0", "254:0", luks, "nvme0n1p2")
	sys.block("dm-1", "254:1", lvm, "dm-0")         // LVM on LUKS
	sys.block("dm-2", "254:2", lvm, "sda1")         // LVM on a plain disk
	sys.block("dm-3", "254:3", lvm, "dm-0", "sda1") // half and half
	sys.block("md0", "9:0", "", "sda1", "sdb1")     // RAID
	sys.block("dm-4", "254:4", luks, "md0")         // LUKS on RAID
	sys.block("md1", "9:1", "", "dm-0")
	sys.block("md1/md1p1", "259:9", "") // a partition of it
	sys.part("md1/md1p1")
	sys.block("dm-5", "254:5", lvm, "dm-5") // made of itself: no real disk is
	sys.block("dm-6", "254:6", lvm, "loop0")

	mount := func(id, device, point, kind, source string) string {
		return id + " 1 " + device + " / " + point + " rw,relatime shared:1 - " + kind + " " + source + " rw\n"
	}
	for name, tt := range map[string]struct {
		mounts, dir, want string
	}{
		"plain disk":                  {mount("30", "8:1", "/", "ext4", "/dev/sda1"), "/home/anna", DiskNo},
		"LUKS":                        {mount("30", "254:0", "/", "ext4", "/dev/mapper/root"), "/home/anna", DiskYes},
		"LVM on LUKS":                 {mount("30", "254:1", "/", "ext4", "/dev/mapper/vg-root"), "/home/anna", DiskYes},
		"LVM, plain":                  {mount("30", "254:2", "/", "xfs", "/dev/mapper/vg-root"), "/home/anna", DiskNo},
		"LVM, half":                   {mount("30", "254:3", "/", "xfs", "/dev/mapper/vg-root"), "/home/anna", DiskUnknown},
		"RAID":                        {mount("30", "9:0", "/", "ext4", "/dev/md0"), "/data", DiskNo},
		"LUKS on RAID":                {mount("30", "254:4", "/", "ext4", "/dev/mapper/r"), "/data", DiskYes},
		"partition on a RAID of LUKS": {mount("30", "259:9", "/", "ext4", "/dev/md1p1"), "/data", DiskYes},
		"a circle":                    {mount("30", "254:5", "/", "ext4", "/dev/mapper/r"), "/data", DiskUnknown},
		"image file":                  {mount("30", "7:0", "/", "ext4", "/dev/loop0"), "/data", DiskUnknown},
		"LVM in image file":           {mount("30", "254:6", "/", "ext4", "/dev/mapper/r"), "/data", DiskUnknown},
		"home on its own":             {mount("30", "8:1", "/", "ext4", "/dev/sda1") + mount("31", "254:0", "/home", "ext4", "/dev/mapper/home"), "/home/anna", DiskYes},
		"not the home":                {mount("30", "8:1", "/", "ext4", "/dev/sda1") + mount("31", "254:0", "/home", "ext4", "/dev/mapper/home"), "/homes/anna", DiskNo},
		"home is the mount":           {mount("30", "8:1", "/", "ext4", "/dev/sda1") + mount("31", "254:0", "/home", "ext4", "/dev/mapper/home"), "/home", DiskYes},
		"mounted over":                {mount("30", "8:1", "/data", "ext4", "/dev/sda1") + mount("31", "254:0", "/data", "ext4", "/dev/mapper/d"), "/data/x", DiskYes},
		"blank in the name":           {mount("30", "8:1", "/", "ext4", "/dev/sda1") + mount("31", "254:0", `/mnt/two\040words`, "ext4", "/dev/mapper/d"), "/mnt/two words/x", DiskYes},
		"btrfs":                       {mount("30", "0:25", "/", "btrfs", "/dev/sda1"), "/home/anna", DiskUnknown},
		"ZFS":                         {mount("30", "0:26", "/", "zfs", "tank/data"), "/home/anna", DiskUnknown},
		"tmpfs":                       {mount("30", "0:27", "/", "tmpfs", "tmpfs"), "/home/anna", DiskUnknown},
		"container":                   {mount("30", "0:28", "/", "overlay", "overlay"), "/data", DiskUnknown},
		"network":                     {mount("30", "8:1", "/", "ext4", "/dev/sda1") + mount("31", "0:40", "/mnt/nas", "nfs4", "nas:/x"), "/mnt/nas/x", DiskUnknown},
		"device not in /sys":          {mount("30", "8:99", "/", "ext4", "/dev/sdz"), "/data", DiskUnknown},
		"no mounts":                   {"", "/data", DiskUnknown},
		"lines that are torn":         {"30 1 8:1 / /\n - \nnonsense - ext4\n" + mount("31", "254:0", "/", "ext4", "/dev/mapper/r"), "/data", DiskYes},
	} {
		t.Run(name, func(t *testing.T) {
			if got, how := blockEncrypted(sys.dir, tt.mounts, tt.dir); got != tt.want {
				t.Errorf("%s (%s), want %s", got, how, tt.want)
			}
		})
	}
}

// FuzzMountinfo reads any text as the mounts of the system.
func FuzzMountinfo(f *testing.F) {
	f.Add("30 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n", "/home")
	f.Add(`30 1 8:1 / /a\040b rw - ext4 /dev/sda1 rw`, "/a b")
	f.Fuzz(func(t *testing.T, mounts, dir string) {
		mountOf(mounts, dir)
	})
}
