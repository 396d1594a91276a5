package vae

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// FixedForm is variational inference with a Gaussian of its own for every row,
// review eq. (26): it maximises
//
//	ELBO(mu, sigma; x) = E[ log rho_theta(x, mu + sigma eps) ] + sum_k log sigma_k + const
//
// over mu and sigma of a diagonal Gaussian, from the encoder's on, by Adam with
// pathwise gradients and pairs of noise eps, -eps. What is won over the encoder
// is the price of amortisation, eq. (28); what is left to log rho_theta(x) is the
// price of the form.
type FixedForm struct {
	Steps   int         // of Adam; with 0 the encoder's own answer is judged
	Rate    nn.Schedule // of mu and of log sigma; required if Steps > 0
	Samples int         // pairs of noise a step; 0 means 4
	Judge   int         // codes for the ELBO of the result; 0 means 256
	Seed    uint64
}

// Local is what FixedForm found for n rows.
type Local struct {
	Mean, SD []float64 // n x L
	// ELBO of each row, with the error of the codes. The codes' noise depends on
	// Seed and row only: differences between two answers for one row have a much
	// smaller error.
	ELBO []ebmkit.Estimate
}

// Fit returns the Gaussians of the rows of xs. The model stays as it is. It
// returns *ebmkit.ArgError if xs does not fit, a number is negative, Judge is 1,
// the rate is missing or invalid, or the model is a plain autoencoder, and
// *ebmkit.DivergedError, with the row as Walker, if an ELBO is not finite any more.
func (f FixedForm) Fit(m *Model, xs *ebmkit.Ensemble) (*Local, error) {
	const fn = "vae.FixedForm.Fit"
	if m == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "m", Value: nil, Want: "a model"}
	}
	if err := m.check(fn, xs, 1); err != nil {
		return nil, err
	}
	for _, a := range []struct {
		arg string
		v   int
	}{{"Steps", f.Steps}, {"Samples", f.Samples}, {"Judge", f.Judge}} {
		if a.v < 0 || a.arg == "Judge" && a.v == 1 {
			return nil, &ebmkit.ArgError{Func: fn, Arg: a.arg, Value: a.v, Want: "0 for the default, or a positive number, Judge at least 2"}
		}
	}
	if f.Samples == 0 {
		f.Samples = 4
	}
	if f.Judge == 0 {
		f.Judge = 256
	}
	l := m.cfg.Latent
	out := &Local{make([]float64, xs.N*l), make([]float64, xs.N*l), make([]ebmkit.Estimate, xs.N)}
	m.Encode(out.Mean, out.SD, xs.X)
	for i := range xs.N {
		post, err := m.Posterior(xs.Row(i))
		if err != nil {
			return nil, err
		}
		if err := f.row(out, i, post); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Gap is the distance of the ELBO from the log-likelihood, row by row, in the two
// parts of Cremer, Li and Duvenaud (Inference suboptimality in variational
// autoencoders, 2018),
//
//	log rho_theta(x) - ELBO(encoder) = Form + Amortisation.
type Gap struct {
	Form         []float64 // log rho_theta(x) less the ELBO of the row's own Gaussian
	Amortisation []float64 // that ELBO less the one of the encoder's Gaussian
}

// Gap fits a Gaussian to every row of xs, as Fit does, and returns what its form
// costs and what the encoder loses against it. logp is log rho_theta(x), such as
// Marginal.LogDensity. Both ELBOs are judged with the same noise, so that the
// amortisation of a row has a much smaller error than its form; either can come
// out below zero by the error of Judge codes. It returns *ebmkit.ArgError if logp
// is nil; else errors as Fit.
func (f FixedForm) Gap(m *Model, xs *ebmkit.Ensemble, logp func(x []float64) float64) (*Gap, error) {
	if logp == nil {
		return nil, &ebmkit.ArgError{Func: "vae.FixedForm.Gap", Arg: "logp", Value: nil, Want: "the log-likelihood, such as Marginal.LogDensity"}
	}
	own, err := f.Fit(m, xs)
	if err != nil {
		return nil, err
	}
	f.Steps = 0
	encoder, err := f.Fit(m, xs)
	if err != nil {
		return nil, err
	}
	g := &Gap{Form: xs.Map(logp), Amortisation: make([]float64, xs.N)}
	for i, e := range own.ELBO {
		g.Form[i] -= e.Value
		g.Amortisation[i] = e.Value - encoder.ELBO[i].Value
	}
	return g, nil
}

// row finds the Gaussian of row i.
func (f FixedForm) row(out *Local, i int, post *Posterior) error {
	l := post.Dim()
	mean, sd := out.Mean[i*l:(i+1)*l], out.SD[i*l:(i+1)*l]
	ev := post.NewEvaluator()
	n := 2 * f.Samples
	eps, z, g := make([]float64, n*l), make([]float64, n*l), make([]float64, n*l)
	theta, grad := make([]float64, 2*l), make([]float64, 2*l) // mu, log sigma
	copy(theta, mean)
	for k, v := range sd {
		theta[l+k] = vmath.Log(v)
	}
	if f.Steps > 0 {
		opt, err := nn.NewAdam[float64](nn.AdamConfig{Rate: f.Rate})
		if err != nil {
			return err
		}
		s := ebmkit.NewStream(f.Seed, "fixed form", i)
		for step := range f.Steps {
			s.FillNormal(eps[:n/2*l])
			for at, v := range eps[:n/2*l] {
				eps[n/2*l+at] = -v
			}
			codes(z, eps, theta)
			ev.EnergyGrad(nil, g, z)
			clear(grad)
			for at, v := range g {
				k := at % l
				grad[k] += v / float64(n)
				grad[l+k] += v * eps[at] * vmath.Exp(theta[l+k]) / float64(n)
			}
			for k := range l {
				grad[l+k]-- // the entropy
			}
			opt.Step(theta, grad)
			if !finite(vmath.Sum(theta)) {
				return &ebmkit.DivergedError{Func: "vae.FixedForm", Step: step, Walker: i, Value: vmath.Sum(theta), Hint: "the sum of mean and log sd: lower the rate"}
			}
		}
		copy(mean, theta)
		vmath.ExpSlice(sd, theta[l:])
	}
	eps, z, u := make([]float64, f.Judge*l), make([]float64, f.Judge*l), make([]float64, f.Judge)
	ebmkit.NewStream(f.Seed, "judge", i).FillNormal(eps)
	codes(z, eps, theta)
	ev.EnergyGrad(u, nil, z)
	entropy := vmath.Sum(theta[l:]) + float64(l)/2*(1+log2Pi)
	for r := range u {
		u[r] = entropy - u[r]
	}
	out.ELBO[i] = ebmkit.MeanOf(u)
	if v := out.ELBO[i].Value; math.IsNaN(v) || math.IsInf(v, 0) {
		return &ebmkit.DivergedError{Func: "vae.FixedForm", Step: f.Steps, Walker: i, Value: v, Hint: "the ELBO: lower the rate"}
	}
	return nil
}

// codes writes z = mu + sigma eps for rows of eps, theta = (mu, log sigma).
func codes(z, eps, theta []float64) {
	l := len(theta) / 2
	sd := make([]float64, l)
	vmath.ExpSlice(sd, theta[l:])
	for at, e := range eps {
		k := at % l
		z[at] = theta[k] + sd[k]*e
	}
}
