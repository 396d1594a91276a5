package gan

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Update is the order of the players.
type Update uint8

const (
	// Simultaneous steps use the gradients at the same point.
	Simultaneous Update = iota
	// Alternating lets the generator see the discriminator's new parameters,
	// review Proposition 3.1.
	Alternating
)

func (u Update) String() string {
	switch u {
	case Simultaneous:
		return "Simultaneous"
	case Alternating:
		return "Alternating"
	}
	return fmt.Sprintf("Update(%d)", uint8(u))
}

// Dirac is the smallest game (Mescheder, Geiger and Nowozin 2018): all data at
// 0, a generator that puts everything at theta, and D(x) = 1/(1 + e^(-psi x)).
// With s(y) = 1/(1 + e^-y),
//
//	V = log D(0) + log(1 - D(theta)) = -log 2 - log(1 + e^(psi theta)),
//	dpsi/dt = dV/dpsi = -theta s(psi theta) - R1 psi,
//	dtheta/dt = psi s(psi theta)    for Saturating, -dV/dtheta,
//	            psi s(-psi theta)   for NonSaturating,
//
// and with 1 in place of s for Linear. The only equilibrium is (0, 0). R1 > 0
// adds the gradient penalty (R1/2) |dD's logit/dx|^2 at the data, which makes
// every orbit converge. Steps are of the size Step.
type Dirac struct {
	Theta, Psi float64 // where the game starts
	Step       float64
	Loss       Loss
	Update     Update
	R1         float64
}

func (g Dirac) check(fn string) error {
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: "Dirac." + arg, Value: value, Want: want}
	}
	switch {
	case g.Theta-g.Theta != 0:
		return bad("Theta", g.Theta, "a finite number")
	case g.Psi-g.Psi != 0:
		return bad("Psi", g.Psi, "a finite number")
	case g.Loss > Linear:
		return bad("Loss", g.Loss, "NonSaturating, Saturating or Linear")
	case g.Update > Alternating:
		return bad("Update", g.Update, "Simultaneous or Alternating")
	case !(g.R1 >= 0) || math.IsInf(g.R1, 1):
		return bad("R1", g.R1, "a finite number of at least 0")
	}
	return nil
}

// Velocity returns (dtheta/dt, dpsi/dt) at (theta, psi).
func (g Dirac) Velocity(theta, psi float64) (dtheta, dpsi float64) {
	d, s := 1.0, 1.0
	if g.Loss != Linear {
		d = vmath.Sigmoid(psi * theta)
		s = d
		if g.Loss == NonSaturating {
			s = vmath.Sigmoid(-psi * theta)
		}
	}
	return psi * s, -theta*d - g.R1*psi
}

// Play returns the n+1 points (theta, psi) of n steps, one per row. Simultaneous
// steps of the games Saturating and Linear without R1 leave the circle of their
// start,
//
//	|(theta, psi)|^2 <- |(theta, psi)|^2 (1 + Step^2 s(psi theta)^2),
//
// while alternating ones stay near it; those of Linear keep
// theta^2 + psi^2 - Step theta psi. It returns *ebmkit.ArgError if n < 0, Step is
// not positive or another value is out of range.
func (g Dirac) Play(n int) (*ebmkit.Ensemble, error) {
	const fn = "gan.Dirac.Play"
	if err := g.check(fn); err != nil {
		return nil, err
	}
	if !(g.Step > 0) || math.IsInf(g.Step, 1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Dirac.Step", Value: g.Step, Want: "a positive finite number"}
	}
	if n < 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 0"}
	}
	out, err := ebmkit.NewEnsemble(n+1, 2)
	if err != nil {
		return nil, err
	}
	theta, psi := g.Theta, g.Psi
	for k := range n + 1 {
		copy(out.Row(k), []float64{theta, psi})
		dtheta, dpsi := g.Velocity(theta, psi)
		psi += g.Step * dpsi
		if g.Update == Alternating {
			dtheta, _ = g.Velocity(theta, psi)
		}
		theta += g.Step * dtheta
	}
	return out, nil
}

