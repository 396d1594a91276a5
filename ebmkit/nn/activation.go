package nn

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/gemm"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Activation is the nonlinearity of a layer.
type Activation uint8

// The activations. ReLU has the derivative 0 at 0 and the second derivative 0
// everywhere: mixed derivatives of a ReLU network are those of its linear
// pieces and miss the kinks between them, so that v'(Hess U)v is 0.
const (
	Identity    Activation = iota // z
	SiLU                          // z/(1 + e^-z)
	Tanh                          // tanh z
	Softplus                      // log(1 + e^z)
	ReLU                          // max(z, 0)
	Sigmoid                       // 1/(1 + e^-z)
	activations                   // their number
)

var activationNames = [activations]string{"identity", "silu", "tanh", "softplus", "relu", "sigmoid"}

func (a Activation) String() string {
	if a >= activations {
		return fmt.Sprintf("Activation(%d)", uint8(a))
	}
	return activationNames[a]
}

// ParseActivation returns the activation whose String is name. It returns
// *ebmkit.ArgError if there is none.
func ParseActivation(name string) (Activation, error) {
	for a, n := range activationNames {
		if n == name {
			return Activation(a), nil
		}
	}
	return 0, &ebmkit.ArgError{Func: "nn.ParseActivation", Arg: "name", Value: fmt.Sprintf("%q", name), Want: "one of " + fmt.Sprint(activationNames)}
}

// kernels holds the elementwise loops of one element type.
type kernels[T gemm.Float] struct {
	// activate writes f(z) into y and f'(z) into dy unless it is nil; y may be z.
	activate func(a Activation, y, dy, z []T)
	// sigmoid writes 1/(1 + e^-z).
	sigmoid func(y, z []T)
	// mul multiplies dst by x.
	mul func(dst, x []T)
	// add adds x to dst.
	add func(dst, x []T)
	// addTo adds x to dst.
	addTo func(dst []float64, x []T)
	// dots writes dot products of w with rows of a; nil if there is no kernel.
	dots func(dst []T, ldd int, a []T, lda int, w []T, rows int)
}

var kernels32 = kernels[float32]{
	activate32, vmath.Sigmoid32Slice, vmath.Mul32Slice, vmath.Add32Slice,
	vmath.AddFloat32Slice, vmath.DotRows32,
}

var kernels64 = kernels[float64]{
	activate64, vmath.SigmoidSlice, mulGo[float64], addGo[float64],
	addGo[float64], nil,
}

func mulGo[T gemm.Float](dst, x []T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] *= v
	}
}

func addGo[T gemm.Float](dst, x []T) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] += v
	}
}

func activate32(a Activation, y, dy, z []float32) {
	switch a {
	case SiLU:
		vmath.SiLU32Slice(y, dy, z)
	case Tanh:
		vmath.Tanh32Slice(y, dy, z)
	case Softplus:
		vmath.Softplus32Slice(y, dy, z)
	case Sigmoid:
		vmath.Sigmoid32Slice(y, z)
		if dy != nil {
			for i, s := range y {
				dy[i] = s * (1 - s)
			}
		}
	case ReLU:
		vmath.ReLU32Slice(y, dy, z)
	default:
		piecewise(a, y, dy, z)
	}
}

func activate64(a Activation, y, dy, z []float64) {
	switch a {
	case SiLU:
		vmath.SiLUSlice(y, dy, z)
	case Tanh:
		vmath.TanhSlice(y, z)
		if dy != nil {
			for i, v := range y {
				dy[i] = (1 - v) * (1 + v)
			}
		}
	case Softplus:
		if dy != nil {
			vmath.SigmoidSlice(dy, z)
		}
		vmath.SoftplusSlice(y, z)
	case Sigmoid:
		vmath.SigmoidSlice(y, z)
		if dy != nil {
			for i, s := range y {
				dy[i] = s * (1 - s)
			}
		}
	default:
		piecewise(a, y, dy, z)
	}
}

// piecewise is activate for ReLU and Identity. NaN stays NaN.
func piecewise[T gemm.Float](a Activation, y, dy, z []T) {
	for i, v := range z {
		d := T(1)
		if a == ReLU && v <= 0 {
			v, d = 0, 0
		}
		y[i] = v
		if dy != nil {
			dy[i] = d
		}
	}
}

// derivatives writes the first three derivatives of f at z; f3 may be nil. None
// of the slices may overlap.
func derivatives[T gemm.Float](k *kernels[T], a Activation, f1, f2, f3, z []T) {
	if f3 == nil {
		f3 = f2 // which is written after it
	}
	switch a {
	case SiLU:
		k.sigmoid(f1, z)
		for i, s := range f1 {
			x, p, q := z[i], s*(1-s), 1-2*s
			f3[i] = p * (3*q + x*(q*q-2*p))
			f2[i] = p * (2 + x*q)
			f1[i] = s + x*p
		}
	case Tanh:
		k.activate(Tanh, f2, nil, z)
		for i, y := range f2 {
			d := (1 - y) * (1 + y)
			f1[i] = d
			f3[i] = d * (6*y*y - 2)
			f2[i] = -2 * y * d
		}
	case Softplus:
		k.sigmoid(f1, z)
		for i, s := range f1 {
			p, q := s*(1-s), 1-2*s
			f3[i] = p * q
			f2[i] = p
		}
	case Sigmoid:
		k.sigmoid(f1, z)
		for i, s := range f1 {
			p, q := s*(1-s), 1-2*s
			f3[i] = p * (q*q - 2*p)
			f2[i] = p * q
			f1[i] = p
		}
	default:
		for i, v := range z {
			f1[i] = 1
			if a == ReLU && v <= 0 {
				f1[i] = 0
			}
			f3[i], f2[i] = 0, 0
		}
	}
}
