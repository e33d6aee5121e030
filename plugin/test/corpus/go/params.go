package corpus

func reads(p *int) int {
	return *p
}

func writes(p *int) {
	*p = 1
}

func leaks(p *int) {
	sink = p
}

func leaks_content(p **int) {
	sink = *p
}

func leaks_deep(p ***int) {
	sink = **p
}

func returns(p *int) *int {
	return p
}

func returns_content(p **int) *int {
	return *p
}

func returns_deep(p ***int) *int {
	return **p
}

func returns_either(p, q *int, c bool) *int {
	if c {
		return p
	}
	return q
}

func returns_one(p, q *int) *int {
	if *q != 0 {
		return p
	}
	return nil
}

func into_other(q **int, p *int) {
	*q = p
}

func makes_pair(p, q *int) Pair {
	return Pair{p, q}
}

type Big struct {
	a, b, c *int
}

func makes_big(p *int) Big {
	return Big{p, p, nil}
}

func second_of(p Pair) *int {
	return p.second
}

func from_reference(p *Pair) *int {
	return p.second
}

func passes_on(p *int) {
	leaks(p)
}

func passes_on_safely(p *int) int {
	return reads(p)
}

func passes_through(p *int) *int {
	return returns(returns(p))
}

func passes_address(p *int) *int {
	return returns_content(&p)
}

func to_unknown(p any) {
	unknown(p)
}

func sum(n *Node) int {
	s := 0
	for ; n != nil; n = n.next {
		s += n.value
	}
	return s
}

func last(n *Node) *Node {
	for n.next != nil {
		n = n.next
	}
	return n
}

func recursive(n *Node) int {
	if n == nil {
		return 0
	}
	return n.value + recursive(n.next)
}

func recursive_leak(n *Node, depth int) {
	if depth == 0 {
		sink = n
	} else {
		recursive_leak(n, depth-1)
	}
}

func even(n *Node) int {
	if n == nil {
		return 1
	}
	return odd(n.next)
}

func odd(n *Node) int {
	if n == nil {
		return 0
	}
	return even(n.next)
}

type Holder struct {
	held *int
}

func (this *Holder) hold(p *int) {
	this.held = p
}

func (this *Holder) release() *int {
	p := this.held
	this.held = nil
	return p
}

func (this *Holder) self() *Holder {
	return this
}

func callers() int {
	a := new(int)
	b := new(int)
	c := new(int)
	d := new(int)
	e := new(int)
	f := new(int)
	leaks(b)
	unknown(nil)
	leaks_content(&e)
	pair := makes_pair(c, d)
	big := makes_big(f)
	return reads(a) + *second_of(pair) + *from_reference(&pair) + *returns(c) + *big.a
}

func callers_of_lists() int {
	a := new(Node)
	b := new(Node)
	a.next = b
	return sum(a) + last(a).value + recursive(a) + even(a)
}

func returns_last() *Node {
	a := new(Node)
	b := new(Node)
	a.next = b
	return last(a)
}

func callers_that_leak(out **int) {
	a := new(int)
	into_other(out, a)
	n := new(Node)
	recursive_leak(n, 3)
	unknown(new(int))
	promises(new(int))
}

func grandchild(p ***int) *int {
	return **p
}

func kept_grandchild(v *int) *int {
	a := new(*int)
	*a = v
	b := new(**int)
	*b = a
	return grandchild(b)
}

func leaks_grandchild() {
	v := new(int)
	a := new(*int)
	*a = v
	b := new(**int)
	*b = a
	leaks_deep(b)
}
