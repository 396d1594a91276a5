package ebmkit

import "fmt"

// ArgError reports an argument that cannot be used. Nothing was computed and
// nothing was written.
type ArgError struct {
	Func  string // package and function, as in "energy.NewGaussian"
	Arg   string // the argument, with its index where it is one of many: "cov[1][2]"
	Value any    // what was given
	Want  string // what would be accepted
}

func (e *ArgError) Error() string {
	return fmt.Sprintf("%s: %s = %v, want %s", e.Func, e.Arg, e.Value, e.Want)
}

// DivergedError reports a computation that ran away.
type DivergedError struct {
	Func   string  // package and function or method, as in "mcmc.ULA"
	Step   int     // step at which it was seen, from 0
	Walker int     // row of the ensemble, or -1 if it concerns all
	Value  float64 // the offending number
	Hint   string  // what to do
}

func (e *DivergedError) Error() string {
	who := fmt.Sprintf("walker %d", e.Walker)
	if e.Walker < 0 {
		who = "all walkers"
	}
	return fmt.Sprintf("%s: diverged at step %d, %s, value %g: %s", e.Func, e.Step, who, e.Value, e.Hint)
}

// TypeName returns the Go type of v as it is written in code, for messages.
func TypeName(v any) string { return fmt.Sprintf("%T", v) }
