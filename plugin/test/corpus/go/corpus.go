// Package corpus poses the questions of the C++ corpus to Go's compiler: a function here and the
// function of that name there make the same objects in the same order. See go_test.py.
package corpus

var sink any

func unknown(p any)

//go:noescape
func promises(p *int)

//go:noescape
func promisesPair(p *Pair)

//go:noescape
func promisesPlace(p **int)

//go:noescape
func promisesTable(t *Table)

type Node struct {
	value int
	next  *Node
}

type Pair struct {
	first, second *int
}
