package main

import (
	"runtime"
	"sort"
	"sync/atomic"
	"time"
)

type listNode struct {
	next  *listNode
	value [3]uint64
}

const listCount = 1024

// Nodes in lists whose heads are all that keeps them.
func lists(count int, shuffled bool) []*listNode {
	heads := make([]*listNode, listCount)
	all := make([]*listNode, count)
	for i := range all {
		all[i] = new(listNode)
	}
	r := newRandom()
	for i := count; shuffled && i > 1; i-- {
		j := r.below(uint32(i))
		all[i-1], all[j] = all[j], all[i-1]
	}
	for i := range all {
		head := &heads[i*listCount/count]
		all[i].next = *head
		*head = all[i]
	}
	return heads
}

// Measures how long the goroutine is kept from running, until `ends` is set: the longest gap of each
// ms.
func watch(runs, ends *int32, result chan []float64) {
	longest := make([]float64, 0, 1<<16)
	atomic.StoreInt32(runs, 1)
	last := time.Now()
	window := last
	most := time.Duration(0)
	for atomic.LoadInt32(ends) == 0 {
		now := time.Now()
		if gap := now.Sub(last); gap > most {
			most = gap
		}
		if now.Sub(window) >= time.Millisecond {
			longest = append(longest, most.Seconds()*1e3)
			window = now
			most = 0
		}
		last = now
	}
	result <- append(longest, most.Seconds()*1e3)
}

func median(values []float64) float64 {
	sort.Float64s(values)
	return values[len(values)/2]
}

func mark(count int, shuffled bool) figures {
	heads := lists(count, shuffled)
	var runs, ends int32
	gaps := make(chan []float64)
	go watch(&runs, &ends, gaps)
	for atomic.LoadInt32(&runs) == 0 {
		runtime.Gosched()
	}
	var ns []float64
	for i := 0; i < 3; i++ {
		start := time.Now()
		runtime.GC()
		ns = append(ns, float64(time.Since(start).Nanoseconds())/float64(count))
	}
	atomic.StoreInt32(&ends, 1)
	longest := <-gaps
	found := 0
	for _, head := range heads {
		for at := head; at != nil; at = at.next {
			found++
		}
	}
	if found != count {
		panic("nodes were lost")
	}
	sort.Float64s(longest)
	return figures{"ns": median(ns), "gap_ms": longest[len(longest)-1],
		"gap99_ms": longest[len(longest)*99/100]}
}
