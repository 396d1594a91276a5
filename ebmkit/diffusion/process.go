package diffusion

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Process is a linear forward SDE, review eq. (55) with f(x, t) = r(t) x (the
// review prints q(t) for g(t)),
//
//	dX = r(t) X dt + g(t) dW,   t >= 0.
//
// It is solved by X_t = mean(t) X_0 + sd(t) z, z standard normal, with
//
//	mean' = r mean,   (sd^2)' = 2 r sd^2 + g^2,   mean(0) = 1, sd(0) = 0.
//
// VP, SubVP, VE and OU are Processes; another may be written.
type Process interface {
	// Rate returns r(t).
	Rate(t float64) float64
	// Diffusion returns g(t).
	Diffusion(t float64) float64
	// Kernel returns mean and sd of the transition kernel,
	// X_t | X_0 ~ N(mean X_0, sd^2 I).
	Kernel(t float64) (mean, sd float64)
}

// VP is the variance-preserving process of Song et al. (2021) with a linear
// schedule beta(t) = BetaMin + t (BetaMax - BetaMin), meant for t in [0, 1],
//
//	r = -beta/2,   g = sqrt(beta),   mean = e^(-B/2),   sd^2 = 1 - e^-B,
//	B(t) = integral of beta from 0 to t.
//
// It is an Ornstein-Uhlenbeck process in the time B/2.
type VP struct {
	BetaMin, BetaMax float64 // 0.1 and 20 are usual
}

// SubVP is the sub-VP process of Song et al. (2021): the drift of VP with less
// noise,
//
//	r = -beta/2,   g^2 = beta (1 - e^-2B),   mean = e^(-B/2),   sd = 1 - e^-B.
type SubVP struct {
	BetaMin, BetaMax float64
}

// VE is a variance-exploding process,
//
//	r = 0,   g = Scale e^(Growth t),   mean = 1,   sd^2 = Scale^2 (e^(2 Growth t) - 1)/(2 Growth).
//
// VE{1, 1} is the example of the review, f = 0 and g = e^t; Growth = 0 is the
// Wiener process of review eq. (42) times Scale.
type VE struct {
	Scale, Growth float64
}

// NewVE returns the VE process of Song et al. (2021), whose noise of standard
// deviation sigma(t) = sigmaMin (sigmaMax/sigmaMin)^t counts from sigmaMin:
//
//	sd^2(t) = sigma(t)^2 - sigmaMin^2,   g = sigma sqrt(2 log(sigmaMax/sigmaMin)).
//
// It returns *ebmkit.ArgError unless 0 < sigmaMin < sigmaMax < Inf.
func NewVE(sigmaMin, sigmaMax float64) (VE, error) {
	const fn = "diffusion.NewVE"
	if err := wantPositive(fn, "sigmaMin", sigmaMin); err != nil {
		return VE{}, err
	}
	if !(sigmaMax > sigmaMin) || math.IsInf(sigmaMax, 1) {
		return VE{}, &ebmkit.ArgError{Func: fn, Arg: "sigmaMax", Value: sigmaMax, Want: "a finite number above sigmaMin"}
	}
	k := vmath.Log(sigmaMax / sigmaMin)
	return VE{Scale: sigmaMin * math.Sqrt(2*k), Growth: k}, nil
}

// OU is the Ornstein-Uhlenbeck process dX = -Pull X dt + Noise dW,
//
//	mean = e^(-Pull t),   sd^2 = Noise^2 (1 - e^(-2 Pull t))/(2 Pull),
//
// with the stationary law N(0, Noise^2/(2 Pull)).
type OU struct {
	Pull, Noise float64
}

var (
	_ Process = VP{}
	_ Process = SubVP{}
	_ Process = VE{}
	_ Process = OU{}
)

func beta(lo, hi, t float64) float64 { return lo + t*(hi-lo) }

// integrated returns B(t).
func integrated(lo, hi, t float64) float64 { return t * (lo + t*(hi-lo)/2) }

// Rate returns -beta(t)/2.
func (p VP) Rate(t float64) float64 { return -beta(p.BetaMin, p.BetaMax, t) / 2 }

// Diffusion returns sqrt(beta(t)).
func (p VP) Diffusion(t float64) float64 { return math.Sqrt(beta(p.BetaMin, p.BetaMax, t)) }

// Kernel returns mean and sd of X_t given X_0.
func (p VP) Kernel(t float64) (mean, sd float64) {
	b := integrated(p.BetaMin, p.BetaMax, t)
	return vmath.Exp(-b / 2), math.Sqrt(-vmath.Expm1(-b))
}

// Rate returns -beta(t)/2.
func (p SubVP) Rate(t float64) float64 { return -beta(p.BetaMin, p.BetaMax, t) / 2 }

// Diffusion returns sqrt(beta(t) (1 - e^-2B)).
func (p SubVP) Diffusion(t float64) float64 {
	b := integrated(p.BetaMin, p.BetaMax, t)
	return math.Sqrt(-beta(p.BetaMin, p.BetaMax, t) * vmath.Expm1(-2*b))
}

// Kernel returns mean and sd of X_t given X_0.
func (p SubVP) Kernel(t float64) (mean, sd float64) {
	b := integrated(p.BetaMin, p.BetaMax, t)
	return vmath.Exp(-b / 2), -vmath.Expm1(-b)
}

// Rate returns 0.
func (p VE) Rate(float64) float64 { return 0 }

// Diffusion returns Scale e^(Growth t).
func (p VE) Diffusion(t float64) float64 { return p.Scale * vmath.Exp(p.Growth*t) }

// Kernel returns 1 and the sd of X_t given X_0.
func (p VE) Kernel(t float64) (mean, sd float64) {
	if p.Growth == 0 {
		return 1, p.Scale * math.Sqrt(t)
	}
	return 1, p.Scale * math.Sqrt(vmath.Expm1(2*p.Growth*t)/(2*p.Growth))
}

// Rate returns -Pull.
func (p OU) Rate(float64) float64 { return -p.Pull }

// Diffusion returns Noise.
func (p OU) Diffusion(float64) float64 { return p.Noise }

// Kernel returns mean and sd of X_t given X_0.
func (p OU) Kernel(t float64) (mean, sd float64) {
	return vmath.Exp(-p.Pull * t), p.Noise * math.Sqrt(-vmath.Expm1(-2*p.Pull*t)/(2*p.Pull))
}

func checkBeta(fn, name string, lo, hi float64) error {
	if !(lo >= 0) || math.IsInf(lo, 1) {
		return &ebmkit.ArgError{Func: fn, Arg: name + ".BetaMin", Value: lo, Want: "a finite number, at least 0"}
	}
	if !(hi > 0 && hi >= lo) || math.IsInf(hi, 1) {
		return &ebmkit.ArgError{Func: fn, Arg: name + ".BetaMax", Value: hi, Want: "a positive finite number, at least BetaMin"}
	}
	return nil
}

func (p VP) check(fn string) error    { return checkBeta(fn, "VP", p.BetaMin, p.BetaMax) }
func (p SubVP) check(fn string) error { return checkBeta(fn, "SubVP", p.BetaMin, p.BetaMax) }

func (p VE) check(fn string) error {
	if err := wantPositive(fn, "VE.Scale", p.Scale); err != nil {
		return err
	}
	return wantFinite(fn, "VE.Growth", p.Growth)
}

func (p OU) check(fn string) error {
	if err := wantPositive(fn, "OU.Pull", p.Pull); err != nil {
		return err
	}
	return wantPositive(fn, "OU.Noise", p.Noise)
}

// checkProcess returns *ebmkit.ArgError unless p can be used.
func checkProcess(fn string, p Process) error {
	if p == nil {
		return &ebmkit.ArgError{Func: fn, Arg: "process", Value: nil, Want: "a process, as in diffusion.VP{BetaMin: 0.1, BetaMax: 20}"}
	}
	if c, ok := p.(interface{ check(fn string) error }); ok {
		return c.check(fn)
	}
	return nil
}

// Prior returns the law from which the reversed process starts at time t,
// N(0, sd(t)^2 I): the law of X_t but for what it still remembers of X_0, which
// for VP is a factor mean(t). It returns *ebmkit.ArgError if a parameter of the
// process is out of range, dim < 1 or t <= 0.
func Prior(p Process, t float64, dim int) (*energy.DiagonalGaussian, error) {
	const fn = "diffusion.Prior"
	if err := checkProcess(fn, p); err != nil {
		return nil, err
	}
	if err := wantPositive(fn, "t", t); err != nil {
		return nil, err
	}
	if dim < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "dim", Value: dim, Want: "at least 1"}
	}
	_, sd := p.Kernel(t)
	return energy.NewIsotropicGaussian(make([]float64, dim), sd)
}

