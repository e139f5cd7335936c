package disk

// OpenOld opens a tree as on kernels without openat2.
func OpenOld(root string) (FS, error) {
	f, err := Open(root)
	if err == nil {
		f.(*linux).oneCall = false
	}
	return f, err
}

var OpenPortable = openPortable
