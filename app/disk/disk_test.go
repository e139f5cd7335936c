package disk_test

import (
	"testing"

	"inselnetz/app/disk"
	"inselnetz/app/disk/disktest"
)

func TestSuite(t *testing.T) {
	disktest.Suite(t, func(t *testing.T) disk.FS {
		f, err := disk.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return f
	})
}
