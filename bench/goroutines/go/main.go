// The workloads of bench/goroutines in Go. Usage: main WORKLOAD COUNT. See ../workloads.h.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

type figures map[string]float64

func perOp(start time.Time, count int) figures {
	return figures{"ns": float64(time.Since(start).Nanoseconds()) / float64(count)}
}

func yield(count int) figures {
	var group sync.WaitGroup
	start := time.Now()
	for i := 0; i < 2; i++ {
		group.Add(1)
		go func() {
			for j := 0; j < count/2; j++ {
				runtime.Gosched()
			}
			group.Done()
		}()
	}
	group.Wait()
	return perOp(start, count)
}

func pingpong(count int) figures {
	there, back := make(chan int), make(chan int)
	go func() {
		for n := range there {
			back <- n
		}
		close(back)
	}()
	start := time.Now()
	for i := 0; i < count/2; i++ {
		there <- i
		<-back
	}
	result := perOp(start, count)
	close(there)
	<-back
	return result
}

func oneWay(count int, capacity int) figures {
	items := make(chan int, capacity)
	start := time.Now()
	go func() {
		for i := 0; i < count; i++ {
			items <- i
		}
		close(items)
	}()
	sum := 0
	for n := range items {
		sum += n
	}
	if sum != count*(count-1)/2 {
		panic("lost items")
	}
	return perOp(start, count)
}

func spawn(count int) figures {
	const batch = 100
	var group sync.WaitGroup
	start := time.Now()
	for i := 0; i < count/batch; i++ {
		group.Add(batch)
		for j := 0; j < batch; j++ {
			go group.Done()
		}
		group.Wait()
	}
	return perOp(start, count/batch*batch)
}

func memoryBytes() float64 {
	text, _ := os.ReadFile("/proc/self/status")
	total := 0.0
	for _, m := range regexp.MustCompile(`(?m)^Vm(?:RSS|PTE):\s+(\d+) kB`).FindAllSubmatch(text, -1) {
		kib, _ := strconv.ParseFloat(string(m[1]), 64)
		total += kib * 1024
	}
	return total
}

func parked(count int) figures {
	gate := make(chan int)
	var group sync.WaitGroup
	group.Add(count)
	before := memoryBytes()
	start := time.Now()
	for i := 0; i < count; i++ {
		go func() {
			<-gate
			group.Done()
		}()
	}
	for i := 0; i < 100; i++ {
		runtime.Gosched()
	}
	spawned := time.Since(start)
	bytes := memoryBytes() - before
	start = time.Now()
	close(gate)
	group.Wait()
	return figures{"bytes": bytes / float64(count), "spawn_s": spawned.Seconds(),
		"drain_s": time.Since(start).Seconds()}
}

func node(result chan int, number, size int) {
	if size == 1 {
		result <- number
		return
	}
	children := make(chan int)
	for i := 0; i < 10; i++ {
		go node(children, number+i*(size/10), size/10)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-children
	}
	result <- sum
}

func skynet(count int) figures {
	result := make(chan int)
	start := time.Now()
	go node(result, 0, count)
	if sum := <-result; sum != count*(count-1)/2 {
		panic("wrong sum")
	}
	return figures{"s": time.Since(start).Seconds()}
}

//go:noinline
func recurse(depth int) int {
	if depth == 0 {
		return 0
	}
	return recurse(depth-1) + 1
}

func recursion(count int) figures {
	debug.SetMaxStack(64 << 30)
	times := make(chan float64)
	go func() {
		start := time.Now()
		if recurse(count) != count {
			panic("wrong depth")
		}
		times <- float64(time.Since(start).Nanoseconds())
	}()
	ns := <-times
	return figures{"ms": ns / 1e6}
}

func mutex(count int) figures {
	var m sync.Mutex
	start := time.Now()
	for i := 0; i < count; i++ {
		m.Lock()
		m.Unlock()
	}
	return perOp(start, count)
}

func main() {
	count, _ := strconv.Atoi(os.Args[2])
	run := map[string]func(int) figures{
		"yield": yield, "pingpong": pingpong, "spawn": spawn, "parked": parked, "skynet": skynet,
		"recursion": recursion, "mutex": mutex,
		"unbuffered": func(n int) figures { return oneWay(n, 0) },
		"buffered":   func(n int) figures { return oneWay(n, 128) },
	}[os.Args[1]]
	out := make(chan figures)
	go func() { out <- run(count) }()
	text, _ := json.Marshal(<-out)
	fmt.Println(string(text))
}
