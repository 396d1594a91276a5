package energy

import (
	"fmt"
	"math"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// wantFinite returns *ebmkit.ArgError unless v is a finite number.
func wantFinite(fn, arg string, v float64) error {
	if !isFinite(v) {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: "a finite number"}
	}
	return nil
}

// wantPositive returns *ebmkit.ArgError unless v is positive and finite.
func wantPositive(fn, arg string, v float64) error {
	if !(v > 0) || !isFinite(v) {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: "a positive finite number"}
	}
	return nil
}

// wantSD returns *ebmkit.ArgError unless v is positive and neither its square
// nor its inverse square leaves the range of float64.
func wantSD(fn, arg string, v float64) error {
	if !(v >= 1e-150 && v <= 1e150) {
		want := "a positive finite number"
		if v > 0 && isFinite(v) {
			want = "between 1e-150 and 1e150"
		}
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: want}
	}
	return nil
}

// wantVector returns *ebmkit.ArgError unless v has length n (any length but 0
// if n < 0) and every entry passes want.
func wantVector(fn, arg string, v []float64, n int, want func(fn, arg string, v float64) error) error {
	if n >= 0 && len(v) != n {
		return &ebmkit.ArgError{Func: fn, Arg: "len(" + arg + ")", Value: len(v), Want: fmt.Sprintf("%d", n)}
	}
	if len(v) == 0 {
		return &ebmkit.ArgError{Func: fn, Arg: "len(" + arg + ")", Value: 0, Want: "at least 1"}
	}
	for i, x := range v {
		if err := want(fn, fmt.Sprintf("%s[%d]", arg, i), x); err != nil {
			return err
		}
	}
	return nil
}

// wantDim returns *ebmkit.ArgError unless dim is at least least.
func wantDim(fn string, dim, least int) error {
	if dim < least {
		return &ebmkit.ArgError{Func: fn, Arg: "dim", Value: dim, Want: fmt.Sprintf("at least %d", least)}
	}
	return nil
}

// checkX panics if x, or grad where there is one, has not length d.
func checkX(who string, d int, grad, x []float64) {
	if len(x) != d {
		panic("energy: " + who + ": len(x) != Dim")
	}
	if grad != nil && len(grad) != d {
		panic("energy: " + who + ": len(grad) != Dim")
	}
}

// checkParamGrad returns the number of rows of xs. It panics, in the name of
// who, if dst has not length p, or w (may be nil) has not one entry per row.
func checkParamGrad(who string, d, p int, dst, w, xs []float64) int {
	n := ebmkit.CheckRows(who, d, w, nil, xs)
	if len(dst) != p {
		panic(who + ": len(dst) != NumParams")
	}
	return n
}

// checkScoreGrad is checkParamGrad for one vector v per row.
func checkScoreGrad(who string, d, p int, dst, v, xs []float64) int {
	n := ebmkit.CheckRows(who, d, nil, nil, xs)
	if len(dst) != p {
		panic(who + ": len(dst) != NumParams")
	}
	if len(v) != len(xs) {
		panic(who + ": len(v) != len(xs)")
	}
	return n
}

// into returns dst, or a new slice of length n if dst is nil. It panics if dst
// has another length.
func into(who string, dst []float64, n int) []float64 {
	if dst == nil {
		return make([]float64, n)
	}
	if len(dst) != n {
		panic("energy: " + who + ": wrong len(dst)")
	}
	return dst
}

func weight(w []float64, i int) float64 {
	if w == nil {
		return 1
	}
	return w[i]
}

// scratch lends float64 slices of one length, so that methods without an
// evaluator of their own neither allocate in a loop nor share memory between
// goroutines.
type scratch struct{ pool sync.Pool }

func (s *scratch) get(n int) *[]float64 {
	if p, ok := s.pool.Get().(*[]float64); ok && len(*p) >= n {
		return p
	}
	p := make([]float64, n)
	return &p
}

func (s *scratch) put(p *[]float64) { s.pool.Put(p) }

// evaluators lends evaluators to the row-wise methods: one row and many rows
// then go through the same arithmetic and give the same bits.
type evaluators struct{ pool sync.Pool }

func (p *evaluators) one(e ebmkit.Batched, grad, x []float64) float64 {
	ev, ok := p.pool.Get().(*oneRow)
	if !ok {
		ev = &oneRow{ev: e.NewEvaluator()}
	}
	ev.ev.EnergyGrad(ev.u[:], grad, x)
	u := ev.u[0]
	p.pool.Put(ev)
	return u
}

type oneRow struct {
	ev ebmkit.Evaluator
	u  [1]float64
}
