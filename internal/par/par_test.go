package par

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// atProcs runs f under each GOMAXPROCS.
func atProcs(t *testing.T, f func(t *testing.T)) {
	for _, n := range []int{1, 2, 7} {
		t.Run(fmt.Sprint("GOMAXPROCS ", n), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
			f(t)
		})
	}
}

func TestForRunsEachBlockOnce(t *testing.T) {
	atProcs(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 2, 3, 100, 1000} {
			for range 200 {
				count := make([]int32, n)
				if err := For(context.Background(), n, func(b int) { count[b]++ }); err != nil {
					t.Fatal(err)
				}
				for b, c := range count {
					if c != 1 {
						t.Fatalf("%d blocks: block %d ran %d times", n, b, c)
					}
				}
			}
		}
	})
}

// Workers that have parked come back, and a slow block does not lose the join.
func TestForAfterParking(t *testing.T) {
	for i := range 20 {
		time.Sleep(time.Millisecond)
		var sum atomic.Int64
		For(context.Background(), 4, func(b int) {
			if b == i%4 {
				time.Sleep(2 * time.Millisecond)
			}
			sum.Add(int64(b))
		})
		if sum.Load() != 6 {
			t.Fatalf("sum %d", sum.Load())
		}
	}
}

func TestForNestedAndConcurrent(t *testing.T) {
	var n atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				For(context.Background(), 5, func(int) {
					For(context.Background(), 5, func(int) { n.Add(1) })
				})
			}
		})
	}
	wg.Wait()
	if n.Load() != 4*100*25 {
		t.Errorf("%d inner blocks ran, want %d", n.Load(), 4*100*25)
	}
}

func TestForPanic(t *testing.T) {
	atProcs(t, func(t *testing.T) {
		for bad := range 8 {
			var running atomic.Int32
			func() {
				defer func() {
					if v := recover(); v != "boom" {
						t.Fatalf("recovered %v", v)
					}
					if running.Load() != 0 {
						t.Fatal("a block still runs")
					}
				}()
				For(context.Background(), 8, func(b int) {
					running.Add(1)
					defer running.Add(-1)
					if b == bad {
						panic("boom")
					}
				})
				t.Fatal("no panic")
			}()
			// The pool still works.
			var n atomic.Int32
			For(context.Background(), 10, func(int) { n.Add(1) })
			if n.Load() != 10 {
				t.Fatalf("after a panic: %d of 10 blocks", n.Load())
			}
		}
	})
}

func TestForCancel(t *testing.T) {
	atProcs(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		var n atomic.Int32
		err := For(ctx, 10_000, func(b int) {
			if n.Add(1) >= 5 { // so each goroutine runs at most one block past the fourth
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || n.Load() < 5 || n.Load() > 4+int32(runtime.GOMAXPROCS(0)) {
			t.Errorf("error %v after %d blocks", err, n.Load())
		}
		if err := For(ctx, 3, func(int) { t.Error("a block ran") }); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		// Ended only after the last block: nothing was skipped.
		ctx, cancel = context.WithCancel(context.Background())
		defer cancel()
		if err := For(ctx, 1, func(int) { cancel() }); err != nil {
			t.Errorf("all blocks ran, error %v", err)
		}
	})
}

func TestForAllocs(t *testing.T) {
	f := func(int) {}
	ctx := context.Background()
	For(ctx, 10, f)
	if n := testing.AllocsPerRun(100, func() { For(ctx, 10, f) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// sink of a block of about n ns of work.
var sink [64]float64

func busy(b, n int) {
	x := 1.0
	for range n {
		x = x*0.999 + 0.5
	}
	sink[b] = x
}

// BenchmarkForkJoin splits work into 8 blocks: inline, with this package, and
// with a goroutine per core and call.
func BenchmarkForkJoin(b *testing.B) {
	ctx := context.Background()
	for _, work := range []int{0, 1000, 4000, 16000, 64000} { // loop passes of all blocks together
		f := func(block int) { busy(block, work/8) }
		b.Run(fmt.Sprint("inline/", work), func(b *testing.B) {
			for b.Loop() {
				for i := range 8 {
					f(i)
				}
			}
		})
		b.Run(fmt.Sprint("For/", work), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				For(ctx, 8, f)
			}
		})
		b.Run(fmt.Sprint("goroutines/", work), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var next atomic.Int64
				var wg sync.WaitGroup
				for range runtime.GOMAXPROCS(0) {
					wg.Go(func() {
						for i := next.Add(1) - 1; i < 8; i = next.Add(1) - 1 {
							f(int(i))
						}
					})
				}
				wg.Wait()
			}
		})
	}
}
