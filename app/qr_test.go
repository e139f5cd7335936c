package app

import (
	"strings"
	"testing"
)

// TestQRCode checks all that a reader needs to find and unmask the code, and the
// text itself as far as it lies in the first bytes.
func TestQRCode(t *testing.T) {
	for name, text := range map[string]string{
		"link":    "inselnetz:join?" + strings.Repeat("Ab0-_", 34), // 185 characters
		"kit":     "inselnetz:kit?" + strings.Repeat("ABC2", 10)[:39],
		"short":   "inselnetz:kit?AB", // one block, so its bytes lie in a row
		"longest": strings.Repeat("x", 1024),
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := QR(text)
			if err != nil {
				t.Fatal(err)
			}
			n := len(rows)
			if n < 21 || n > 177 || (n-17)%4 != 0 {
				t.Fatalf("%d rows", n)
			}
			for _, row := range rows {
				if len(row) != n || strings.Trim(row, "01") != "" {
					t.Fatalf("row %q", row)
				}
			}
			finder := []string{"11111110", "10000010", "10111010", "10111010", "10111010", "10000010", "11111110", "00000000"}
			for i, want := range finder {
				if got := rows[i][:8]; got != want {
					t.Errorf("upper left, row %d: %s", i, got)
				}
				if got := reverse(rows[i][n-8:]); got != want {
					t.Errorf("upper right, row %d: %s", i, got)
				}
				if got := rows[n-1-i][:8]; got != want {
					t.Errorf("lower left, row %d: %s", i, got)
				}
			}
			mask, level := format(rows)
			if level != 0 {
				t.Errorf("level %d, want M", level)
			}
			if got := firstBytes(rows, mask, 12); name == "short" && got != text[:12] {
				t.Errorf("begins with %q", got)
			}
		})
	}
	if _, err := QR(strings.Repeat("x", 3000)); err == nil || strings.Contains(err.Error(), "xx") {
		t.Errorf("QR = %v", err)
	}
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// format reads mask and level from the format bits beside the upper left finder.
func format(rows []string) (mask, level int) {
	bits := 0
	for _, x := range []int{0, 1, 2, 3, 4} {
		bits = bits<<1 | int(rows[8][x]-'0')
	}
	bits ^= 0b10101
	return bits & 7, bits >> 3
}

// firstBytes reads text in byte mode from the first columns of a code that has
// one block and no alignment pattern in their way, from the lower right upwards.
func firstBytes(rows []string, mask, count int) string {
	n := len(rows)
	dark := func(x, y int) int {
		flip := []bool{
			(x+y)%2 == 0, y%2 == 0, x%3 == 0, (x+y)%3 == 0,
			(y/2+x/3)%2 == 0, x*y%2+x*y%3 == 0, (x*y%2+x*y%3)%2 == 0, ((x+y)%2+x*y%3)%2 == 0,
		}[mask]
		v := int(rows[y][x] - '0')
		if flip {
			v ^= 1
		}
		return v
	}
	var bits []int
	up := true
	for right := n - 1; len(bits) < 8*(count+2); right -= 2 {
		for i := range n {
			y := i
			if up {
				y = n - 1 - i
			}
			for _, x := range []int{right, right - 1} {
				if y <= 8 && x >= n-8 || y == 6 || inAlignment(n, x, y) {
					continue
				}
				bits = append(bits, dark(x, y))
			}
		}
		up = !up
	}
	var out []byte
	for i := range count { // after 4 bits of mode and 8 of length
		b := 0
		for _, bit := range bits[12+8*i : 20+8*i] {
			b = b<<1 | bit
		}
		out = append(out, byte(b))
	}
	return string(out)
}

// inAlignment: codes of versions 2 to 6 have one pattern at the lower right.
func inAlignment(n, x, y int) bool {
	return n > 21 && x >= n-9 && x <= n-5 && y >= n-9 && y <= n-5
}
