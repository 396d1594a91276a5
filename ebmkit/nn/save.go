package nn

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/store"
)

// saveVersion is the version of the layout of saved networks.
const saveVersion = 1

const (
	kindMLP    = "nn.MLP"
	kindEnergy = "nn.Energy"
	kindField  = "nn.Field"
)

// Save writes description and parameters to an .npz file. It returns
// *ebmkit.ArgError, and leaves path as it was, if path cannot be written.
func (n *MLP) Save(path string) error { return n.save(path, kindMLP, nil) }

// Save writes network and confinement to an .npz file, as MLP.Save does.
func (e *Energy) Save(path string) error {
	return e.net.save(path, kindEnergy, map[string]string{"confine": formatFloat(e.confine)})
}

// Save writes network and time embedding to an .npz file, as MLP.Save does.
func (f *Field) Save(path string) error {
	c := map[string]string{"time": "t"}
	var extra []store.Array
	if f.cfg.Freqs != nil {
		c["time"] = "fourier"
		extra = append(extra, store.Vector("freqs", f.cfg.Freqs))
	}
	return f.net.save(path, kindField, c, extra...)
}

// Load returns the network that MLP.Save wrote. It returns *ebmkit.ArgError if
// the file is damaged, is not a network of this kind and version, or its
// parameters do not fit its sizes or are not finite.
func Load(path string) (*MLP, error) {
	n, _, err := load("nn.Load", path, kindMLP)
	return n, err
}

// LoadEnergy returns the energy that Energy.Save wrote; errors as in Load.
func LoadEnergy(path string) (*Energy, error) {
	const fn = "nn.LoadEnergy"
	n, f, err := load(fn, path, kindEnergy)
	if err != nil {
		return nil, err
	}
	s, err := strconv.ParseFloat(f.Config["confine"], 64)
	if err != nil {
		return nil, damaged(fn, path, "confine "+f.Config["confine"], "a number")
	}
	e, err := NewEnergy(n, s)
	return e, renamed(fn, path, err)
}

// LoadField returns the field that Field.Save wrote; errors as in Load.
func LoadField(path string) (*Field, error) {
	const fn = "nn.LoadField"
	n, f, err := load(fn, path, kindField)
	if err != nil {
		return nil, err
	}
	c := FieldConfig{Dim: n.Out(), Hidden: n.cfg.Sizes[1 : len(n.cfg.Sizes)-1], Act: n.cfg.Act, Precision: n.cfg.Precision, Seed: n.cfg.Seed}
	switch f.Config["time"] {
	case "t":
	case "fourier":
		v, _, err := f.Float64s("freqs")
		if err != nil {
			return nil, renamed(fn, path, err)
		}
		c.Freqs = append([]float64{}, v...)
	default:
		return nil, damaged(fn, path, "time "+f.Config["time"], "t or fourier")
	}
	sizes, err := c.sizes(fn)
	if err != nil {
		return nil, renamed(fn, path, err)
	}
	if sizes[0] != n.In() || n.cfg.Out != Identity {
		return nil, damaged(fn, path, fmt.Sprintf("a network of %d inputs", n.In()), fmt.Sprint(sizes[0]))
	}
	return newField(c, n), nil
}

func (n *MLP) save(path, kind string, config map[string]string, extra ...store.Array) error {
	sizes := make([]string, len(n.cfg.Sizes))
	for i, s := range n.cfg.Sizes {
		sizes[i] = strconv.Itoa(s)
	}
	c := map[string]string{
		"sizes": strings.Join(sizes, " "), "act": n.cfg.Act.String(), "out": n.cfg.Out.String(),
		"precision": n.cfg.Precision.String(), "seed": strconv.FormatUint(n.cfg.Seed, 10),
	}
	for k, v := range config {
		c[k] = v
	}
	arrays := append([]store.Array{store.Vector("theta", n.Params(nil))}, extra...)
	return store.Save(path, &store.File{Kind: kind, Version: saveVersion, Config: c, Arrays: arrays})
}

func load(fn, path, kind string) (*MLP, *store.File, error) {
	f, err := store.Load(path, kind, saveVersion)
	if err != nil {
		return nil, nil, err
	}
	var c Config
	for _, s := range strings.Fields(f.Config["sizes"]) {
		v, err := strconv.Atoi(s)
		if err != nil {
			return nil, nil, damaged(fn, path, "size "+s, "a number")
		}
		c.Sizes = append(c.Sizes, v)
	}
	if c.Act, err = ParseActivation(f.Config["act"]); err != nil {
		return nil, nil, renamed(fn, path, err)
	}
	if c.Out, err = ParseActivation(f.Config["out"]); err != nil {
		return nil, nil, renamed(fn, path, err)
	}
	switch p := f.Config["precision"]; p {
	case Float32.String():
		c.Precision = Float32
	case Float64.String():
		c.Precision = Float64
	default:
		return nil, nil, damaged(fn, path, "precision "+p, "float32 or float64")
	}
	if c.Seed, err = strconv.ParseUint(f.Config["seed"], 10, 64); err != nil {
		return nil, nil, damaged(fn, path, "seed "+f.Config["seed"], "a number")
	}
	theta, _, err := f.Float64s("theta")
	if err != nil {
		return nil, nil, renamed(fn, path, err)
	}
	// The parameters are counted before memory is taken for what the sizes say.
	want := 0
	for l := range max(len(c.Sizes)-1, 0) {
		if a, b := c.Sizes[l], c.Sizes[l+1]; a > 0 && b > 0 && a <= maxParams && b <= maxParams {
			want = min(want+(a+1)*b, maxParams+1)
		}
	}
	if want != len(theta) {
		return nil, nil, damaged(fn, path, fmt.Sprintf("%d parameters", len(theta)), fmt.Sprintf("%d, as sizes %v need", want, c.Sizes))
	}
	n, err := newMLP(fn, c)
	if err != nil {
		return nil, nil, renamed(fn, path, err)
	}
	if err := n.checkParams(fn, theta); err != nil {
		return nil, nil, renamed(fn, path, err)
	}
	copy(n.theta, theta)
	n.refresh()
	return n, f, nil
}

func damaged(fn, path, value, want string) error {
	return &ebmkit.ArgError{Func: fn, Arg: path, Value: value, Want: want}
}

// renamed puts the file's name before what an error of its content says.
func renamed(fn, path string, err error) error {
	if a, ok := err.(*ebmkit.ArgError); ok {
		return &ebmkit.ArgError{Func: fn, Arg: path + ": " + a.Arg, Value: a.Value, Want: a.Want}
	}
	return err
}

func formatFloat(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
