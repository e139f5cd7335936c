package tree

// A Problem is a set of reasons why a name is not stored everywhere.
type Problem uint16

// What can be wrong with a name. All but Twin and Deceptive follow from it alone.
const (
	Reserved  Problem = 1 << iota // a device of Windows: CON, NUL, COM1 ...
	Letters                       // holds what Windows forbids: <>:"|?*\ or a control character
	Trailing                      // ends in a dot or a space, which Windows drops
	Colon                         // which macOS forbids
	Long                          // longer than a name of Windows or macOS
	Twin                          // a case-insensitive file system takes it for another one
	Deceptive                     // reads as what it is not: stored, but to be shown with care
)

// A Platform is a family of systems with the same rules for names.
type Platform uint8

// The platforms.
const (
	Linux Platform = iota
	Windows
	Mac
)

// On returns those of the problems that keep a file from being stored there.
// Whether twins do is up to the file system; Windows and Mac say yes.
func (p Problem) On(on Platform) Problem { return 0 }

// Storable returns what keeps a name, one part of a path, from being stored there.
func Storable(name string, on Platform) Problem { return 0 }

// Suggest returns a path like this one that every platform stores, the same if
// this one is.
func Suggest(path string) string { return path }

// Key returns what file systems that ignore case compare of a name.
func Key(name string) string { return name }
