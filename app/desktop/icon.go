package desktop

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"sync"
)

// Icon is the program's own, as PNG.
//
//go:embed icon.png
var Icon []byte

// icons are the tray's, without and with a dot, as PNG.
var icons = sync.OnceValue(func() [2][]byte {
	plain, err := png.Decode(bytes.NewReader(Icon))
	if err != nil {
		return [2][]byte{Icon, Icon} // a test holds that it is none
	}
	var out bytes.Buffer
	if err := png.Encode(&out, dotted(plain)); err != nil {
		return [2][]byte{Icon, Icon}
	}
	return [2][]byte{Icon, out.Bytes()}
})

// dotted draws the sign of unread messages on an icon: a dot at the top right
// with a rim, so that it stands out on any ground.
func dotted(in image.Image) *image.NRGBA {
	b := in.Bounds()
	out := image.NewNRGBA(b)
	draw.Draw(out, b, in, b.Min, draw.Src)
	radius := float64(b.Dx()) * 0.21
	cx, cy := float64(b.Max.X)-radius-1, float64(b.Min.Y)+radius+1
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			dx, dy := float64(x)+0.5-cx, float64(y)+0.5-cy
			switch d := dx*dx + dy*dy; {
			case d <= radius*radius*0.72:
				out.Set(x, y, color.NRGBA{R: 0xd3, G: 0x2f, B: 0x2f, A: 255})
			case d <= radius*radius:
				out.Set(x, y, color.White)
			}
		}
	}
	return out
}

// ico makes a Windows icon with one picture of 32 bits a pixel.
func ico(raw []byte) ([]byte, error) {
	in, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	b := in.Bounds()
	w, h := b.Dx(), b.Dy()
	mask := (w + 31) / 32 * 4 * h // one bit a pixel, rows of whole words; all zero
	size := 40 + w*h*4 + mask
	var out bytes.Buffer
	le := func(v any) { _ = binary.Write(&out, binary.LittleEndian, v) } // to a buffer: never fails
	le([3]uint16{0, 1, 1})
	out.Write([]byte{byte(w), byte(h), 0, 0})
	le([2]uint16{1, 32})
	le([2]uint32{uint32(size), 22})
	le([3]int32{40, int32(w), int32(2 * h)})
	le([2]uint16{1, 32})
	le([6]uint32{})
	for y := b.Max.Y - 1; y >= b.Min.Y; y-- {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(in.At(x, y)).(color.NRGBA)
			out.Write([]byte{c.B, c.G, c.R, c.A})
		}
	}
	out.Write(make([]byte, mask))
	return out.Bytes(), nil
}
