package format

// AppendUint appends the shortest uLEB128 of v.
func AppendUint(dst []byte, v uint64) []byte { return appendU(dst, v) }

// AppendInt appends the shortest sLEB128 of v.
func AppendInt(dst []byte, v int64) []byte { return appendS(dst, v) }

// ReadUint reads a uLEB128 and tells its length, 0 if there is none.
func ReadUint(b []byte) (v uint64, n int) { return readU(b) }

// ReadInt reads an sLEB128 and tells its length, 0 if there is none.
func ReadInt(b []byte) (v int64, n int) { return readS(b) }
