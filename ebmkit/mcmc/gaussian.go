package mcmc

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// OULaw returns the law at time t of the Langevin diffusion, review eq. (83), on a
// Gaussian: the Ornstein-Uhlenbeck process of review eq. (85)-(86),
//
//	X_t - mu ~ exp(-t S^-1) (X_0 - mu) + S^(1/2) (I - exp(-2t S^-1))^(1/2) Z,
//
// where the target is N(mu, S) and X_0 ~ N(mean0, cov0), cov0 row-major d x d;
// cov0 nil means that X_0 is the point mean0. It returns *ebmkit.ArgError if t is
// not positive or the sizes do not fit.
func OULaw(target energy.Normal, t float64, mean0, cov0 []float64) (*energy.Gaussian, error) {
	const fn = "mcmc.OULaw"
	if err := positive(fn, "t", t); err != nil {
		return nil, err
	}
	if err := startArgs(fn, target, mean0, cov0); err != nil {
		return nil, err
	}
	p := eigenOf(target.Precision(nil), target.Dim())
	return linearLaw(target, mean0, cov0,
		p.apply(func(l float64) float64 { return vmath.Exp(-t * l) }),
		p.apply(func(l float64) float64 { return -vmath.Expm1(-2*t*l) / l }))
}

// ULALaw returns the law after k steps of ULA on a Gaussian, review eq. (87),
// review eq. (88); its limit, eq. (89), is ULALimit:
//
//	X_k - mu ~ A^k (X_0 - mu) + sqrt(2h) (I - A^2)^(-1/2) (I - A^(2k))^(1/2) Z,
//	A = I - h S^-1,
//
// where the target is N(mu, S) and X_0 ~ N(mean0, cov0), cov0 row-major d x d;
// cov0 nil means that X_0 is the point mean0. It is valid for every h > 0, also
// where ULA is unstable and the law grows. It returns *ebmkit.ArgError if h is
// not positive, k < 1, or the sizes do not fit.
func ULALaw(target energy.Normal, h float64, k int, mean0, cov0 []float64) (*energy.Gaussian, error) {
	const fn = "mcmc.ULALaw"
	if err := positive(fn, "h", h); err != nil {
		return nil, err
	}
	if k < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "k", Value: k, Want: "at least 1"}
	}
	if err := startArgs(fn, target, mean0, cov0); err != nil {
		return nil, err
	}
	p := eigenOf(target.Precision(nil), target.Dim())
	return linearLaw(target, mean0, cov0,
		p.apply(func(l float64) float64 { return powInt(1-h*l, k) }),
		// (1 - a^2k)/(1 - a^2) = 1 + a^2 + .. + a^(2k-2), also where a^2 = 1.
		p.apply(func(l float64) float64 { return 2 * h * geometric((1-h*l)*(1-h*l), k) }))
}

// startArgs checks the law of X_0.
func startArgs(fn string, target energy.Normal, mean0, cov0 []float64) error {
	d := target.Dim()
	if len(mean0) != d {
		return &ebmkit.ArgError{Func: fn, Arg: "len(mean0)", Value: len(mean0), Want: fmt.Sprint(d)}
	}
	if cov0 != nil && len(cov0) != d*d {
		return &ebmkit.ArgError{Func: fn, Arg: "len(cov0)", Value: len(cov0), Want: fmt.Sprint(d * d)}
	}
	return nil
}

// linearLaw returns the law of mu + power (X_0 - mu) + noise of covariance cov,
// which it uses up.
func linearLaw(target energy.Normal, mean0, cov0, power, cov []float64) (*energy.Gaussian, error) {
	if cov0 != nil {
		for i, v := range sandwich(power, cov0, target.Dim()) {
			cov[i] += v
		}
	}
	return energy.NewGaussian(pushMean(target, power, mean0), cov)
}

// ULALimit returns the law to which ULA on a Gaussian converges, review
// eq. (89)-(90):
//
//	N(mu, S (I - h/2 S^-1)^-1).
//
// It returns *ebmkit.ArgError unless 0 < h < 2 lambda_min(S), where ULA is
// stable (the review asks for h < lambda_min, which is sufficient only).
func ULALimit(target energy.Normal, h float64) (*energy.Gaussian, error) {
	p := eigenOf(target.Precision(nil), target.Dim())
	if err := stable("mcmc.ULALimit", p, h); err != nil {
		return nil, err
	}
	return energy.NewGaussian(target.Mean(nil), p.apply(func(l float64) float64 { return 1 / (l * (1 - h*l/2)) }))
}

// Split is one step of a splitting of the Langevin diffusion in the space of
// densities, applied to Gaussians, where every substep has a closed form: the
// law after the half step and after the whole step.
type Split struct {
	Half, Next *energy.Gaussian
}

// ForwardFlow is ULA seen in the space of densities, review eq. (91)-(92): a
// gradient step of the energy, then the exact heat flow (eps is h).
//
//	rho_{k+1/2} = (I - h grad U)_# rho_k,   rho_{k+1} = N(0, 2h I) * rho_{k+1/2}.
//
// Its limit is that of eq. (90), not the target. Target and rho are Gaussians
// of the same dimension. It returns *ebmkit.ArgError unless 0 < h <
// 2 lambda_min(S), and when h is an eigenvalue of S (the half step would have a
// singular covariance).
func ForwardFlow(target energy.Normal, h float64, rho energy.Normal) (Split, error) {
	const fn = "mcmc.ForwardFlow"
	p, err := splitArgs(fn, target, h, rho, true)
	if err != nil {
		return Split{}, err
	}
	half, err := push(target, p.apply(func(l float64) float64 { return 1 - h*l }), rho)
	if err != nil {
		return Split{}, err
	}
	cov := half.Cov(nil)
	for i := range p.d {
		cov[i*p.d+i] += 2 * h
	}
	next, err := energy.NewGaussian(half.Mean(nil), cov)
	return Split{half, next}, err
}

