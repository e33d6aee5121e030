// The workloads of bench/gc in Go. Usage: main WORKLOAD COUNT. See ../workloads.h.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

type figures map[string]float64

func perOp(start time.Time, count int) figures {
	return figures{"ns": float64(time.Since(start).Nanoseconds()) / float64(count)}
}

func peakMiB() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Maxrss) / 1024
}

// Knuth's MMIX generator: the same numbers in every language.
type random struct{ state uint64 }

func newRandom() *random { return &random{1} }

func (r *random) below(limit uint32) uint32 {
	r.state = r.state*6364136223846793005 + 1442695040888963407
	return uint32((r.state >> 32) * uint64(limit) >> 32)
}

type tree struct{ left, right *tree }

func grow(depth int) *tree {
	t := new(tree)
	if depth > 0 {
		t.left = grow(depth - 1)
		t.right = grow(depth - 1)
	}
	return t
}

func (t *tree) nodes() int {
	if t.left == nil {
		return 1
	}
	return 1 + t.left.nodes() + t.right.nodes()
}

func check(t *tree, depth int) {
	if t.nodes() != 2<<depth-1 {
		panic("nodes were lost")
	}
}

func trees(most int) figures {
	const least = 4
	if most < least+2 {
		most = least + 2
	}
	start := time.Now()
	check(grow(most+1), most+1)
	lives := grow(most)
	for depth := least; depth <= most; depth += 2 {
		for i := 0; i < 1<<(most-depth+least); i++ {
			check(grow(depth), depth)
		}
	}
	check(lives, most)
	return figures{"s": time.Since(start).Seconds(), "peak_mib": peakMiB()}
}

var (
	small   *[2]uint64
	medium  *[8]uint64
	buffer  []byte
	integer any
)

func allocSmall(count int) figures {
	start := time.Now()
	for i := 0; i < count; i++ {
		small = new([2]uint64)
	}
	return perOp(start, count)
}

func allocMedium(count int) figures {
	start := time.Now()
	for i := 0; i < count; i++ {
		medium = new([8]uint64)
	}
	return perOp(start, count)
}

func allocBuffers(bytes int) func(int) figures {
	return func(count int) figures {
		start := time.Now()
		for i := 0; i < count; i++ {
			buffer = make([]byte, bytes)
		}
		return perOp(start, count)
	}
}

func pool(count int) figures {
	p := sync.Pool{New: func() any { return new([8]uint64) }}
	start := time.Now()
	for i := 0; i < count; i++ {
		one := p.Get().(*[8]uint64)
		p.Put(one)
	}
	return perOp(start, count)
}

var slice []int

func appending(count int) figures {
	const most = 1000
	start := time.Now()
	done := 0
	for ; done < count; done += most {
		var s []int
		for i := 0; i < most; i++ {
			s = append(s, i)
		}
		slice = s
	}
	return perOp(start, done)
}

type triple struct{ a, b, c int }

func anyInt(count int) figures {
	boxes := make([]any, 1024)
	start := time.Now()
	for i := 0; i < count; i++ {
		boxes[i%1024] = i + 1000
	}
	result := perOp(start, count)
	integer = boxes
	return result
}

func anyStruct(count int) figures {
	boxes := make([]any, 1024)
	start := time.Now()
	for i := 0; i < count; i++ {
		boxes[i%1024] = triple{i, i, i}
	}
	result := perOp(start, count)
	integer = boxes
	return result
}

func main() {
	count, _ := strconv.Atoi(os.Args[2])
	run := map[string]func(int) figures{
		"trees": trees, "trees_ptr": trees,
		"alloc_16": allocSmall, "alloc_64": allocMedium,
		"alloc_1024": allocBuffers(1024), "alloc_4096": allocBuffers(4096),
		"alloc_32768": allocBuffers(32768), "alloc_65536": allocBuffers(65536),
		"ordered":    func(n int) figures { return mark(n, false) },
		"shuffled":   func(n int) figures { return mark(n, true) },
		"lru":        lru,
		"pool":       pool,
		"append":     appending,
		"any_int":    anyInt,
		"any_struct": anyStruct,
		"strings":    stringsInTurn,
		"dead":       dead,
	}[os.Args[1]]
	text, _ := json.Marshal(run(count))
	fmt.Println(string(text))
}
