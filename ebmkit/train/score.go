package train

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// ScoreField is a score network: a field with parameters that is trained as
// s_theta(x, t) at a fixed time. *nn.Field is one.
type ScoreField interface {
	ebmkit.Field
	Model
	// AtTimes is At with the time ts[i] of row i.
	AtTimes(dst, ts, xs []float64)
	// AddParamGrad accumulates sum_i dy_i . df(x_i, t_i)/dtheta.
	AddParamGrad(dst, dy, ts, xs []float64)
	// Probe writes v_i' J v_i, J the derivative of the field in x.
	Probe(vjv []float64, t float64, v, xs []float64)
	// AddProbeParamGrad accumulates sum_i w_i d/dtheta [v_i' J_i v_i].
	AddProbeParamGrad(dst, w, v, ts, xs []float64)
}

// ISM is implicit score matching (Hyvarinen 2005), review eq. (54) with the
// factor 1/2 that is missing in print:
//
//	Loss = mean over data of |s|^2/2 + tr J s,   s = -grad U or a score field.
//
// Up to a constant it is half the Fisher divergence, eq. (51). The trace costs d
// second derivatives per row; for more than a few dimensions take SSM or DSM.
type ISM struct {
	Time float64 // at which a score field is trained; energies have none
}

// DSM is denoising score matching at one noise level (Vincent 2011):
//
//	Loss = mean over data and noise of |s(x + Sigma z) + z/Sigma|^2/2,   z ~ N(0, I).
//
// It is eq. (54) for the data's law convolved with N(0, Sigma^2 I), up to a
// constant: its minimum is the score of that law, not of the data's.
type DSM struct {
	Sigma float64 // standard deviation of the noise
	Draws int     // noise vectors per row; 0 means 1
	Time  float64 // at which a score field is trained
}

// SSM is sliced score matching (Song et al. 2020), in the form in which only the
// trace is sliced:
//
//	Loss = mean over data and v of |s|^2/2 + v'(J s)v,   v uniform signs.
//
// Its expectation is that of ISM, at the cost of one second derivative per row
// and slice.
type SSM struct {
	Slices int     // vectors v per row; 0 means 1
	Time   float64 // at which a score field is trained
}

// Bind implements Objective.
func (o ISM) Bind(t Task) (Bound, error) {
	s, err := newScorer("train.ISM", t, o.Time)
	if err != nil {
		return nil, err
	}
	return &ism{scoreTerms: scoreTerms{scorer: s, d: t.Model.Dim()}, name: fmt.Sprintf("ISM time %g", o.Time)}, nil
}

// Bind implements Objective.
func (o SSM) Bind(t Task) (Bound, error) {
	const fn = "train.SSM"
	if o.Slices == 0 {
		o.Slices = 1
	}
	if err := atLeast(fn, "Slices", o.Slices, 1); err != nil {
		return nil, err
	}
	s, err := newScorer(fn, t, o.Time)
	if err != nil {
		return nil, err
	}
	return &ism{scoreTerms: scoreTerms{scorer: s, d: t.Model.Dim()}, slices: o.Slices, stream: ebmkit.NewStream(t.Seed, "ssm", 0),
		name: fmt.Sprintf("SSM slices %d time %g", o.Slices, o.Time)}, nil
}

// Bind implements Objective.
func (o DSM) Bind(t Task) (Bound, error) {
	const fn = "train.DSM"
	if o.Draws == 0 {
		o.Draws = 1
	}
	if err := atLeast(fn, "Draws", o.Draws, 1); err != nil {
		return nil, err
	}
	if err := positive(fn, "Sigma", o.Sigma); err != nil {
		return nil, err
	}
	s, err := newScorer(fn, t, o.Time)
	if err != nil {
		return nil, err
	}
	return &dsm{o: o, scorer: s, d: t.Model.Dim(), stream: ebmkit.NewStream(t.Seed, "dsm", 0)}, nil
}

