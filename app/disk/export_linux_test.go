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

// Unsaved returns how many files and directories wait for SyncAll.
func Unsaved(f FS) int {
	p := f.(*portable)
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.unsaved) + len(p.dirs)
}
