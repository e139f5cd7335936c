package disk

// A Maker makes files that get their name when they are whole: half the work of
// a temporary name, and a crash leaves nothing. An FS that is one may still
// answer errors.ErrUnsupported: this disk cannot, or too many wait for a name.
type Maker interface {
	Make() (Nameless, error)
}

// Nameless is a new file, open for reading and writing. Close gives one up that
// has no name.
type Nameless interface {
	Handle
	// Name gives it its name, once; fs.ErrExist if that is taken. It is durable
	// after SyncAll, SyncDir is not enough everywhere. Watching does not tell of it.
	Name(path string) error
}
