package spin

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// BetaC is the critical inverse temperature of the infinite square lattice with
// J = 1, ln(1 + sqrt 2)/2 (Kramers and Wannier 1941).
const BetaC = 0.440686793509771512616304662489896154514080164130884

// YangM returns the spontaneous magnetisation per site of the infinite square
// lattice at K = Beta J > 0 (Yang 1952),
//
//	M = (1 - sinh(2K)^-4)^(1/8) for K > BetaC, else 0.
func YangM(k float64) float64 {
	if !(k > BetaC) {
		return 0
	}
	s := sinh(2 * k)
	return math.Sqrt(math.Sqrt(math.Sqrt(1 - 1/(s*s*s*s))))
}

// OnsagerEnergy returns the energy per site in units of J of the infinite square
// lattice without a field at K = Beta J > 0 (Onsager 1944),
//
//	U/(N J) = -coth(2K) [1 + (2/pi) (2 tanh(2K)^2 - 1) F(q)],
//	q = 2 sinh(2K)/cosh(2K)^2,
//
// F the complete elliptic integral of the first kind of modulus q. At BetaC,
// where F is infinite and its factor 0, it is -sqrt 2.
func OnsagerEnergy(k float64) float64 {
	f, _, th := onsager(k)
	factor := 2*th*th - 1
	if factor == 0 || math.IsInf(f, 1) {
		return -1 / th
	}
	return -(1 + 2/math.Pi*factor*f) / th
}

// OnsagerHeatCapacity returns the heat capacity per site of the infinite square
// lattice without a field at K = Beta J > 0 (Onsager 1944),
//
//	C/N = (4/pi) (K coth 2K)^2 { F(q) - E(q) - (1 - tanh(2K)^2) [pi/2 + (2 tanh(2K)^2 - 1) F(q)] },
//
// E the complete elliptic integral of the second kind. It diverges at BetaC.
func OnsagerHeatCapacity(k float64) float64 {
	f, e, th := onsager(k)
	c := k / th
	return 4 / math.Pi * c * c * (f - e - (1-th*th)*(math.Pi/2+(2*th*th-1)*f))
}

// onsager returns the elliptic integrals of modulus q and tanh 2K.
func onsager(k float64) (f, e, th float64) {
	th = tanh(2 * k)
	// The complementary modulus is |2 tanh(2K)^2 - 1|: no digits are lost near
	// the critical point.
	f, e = elliptic(math.Abs(2*th*th - 1))
	return f, e, th
}

// elliptic returns the complete elliptic integrals of the first and the second
// kind with complementary modulus kc, by the arithmetic-geometric mean.
func elliptic(kc float64) (f, e float64) {
	if kc == 0 {
		return math.Inf(1), 1
	}
	a, b := 1.0, kc
	sum, power := (1-kc*kc)/2, 0.5 // sum of 2^(n-1) c_n^2
	for range 60 {
		c := (a - b) / 2
		a, b = (a+b)/2, math.Sqrt(a*b)
		power *= 2
		sum += power * c * c
		if c < 1e-9*a { // the next c is about c^2
			break
		}
	}
	f = math.Pi / (2 * a)
	return f, f * (1 - sum)
}

func sinh(x float64) float64 {
	e := vmath.Expm1(x)
	return (e + e/(e+1)) / 2
}

func tanh(x float64) float64 {
	e := vmath.Expm1(-2 * math.Abs(x))
	return math.Copysign(-e/(2+e), x)
}

// logCosh returns log(2 cosh x).
func logCosh(x float64) float64 { return math.Abs(x) + vmath.Log1p(vmath.Exp(-2*math.Abs(x))) }

