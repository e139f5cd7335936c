package store

import "errors"

func (s *Store) moveAside() (string, error)           { return "", errors.New("todo") }
func (s *Store) salvage(aside string) (Report, error) { return Report{}, nil }
