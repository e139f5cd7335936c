//go:build cgo

package main

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/automerge/automerge-go"
)

func valueOf(kind, v string) (any, error) {
	switch kind {
	case "null":
		return nil, nil
	case "boolean":
		return v == "true", nil
	case "str":
		return v, nil
	case "bytes":
		return hex.DecodeString(v)
	case "f64":
		n, err := strconv.ParseUint(v, 16, 64)
		return math.Float64frombits(n), err
	case "int":
		return strconv.ParseInt(v, 10, 64)
	case "uint":
		return strconv.ParseUint(v, 10, 64)
	case "counter":
		n, err := strconv.ParseInt(v, 10, 64)
		return automerge.NewCounter(n), err
	case "timestamp":
		n, err := strconv.ParseInt(v, 10, 64)
		return time.UnixMilli(n), err
	case "map":
		return automerge.NewMap(), nil
	case "list":
		return automerge.NewList(), nil
	case "text":
		return automerge.NewText(""), nil
	}
	return nil, fmt.Errorf("no value of type %q", kind)
}

// show writes a value as oracle's tests do for the engine: see plain.
func show(v *automerge.Value) (string, error) {
	switch v.Kind() {
	case automerge.KindNull:
		return "null", nil
	case automerge.KindBool:
		return fmt.Sprintf("bool %t", v.Bool()), nil
	case automerge.KindInt64:
		return fmt.Sprintf("int %d", v.Int64()), nil
	case automerge.KindUint64:
		return fmt.Sprintf("uint %d", v.Uint64()), nil
	case automerge.KindFloat64:
		return fmt.Sprintf("f64 %016x", math.Float64bits(v.Float64())), nil
	case automerge.KindStr:
		return fmt.Sprintf("str %q", v.Str()), nil
	case automerge.KindBytes:
		return fmt.Sprintf("bytes %x", v.Bytes()), nil
	case automerge.KindTime:
		return fmt.Sprintf("timestamp %d", v.Time().UnixMilli()), nil
	case automerge.KindCounter:
		n, err := v.Counter().Get()
		return fmt.Sprintf("counter %d", n), err
	case automerge.KindText:
		s, err := v.Text().Get()
		return fmt.Sprintf("text %q", s), err
	case automerge.KindList:
		list, err := v.List().Values()
		if err != nil {
			return "", err
		}
		parts := make([]string, len(list))
		for i, e := range list {
			if parts[i], err = show(e); err != nil {
				return "", err
			}
		}
		return "[" + strings.Join(parts, ", ") + "]", nil
	case automerge.KindMap:
		return showMap(v.Map())
	}
	return "unknown", nil
}

func showMap(m *automerge.Map) (string, error) {
	values, err := m.Values()
	if err != nil {
		return "", err
	}
	var parts []string
	for k, e := range values {
		s, err := show(e)
		if err != nil {
			return "", err
		}
		parts = append(parts, fmt.Sprintf("%q: %s", k, s))
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, ", ") + "}", nil
}
