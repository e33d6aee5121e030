package corpus

func call(f func()) {
	f()
}

func closures_by_reference() int {
	p := new(int)
	f := func() { *p = 2 }
	f()
	return *p
}

func by_value() int {
	p := new(int)
	f := func() int { return *p }
	return f()
}

func leaks_capture() {
	p := new(int)
	f := func() { sink = p }
	f()
}

func leaks_argument() int {
	p := new(int)
	f := func(q *int) { sink = q }
	f(p)
	return *p
}

func reads_argument() int {
	p := new(int)
	f := func(q *int) int { return *q }
	return f(p)
}

func returns_argument() *int {
	p := new(int)
	f := func(q *int) *int { return q }
	return f(p)
}

func assigns_to_captured() int {
	var kept *int
	f := func(q *int) { kept = q }
	p := new(int)
	f(p)
	return *kept
}

func assigns_to_captured_and_returns() *int {
	var kept *int
	f := func(q *int) { kept = q }
	p := new(int)
	f(p)
	return kept
}

func passed_to_template() int {
	p := new(int)
	call(func() { *p = 3 })
	return *p
}

func passed_to_template_that_leaks() {
	p := new(int)
	call(func() { sink = p })
}

func returned() func() int {
	p := new(int)
	return func() int { return *p }
}

func makes_inside() int {
	f := func() *int { return new(int) }
	return *f()
}

func in_a_loop(n int) int {
	s := 0
	for i := 0; i < n; i++ {
		p := new(int)
		f := func() int { return *p }
		s += f()
	}
	return s
}

func kept_by_a_loop(n int) int {
	var kept *int
	keep := func(q *int) { kept = q }
	s := 0
	for i := 0; i < n; i++ {
		if kept != nil {
			s += *kept
		}
		keep(new(int))
	}
	return s
}

func closures_nested() int {
	p := new(int)
	outer := func() int {
		inner := func() int { return *p }
		return inner()
	}
	return outer()
}

func cleanup() int {
	p := new(int)
	q := p
	defer func(place **int) { *place = nil }(&q)
	return *q
}

func leaking_cleanup() {
	p := new(int)
	defer func() { sink = p }()
}

type Shape interface {
	area(p *int) int
}

func virtual_call(s Shape) int {
	return s.area(new(int))
}

type Square struct{}

func (Square) area(p *int) int { return *p }

func devirtualised() int {
	var s Square
	return s.area(new(int))
}