// ForwardBackward replaces the heat flow by its implicit step, review eq. (93):
//
//	rho_{k+1/2} = (I - h grad U)_# rho_k,
//	rho_{k+1}   = argmin over rho of -H(rho) + W2(rho, rho_{k+1/2})^2 / (2h).
//
// For a half step with variance s the minimiser has the same eigenvectors and
// the variance
//
//	s' = (s + 2h + sqrt(s^2 + 4 h s)) / 2.
//
// For h <= lambda_min(S) its limit is the target, without bias. For larger h the
// gradient step turns an axis of variance v < h inside out, the optimal map
// cannot follow it, and the limit has the variance h v/(2v - h) along that axis.
// The errors are those of ForwardFlow.
func ForwardBackward(target energy.Normal, h float64, rho energy.Normal) (Split, error) {
	const fn = "mcmc.ForwardBackward"
	p, err := splitArgs(fn, target, h, rho, true)
	if err != nil {
		return Split{}, err
	}
	half, err := push(target, p.apply(func(l float64) float64 { return 1 - h*l }), rho)
	if err != nil {
		return Split{}, err
	}
	s := eigenOf(half.Cov(nil), p.d)
	next, err := energy.NewGaussian(half.Mean(nil), s.apply(func(s float64) float64 { return (s + 2*h + math.Sqrt(s*(s+4*h))) / 2 }))
	return Split{half, next}, err
}

// BackwardForward is the opposite pair, review eq. (94): an implicit step of
// the energy, then the explicit step of the heat flow.
//
//	rho_{k+1/2} = ((I + h grad U)^-1)_# rho_k,
//	rho_{k+1}   = (I - h grad log rho_{k+1/2})_# rho_{k+1/2}.
//
// As printed it is biased: rho_{k+1/2} tends to the target, but rho_{k+1} to
// the standard deviation s + h/s along an axis where the target has s. It
// returns *ebmkit.ArgError if h is not positive or the dimensions differ.
func BackwardForward(target energy.Normal, h float64, rho energy.Normal) (Split, error) {
	const fn = "mcmc.BackwardForward"
	p, err := splitArgs(fn, target, h, rho, false)
	if err != nil {
		return Split{}, err
	}
	half, err := push(target, p.apply(func(l float64) float64 { return 1 / (1 + h*l) }), rho)
	if err != nil {
		return Split{}, err
	}
	s := eigenOf(half.Cov(nil), p.d)
	next, err := energy.NewGaussian(half.Mean(nil), s.apply(func(s float64) float64 { r := math.Sqrt(s) + h/math.Sqrt(s); return r * r }))
	return Split{half, next}, err
}

// splitArgs checks the arguments of a splitting and returns the precision of
// the target.
func splitArgs(fn string, target energy.Normal, h float64, rho energy.Normal, explicit bool) (eigen, error) {
	d := target.Dim()
	if rho.Dim() != d {
		return eigen{}, &ebmkit.ArgError{Func: fn, Arg: "rho.Dim()", Value: rho.Dim(), Want: fmt.Sprintf("%d, the dimension of the target", d)}
	}
	p := eigenOf(target.Precision(nil), d)
	if explicit {
		if err := stable(fn, p, h); err != nil {
			return eigen{}, err
		}
		for _, l := range p.values {
			if math.Abs(1-h*l) < 1e-12 {
				return eigen{}, &ebmkit.ArgError{Func: fn, Arg: "h", Value: h, Want: "not an eigenvalue of the target's covariance"}
			}
		}
	}
	return p, positive(fn, "h", h)
}

// stable returns an error unless 0 < h < 2/max precision.
func stable(fn string, p eigen, h float64) error {
	if err := positive(fn, "h", h); err != nil {
		return err
	}
	for _, l := range p.values {
		if h*l >= 2 {
			return &ebmkit.ArgError{Func: fn, Arg: "h", Value: h, Want: fmt.Sprintf("less than %g, twice the smallest variance of the target", 2/l)}
		}
	}
	return nil
}

// push returns the law of mu + m (X - mu) for X ~ rho and symmetric m.
func push(target energy.Normal, m []float64, rho energy.Normal) (*energy.Gaussian, error) {
	return energy.NewGaussian(pushMean(target, m, rho.Mean(nil)), sandwich(m, rho.Cov(nil), target.Dim()))
}

func pushMean(target energy.Normal, m, mean []float64) []float64 {
	mu := target.Mean(nil)
	d := len(mu)
	out := make([]float64, d)
	for i := range d {
		out[i] = mu[i]
		for j := range d {
			out[i] += m[i*d+j] * (mean[j] - mu[j])
		}
	}
	return out
}

// powInt returns a^k for k >= 0.
func powInt(a float64, k int) float64 {
	r := 1.0
	for ; k > 0; k >>= 1 {
		if k&1 == 1 {
			r *= a
		}
		a *= a
	}
	return r
}

// geometric returns 1 + b + .. + b^(k-1) for k >= 1.
func geometric(b float64, k int) float64 {
	sum, power := 1.0, b // of the leading bits of k: the sum and b^(number of terms)
	for i := bits.Len(uint(k)) - 2; i >= 0; i-- {
		sum, power = sum*(1+power), power*power
		if k>>i&1 == 1 {
			sum, power = sum+power, power*b
		}
	}
	return sum
}
