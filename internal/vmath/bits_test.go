package vmath

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/internal/cpu"
)

// unary lists every function with a slice form.
var unary = []struct {
	name  string
	f     func(float64) float64
	slice func(dst, x []float64)
}{
	{"Exp", Exp, ExpSlice},
	{"Expm1", Expm1, Expm1Slice},
	{"Log", Log, LogSlice},
	{"Log1p", Log1p, Log1pSlice},
	{"Tanh", Tanh, TanhSlice},
	{"Sigmoid", Sigmoid, SigmoidSlice},
	{"Softplus", Softplus, SoftplusSlice},
}

// edges are the arguments where branches and ranges change.
func edges() []float64 {
	var x []float64
	for _, v := range []float64{0, 5e-324, 0x1p-1074, 0x1p-1022, 0x1p-1021, 1e-300, 0x1p-54, 0x1p-53, 0x1p-52, 1e-9,
		0.25, 0.3465735902799726, 0.5, math.Sqrt2 / 2, 1, math.Sqrt2, 2, 19, 22, 36, 37, 50, 53, 708, 709.782712893384,
		709.7827128933841, 710, 745.1332191019411, 745.1332191019412, 746, 0x1p26, 0x1p51, 0x1p52, 0x1p53, 1e300,
		math.MaxFloat64, math.Inf(1), math.NaN()} {
		for _, w := range []float64{math.Nextafter(v, math.Inf(-1)), v, math.Nextafter(v, math.Inf(1))} {
			x = append(x, w, -w)
		}
	}
	return x
}

// inputs mixes edges, ordinary sizes, all exponents and all bit patterns.
func inputs(n int) []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	x := edges()
	for len(x) < n {
		b := r.Uint64()
		x = append(x,
			20*(r.Float64()-0.5), 1600*(r.Float64()-0.5), 1+r.NormFloat64()/8,
			math.Ldexp(1+r.Float64(), r.IntN(2098)-1074),
			math.Float64frombits(b), float64(r.IntN(64))/16)
	}
	return x[:n]
}

func size(short, full int) int {
	if testing.Short() {
		return short
	}
	return full
}

// same reports equal bits; all NaNs are the same.
func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}

// onPath runs f with the AVX2 kernels on or off.
func onPath(t testing.TB, avx2 bool, f func()) {
	if avx2 && !useAVX2 {
		t.Skip("no AVX2 here")
	}
	saved := useAVX2
	useAVX2 = avx2
	defer func() { useAVX2 = saved }()
	f()
}

func TestSliceIsScalarBitForBit(t *testing.T) {
	x := inputs(size(200_000, 4_000_003))
	got := make([]float64, len(x))
	for _, u := range unary {
		u.slice(got, x)
		bad := 0
		for i, v := range x {
			if want := u.f(v); !same(got[i], want) {
				if bad++; bad < 5 {
					t.Errorf("%s(%v = %x): slice %x, scalar %x", u.name, v, v, got[i], want)
				}
			}
		}
	}
	cos := make([]float64, len(x))
	SinCos2PiSlice(got, cos, x)
	for i, v := range x {
		if s, c := SinCos2Pi(v); !same(got[i], s) || !same(cos[i], c) {
			t.Fatalf("SinCos2Pi(%v): slice %x %x, scalar %x %x", v, got[i], cos[i], s, c)
		}
	}
}

// Every special element in every lane beside ordinary ones, lengths 0 to 9, in
// place and not.
func TestSliceLanesAndLengths(t *testing.T) {
	for _, u := range unary {
		for n := range 10 {
			for lane := range n {
				for _, e := range edges() {
					x := make([]float64, n)
					for i := range x {
						x[i] = 0.7 + float64(i)
					}
					x[lane] = e
					dst := make([]float64, n+1)
					dst[n] = -77
					u.slice(dst[:n], x)
					y := append([]float64(nil), x...)
					u.slice(y, y)
					for i := range x {
						if !same(dst[i], u.f(x[i])) || !same(y[i], dst[i]) {
							t.Fatalf("%s, n %d lane %d edge %v: element %d is %v, in place %v, want %v", u.name, n, lane, e, i, dst[i], y[i], u.f(x[i]))
						}
					}
					if dst[n] != -77 {
						t.Fatalf("%s, n %d writes past the end", u.name, n)
					}
				}
			}
		}
	}
}

