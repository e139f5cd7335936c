//go:build linux || darwin

package lan

import (
	"context"
	"os"
)

// readNotices calls changed for each read from a socket whose messages all mean the
// same here, until ctx ends. An overflow means that there were more.
func readNotices(ctx context.Context, f *os.File, changed func(), overflow func(error) bool) {
	defer context.AfterFunc(ctx, func() { f.Close() })()
	buf := make([]byte, 16<<10)
	for {
		if _, err := f.Read(buf); err != nil && !overflow(err) {
			return
		}
		changed()
	}
}
