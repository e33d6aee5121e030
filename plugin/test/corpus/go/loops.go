package corpus

func each_its_own(n int) int {
	s := 0
	for i := 0; i < n; i++ {
		p := new(int)
		s += *p
	}
	return s
}

func list(n int) int {
	var head *Node
	for i := 0; i < n; i++ {
		p := new(Node)
		p.next = head
		p.value = i
		head = p
	}
	s := 0
	for ; head != nil; head = head.next {
		s += head.value
	}
	return s
}

func the_last_one(n int) int {
	var last *int
	for i := 0; i < n; i++ {
		last = new(int)
	}
	if last != nil {
		return *last
	}
	return 0
}

func the_one_before(n int) int {
	before := new(int)
	s := 0
	for i := 0; i < n; i++ {
		now := new(int)
		s += *before - *now
		before = now
	}
	return s
}

func in_an_outer_variable(n int) int {
	var pair Pair
	for i := 0; i < n; i++ {
		pair.first = new(int)
		promisesPair(&pair)
	}
	return *pair.first
}

func in_an_inner_variable(n int) int {
	s := 0
	for i := 0; i < n; i++ {
		var pair Pair
		pair.first = new(int)
		pair.second = pair.first
		s += *pair.second
	}
	return s
}

func in_an_inner_object(n int) int {
	s := 0
	for i := 0; i < n; i++ {
		pair := new(Pair)
		pair.first = new(int)
		s += *pair.first
	}
	return s
}

func in_an_outer_object(n int) int {
	pair := new(Pair)
	for i := 0; i < n; i++ {
		pair.first = new(int)
		promisesPair(pair)
	}
	return *pair.first
}

func nested(n int) int {
	s := 0
	for i := 0; i < n; i++ {
		outer := new(int)
		for j := 0; j < n; j++ {
			inner := new(int)
			s += *outer * *inner
		}
	}
	return s
}

func inner_kept_by_outer(n int) int {
	s := 0
	for i := 0; i < n; i++ {
		first := new(Node)
		for j := 0; j < n; j++ {
			p := new(Node)
			p.next = first.next
			first.next = p
		}
		for p := first; p != nil; p = p.next {
			s += p.value
		}
	}
	return s
}

func swapped(n int) int {
	a := new(int)
	b := new(int)
	for i := 0; i < n; i++ {
		a, b = b, a
	}
	return *a
}

func used_after_the_loop(n int) int {
	i := 0
	for {
		p := new(int)
		if i++; i > n {
			return *p
		}
	}
}

func jumps_back(n int) bool {
	var kept, p *Node
again:
	p = new(Node)
	p.next = kept
	kept = p
	if n--; n > 0 {
		goto again
	}
	return kept.next != kept
}

func jumps_back_without(n int) int {
	s := 0
again:
	p := new(int)
	s += *p
	if n--; n > 0 {
		goto again
	}
	return s
}

func by_reference(n int) int {
	var kept *int
	place := &kept
	s := 0
	for i := 0; i < n; i++ {
		if kept != nil {
			s += *kept
		}
		*place = new(int)
		promisesPlace(place)
	}
	return s
}

type Ring struct {
	slots [4]*int
}

func in_a_ring(n int) int {
	var ring Ring
	s := 0
	for i := 0; i < n; i++ {
		ring.slots[i&3] = new(int)
		if old := ring.slots[(i+1)&3]; old != nil {
			s += *old
		}
	}
	return s
}