func TestSpecialValues(t *testing.T) {
	inf, nan, negZero := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	for _, c := range []struct {
		name    string
		f       func(float64) float64
		x, want float64
	}{
		{"Exp", Exp, 0, 1}, {"Exp", Exp, negZero, 1}, {"Exp", Exp, inf, inf}, {"Exp", Exp, -inf, 0}, {"Exp", Exp, nan, nan},
		{"Exp", Exp, 710, inf}, {"Exp", Exp, -746, 0}, {"Exp", Exp, -745.13, 5e-324},
		{"Expm1", Expm1, negZero, negZero}, {"Expm1", Expm1, 0, 0}, {"Expm1", Expm1, inf, inf}, {"Expm1", Expm1, -inf, -1}, {"Expm1", Expm1, nan, nan},
		{"Expm1", Expm1, 5e-324, 5e-324}, {"Expm1", Expm1, 709.782712893384, 0x1.fffffffffff2ap1023},
		{"Log", Log, 1, 0}, {"Log", Log, 0, -inf}, {"Log", Log, negZero, -inf}, {"Log", Log, -1, nan}, {"Log", Log, inf, inf}, {"Log", Log, -inf, nan}, {"Log", Log, nan, nan},
		{"Log1p", Log1p, negZero, negZero}, {"Log1p", Log1p, 0, 0}, {"Log1p", Log1p, -1, -inf}, {"Log1p", Log1p, -1.5, nan}, {"Log1p", Log1p, inf, inf}, {"Log1p", Log1p, nan, nan}, {"Log1p", Log1p, -5e-324, -5e-324},
		{"Tanh", Tanh, negZero, negZero}, {"Tanh", Tanh, inf, 1}, {"Tanh", Tanh, -inf, -1}, {"Tanh", Tanh, nan, nan}, {"Tanh", Tanh, 5e-324, 5e-324},
		{"Sigmoid", Sigmoid, 0, 0.5}, {"Sigmoid", Sigmoid, inf, 1}, {"Sigmoid", Sigmoid, -inf, 0}, {"Sigmoid", Sigmoid, nan, nan}, {"Sigmoid", Sigmoid, -745.13, 5e-324},
		{"Softplus", Softplus, 0, math.Ln2}, {"Softplus", Softplus, inf, inf}, {"Softplus", Softplus, -inf, 0}, {"Softplus", Softplus, nan, nan}, {"Softplus", Softplus, -745.13, 5e-324},
	} {
		if got := c.f(c.x); !same(got, c.want) {
			t.Errorf("%s(%v) = %x, want %x", c.name, c.x, got, c.want)
		}
	}
	for _, u := range []float64{inf, -inf, nan} {
		if s, c := SinCos2Pi(u); s == s || c == c {
			t.Errorf("SinCos2Pi(%v) = %v, %v, want NaN", u, s, c)
		}
	}
	for u, want := range map[float64][2]float64{0: {0, 1}, 0.25: {1, 0}, 0.5: {0, -1}, 0.75: {-1, 0}, 1: {0, 1}, 0x1p60: {0, 1}, -0.25: {-1, 0}} {
		if s, c := SinCos2Pi(u); s != want[0] || c != want[1] {
			t.Errorf("SinCos2Pi(%v) = %v, %v, want %v", u, s, c, want)
		}
	}
}

// On no path does a reduction depend on where its slice lies or what else runs:
// AVX2 and portable agree at every length.
func TestReductionsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 150 {
		x, y := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i], y[i] = math.Ldexp(r.NormFloat64(), r.IntN(20)), r.NormFloat64()
		}
		type result struct{ sum, dot, lse, y0, y1 float64 }
		run := func() (out result) {
			z := append([]float64(nil), y...)
			Axpy(z, 0.3, x)
			out = result{sum: Sum(x), dot: Dot(x, y), lse: LogSumExp(y)}
			if n > 0 {
				out.y0, out.y1 = z[0], z[n-1]
			}
			return out
		}
		var a, b result
		onPath(t, false, func() { a = run() })
		onPath(t, true, func() { b = run() })
		if a != b {
			t.Fatalf("n = %d: portable %v, avx2 %v", n, a, b)
		}
	}
}

