package diffusion

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Flow is the density that an ordinary equation dX/dt = v(X, t) makes of a
// simple one: along its solutions log p changes at the rate -div v, so
//
//	log p(x, first time) = log p_end(X_last) + integral of div v(X_t, t) dt,
//
// over the times in their order. For a ProbabilityFlow the times rise from 0 (or
// a little above) to T and End is Prior; for an interpolant they fall from 1 to
// 0 and End is rho_0.
type Flow struct {
	Velocity ebmkit.Field
	End      ebmkit.Normalized
	Times    []float64
	Scheme   Scheme // Heun or RK4; EulerMaruyama is Euler's method
	// Probes is the number of random directions for the divergence of fields that
	// do not know theirs (Hutchinson's estimate): E[v' J v] with random signs v,
	// the same all along a solution, and v' J v by the field's Probe, if it has
	// one as nn.Field, or by central differences. 0: Velocity is a
	// DivergenceField.
	Probes int
	Seed   uint64 // of the probes
}

// probeStep is the step of the central differences along a probe.
const probeStep = 1e-4

// LogDensity returns log p at the first time for every point of x. SE is the
// standard error of the mean over the probes, and 0 without probes; the error of
// the time steps, which falls as the order of the scheme, is not in it.
//
// It returns *ebmkit.ArgError if the velocity has no Divergence and Probes is
// less than 2, or an argument is out of range; *ebmkit.DivergedError when a
// point leaves the finite numbers; ctx's error if it ends.
func (f Flow) LogDensity(ctx context.Context, x *ebmkit.Ensemble) ([]ebmkit.Estimate, error) {
	const fn = "diffusion.Flow.LogDensity"
	if err := f.check(fn, x); err != nil {
		return nil, err
	}
	out := make([]ebmkit.Estimate, x.N)
	blocks := (x.N + ebmkit.BlockRows - 1) / ebmkit.BlockRows
	errs := make([]error, blocks)
	par.For(ctx, blocks, func(i int) {
		lo, hi := i*ebmkit.BlockRows, min((i+1)*ebmkit.BlockRows, x.N)
		errs[i] = f.block(ctx, out[lo:hi], append([]float64(nil), x.X[lo*x.Dim:hi*x.Dim]...), i)
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f Flow) check(fn string, x *ebmkit.Ensemble) error {
	if err := wantField(fn, "Flow.Velocity", f.Velocity, 0); err != nil {
		return err
	}
	if err := wantTimes(fn, "Flow.Times", f.Times); err != nil {
		return err
	}
	if err := wantPoints(fn, "x", x, f.Velocity.Dim()); err != nil {
		return err
	}
	_, exact := f.Velocity.(DivergenceField)
	switch {
	case f.End == nil:
		return &ebmkit.ArgError{Func: fn, Arg: "Flow.End", Value: nil, Want: "a normalised energy"}
	case f.End.Dim() != x.Dim:
		return &ebmkit.ArgError{Func: fn, Arg: "Flow.End.Dim()", Value: f.End.Dim(), Want: fmt.Sprint(x.Dim)}
	case f.Scheme < EulerMaruyama || f.Scheme > RK4:
		return &ebmkit.ArgError{Func: fn, Arg: "Flow.Scheme", Value: f.Scheme, Want: "Heun or RK4"}
	case f.Probes != 0 && f.Probes < 2:
		return &ebmkit.ArgError{Func: fn, Arg: "Flow.Probes", Value: f.Probes, Want: "0, or at least 2 for an error"}
	case f.Probes == 0 && !exact:
		return &ebmkit.ArgError{Func: fn, Arg: "Flow.Velocity", Value: ebmkit.TypeName(f.Velocity),
			Want: "a field with a Divergence (see Differences), or Probes"}
	}
	return nil
}

// block follows the rows x and their integrals of the divergence.
func (f Flow) block(ctx context.Context, out []ebmkit.Estimate, x []float64, index int) error {
	d, n := f.Velocity.Dim(), len(out)
	a := &augmented{f: f.Velocity, n: n, sums: max(1, f.Probes)}
	if f.Probes > 0 {
		s := ebmkit.NewStream(f.Seed, "probe", index)
		a.probes = make([]float64, f.Probes*len(x))
		for i := range a.probes {
			a.probes[i] = float64(int64(s.Uint64()>>62&2) - 1)
		}
		a.exact = probeOf(f.Velocity)
		a.y, a.v = make([]float64, len(x)), make([]float64, len(x))
	}
	// The state of a row is x and, for each probe, the integral: as one long row.
	state := append(x, make([]float64, n*a.sums)...)
	step := newStepper(SDE{Drift: a}, f.Scheme, len(state))
	for i, t := range f.Times[:len(f.Times)-1] {
		if err := ctx.Err(); err != nil {
			return err
		}
		step.advance(state, t, f.Times[i+1], nil)
		if j := notFinite(state); j >= 0 {
			w := j / d
			if j >= n*d {
				w = (j - n*d) % n
			}
			return &ebmkit.DivergedError{Func: "diffusion.Flow.LogDensity", Step: i, Walker: index*ebmkit.BlockRows + w, Value: state[j],
				Hint: "take more steps, or start where the velocity is not singular"}
		}
	}
	u := make([]float64, n)
	ebmkit.NewEvaluator(f.End).EnergyGrad(u, nil, state[:n*d])
	terms := make([]float64, a.sums)
	for i := range out {
		for k := range terms {
			terms[k] = state[n*d+k*n+i]
		}
		if a.sums == 1 {
			out[i] = ebmkit.Estimate{Value: terms[0]}
		} else {
			out[i] = ebmkit.MeanOf(terms)
		}
		out[i].Value -= u[i] + f.End.LogZ()
	}
	return nil
}

// augmented is the velocity of n points together with that of their integrals of
// the divergence, one per probe: a field of one very long row.
type augmented struct {
	f       ebmkit.Field
	n, sums int
	probes  []float64                                       // sums x n x d, nil: exact
	exact   func(vjv []float64, t float64, v, xs []float64) // of v' J v, nil: by differences
	y, v    []float64
}

func (a *augmented) Dim() int { return a.n * (a.f.Dim() + a.sums) }

func (a *augmented) At(dst []float64, t float64, state []float64) {
	d := a.f.Dim()
	x := state[:a.n*d]
	a.f.At(dst[:len(x)], t, x)
	div := dst[len(x):]
	if a.probes == nil {
		a.f.(DivergenceField).Divergence(div, t, x)
		return
	}
	clear(div)
	for k := range a.sums {
		v := a.probes[k*len(x) : (k+1)*len(x)]
		if a.exact != nil {
			a.exact(div[k*a.n:(k+1)*a.n], t, v, x)
			continue
		}
		for _, h := range []float64{probeStep, -probeStep} {
			copy(a.y, x)
			vmath.Axpy(a.y, h, v)
			a.f.At(a.v, t, a.y)
			for i := range a.n {
				div[k*a.n+i] += vmath.Dot(a.v[i*d:(i+1)*d], v[i*d:(i+1)*d]) / (2 * h)
			}
		}
	}
}

// MeanLogDensity is the mean of LogDensity over points drawn from a law: minus
// the cross-entropy. Its error has the spread of the points, and with it that of
// the probes.
func (f Flow) MeanLogDensity(ctx context.Context, x *ebmkit.Ensemble) (ebmkit.Estimate, error) {
	l, err := f.LogDensity(ctx, x)
	if err != nil {
		return ebmkit.Estimate{Value: math.NaN(), SE: math.Inf(1)}, err
	}
	v := make([]float64, len(l))
	for i, e := range l {
		v[i] = e.Value
	}
	return ebmkit.MeanOf(v), nil
}

// KL returns KL(p || q), review eq. (10), for the law q of the flow, from points
// x that were drawn from p: the mean of log p(x_i) - log q(x_i), in nats. Its
// error has the spread of the points, and with it that of the probes; that of the
// time steps is not in it. It returns *ebmkit.ArgError if p is nil or of another
// dimension, and the errors of LogDensity.
func (f Flow) KL(ctx context.Context, p ebmkit.Normalized, x *ebmkit.Ensemble) (ebmkit.Estimate, error) {
	const fn = "diffusion.Flow.KL"
	none := ebmkit.Estimate{Value: math.NaN(), SE: math.Inf(1)}
	if p == nil {
		return none, &ebmkit.ArgError{Func: fn, Arg: "p", Value: nil, Want: "the law of the points"}
	}
	q, err := f.LogDensity(ctx, x)
	if err != nil {
		return none, err
	}
	if p.Dim() != x.Dim {
		return none, &ebmkit.ArgError{Func: fn, Arg: "p.Dim()", Value: p.Dim(), Want: fmt.Sprint(x.Dim)}
	}
	ratio := make([]float64, x.N)
	for i, e := range q {
		ratio[i] = -p.Energy(x.Row(i)) - p.LogZ() - e.Value
	}
	return ebmkit.MeanOf(ratio), nil
}
