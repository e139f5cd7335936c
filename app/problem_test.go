package app

import "errors"

func isProblem(err error, code string) bool { return errors.Is(err, &Problem{Code: code}) }