func TestMax(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for n := range 70 {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		want := math.Inf(-1)
		for _, v := range x {
			want = max(want, v)
		}
		if got := Max(x); got != want {
			t.Fatalf("n = %d: %v, want %v", n, got, want)
		}
		for i := range x { // a NaN anywhere is seen
			kept := x[i]
			x[i] = math.NaN()
			if got := Max(x); got == got {
				t.Fatalf("n = %d, NaN at %d: %v", n, i, got)
			}
			x[i] = math.Inf(1)
			if got := Max(x); got != x[i] {
				t.Fatalf("n = %d, +Inf at %d: %v", n, i, got)
			}
			x[i] = kept
		}
	}
}

func TestLogSumExpEdges(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		x    []float64
		want float64
	}{
		{nil, -inf}, {[]float64{-inf, -inf}, -inf}, {[]float64{3, inf, 1}, inf}, {[]float64{1000}, 1000},
		{[]float64{1000, 1000}, 1000 + math.Ln2}, {[]float64{-inf, 2}, 2}, {[]float64{1, math.NaN()}, math.NaN()},
	} {
		if got := LogSumExp(c.x); !same(got, c.want) {
			t.Errorf("LogSumExp(%v) = %v, want %v", c.x, got, c.want)
		}
	}
}

func TestLanesAgree(t *testing.T) {
	var seed Lanes
	r := rand.New(rand.NewPCG(5, 6))
	for i := range seed {
		seed[i] = r.Uint64()
	}
	type result struct {
		w       []uint64
		u, e, n []float64
		state   Lanes
	}
	n := size(10_000, 1_000_000) * 8
	run := func() result {
		s := seed
		out := result{w: make([]uint64, 400), u: make([]float64, 404), e: make([]float64, 4004), n: make([]float64, n)}
		s.Words(out.w)
		s.Uniforms(out.u)
		s.Exponentials(out.e)
		s.Normals(out.n)
		s.Words(nil)
		s.Normals(nil)
		out.state = s
		return out
	}
	var a, b result
	onPath(t, false, func() { a = run() })
	onPath(t, true, func() { b = run() })
	if a.state != b.state {
		t.Fatal("states differ")
	}
	for i := range a.w {
		if a.w[i] != b.w[i] {
			t.Fatalf("word %d differs", i)
		}
	}
	for i := range a.u {
		if a.u[i] != b.u[i] {
			t.Fatalf("uniform %d differs", i)
		}
	}
	for i := range a.e {
		if !same(a.e[i], b.e[i]) {
			t.Fatalf("exponential %d: portable %x, avx2 %x", i, a.e[i], b.e[i])
		}
	}
	for i := range a.n {
		if !same(a.n[i], b.n[i]) {
			t.Fatalf("normal %d: portable %x, avx2 %x", i, a.n[i], b.n[i])
		}
	}
}

// xoshiro256++ itself, against the reference implementation's output for the
// state 1, 2, 3, 4.
func TestLanesAreXoshiro(t *testing.T) {
	var s Lanes
	for j := range 4 {
		for k := range 4 {
			s[4*j+k] = uint64(j + 1)
		}
	}
	want := []uint64{41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205, 9973669472204895162}
	got := make([]uint64, 4*len(want))
	s.Words(got)
	for i, w := range want {
		for k := range 4 {
			if got[4*i+k] != w {
				t.Fatalf("step %d lane %d: %d, want %d", i, k, got[4*i+k], w)
			}
		}
	}
}