// scorer is what score matching needs of a model. J is the derivative of s in x.
type scorer interface {
	score(s, xs []float64)         // s(x_i)
	addScore(dst, v, xs []float64) // dst += sum_i d/dtheta [v_i . s(x_i)]
	curv(c, v, xs []float64)       // c_i = v_i' J v_i
	addCurv(dst, v, xs []float64)  // dst += sum_i d/dtheta [v_i' J v_i]
}

func newScorer(fn string, t Task, time float64) (scorer, error) {
	switch m := t.Model.(type) {
	case ScoreField:
		if !finite(time) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: "Time", Value: time, Want: "a finite number"}
		}
		return &fieldScore{f: m, t: time}, nil
	case ebmkit.ScoreParametric:
		if _, err := ebmkit.Gradient(fn, "model", m); err != nil {
			return nil, err
		}
		s := &energyScore{e: m, rows: newRows(m), tmp: make([]float64, m.NumParams())}
		s.along, _ = t.Model.(along)
		s.addJ1 = func(dst []float64, lo, hi int) {
			d := s.e.Dim()
			s.e.AddScoreParamGrad(dst, s.v[lo*d:hi*d], s.rows.x[lo*d:hi*d])
		}
		s.addJ2 = func(dst []float64, lo, hi int) {
			d := s.e.Dim()
			s.e.AddCurvParamGrad(dst, s.v[lo*d:hi*d], s.rows.x[lo*d:hi*d])
		}
		return s, nil
	}
	return nil, &ebmkit.ArgError{Func: fn, Arg: "model", Value: ebmkit.TypeName(t.Model), Want: "an ebmkit.ScoreParametric energy or a train.ScoreField"}
}

// along is implemented by *nn.Energy: derivatives of U along v, the second exact.
type along interface {
	Along(du, ddu, v, xs []float64)
}

// energyScore is the score -grad U.
type energyScore struct {
	e            ebmkit.ScoreParametric
	rows         *rowsOf
	along        along // nil: second derivatives of U, for the loss alone, by differences
	v, tmp       []float64
	du, g        []float64
	y            []float64
	addJ1, addJ2 func(dst []float64, lo, hi int)
}

func (s *energyScore) score(dst, xs []float64) {
	s.rows.eval(nil, dst, xs)
	for i, v := range dst {
		dst[i] = -v
	}
}

func (s *energyScore) minus(dst, v, xs []float64, add func(dst []float64, lo, hi int)) {
	clear(s.tmp)
	s.v = v
	s.rows.accumulate(s.tmp, xs, add)
	s.v = nil
	vmath.Axpy(dst, -1, s.tmp)
}

func (s *energyScore) addScore(dst, v, xs []float64) { s.minus(dst, v, xs, s.addJ1) }
func (s *energyScore) addCurv(dst, v, xs []float64)  { s.minus(dst, v, xs, s.addJ2) }

// curv uses second derivatives where the energy has them, or else central
// differences of the gradient over 1e-4 of the length of (1, x): good to about
// 1e-7, enough for a loss that is looked at.
func (s *energyScore) curv(c, v, xs []float64) {
	n, d := len(c), s.e.Dim()
	if s.along != nil {
		du := room(&s.du, n)
		s.along.Along(du, c, v, xs)
		for i := range c {
			c[i] = -c[i]
		}
		return
	}
	y, g := room(&s.y, len(xs)), room(&s.g, len(xs))
	clear(c)
	for _, sign := range []float64{1, -1} {
		for i := range n {
			h := sign * step(xs[i*d:(i+1)*d], v[i*d:(i+1)*d])
			for j := i * d; j < (i+1)*d; j++ {
				y[j] = xs[j] + h*v[j]
			}
		}
		s.rows.eval(nil, g, y)
		for i := range n {
			row := v[i*d : (i+1)*d]
			if h := step(xs[i*d:(i+1)*d], row); h > 0 {
				c[i] -= sign * vmath.Dot(row, g[i*d:(i+1)*d]) / (2 * h)
			}
		}
	}
}

// step returns the length of a difference along v at x.
func step(x, v []float64) float64 {
	vv := vmath.Dot(v, v)
	if vv == 0 {
		return 0
	}
	return 1e-4 * math.Sqrt((1+vmath.Dot(x, x))/vv)
}

