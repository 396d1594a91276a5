package spin

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Storage is a rule that turns patterns into couplings.
type Storage int

const (
	// Hebb stores P patterns y as
	//
	//	J_ij = (1/N) sum_p y_i^p y_j^p,   J_ii = 0,
	//
	// which keeps random patterns up to P/N = 0.138 for large N. Review eq. (3)
	// divides by the number of patterns instead, which changes nothing in the
	// dynamics without a field, and keeps the diagonal: HebbDiagonal.
	Hebb Storage = iota
	// HebbDiagonal is Hebb with J_ii = P/N kept, as printed in review eq. (3). J
	// is then positive semi-definite.
	HebbDiagonal
	// PseudoInverse stores the patterns as the projection on their span, with
	// its diagonal set to 0 (Personnaz, Guyon and Dreyfus 1985; Kanter and
	// Sompolinsky 1987):
	//
	//	J_ij = (1/N) sum_pq y_i^p (C^-1)_pq y_j^q,   C_pq = (1/N) y^p.y^q.
	//
	// Linearly independent patterns, however alike, are fixed points as long as
	// the diagonal of the projection stays below 1.
	PseudoInverse
)

// String returns the name of the rule.
func (s Storage) String() string {
	switch s {
	case Hebb:
		return "Hebb"
	case HebbDiagonal:
		return "Hebb with diagonal"
	case PseudoInverse:
		return "pseudo-inverse"
	}
	return fmt.Sprintf("Storage(%d)", int(s))
}

// Hopfield is a network of N spins that retrieves stored patterns, with the
// energy
//
//	U(x) = -x'Jx/2 - h.x,
//
// review eq. (2) over all ordered pairs: hence the half.
type Hopfield struct {
	n     int
	j     []float64
	field []float64
	scale []float64 // sum_j |J_ij|, the largest field that couplings can make
}

var _ ebmkit.Energy = (*Hopfield)(nil)

// NewHopfield stores patterns (row-major, rows of n spins) by the rule, without
// a field. It returns *ebmkit.ArgError if n < 1, there is no whole number of
// patterns, an entry is not -1 or +1, or, for PseudoInverse, the patterns are
// linearly dependent: it names the first that depends on those before.
func NewHopfield(rule Storage, n int, patterns []float64) (*Hopfield, error) {
	const fn = "spin.NewHopfield"
	if n < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 1"}
	}
	p := len(patterns) / n
	if p*n != len(patterns) || p == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(patterns)", Value: len(patterns), Want: fmt.Sprintf("a positive multiple of n = %d", n)}
	}
	for i, v := range patterns {
		if v != 1 && v != -1 {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("patterns[%d][%d]", i/n, i%n), Value: v, Want: "-1 or +1"}
		}
	}
	net := &Hopfield{n: n, j: make([]float64, n*n), field: make([]float64, n), scale: make([]float64, n)}
	switch rule {
	case Hebb, HebbDiagonal:
		for k := range p {
			net.addOuter(patterns[k*n:k*n+n], 1/float64(n))
		}
	case PseudoInverse:
		// Orthonormal rows have the same span, and their outer products add up
		// to the projection.
		basis := slices.Clone(patterns)
		for k := range p {
			row := basis[k*n : k*n+n]
			for range 2 { // twice is enough for orthogonality to rounding
				for m := range k {
					other := basis[m*n : m*n+n]
					vmath.Axpy(row, -vmath.Dot(row, other), other)
				}
			}
			norm := math.Sqrt(vmath.Dot(row, row))
			if norm < 1e-8*math.Sqrt(float64(n)) {
				return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("patterns[%d]", k), Value: "a combination of the patterns before", Want: "linearly independent patterns for PseudoInverse"}
			}
			for i := range row {
				row[i] /= norm
			}
			net.addOuter(row, 1)
		}
	default:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "rule", Value: rule, Want: "Hebb, HebbDiagonal or PseudoInverse"}
	}
	for i := range n {
		if rule != HebbDiagonal {
			net.j[i*n+i] = 0
		}
		for _, v := range net.j[i*n : (i+1)*n] {
			net.scale[i] += math.Abs(v)
		}
	}
	return net, nil
}

func (net *Hopfield) addOuter(y []float64, w float64) {
	for i, v := range y {
		vmath.Axpy(net.j[i*net.n:(i+1)*net.n], w*v, y)
	}
}

// SetField sets the bias h of review eq. (4), length N. It returns
// *ebmkit.ArgError, and changes nothing, if the length is wrong or an entry not
// finite.
func (net *Hopfield) SetField(h []float64) error {
	if err := wantVector("spin.Hopfield.SetField", "h", h, net.n); err != nil {
		return err
	}
	copy(net.field, h)
	return nil
}