// Forward returns the forward SDE of the process in dim dimensions, review
// eq. (55). It returns *ebmkit.ArgError if a parameter of the process is out of
// range or dim < 1.
func Forward(p Process, dim int) (SDE, error) {
	const fn = "diffusion.Forward"
	if err := checkProcess(fn, p); err != nil {
		return SDE{}, err
	}
	if dim < 1 {
		return SDE{}, &ebmkit.ArgError{Func: fn, Arg: "dim", Value: dim, Want: "at least 1"}
	}
	return SDE{Drift: linear{p, dim}, Noise: p.Diffusion}, nil
}

// linear is the field r(t) x.
type linear struct {
	p   Process
	dim int
}

func (f linear) Dim() int { return f.dim }

func (f linear) At(dst []float64, t float64, xs []float64) {
	ebmkit.CheckRows("diffusion: Field.At", f.dim, nil, dst, xs)
	r := f.p.Rate(t)
	for i, x := range xs {
		dst[i] = r * x
	}
}

func (f linear) Divergence(dst []float64, t float64, xs []float64) {
	ebmkit.CheckRows("diffusion: Field.Divergence", f.dim, dst, nil, xs)
	r := f.p.Rate(t) * float64(f.dim)
	for i := range dst {
		dst[i] = r
	}
}
