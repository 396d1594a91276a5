package nb

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
)

// Must returns v if err is nil. Otherwise it prints the error, plainly, and ends
// the cell as failed.
func Must[T any](v T, err error) T {
	Must0(err)
	return v
}

// Must0 is Must for functions that return only an error.
func Must0(err error) {
	if err == nil {
		return
	}
	if errors.Is(err, context.Canceled) {
		end("interrupted: " + err.Error())
	}
	end("error: " + err.Error())
}

// end prints a message on standard error, after all that came before, and ends
// the program with status 1.
func end(msg string) {
	settle()
	os.Stderr.WriteString(msg + "\n")
	settle()
	os.Exit(1)
}

var interrupt struct {
	once sync.Once
	ctx  context.Context
}

// Context returns the context of the cell. It ends when the cell is interrupted,
// so that a driver which takes it stops and returns what it has, and the cell can
// still show that. A second interrupt, or five seconds, end the program.
func Context() context.Context {
	interrupt.once.Do(func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		interrupt.ctx = ctx
		context.AfterFunc(ctx, func() {
			stop() // the next one has its usual effect
			endProgress()
		})
	})
	return interrupt.ctx
}

// Size returns full, or reduced if EBMKIT_REDUCED=1: the size of a computation
// in the notebook as published, and in the quick run of the tests.
func Size(full, reduced int) int {
	if os.Getenv("EBMKIT_REDUCED") == "1" {
		return reduced
	}
	return full
}

// Each returns f of every x, in order: a column of a table or of a figure, measured
// at the values of a parameter.
//
//	ks := []float64{1, 2, 4, 8}
//	gaps := nb.Each(ks, func(k float64) ebmkit.Estimate { return gap(int(k)) })
func Each[X, Y any](xs []X, f func(x X) Y) []Y {
	ys := make([]Y, len(xs))
	for i, x := range xs {
		ys[i] = f(x)
	}
	return ys
}