// fieldScore is a score network at one time.
type fieldScore struct {
	f  ScoreField
	t  float64
	ts []float64
}

func (s *fieldScore) times(xs []float64) []float64 { return uniform(&s.ts, len(xs)/s.f.Dim(), s.t) }

func (s *fieldScore) score(dst, xs []float64)       { s.f.At(dst, s.t, xs) }
func (s *fieldScore) addScore(dst, v, xs []float64) { s.f.AddParamGrad(dst, v, s.times(xs), xs) }
func (s *fieldScore) curv(c, v, xs []float64)       { s.f.Probe(c, s.t, v, xs) }
func (s *fieldScore) addCurv(dst, v, xs []float64) {
	s.f.AddProbeParamGrad(dst, nil, v, s.times(xs), xs)
}

// scoreTerms computes the terms of ISM and SSM.
type scoreTerms struct {
	scorer
	d       int
	s, v, c []float64
}

// square returns mean |s|^2/2 and adds its gradient.
func (k *scoreTerms) square(dst, xs []float64) float64 {
	s := room(&k.s, len(xs))
	k.score(s, xs)
	n := float64(len(xs) / k.d)
	half := vmath.Dot(s, s) / (2 * n)
	for i := range s {
		s[i] /= n
	}
	k.addScore(dst, s, xs)
	return half
}

// trace returns the sum of v_i' J v_i and adds its gradient.
func (k *scoreTerms) trace(dst, v, xs []float64) float64 {
	c := room(&k.c, len(xs)/k.d)
	k.curv(c, v, xs)
	k.addCurv(dst, v, xs)
	return vmath.Sum(c)
}

type ism struct {
	scoreTerms
	slices int            // 0: all axes
	stream *ebmkit.Stream // of the slices
	name   string
}

func (b *ism) Grad(dst, batch []float64, rec *Record) error {
	n := float64(len(batch) / b.d)
	loss := b.square(dst, batch)
	// v holds directions divided by the root of what they are averaged over.
	if b.slices == 0 {
		for j := range b.d {
			v := uniform(&b.v, len(batch), 0)
			for i := j; i < len(v); i += b.d {
				v[i] = 1 / math.Sqrt(n)
			}
			loss += b.trace(dst, v, batch)
		}
	}
	for range b.slices {
		v := uniform(&b.v, len(batch), 1/math.Sqrt(n*float64(b.slices)))
		var bits uint64
		for i := range v {
			if i%64 == 0 {
				bits = b.stream.Uint64()
			}
			if bits&1 == 0 {
				v[i] = -v[i]
			}
			bits >>= 1
		}
		loss += b.trace(dst, v, batch)
	}
	rec.Loss = loss
	return nil
}

func (b *ism) State() State {
	s := State{Identity: b.name}
	if b.stream != nil {
		s.Streams = []*ebmkit.Stream{b.stream}
	}
	return s
}

type dsm struct {
	o DSM
	scorer
	d       int
	stream  *ebmkit.Stream
	x, z, s []float64
}

func (b *dsm) Grad(dst, batch []float64, rec *Record) error {
	x, z, s := room(&b.x, len(batch)), room(&b.z, len(batch)), room(&b.s, len(batch))
	total := float64(len(batch)/b.d) * float64(b.o.Draws)
	var loss float64
	for range b.o.Draws {
		b.stream.FillNormal(z)
		copy(x, batch)
		vmath.Axpy(x, b.o.Sigma, z)
		b.score(s, x)
		vmath.Axpy(s, 1/b.o.Sigma, z)
		loss += vmath.Dot(s, s) / 2
		for i := range s {
			s[i] /= total
		}
		b.addScore(dst, s, x)
	}
	rec.Loss = loss / total
	return nil
}

func (b *dsm) State() State {
	return State{Identity: fmt.Sprintf("DSM sigma %g draws %d time %g", b.o.Sigma, b.o.Draws, b.o.Time), Streams: []*ebmkit.Stream{b.stream}}
}
