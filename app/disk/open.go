package disk

import (
	"errors"
	"fmt"
)

// Open opens the tree below the directory root, which exists.
func Open(root string) (FS, error) {
	return nil, fmt.Errorf("open %s: %w", root, errors.ErrUnsupported)
}
