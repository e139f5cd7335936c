package app

import (
	"errors"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// QR returns a text as a QR code of level M, which is still read with 15 % of it
// damaged: rows of '0' (light) and '1' (dark), without the light border of four
// modules that must be around it. The error says that the text is too long.
func QR(text string) ([]string, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, errors.New("text is too long for a QR code") // err tells the text, which is a secret
	}
	box := code.Bounds()
	var rows []string
	for y := box.Min.Y; y < box.Max.Y; y++ {
		var row strings.Builder
		for x := box.Min.X; x < box.Max.X; x++ {
			bit := byte('0')
			if color.GrayModel.Convert(code.At(x, y)) == (color.Gray{}) {
				bit = '1'
			}
			row.WriteByte(bit)
		}
		rows = append(rows, row.String())
	}
	return rows, nil
}
