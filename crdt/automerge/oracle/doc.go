// Package oracle holds the tests that compare the Automerge engine with other
// programs that know the format: the JavaScript release in a child process of
// Node, and, under the build tag automergego, the Go binding of 2023. It has no
// code of its own that a program could use. README.md says how to run it.
package oracle
