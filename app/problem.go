package app

import "fmt"

// A Problem is an error someone can act on. The API turns it into a sentence.
type Problem struct {
	Code  string // fixed word, such as "too-long"; app/api has a sentence for each
	Args  []any  // filled into the sentence
	Field string // of the request that is wrong; may be empty
	Err   error  // the cause, for the log; may be nil
}

func (p *Problem) Error() string {
	if p.Err != nil {
		return fmt.Sprintf("%s: %v", p.Code, p.Err)
	}
	return fmt.Sprint(append([]any{p.Code}, p.Args...)...)
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// Is reports whether target is a Problem with the same code.
func (p *Problem) Is(target error) bool {
	t, ok := target.(*Problem)
	return ok && t.Code == p.Code
}

func problem(code string, args ...any) *Problem { return &Problem{Code: code, Args: args} }

func because(code string, err error, args ...any) *Problem {
	return &Problem{Code: code, Args: args, Err: err}
}
