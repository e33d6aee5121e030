package main

import "time"

const valueBytes = 960

// An entry of the cache: in a chain of its hash bucket, and in the list by use.
type entry struct {
	chain, newer, older *entry
	key                 uint64
	value               []byte
}

type cache struct {
	capacity, size uint32
	buckets        []*entry
	ends           *entry // newer is the oldest, older the newest
}

func newCache(capacity uint32) *cache {
	c := &cache{capacity: capacity, buckets: make([]*entry, capacity), ends: new(entry)}
	c.ends.newer, c.ends.older = c.ends, c.ends
	return c
}

func unlink(e *entry) {
	e.older.newer = e.newer
	e.newer.older = e.older
}

func (c *cache) evict(e *entry) {
	unlink(e)
	at := &c.buckets[e.key%uint64(c.capacity)]
	for *at != e {
		at = &(*at).chain
	}
	*at = e.chain
	c.size--
}

// Hits move to the front; misses take the place of the entry that was not used for longest.
func (c *cache) lookUp(key uint64) bool {
	bucket := &c.buckets[key%uint64(c.capacity)]
	e := *bucket
	for e != nil && e.key != key {
		e = e.chain
	}
	hit := e != nil
	if hit {
		unlink(e)
	} else {
		if c.size == c.capacity {
			c.evict(c.ends.newer)
		}
		e = &entry{key: key, value: make([]byte, valueBytes), chain: *bucket}
		e.value[0] = byte(key)
		*bucket = e
		c.size++
	}
	if e.value[0] != byte(key) {
		panic("an entry was lost")
	}
	e.older = c.ends.older
	e.newer = c.ends
	c.ends.older.newer = e
	c.ends.older = e
	return hit
}

func lru(count int) figures {
	capacity := uint32(1 << 20)
	if uint32(count/4) < capacity {
		capacity = uint32(count / 4)
	}
	if capacity < 16 {
		capacity = 16
	}
	c := newCache(capacity)
	r := newRandom()
	for i := uint32(0); i < capacity; i++ {
		c.lookUp(uint64(2 * i))
	}
	hits := 0
	start := time.Now()
	for i := 0; i < count; i++ {
		if c.lookUp(uint64(r.below(2 * capacity))) {
			hits++
		}
	}
	result := perOp(start, count)
	if hits <= count/4 {
		panic("too few hits")
	}
	return result
}
