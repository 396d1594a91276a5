package flow

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Layer describes one invertible map f of a flow, in the normalizing direction:
// a Planar, Radial, Coupling, ActNorm or Linear. Its fields are what it starts
// with; New checks them.
type Layer interface {
	// build returns the map and its first parameters.
	build(b *builder) (layer, []float64, error)
}

// builder is what a description is given.
type builder struct {
	name      string // "Layers[3]", for errors
	dim       int
	precision nn.Precision
	seed      uint64 // of this layer
}

func (b *builder) bad(arg string, value any, want string) error {
	return &ebmkit.ArgError{Func: "flow.New", Arg: b.name + "." + arg, Value: value, Want: want}
}

// vector checks a vector of the layer.
func (b *builder) vector(arg string, v []float64, n int) error {
	if len(v) != n {
		return b.bad("len("+arg+")", len(v), fmt.Sprint(n))
	}
	for i, x := range v {
		if x-x != 0 {
			return b.bad(fmt.Sprintf("%s[%d]", arg, i), x, "a finite number")
		}
	}
	return nil
}

// normals returns n random numbers of the layer.
func (b *builder) normals(n int) []float64 {
	v := make([]float64, n)
	ebmkit.NewStream(b.seed, "flow", 0).FillNormal(v)
	return v
}

// layer is a map with parameters theta.
//
// Its gradient is summed over rows in numbers of its own choice, called raw,
// from which chain makes the gradient in theta once for all rows.
type layer interface {
	numParams() int
	numRaw() int
	// check returns what is wrong with theta (all finite), or "" and "".
	check(theta []float64) (value any, want string)
	set(theta []float64)
	chain(dst, raw []float64) // adds to dst
	newWork() work
}

// work is the scratch of a layer for one block of rows.
type work interface {
	// normalise replaces the rows of x by f(x) and adds log |det J f| to ld. keep
	// says that pull will follow.
	normalise(x, ld []float64, keep bool)
	// generate replaces the rows of z by f^-1(z) and adds log |det J f^-1| to ld.
	generate(z, ld []float64)
	// pull takes cotangents back: g, those of f(x), become those of x; dld are those
	// of ld. The gradient is added to raw unless that is nil.
	pull(raw, g, dld []float64)
}

// above maps the line to (-1, inf), increasing, with above(0) = 0:
//
//	above(a) = log(1 + (e-1) exp(a)) - 1.
//
// It keeps planar and radial layers invertible whatever their parameters.
func above(a float64) float64 { return vmath.Softplus(a+logEm1) - 1 }

// aboveSlope is the derivative of above.
func aboveSlope(a float64) float64 { return vmath.Sigmoid(a + logEm1) }

// aboveInverse is the inverse of above, for c > -1.
func aboveInverse(c float64) float64 {
	return c + 1 + vmath.Log(-vmath.Expm1(-(c + 1))) - logEm1
}

const logEm1 = 0.5413248546129181 // log(e - 1)

// atLeast is how far planar and radial layers stay from the limit of
// invertibility: there, log |det J| would be -Inf.
const atLeast = 1e-12
