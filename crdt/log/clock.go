package log

// maxWall bounds the wall clock in a reading to the year 6429, so that counting
// on from it never overflows.
const maxWall = 1<<47 - 1

// Stamp places an entry in the order people see: above everything it knew, and
// else at its clock. past holds the stamps of the entry before it and of its
// dependencies. A clock far in the future cannot use up the range.
func Stamp(clock HLC, past ...uint64) uint64 {
	s := min(uint64(clock), 1<<62)
	for _, p := range past {
		s = max(s, p+1)
	}
	return s
}

// Tick returns a reading for the next own entry: the wall clock in milliseconds
// since 1970, but after last, the log's own last reading, and after seen, the
// highest reading of others. Neither is followed more than an hour ahead of the
// wall clock: a clock that was once set to 2036 would show 2036 for ten years.
// The order does not need it, Stamp keeps that.
func Tick(wallMillis int64, last, seen HLC) HLC {
	const hour = 3600_000 << 16
	now := HLC(min(max(wallMillis, 0), maxWall)) << 16
	for _, c := range []HLC{last, seen} {
		if c >= now && c-now < hour {
			now = c + 1
		}
	}
	return now
}

// Millis returns the reading's wall clock in milliseconds since 1970.
func (c HLC) Millis() int64 { return int64(c >> 16) }
