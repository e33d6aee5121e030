package corpus

type X struct {
	p1, p2 *int
	a      [2]*int
}

type Y struct {
	x X
}

func field_kept() {
	var x X
	x.p1 = new(int)
	sink = x.p1
}

func field_read() int {
	var x X
	x.p1 = new(int)
	return *x.p1
}

func other_field_kept() {
	var x X
	x.p1 = new(int)
	sink = x.p2
}

func array_element_kept(n int) {
	var x X
	x.a[0] = new(int)
	sink = x.a[n]
}

func nested_field_kept() {
	var y Y
	y.x.p1 = new(int)
	sink = y.x.p1
}

func nested_field_read() int {
	var y Y
	y.x.p1 = new(int)
	x := y.x
	return *x.p1
}

func copy_kept() {
	var x X
	x.p1 = new(int)
	y := x
	sink = y.p1
}

func object_of_pointer(x *X) {
	x.p1 = new(int)
}

func on_object() int {
	x := new(X)
	x.p1 = new(int)
	x.p2 = x.p1
	return *x.p2
}

func object_kept() {
	x := new(X)
	x.p1 = new(int)
	sink = x
}

func member_kept() {
	x := new(X)
	x.p1 = new(int)
	sink = x.p1
}

func first(x X) *int {
	return x.p1
}

func first_of(x *X) *int {
	return x.p1
}

func itself(x *X) *X {
	return x
}

func copied(x *X) X {
	return *x
}

func built(p, q *int) X {
	return X{p1: p, p2: q}
}

func keeps_copy(x *X) {
	sink = x.p1
}

func keeps_itself(x *X) {
	sink = x
}

func into(x *X, p *int) {
	x.p1 = p
}

func between(to, from *X) {
	to.p1 = from.p1
}

func uses() int {
	a := new(X)
	i := new(int)
	j := new(int)
	into(a, i)
	b := built(i, j)
	c := copied(&b)
	between(&c, a)
	return *first(c) + *first_of(&b) + *itself(a).p1
}

func keeps() {
	a := new(X)
	i := new(int)
	b := new(X)
	j := new(int)
	c := new(X)
	into(a, i)
	keeps_itself(a)
	unknown(nil)
	into(b, j)
	keeps_copy(b)
	unknown(nil)
	sink = itself(c)
}

func returns_object() *X {
	a := new(X)
	a.p1 = new(int)
	return a
}

func returns_value() X {
	var a X
	a.p1 = new(int)
	return a
}

func part_of_larger() *X {
	y := new(Y)
	return &y.x
}

func part_read() int {
	y := new(Y)
	x := &y.x
	x.p1 = new(int)
	return *y.x.p1
}

func element(n int) *int {
	a := make([]int, 8)
	return &a[n]
}

func element_read(n int) int {
	a := make([]int, 8)
	p := &a[n&7]
	*p = 2
	return a[2]
}

func pointers_in_array(n int) int {
	a := make([]*int, 4)
	a[0] = new(int)
	a[1] = new(int)
	return *a[n&1]
}

func pointer_from_array(n int) *int {
	a := make([]*int, 4)
	a[n&3] = new(int)
	return a[0]
}

func array_kept() []*int {
	a := make([]*int, 4)
	a[0] = new(int)
	return a
}

type Constructed struct {
	held *int
}

func construct(c *Constructed, p *int) {
	c.held = p
}

func constructed() int {
	p := new(int)
	c := new(Constructed)
	c.held = p
	return *c.held
}

func constructed_returns() *int {
	p := new(int)
	c := new(Constructed)
	c.held = p
	return c.held
}

type Derived struct {
	Constructed
	other *int
}

func derived_kept() {
	d := new(Derived)
	base := &d.Constructed
	sink = base
}

func swapped_objects() int {
	a := new(Pair)
	b := new(Pair)
	a.first = new(int)
	b.first = new(int)
	*a, *b = *b, *a
	return *a.first - *b.first
}
