package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile replaces a file, readable for its user only, so that a crash leaves
// the old or the new one: temporary file, fsync, rename, fsync of the directory.
func WriteFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	SyncDir(filepath.Dir(path))
	return nil
}

// SyncDir makes the names in a directory durable where the system can.
func SyncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync() // Windows cannot; renames are journalled there
		_ = d.Close()
	}
}

// Overwrite writes data over the content of a file that exists, so that the old
// content is gone from the disk as far as a program can see to that: flash
// memory and file systems that copy on write may keep it. A crash may leave a
// mixture; keep a copy elsewhere until it returns.
func Overwrite(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	long := make([]byte, max(int64(len(data)), info.Size()))
	copy(long, data)
	if _, err := f.WriteAt(long, 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil { // the old content, before its place is given back
		return err
	}
	if err := f.Truncate(int64(len(data))); err != nil {
		return err
	}
	return f.Sync()
}

// WriteSealed keeps a small secret as a file of the data directory, sealed under
// the file's name.
func (v *Vault) WriteSealed(name string, plain []byte) error {
	return WriteFile(filepath.Join(v.dir, name), v.Seal("file/"+name, plain))
}

// ReadSealed reads what WriteSealed wrote. Without such a file the error is
// fs.ErrNotExist.
func (v *Vault) ReadSealed(name string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(v.dir, name))
	if err != nil {
		return nil, err
	}
	return v.Open("file/"+name, raw)
}

// Remove overwrites and removes a file that WriteSealed wrote; none is no error.
func (v *Vault) Remove(name string) error {
	path := filepath.Join(v.dir, name)
	if err := Overwrite(path, nil); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	SyncDir(v.dir)
	return nil
}
