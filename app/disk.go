package app

// States of disk encryption as far as the system tells. A device that does not
// know says so: "unknown" is never shown as well.
const (
	DiskUnknown = "unknown"
	DiskYes     = "yes"
	DiskNo      = "no"
)

// DiskEncrypted looks whether the disk below a directory is encrypted. how names
// what was looked at, for the log and inselnetz doctor. It may take seconds.
func DiskEncrypted(dir string) (state, how string) { return diskEncrypted(dir) }

// bitLocker reads the shell property System.Volume.BitLockerProtection of
// Windows: 1 on, 2 off, 3 encrypting, 4 decrypting, 5 on but suspended, 6 on and
// locked.
func bitLocker(property string) string {
	switch property {
	case "1", "3", "5":
		return DiskYes
	case "2":
		return DiskNo
	}
	return DiskUnknown
}
