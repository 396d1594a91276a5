package gan

import (
	"fmt"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Config describes a Model.
type Config struct {
	Dim   int // of the data
	Noise int // of z

	// Generator and Discriminator are the widths of the hidden layers; nil makes
	// a network linear: the generator's law is then a Gaussian.
	Generator, Discriminator []int
	Act                      nn.Activation // of the hidden layers

	Precision nn.Precision
	Seed      uint64
}

// Model is a generator and a discriminator. Methods are safe for concurrent
// use, training excepted; they panic on a wrong length.
type Model struct {
	cfg  Config
	g, d *nn.MLP
}

// New returns a model with random networks (nn.NewMLP). It returns
// *ebmkit.ArgError if a width is not positive or a value is unknown.
func New(cfg Config) (*Model, error) {
	const fn = "gan.New"
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	if cfg.Dim < 1 {
		return nil, bad("Dim", cfg.Dim, "at least 1")
	}
	if cfg.Noise < 1 {
		return nil, bad("Noise", cfg.Noise, "at least 1")
	}
	cfg.Generator, cfg.Discriminator = slices.Clone(cfg.Generator), slices.Clone(cfg.Discriminator)
	m := &Model{cfg: cfg}
	for _, net := range []struct {
		arg     string
		to      **nn.MLP
		in, out int
		hidden  []int
		seed    uint64
	}{
		{"Generator", &m.g, cfg.Noise, cfg.Dim, cfg.Generator, cfg.Seed},
		{"Discriminator", &m.d, cfg.Dim, 1, cfg.Discriminator, ebmkit.NewStream(cfg.Seed, "discriminator", 0).Uint64()},
	} {
		for l, w := range net.hidden {
			if w < 1 {
				return nil, bad(fmt.Sprintf("%s[%d]", net.arg, l), w, "at least 1")
			}
		}
		sizes := append(append([]int{net.in}, net.hidden...), net.out)
		mlp, err := nn.NewMLP(nn.Config{Sizes: sizes, Act: cfg.Act, Precision: cfg.Precision, Seed: net.seed})
		if err != nil {
			return nil, err
		}
		*net.to = mlp
	}
	return m, nil
}

// Config returns the description of the model.
func (m *Model) Config() Config {
	c := m.cfg
	c.Generator, c.Discriminator = slices.Clone(c.Generator), slices.Clone(c.Discriminator)
	return c
}

// Dim returns the dimension of the data.
func (m *Model) Dim() int { return m.cfg.Dim }

// Generator returns the network from noise to points. Its parameters may be set
// while no Trainer has the model, which keeps parameters of its own.
func (m *Model) Generator() *nn.MLP { return m.g }

// Discriminator returns the network from points to the logit of D; see
// Generator.
func (m *Model) Discriminator() *nn.MLP { return m.d }

// Generate writes G(z) for every row of zs into dst.
func (m *Model) Generate(dst, zs []float64) { m.g.NewPass().Values(dst, zs) }

// LogRatio writes log D/(1-D) for every row of xs into dst: at the optimum
// log rho_data(x) - log rho_G(x), review eq. (35).
func (m *Model) LogRatio(dst, xs []float64) { m.d.NewPass().Values(dst, xs) }

// Discriminate writes D(x), the probability that x is data, for every row of xs
// into dst.
func (m *Model) Discriminate(dst, xs []float64) {
	m.LogRatio(dst, xs)
	vmath.SigmoidSlice(dst, dst)
}

// Logit returns log D/(1-D) at the point x: LogRatio of one row, in the form that
// Value and Regret want.
func (m *Model) Logit(x []float64) float64 {
	var l [1]float64
	m.LogRatio(l[:], x)
	return l[0]
}

// At returns D(x), the probability that the point x is data.
func (m *Model) At(x []float64) float64 { return vmath.Sigmoid(m.Logit(x)) }

// Sample returns n points G(z). It returns *ebmkit.ArgError if n < 1.
func (m *Model) Sample(n int, seed uint64) (*ebmkit.Ensemble, error) {
	if n < 1 {
		return nil, &ebmkit.ArgError{Func: "gan.Model.Sample", Arg: "n", Value: n, Want: "at least 1"}
	}
	out, err := ebmkit.NewEnsemble(n, m.cfg.Dim)
	if err != nil {
		return nil, err
	}
	z := make([]float64, n*m.cfg.Noise)
	ebmkit.NewStream(seed, "noise", 0).FillNormal(z)
	m.Generate(out.X, z)
	return out, nil
}
