package corpus

func local() int {
	p := new(int)
	return *p
}

func result() *int {
	return new(int)
}

func global() {
	sink = new(int)
}

func by_way_of_a_variable() *int {
	p := new(int)
	q := p
	return q
}

func one_of_two(c bool) *int {
	p := new(int)
	q := new(int)
	*q = *p
	if c {
		return p
	}
	return nil
}

func choice(c bool) int {
	p := new(int)
	q := new(int)
	r := q
	if c {
		r = p
	}
	return *r
}

func choice_kept(c bool) *int {
	p := new(int)
	q := new(int)
	if c {
		return p
	}
	return q
}

func pointer_to_pointer() int {
	pp := new(*int)
	*pp = new(int)
	return **pp
}

func pointee_returned() *int {
	pp := new(*int)
	*pp = new(int)
	return *pp
}

func both_returned() **int {
	pp := new(*int)
	*pp = new(int)
	return pp
}

func stored_in_a_global_object() {
	pp := sink.(**int)
	*pp = new(int)
}

func param_written(pp **int) {
	*pp = new(int)
}

func three_levels() int {
	ppp := new(**int)
	*ppp = new(*int)
	**ppp = new(int)
	return ***ppp
}

func deepest_of_three() *int {
	ppp := new(**int)
	*ppp = new(*int)
	**ppp = new(int)
	return **ppp
}

type Self struct {
	me *Self
}

func points_to_itself() bool {
	s := new(Self)
	s.me = s
	return s.me == s
}

func in_a_circle() bool {
	a := new(Self)
	b := new(Self)
	a.me = b
	b.me = a
	return a.me.me == a
}

func circle_kept() {
	a := new(Self)
	b := new(Self)
	a.me = b
	b.me = a
	sink = a
}

func compared(q *int) bool {
	p := new(int)
	return p == q
}

func overwritten_before_it_leaves() int {
	p := new(int)
	v := *p
	p = nil
	sink = p
	return v
}

var of_file *int

func file_scope() {
	of_file = new(int)
}

func swap_pointers(a, b **int) {
	*a, *b = *b, *a
}