// Period returns the time of one turn of the continuous game Saturating or Linear
// without R1, whose orbits are the circles theta^2 + psi^2 = r^2,
//
//	T = integral over a turn of (1 + e^(-psi theta)) dphi = 2 pi [1 + I_0(r^2/2)],
//
// and 2 pi for Linear, with the modified Bessel function I_0. It returns
// *ebmkit.ArgError for NonSaturating, whose orbits spiral inwards,
// d(r^2)/dt = -2 psi theta tanh(psi theta/2), and for R1 > 0.
func (g Dirac) Period() (float64, error) {
	const fn = "gan.Dirac.Period"
	if err := g.closed(fn); err != nil {
		return 0, err
	}
	if g.Loss == Linear {
		return 2 * math.Pi, nil
	}
	// I_0(x) = sum_k (x^2/4)^k / (k!)^2, x = r^2/2.
	x := (g.Theta*g.Theta + g.Psi*g.Psi) / 2
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-17*sum; k++ {
		term *= x * x / 4 / (k * k)
		sum += term
	}
	return 2 * math.Pi * (1 + sum), nil
}

func (g Dirac) closed(fn string) error {
	if err := g.check(fn); err != nil {
		return err
	}
	if g.Loss == NonSaturating || g.R1 > 0 {
		return &ebmkit.ArgError{Func: fn, Arg: "Dirac", Value: fmt.Sprintf("%v with R1 = %g", g.Loss, g.R1), Want: "Saturating or Linear with R1 = 0, whose orbits are circles"}
	}
	if g.Theta*g.Theta+g.Psi*g.Psi > 1000 {
		return &ebmkit.ArgError{Func: fn, Arg: "Dirac.Theta and Dirac.Psi", Value: [2]float64{g.Theta, g.Psi}, Want: "a radius of at most sqrt(1000), beyond which the period overflows"}
	}
	return nil
}

// Flow returns the point of the continuous game at the time t >= 0: on the circle
// of the start, turned clockwise by the angle a with
//
//	t = integral from 0 to a of [1 + e^(-(r^2/2) sin 2 (phi - b))] db,   phi the angle of the start.
//
// Errors as Period; also if t is negative or not finite.
func (g Dirac) Flow(t float64) (theta, psi float64, err error) {
	const fn = "gan.Dirac.Flow"
	period, err := g.Period()
	if err != nil {
		return 0, 0, err
	}
	if !(t >= 0) || math.IsInf(t, 1) {
		return 0, 0, &ebmkit.ArgError{Func: fn, Arg: "t", Value: t, Want: "a finite time of at least 0"}
	}
	t -= math.Floor(t/period) * period
	turn := func(a float64) (theta, psi float64) {
		s, c := vmath.SinCos2Pi(a / (2 * math.Pi))
		return c*g.Theta + s*g.Psi, c*g.Psi - s*g.Theta
	}
	a := t
	if g.Loss == Saturating {
		slowness := func(b float64) float64 {
			x, y := turn(b)
			return 1 + vmath.Exp(-x*y)
		}
		// Bisection closes in, Newton finishes; both on an increasing function.
		lo, hi, at, elapsed := 0.0, 2*math.Pi, 0.0, 0.0
		a = 0
		for range 200 {
			if a != at {
				r, err := quad.Integrate(slowness, min(at, a), max(at, a))
				if err != nil {
					return 0, 0, err
				}
				elapsed += math.Copysign(r.Value, a-at)
				at = a
			}
			if elapsed < t {
				lo = a
			} else {
				hi = a
			}
			next := a + (t-elapsed)/slowness(a)
			if !(next >= lo && next <= hi) {
				next = (lo + hi) / 2
			}
			if math.Abs(next-a) <= 1e-14 {
				break
			}
			a = next
		}
	}
	theta, psi = turn(a)
	return theta, psi, nil
}