// Dim returns the number of spins.
func (net *Hopfield) Dim() int { return net.n }

// Couplings returns a copy of J, row-major N x N.
func (net *Hopfield) Couplings() []float64 { return slices.Clone(net.j) }

// Energy returns U(x). It panics if len(x) != Dim.
func (net *Hopfield) Energy(x []float64) float64 {
	checkLen("Hopfield.Energy", net.n, x)
	var u float64
	for i, v := range x {
		u -= v * (vmath.Dot(net.j[i*net.n:(i+1)*net.n], x)/2 + net.field[i])
	}
	return u
}

// Fields writes the local fields Jx + h into dst (length Dim, allocated if nil,
// not overlapping x) and returns it. It panics on a wrong length.
func (net *Hopfield) Fields(dst, x []float64) []float64 {
	checkLen("Hopfield.Fields", net.n, x)
	if dst == nil {
		dst = make([]float64, net.n)
	}
	checkLen("Hopfield.Fields", net.n, dst)
	for i := range dst {
		dst[i] = vmath.Dot(net.j[i*net.n:(i+1)*net.n], x) + net.field[i]
	}
	return dst
}

// Overlap returns x.y/N: 1 for equal spins, -1 for opposite ones, about
// N^-1/2 for random ones. It panics if the lengths differ or are zero.
func Overlap(x, y []float64) float64 {
	if len(x) != len(y) || len(x) == 0 {
		panic("spin: Overlap: lengths differ or are zero")
	}
	var s float64
	for i, v := range x {
		s += v * y[i]
	}
	return s / float64(len(x))
}

// Outcome says how a retrieval ended.
type Outcome int

const (
	Unfinished Outcome = iota // the limit on steps was reached
	FixedPoint                // a step changed nothing
	TwoCycle                  // two states alternate
)

// String returns the outcome in words.
func (o Outcome) String() string {
	switch o {
	case FixedPoint:
		return "fixed point"
	case TwoCycle:
		return "2-cycle"
	}
	return "unfinished"
}

// Retrieval is a path of the dynamics.
type Retrieval struct {
	States  [][]float64 // the start and the state after every step
	Energy  []float64   // their energies
	Outcome Outcome
	// Descent holds the energy of the start and that after every single spin that
	// turned. RetrieveAsync only.
	Descent []float64
}

// Last returns the final state.
func (r *Retrieval) Last() []float64 { return r.States[len(r.States)-1] }

// Rises returns how often the energy goes up along the path, by more than
// rounding: in Energy, and in Descent if there is one.
func (r *Retrieval) Rises() int {
	n := 0
	for _, e := range [][]float64{r.Energy, r.Descent} {
		for i := 1; i < len(e); i++ {
			if e[i] > e[i-1]+tie*(1+math.Abs(e[i-1])) {
				n++
			}
		}
	}
	return n
}

// Fields within this of 0, in units of the largest that |J| and h allow, are
// ties: exact zeros that rounding has moved.
const tie = 1e-12

// sign returns the new spin under the field f; x is kept at a tie.
func (net *Hopfield) sign(i int, f, x float64) float64 {
	if math.Abs(f) <= tie*(net.scale[i]+math.Abs(net.field[i])) {
		return x
	}
	return math.Copysign(1, f)
}

// RetrieveSync runs review eq. (4) from x on all spins at once,
//
//	x <- sgn(Jx + h),
//
// where a spin with field 0 stays as it is, for at most maxSteps steps. With
// symmetric J it ends in a fixed point or in a 2-cycle (Goles, Fogelman and
// Pellegrin 1985); with J positive semi-definite, as HebbDiagonal, and no field
// energy never rises and there are no 2-cycles. It returns *ebmkit.ArgError if x
// is not N spins or maxSteps < 1.
func (net *Hopfield) RetrieveSync(x []float64, maxSteps int) (*Retrieval, error) {
	r, err := net.start("spin.Hopfield.RetrieveSync", x, maxSteps)
	if err != nil {
		return nil, err
	}
	f := make([]float64, net.n)
	for range maxSteps {
		x := slices.Clone(r.Last())
		net.Fields(f, x)
		for i := range x {
			x[i] = net.sign(i, f[i], x[i])
		}
		if slices.Equal(x, r.Last()) {
			r.Outcome = FixedPoint
			return r, nil
		}
		r.add(net, x)
		if k := len(r.States); k >= 3 && slices.Equal(x, r.States[k-3]) {
			r.Outcome = TwoCycle
			return r, nil
		}
	}
	return r, nil
}

