package flow

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Coupling lets some coordinates, a, pass, and scales and shifts the others, b,
// by what a network makes of those (RealNVP: Dinh, Sohl-Dickstein and Bengio
// 2017):
//
//	f(x)_a = x_a,   f(x)_b = exp(s) x_b + t,   (q, t) = net(x_a),   s = Cap tanh(q/Cap),
//	log |det J| = sum of s.
//
// The inverse, (z_b - t) exp(-s), needs no inverse of the network. The last
// layer of the network starts at 0, so that f starts as the identity. Its
// parameters are the network's.
type Coupling struct {
	Hidden []int         // widths of the hidden layers
	Act    nn.Activation // of the hidden layers; the zero value, Identity, makes s and t linear in x_a before the cap
	Cap    float64       // bound of |s|; 0 means 2
	Pass   []bool        // coordinates that pass; nil: those of even index,
	Flip   bool          // or of odd index
}

// RealNVP returns couplings that take turns in which coordinates pass, with
// networks of the given hidden widths.
func RealNVP(couplings int, act nn.Activation, hidden ...int) []Layer {
	ls := make([]Layer, max(couplings, 0))
	for i := range ls {
		ls[i] = Coupling{Hidden: hidden, Act: act, Flip: i%2 == 1}
	}
	return ls
}

// Glow returns steps of ActNorm, Linear and Coupling each (Kingma and Dhariwal
// 2018).
func Glow(steps int, act nn.Activation, hidden ...int) []Layer {
	var ls []Layer
	for range steps {
		ls = append(ls, ActNorm{}, Linear{}, Coupling{Hidden: hidden, Act: act})
	}
	return ls
}

func (c Coupling) build(b *builder) (layer, []float64, error) {
	l := &coupling{d: b.dim, cap: c.Cap}
	if c.Cap == 0 {
		l.cap = 2
	}
	if !(l.cap > 0 && l.cap <= 20) {
		return nil, nil, b.bad("Cap", c.Cap, "more than 0, at most 20 (a scale of exp(20))")
	}
	if c.Pass != nil && len(c.Pass) != b.dim {
		return nil, nil, b.bad("len(Pass)", len(c.Pass), fmt.Sprint(b.dim))
	}
	for j := range b.dim {
		pass := j%2 == 0
		if c.Pass != nil {
			pass = c.Pass[j]
		}
		if pass != c.Flip {
			l.a = append(l.a, j)
		} else {
			l.b = append(l.b, j)
		}
	}
	if len(l.a) == 0 || len(l.b) == 0 {
		if b.dim == 1 {
			return nil, nil, b.bad("Pass", "1 dimension", "at least 2 dimensions, to have coordinates that pass and others (in 1-D, take Planar, Radial and ActNorm)")
		}
		return nil, nil, b.bad("Pass", c.Pass, "coordinates that pass and others that do not")
	}
	sizes := append([]int{len(l.a)}, c.Hidden...)
	sizes = append(sizes, 2*len(l.b))
	net, err := nn.NewMLP(nn.Config{Sizes: sizes, Act: c.Act, Precision: b.precision, Seed: b.seed})
	if err != nil {
		if bad, ok := err.(*ebmkit.ArgError); ok {
			return nil, nil, b.bad("network "+bad.Arg, bad.Value, bad.Want)
		}
		return nil, nil, err
	}
	l.net = net
	theta := net.Params(nil)
	clear(theta[len(theta)-(sizes[len(sizes)-2]+1)*2*len(l.b):])
	return l, theta, nil
}

type coupling struct {
	d    int
	a, b []int
	cap  float64
	net  *nn.MLP
}

func (l *coupling) numParams() int { return l.net.NumParams() }
func (l *coupling) numRaw() int    { return l.net.NumParams() }

func (l *coupling) check(theta []float64) (any, string) {
	if l.net.Config().Precision == nn.Float32 {
		for _, v := range theta {
			if math.Abs(v) > math.MaxFloat32 {
				return v, "a finite number of float32"
			}
		}
	}
	return nil, ""
}

func (l *coupling) set(theta []float64) {
	if err := l.net.SetParams(theta); err != nil {
		panic(err) // check has looked
	}
}

func (l *coupling) chain(dst, raw []float64) { vmath.Axpy(dst, 1, raw) }

func (l *coupling) newWork() work {
	na, nb := blockRows*len(l.a), blockRows*len(l.b)
	return &couplingWork{l: l, pass: l.net.NewPass(), xa: make([]float64, na), out: make([]float64, 2*nb),
		h: make([]float64, nb), scale: make([]float64, nb), y: make([]float64, nb)}
}

type couplingWork struct {
	l           *coupling
	pass        *nn.Pass[float64]
	xa, out     []float64 // input and output of the network, and their cotangents
	h, scale, y []float64 // tanh(q/Cap), exp(s), exp(s) x_b
}

// network evaluates the network at the coordinates that pass.
func (k *couplingWork) network(x []float64, rows int, keep bool) {
	l := k.l
	na, nb := len(l.a), len(l.b)
	for j, c := range l.a {
		for i := range rows {
			k.xa[i*na+j] = x[i*l.d+c]
		}
	}
	xa, out := k.xa[:rows*na], k.out[:rows*2*nb]
	if keep {
		k.pass.Forward(out, xa)
	} else {
		k.pass.Values(out, xa)
	}
	h, scale := k.h[:rows*nb], k.scale[:rows*nb]
	for i := range rows {
		for j := range nb {
			h[i*nb+j] = out[i*2*nb+j] / l.cap
		}
	}
	vmath.TanhSlice(h, h)
	for i, t := range h {
		scale[i] = l.cap * t
	}
	vmath.ExpSlice(scale, scale)
}

func (k *couplingWork) normalise(x, ld []float64, keep bool) {
	l, nb := k.l, len(k.l.b)
	k.network(x, len(ld), keep)
	for i := range ld {
		for j, c := range l.b {
			y := k.scale[i*nb+j] * x[i*l.d+c]
			k.y[i*nb+j] = y
			x[i*l.d+c] = y + k.out[i*2*nb+nb+j]
			ld[i] += l.cap * k.h[i*nb+j]
		}
	}
}

func (k *couplingWork) generate(z, ld []float64) {
	l, nb := k.l, len(k.l.b)
	k.network(z, len(ld), false)
	for i := range ld {
		for j, c := range l.b {
			z[i*l.d+c] = (z[i*l.d+c] - k.out[i*2*nb+nb+j]) / k.scale[i*nb+j]
			ld[i] -= l.cap * k.h[i*nb+j]
		}
	}
}

func (k *couplingWork) pull(raw, g, dld []float64) {
	l, na, nb := k.l, len(k.l.a), len(k.l.b)
	rows := len(dld)
	for i, dl := range dld {
		for j, c := range l.b {
			gz, h := g[i*l.d+c], k.h[i*nb+j]
			k.out[i*2*nb+j] = (gz*k.y[i*nb+j] + dl) * (1 - h) * (1 + h)
			k.out[i*2*nb+nb+j] = gz
			g[i*l.d+c] = gz * k.scale[i*nb+j]
		}
	}
	k.pass.Backward(raw, k.xa[:rows*na], k.out[:rows*2*nb])
	for j, c := range l.a {
		for i := range rows {
			g[i*l.d+c] += k.xa[i*na+j]
		}
	}
}
