package corpus

func read_from_slice(s []int) int {
	return s[0]
}

func slice_kept(s []int) {
	sink = &s[0]
}

func subslice(s []int, from int) []int {
	return s[from:]
}

func made_here() int {
	s := make([]int, 4)
	s[1] = 3
	return read_from_slice(s)
}

func made_here_and_cut() int {
	s := make([]int, 4)
	s[1] = 3
	return read_from_slice(subslice(s, 1))
}

func made_here_and_kept() {
	s := make([]int, 4)
	slice_kept(s)
}

func made_here_and_returned() []int {
	return make([]int, 4)
}

type Entry struct {
	key   int
	value *int
	next  *Entry
}

type Table struct {
	buckets [8]*Entry
}

func (this *Table) set(key int, value *int) {
	e := new(Entry)
	e.key = key
	e.value = value
	e.next = this.buckets[key&7]
	this.buckets[key&7] = e
}

func (this *Table) get(key int) *int {
	for e := this.buckets[key&7]; e != nil; e = e.next {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

func table() int {
	t := new(Table)
	v := new(int)
	promisesTable(t)
	t.set(1, v)
	return *t.get(1)
}

func sent(channel chan *int) {
	channel <- new(int)
}

func received(channel chan *int) int {
	p := new(int)
	q := <-channel
	return *p + *q
}

func level0() {
	i := new(int)
	sink = i
}

func level1() {
	i := new(int)
	p0 := new(*int)
	*p0 = i
	sink = p0
}

func level2() {
	i := new(int)
	p0 := new(*int)
	*p0 = i
	sink = *p0
}

func level3() {
	i := new(int)
	p0 := new(*int)
	*p0 = i
	p1 := new(**int)
	*p1 = p0
	sink = *p1
}

func level4() {
	i := new(int)
	p0 := new(*int)
	*p0 = i
	p1 := new(**int)
	*p1 = p0
	sink = **p1
}

func level5() int {
	i := new(int)
	p0 := new(*int)
	*p0 = i
	p1 := new(**int)
	*p1 = p0
	p2 := new(***int)
	*p2 = p1
	return ****p2
}

func level6() {
	i := new(int)
	p0 := new(*int)
	*p0 = i
	p1 := new(**int)
	*p1 = p0
	p2 := new(***int)
	*p2 = p1
	sink = *p2
}

func indirect(p *int) **int {
	q := new(*int)
	*q = p
	return q
}

func direct(p **int) *int {
	return *p
}

func through_heap() int {
	p := new(int)
	return **indirect(p)
}

func through_both(p *int) *int {
	return direct(indirect(p))
}

func chain1(p *int) *int {
	return p
}

func chain2(p *int) *int {
	return chain1(p)
}

func chain3(p *int, c bool) *int {
	if c {
		return chain2(p)
	}
	return chain1(p)
}

func chained() int {
	p := new(int)
	return *chain3(p, *p != 0)
}

func out1(to **int, p *int) {
	*to = p
}

func out2(to **int, p *int) {
	out1(to, p)
}

func out3(to ***int, p *int) {
	**to = p
}

func outs_returned() *int {
	p := new(int)
	var r *int
	rr := &r
	out3(&rr, p)
	return r
}

func into_heap_object(p *int) {
	heap := sink.(**int)
	*heap = p
}

func of_callee() {
	into_heap_object(new(int))
}

func sets_and_reads(a, b *Node) {
	a.next = b
}

func outs() int {
	p := new(int)
	var q *int
	out2(&q, p)
	var r *int
	rr := &r
	out3(&rr, q)
	return *r
}

func lists() int {
	a := new(Node)
	b := new(Node)
	c := new(Node)
	sets_and_reads(a, b)
	sets_and_reads(b, c)
	sets_and_reads(c, a)
	return a.next.next.next.value
}

func lists_kept() {
	a := new(Node)
	b := new(Node)
	c := new(Node)
	sets_and_reads(a, b)
	sets_and_reads(c, a)
	sink = c.next
}