// RetrieveAsync runs review eq. (4) from x on one spin after the other, in an
// order drawn anew for each of at most maxSweeps sweeps from the stream
// (seed, "retrieve", 0). States and energies are recorded after each sweep, and
// the energy after each spin that turns. If
// J_ii >= 0 the energy never rises, so it ends in a fixed point. Errors as
// RetrieveSync.
func (net *Hopfield) RetrieveAsync(x []float64, maxSweeps int, seed uint64) (*Retrieval, error) {
	r, err := net.start("spin.Hopfield.RetrieveAsync", x, maxSweeps)
	if err != nil {
		return nil, err
	}
	s := ebmkit.NewStream(seed, "retrieve", 0)
	order := make([]int, net.n)
	for i := range order {
		order[i] = i
	}
	r.Descent = []float64{r.Energy[0]}
	for range maxSweeps {
		x := slices.Clone(r.Last())
		for k := net.n - 1; k > 0; k-- {
			m := s.IntN(k + 1)
			order[k], order[m] = order[m], order[k]
		}
		for _, i := range order {
			f := vmath.Dot(net.j[i*net.n:(i+1)*net.n], x) + net.field[i]
			if v := net.sign(i, f, x[i]); v != x[i] {
				// dU = -(v - x_i) f_i - J_ii (v - x_i)^2/2
				d := v - x[i]
				u := r.Descent[len(r.Descent)-1]
				r.Descent = append(r.Descent, u-d*(f+net.j[i*net.n+i]*d/2))
				x[i] = v
			}
		}
		if slices.Equal(x, r.Last()) {
			r.Outcome = FixedPoint
			return r, nil
		}
		r.add(net, x)
	}
	return r, nil
}

// FixedPoints returns how many of the states xs (row-major, rows of N spins) are
// fixed points of review eq. (4). It returns *ebmkit.ArgError if xs is not a
// positive number of rows of -1 and +1.
func (net *Hopfield) FixedPoints(xs []float64) (int, error) {
	const fn = "spin.Hopfield.FixedPoints"
	if len(xs) == 0 || len(xs)%net.n != 0 {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "len(xs)", Value: len(xs), Want: fmt.Sprintf("a positive multiple of N = %d", net.n)}
	}
	if err := wantSpins(fn, "xs", xs, len(xs)); err != nil {
		return 0, err
	}
	fixed, f := 0, make([]float64, net.n)
	for ; len(xs) > 0; xs = xs[net.n:] {
		moves := false
		for i, f := range net.Fields(f, xs[:net.n]) {
			moves = moves || net.sign(i, f, xs[i]) != xs[i]
		}
		if !moves {
			fixed++
		}
	}
	return fixed, nil
}

func (net *Hopfield) start(fn string, x []float64, limit int) (*Retrieval, error) {
	if err := wantSpins(fn, "x", x, net.n); err != nil {
		return nil, err
	}
	if limit < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "limit", Value: limit, Want: "at least 1 step"}
	}
	r := &Retrieval{}
	r.add(net, slices.Clone(x))
	return r, nil
}

func (r *Retrieval) add(net *Hopfield, x []float64) {
	r.States = append(r.States, x)
	r.Energy = append(r.Energy, net.Energy(x))
}

// OneStepError returns the probability that a spin of a stored pattern is wrong
// after one step from that pattern, for p random patterns of n spins stored by
// Hebb (J_ii = 0, no field), and the probability that its field is exactly zero:
//
//	wrong = P[S < -(n-1)],   zero = P[S = -(n-1)],
//
// S the sum of (n-1)(p-1) fair signs; x_i f_i = (n - 1 + S)/n. A spin with field
// zero stays as it is, so it is not wrong. It is about
// erfc(sqrt((n-1)/(2(p-1))))/2. It returns *ebmkit.ArgError if n < 2 or p < 1.
func OneStepError(n, p int) (wrong, zero float64, err error) {
	const fn = "spin.OneStepError"
	if n < 2 {
		return 0, 0, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 2"}
	}
	if p < 1 || p > 1<<30/n {
		return 0, 0, &ebmkit.ArgError{Func: fn, Arg: "p", Value: p, Want: "at least 1, and n*p below 2^30"}
	}
	// S = trials - 2k with k minus signs. The weights of k are those of the
	// binomial law relative to its largest, by their ratios; far out they
	// underflow to 0.
	trials := (n - 1) * (p - 1)
	mode := trials / 2
	total := 1.0
	w := 1.0
	for k := mode; k > 0 && w > 0; k-- {
		w *= float64(k) / float64(trials-k+1)
		total += w
	}
	w = 1
	for k := mode; ; k++ {
		if k > mode {
			total += w
		}
		switch s := trials - 2*k; {
		case s < -(n - 1):
			wrong += w
		case s == -(n - 1):
			zero = w
		}
		if k == trials || w == 0 {
			return wrong / total, zero / total, nil
		}
		w *= float64(trials-k) / float64(k+1)
	}
}
