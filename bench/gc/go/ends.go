package main

import (
	"runtime"
	"runtime/debug"
	"time"
)

type textEntry struct{ text []byte }

// Each new entry takes the place of the oldest.
func stringsInTurn(count int) figures {
	const entryCount, textBytes = 1000, 60
	entries := make([]*textEntry, entryCount)
	start := time.Now()
	for i := 0; i < count; i++ {
		e := &textEntry{text: make([]byte, textBytes)}
		e.text[0] = 'x'
		entries[i%entryCount] = e
	}
	result := perOp(start, count)
	result["peak_mib"] = peakMiB()
	return result
}

type ends struct{ words [2]int }

func litter(count int) {
	for i := 0; i < count; i++ {
		runtime.SetFinalizer(new(ends), func(e *ends) { integer = e.words[0] })
	}
}

func dead(count int) figures {
	debug.SetGCPercent(-1)
	litter(count)
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return figures{"stop_ms": float64(stats.PauseTotalNs) / 1e6 / float64(stats.NumGC)}
}
