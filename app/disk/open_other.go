//go:build unix && !linux && !darwin

package disk

// Open opens the tree below the directory root, which exists.
func Open(root string) (FS, error) { return openPortable(root) }
