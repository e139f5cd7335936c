package folder

import (
	"context"
	"errors"
)

// House throws away what is too old or too much, makes guard copies, and
// compacts.
func (f *Folder) House(ctx context.Context) error { return errors.ErrUnsupported }