// KaufmanTorus returns log Z and the energy per site of a finite torus without a
// field (Kaufman 1949), for any size. With n columns, m rows and K = Beta J,
//
//	Z = (2 sinh 2K)^(mn/2)/2 [prod_r 2 cosh(m g_{2r+1}/2) + prod_r 2 sinh(m g_{2r+1}/2)
//	    + prod_r 2 cosh(m g_{2r}/2) + prod_r 2 sinh(m g_{2r}/2)],   r = 0 .. n-1,
//	cosh g_l = cosh(2K) coth(2K) - cos(pi l/n),   g_0 = 2K + log tanh K.
//
// The other fields of Thermo are NaN. It returns *ebmkit.ArgError if the torus is
// malformed, has a field, or beta J is not positive.
func KaufmanTorus(t Torus, beta float64) (Thermo, error) {
	const fn = "spin.KaufmanTorus"
	if err := t.check(fn); err != nil {
		return Thermo{}, err
	}
	if t.H != 0 {
		return Thermo{}, &ebmkit.ArgError{Func: fn, Arg: "Torus.H", Value: t.H, Want: "0"}
	}
	k := beta * t.J
	if !(k > 0) || !isFinite(k) {
		return Thermo{}, &ebmkit.ArgError{Func: fn, Arg: "beta*Torus.J", Value: k, Want: "a positive finite number"}
	}
	m, n := float64(t.Rows), t.Cols
	s := sinh(2 * k)
	c := math.Sqrt(1 + s*s)
	// For each of the four products its logarithm and the derivative of that.
	// The factor of g_0 in the last one may be 0 or negative and is kept apart.
	var logs, slopes [4]float64
	for l := range 2 * n {
		var g, dg float64
		if l == 0 {
			g = 2*k + vmath.Log(tanh(k))
			dg = 2 + 2/s
		} else {
			_, cos := vmath.SinCos2Pi(float64(l) / float64(2*n))
			x := c*c/s - cos
			root := math.Sqrt((x - 1) * (x + 1))
			g = vmath.Log(x + root)
			dg = 2 * c * (2 - c*c/(s*s)) / root
		}
		pair := 0
		if l%2 == 0 {
			pair = 2
		}
		a, da := m*g/2, m*dg/2
		logs[pair] += logCosh(a)
		slopes[pair] += da * tanh(a)
		if l == 0 {
			continue
		}
		logs[pair+1] += a + vmath.Log1p(-vmath.Exp(-2*a))
		slopes[pair+1] += da / tanh(a)
	}
	top := max(logs[0], logs[1], logs[2], logs[3])
	var z, dz float64
	for i := range 3 {
		w := vmath.Exp(logs[i] - top)
		z += w
		dz += w * slopes[i]
	}
	a0, da0 := m*(2*k+vmath.Log(tanh(k)))/2, m*(1+1/s)
	// 2 sinh and 2 cosh of a0 times the rest, without overflow.
	plus, minus := vmath.Exp(logs[3]-top+a0), vmath.Exp(logs[3]-top-a0)
	z += plus - minus
	dz += (plus-minus)*slopes[3] + (plus+minus)*da0
	sites := m * float64(n)
	nan := math.NaN()
	return Thermo{
		Beta:         beta,
		LogZ:         sites/2*vmath.Log(2*s) - math.Ln2 + top + vmath.Log(z),
		Energy:       -t.J * (c/s + dz/z/sites),
		HeatCapacity: nan, AbsM: nan, Chi: nan, Binder: nan,
	}, nil
}

// ChainExact holds what the transfer matrix gives of a closed chain.
type ChainExact struct {
	LogZ        float64
	Energy      float64 // per site
	M           float64 // <x_i>
	Correlation float64 // <x_i x_{i+1}>
}

// TransferChain returns the exact results of NewChain(n, j, h) at the inverse
// temperature beta, from the powers of the transfer matrix
//
//	T = [exp(beta (j + h))  exp(-beta j); exp(-beta j)  exp(beta (j - h))],   Z = trace T^n.
//
// It returns *ebmkit.ArgError if n < 3, beta is negative or a number is not
// finite.
func TransferChain(n int, j, h, beta float64) (ChainExact, error) {
	const fn = "spin.TransferChain"
	if n < 3 {
		return ChainExact{}, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 3 sites to close a chain"}
	}
	if err := wantBeta(fn, beta); err != nil {
		return ChainExact{}, err
	}
	if err := wantFinite(fn, "j", j); err != nil {
		return ChainExact{}, err
	}
	if err := wantFinite(fn, "h", h); err != nil {
		return ChainExact{}, err
	}
	// Everything is relative to the largest element of T.
	shift := max(beta*(j+math.Abs(h)), -beta*j)
	t := mat2{vmath.Exp(beta*(j+h) - shift), vmath.Exp(-beta*j - shift), vmath.Exp(-beta*j - shift), vmath.Exp(beta*(j-h) - shift)}
	rest, logRest := t.power(n - 2)
	two := t.times(t)
	all := two.times(rest)
	z := all[0] + all[3]
	flip := func(a mat2) mat2 { return mat2{a[0], a[1], -a[2], -a[3]} } // diag(1, -1) a
	st := flip(t)
	pair := st.times(st).times(rest) // S T S T^(n-1)
	up := flip(all)
	e := ChainExact{
		LogZ:        vmath.Log(z) + logRest + float64(n)*shift,
		M:           (up[0] + up[3]) / z,
		Correlation: (pair[0] + pair[3]) / z,
	}
	e.Energy = -j*e.Correlation - h*e.M
	return e, nil
}

// mat2 is a 2 x 2 matrix, row-major.
type mat2 [4]float64

func (a mat2) times(b mat2) mat2 {
	return mat2{a[0]*b[0] + a[1]*b[2], a[0]*b[1] + a[1]*b[3], a[2]*b[0] + a[3]*b[2], a[2]*b[1] + a[3]*b[3]}
}

// power returns p and s with a^n = p exp(s), for a with elements >= 0.
func (a mat2) power(n int) (p mat2, s float64) {
	p = mat2{1, 0, 0, 1}
	var logA float64
	for {
		if n&1 == 1 {
			p = p.times(a)
			s += logA
			s += p.scale()
		}
		if n >>= 1; n == 0 {
			return p, s
		}
		a = a.times(a)
		logA *= 2
		logA += a.scale()
	}
}

// scale divides a by its largest element and returns the logarithm of that.
func (a *mat2) scale() float64 {
	top := max(a[0], a[1], a[2], a[3])
	for i := range a {
		a[i] /= top
	}
	return vmath.Log(top)
}
