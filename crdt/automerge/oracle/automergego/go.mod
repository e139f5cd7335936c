module inselnetz/crdt/automerge/oracle/automergego

go 1.26.0

require github.com/automerge/automerge-go v0.0.0-20230903201930-b80ce8aadbb9