// digest hashes the bits of every function on many inputs.
func digest() string {
	h := sha256.New()
	put := func(v float64) {
		if v != v {
			v = math.NaN()
		}
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		h.Write(b[:])
	}
	x := inputs(60_000)
	dst, cos := make([]float64, len(x)), make([]float64, len(x))
	for _, u := range unary {
		u.slice(dst, x)
		for i := range dst {
			put(dst[i])
			put(u.f(x[i]))
		}
	}
	SinCos2PiSlice(dst, cos, x)
	for i := range dst {
		put(dst[i])
		put(cos[i])
	}
	for _, v := range x[:20_000] {
		for _, f := range scalarOnly {
			put(f(v))
		}
	}
	var s Lanes
	for i := range s {
		s[i] = uint64(i*i + 1)
	}
	s.Exponentials(dst[40_000:])
	s.Normals(dst[:40_000])
	for _, v := range dst {
		put(v)
	}
	table, scratch := ring(8, 4, 0.5), make([]float64, 96)
	MixtureGrad2(cos[:3001], x[:6002], dst[:6002], table, scratch)
	for i := range 3001 {
		put(cos[i])
		put(x[2*i])
		put(x[2*i+1])
	}
	x32 := inputs32(20_003)
	y32, dy32 := make([]float32, len(x32)), make([]float32, len(x32))
	for _, a := range activations {
		a.slice(y32, dy32, x32)
		for i := range x32 {
			put(float64(y32[i]))
			put(float64(dy32[i]))
		}
	}
	off := make([]float64, 100)
	for n := range off {
		copy(off, dst[300:300+n])
		off[n] = 0
		x, mean, diag, c := dst[:n+1], dst[100:101+n], dst[200:201+n], off[:n+1]
		u, g := make([]float64, 1), make([]float64, n+1)
		DiagonalRows(u, g, x, mean, diag)
		put(u[0])
		AxpyScaled(g, 0.3, x, mean)
		put(Sum(g))
		TridiagonalRows(u, nil, x, mean, diag, c)
		put(u[0])
		TridiagonalRows(nil, g, x, mean, diag, c)
		put(Dot(g, x))
	}
	put(Sum(dst[:39_999]))
	put(Dot(dst[:39_999], cos[:39_999]))
	put(LogSumExp(dst[:39_999]))
	return hex.EncodeToString(h.Sum(nil))
}

// goldenDigest is what every processor must compute. It changes only together
// with the functions, and then every sampled number of the project does.
const goldenDigest = "298a0268765819f4ee708b29a6db23dc03d9fb4cabafc40df7d093377d699d73"

// The same bits with and without AVX2, with fused multiply-adds in software, and
// from a compiler that is free to fuse (GOAMD64=v3).
func TestEveryProcessor(t *testing.T) {
	if os.Getenv("VMATH_DIGEST") != "" {
		fmt.Printf("\ndigest %s %s\n", Path(), digest())
		return
	}
	if got := digest(); got != goldenDigest {
		t.Errorf("this process (%s): digest %s, want %s", Path(), got, goldenDigest)
	}
	check := func(env []string, path string, command ...string) {
		t.Helper()
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Env = append(append(os.Environ(), "VMATH_DIGEST=1"), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", env, err, out)
		}
		_, line, _ := strings.Cut(string(out), "\ndigest ")
		f := strings.Fields(line)
		if len(f) < 2 || f[1] != goldenDigest || path != "" && f[0] != path {
			t.Errorf("%v: %q, want path %q and digest %s", env, f, path, goldenDigest)
		}
	}
	const run = "-test.run=^TestEveryProcessor$"
	check([]string{"EBMKIT_PORTABLE=1", "GODEBUG="}, "portable", os.Args[0], run)
	check([]string{"EBMKIT_PORTABLE=1", "GODEBUG=cpu.fma=off"}, "portable", os.Args[0], run)
	check([]string{"EBMKIT_PORTABLE=0", "GODEBUG=cpu.fma=off"}, "", os.Args[0], run)

	if _, err := exec.LookPath("go"); err != nil || testing.Short() || runtime.GOARCH != "amd64" || !cpu.AVX2 {
		return
	}
	check([]string{"EBMKIT_PORTABLE=1", "GOAMD64=v3"}, "portable", "go", "test", "-count=1", "-v", "-run=^TestEveryProcessor$", ".")
}
