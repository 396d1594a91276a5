package ebmkit

import (
	"fmt"
	"math"
	"math/bits"
	"sort"
	"testing"

	"github.com/ebmkit/hitchhiker/internal/race"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// A battery of tests of random numbers. Each returns z-scores, standard normal
// (approximately, for large counts) if the source is good. Seeds are fixed, so
// the outcome is too; the limit is what about 200 scores reach once in 300
// batteries. Every test has a source beside it that it must reject.

const zLimit = 4.2

type score struct {
	what string
	z    float64
}

func report(t *testing.T, source string, scores []score) {
	t.Helper()
	top := score{}
	for _, s := range scores {
		if !(math.Abs(s.z) < zLimit) {
			t.Errorf("%s: %s: z = %.2f", source, s.what, s.z)
		}
		if math.Abs(s.z) > math.Abs(top.z) {
			top = s
		}
	}
	t.Logf("%-28s %3d scores, largest |z| %.2f (%s)", source, len(scores), math.Abs(top.z), top.what)
}

func mustReject(t *testing.T, source string, scores []score) {
	t.Helper()
	top := score{}
	for _, s := range scores {
		if z := math.Abs(s.z); z > math.Abs(top.z) || z != z {
			top = s
		}
	}
	t.Logf("control %-32s largest |z| %.3g (%s)", source, math.Abs(top.z), top.what)
	if math.Abs(top.z) < 2*zLimit {
		t.Errorf("%s passes: largest |z| %.2f (%s)", source, math.Abs(top.z), top.what)
	}
}

// chiSquare returns the z-score of Pearson's statistic (Wilson and Hilferty).
func chiSquare(counts []int, prob func(i int) float64) float64 {
	n := 0
	for _, c := range counts {
		n += c
	}
	x := 0.0
	for i, c := range counts {
		e := float64(n) * prob(i)
		x += (float64(c) - e) * (float64(c) - e) / e
	}
	d := float64(len(counts) - 1)
	return (math.Cbrt(x/d) - (1 - 2/(9*d))) / math.Sqrt(2/(9*d))
}

func equal(n int) func(int) float64 { return func(int) float64 { return 1 / float64(n) } }

// poisson returns the z-score of a count of mean m (Anscombe).
func poisson(count int, m float64) float64 {
	return 2 * (math.Sqrt(float64(count)+0.375) - math.Sqrt(m+0.375) + 1/(8*math.Sqrt(m)))
}

// kolmogorov returns the z-score of the two-sided distance of sorted u from the
// uniform law (one-sided in z: large is bad).
func kolmogorov(u []float64) float64 {
	n, d := float64(len(u)), 0.0
	for i, v := range u {
		d = max(d, v-float64(i)/n, float64(i+1)/n-v)
	}
	l := (math.Sqrt(n) + 0.12 + 0.11/math.Sqrt(n)) * d
	p := 0.0
	for k := 1.0; k < 50; k++ {
		p += 2 * math.Pow(-1, k-1) * math.Exp(-2*k*k*l*l)
	}
	return -vmath.NormalQuantile(min(max(p, 1e-300), 1-1e-16))
}

// source gives words; normalSource gives normals.
type source func(dst []uint64)
type normalSource func(dst []float64)

const chunk = 1 << 14

// wordBattery tests n words.
func wordBattery(n int, next source) []score {
	var out []score
	add := func(what string, z float64) { out = append(out, score{what, z}) }
	w := make([]uint64, chunk)
	var ones [64]int             // of each bit
	var same [64][4]int          // bit equal to that of 1, 2, 4, 8 words before
	top := make([]int, 1<<12)    // upper 12 bits
	low := make([]int, 1<<12)    // lower 12 bits
	pairs := make([]int, 1<<12)  // upper 6 bits of two neighbours
	lane := make([]int, 1<<12)   // upper 6 bits of words 4 apart (one lane)
	triple := make([]int, 1<<12) // upper 4 bits of three neighbours
	weights := make([]int, 81)   // number of ones in two neighbours, 9 classes each
	var rank [3]int              // of 64 x 64 bit matrices: 64, 63, less
	used := 0
	for used < n {
		next(w)
		used += len(w)
		for i, v := range w {
			top[v>>52]++
			low[v&4095]++
			for b := range 64 {
				ones[b] += int(v >> b & 1)
			}
			if i >= 8 {
				for j, lag := range [4]int{1, 2, 4, 8} {
					x := ^(v ^ w[i-lag])
					for b := 0; b < 64; b += 7 {
						same[b][j] += int(x >> b & 1)
					}
				}
			}
			if i%2 == 1 {
				pairs[v>>58<<6|w[i-1]>>58]++
				weights[weightClass(v)*9+weightClass(w[i-1])]++
			}
			if i%8 >= 4 {
				lane[v>>58<<6|w[i-4]>>58]++
			}
			if i%3 == 2 {
				triple[v>>60<<8|w[i-1]>>60<<4|w[i-2]>>60]++
			}
		}
		for i := 0; i+64 <= len(w); i += 1024 {
			rank[min(64-bitRank([64]uint64(w[i:i+64])), 2)]++
		}
	}
	N := float64(used)
	for b, c := range ones {
		add(fmt.Sprint("ones of bit ", b), (float64(c)-N/2)/math.Sqrt(N/4))
	}
	m := N / chunk * (chunk - 8)
	for b := 0; b < 64; b += 7 {
		for j, c := range same[b] {
			add(fmt.Sprintf("bit %d, lag %d", b, 1<<j), (float64(c)-m/2)/math.Sqrt(m/4))
		}
	}
	add("upper bits", chiSquare(top, equal(4096)))
	add("lower bits", chiSquare(low, equal(4096)))
	add("pairs", chiSquare(pairs, equal(4096)))
	add("pairs in a lane", chiSquare(lane, equal(4096)))
	add("triples", chiSquare(triple, equal(4096)))
	add("weights of pairs", chiSquare(weights, func(i int) float64 { return weightProb[i/9] * weightProb[i%9] }))
	full, less := rankProb(64), rankProb(63)
	add("rank of matrices", chiSquare(rank[:], func(i int) float64 {
		return [3]float64{full, less, 1 - full - less}[i]
	}))
	add("birthday spacings", birthdays(next))
	return out
}

// weightClass sorts the number of ones into nine classes.
func weightClass(w uint64) int {
	return min(max((bits.OnesCount64(w)-22)/2-1, 0), 8)
}

var weightProb = func() (p [9]float64) {
	c := 1.0 // binomial(64, k) 2^-64
	for range 64 {
		c /= 2
	}
	for k := range 65 {
		p[min(max((k-22)/2-1, 0), 8)] += c
		c *= float64(64-k) / float64(k+1)
	}
	return p
}()

// rankProb returns the probability that a random 64 x 64 bit matrix has rank r.
func rankProb(r int) float64 {
	p := math.Ldexp(1, -(64-r)*(64-r))
	for i := range r {
		q := 1 - math.Ldexp(1, i-64)
		p *= q * q / (1 - math.Ldexp(1, i-r))
	}
	return p
}

func bitRank(m [64]uint64) int {
	rank := 0
	for b := range 64 {
		for i := rank; i < 64; i++ {
			if m[i]>>b&1 == 0 {
				continue
			}
			m[rank], m[i] = m[i], m[rank]
			for j := i + 1; j < 64; j++ {
				if m[j]>>b&1 != 0 {
					m[j] ^= m[rank]
				}
			}
			rank++
			break
		}
	}
	return rank
}

// birthdays counts equal spacings among 4096 birthdays in a year of 2^32 days,
// 64 times; the mean is m^3/(4 year) = 4 each (Marsaglia).
func birthdays(next source) float64 {
	const m, rounds = 4096, 64
	w, count := make([]uint64, m), 0
	for range rounds {
		next(w)
		for i := range w {
			w[i] >>= 32
		}
		sort.Slice(w, func(i, j int) bool { return w[i] < w[j] })
		for i := m - 1; i > 0; i-- {
			w[i] -= w[i-1]
		}
		sort.Slice(w, func(i, j int) bool { return w[i] < w[j] })
		for i := 1; i < m; i++ {
			if w[i] == w[i-1] {
				count++
			}
		}
	}
	return poisson(count, rounds*4)
}

// normalBattery tests n normals.
func normalBattery(n int, next normalSource) []score {
	var out []score
	add := func(what string, z float64) { out = append(out, score{what, z}) }
	x := make([]float64, chunk)
	var moment [9]float64
	lags := []int{1, 2, 3, 4, 5, 7, 8, 12, 16, 64}
	product, square := make([]float64, len(lags)), make([]float64, len(lags))
	tail := []float64{3, 4, 4.5, 5, 5.3}
	var above, below [5]int
	edges := make([]float64, 1023)
	for i := range edges {
		edges[i] = vmath.NormalQuantile(float64(i+1) / 1024)
	}
	bins, plane := make([]int, 1024), make([]int, 1024)
	radius := make([]int, 256) // of the two numbers that share one, 4 apart
	var first []float64
	used := 0
	for used < n {
		next(x)
		used += len(x)
		for i, v := range x {
			p := v
			for k := 1; k <= 8; k++ {
				moment[k] += p
				p *= v
			}
			for j, l := range lags {
				if i >= l {
					product[j] += v * x[i-l]
					square[j] += (v*v - 1) * (x[i-l]*x[i-l] - 1)
				}
			}
			for j, c := range tail {
				if v > c {
					above[j]++
				} else if v < -c {
					below[j]++
				}
			}
			b := sort.SearchFloat64s(edges, v)
			bins[b]++
			if i%8 >= 4 {
				plane[b>>5<<5|sort.SearchFloat64s(edges, x[i-4])>>5]++
				radius[min(255, int(256*-math.Expm1(-(v*v+x[i-4]*x[i-4])/2)))]++
			}
		}
		if len(first) < 200_000 {
			first = append(first, x...)
		}
	}
	N := float64(used)
	// E x^k and E x^2k of the normal law: (k-1)!! and (2k-1)!!.
	double := func(k int) float64 {
		v := 1.0
		for ; k > 1; k -= 2 {
			v *= float64(k)
		}
		return v
	}
	for k := 1; k <= 8; k++ {
		mean := 0.0
		if k%2 == 0 {
			mean = double(k - 1)
		}
		add(fmt.Sprint("moment ", k), (moment[k]-N*mean)/math.Sqrt(N*(double(2*k-1)-mean*mean)))
	}
	for j, l := range lags {
		m := N / chunk * float64(chunk-l)
		add(fmt.Sprint("correlation, lag ", l), product[j]/math.Sqrt(m))
		add(fmt.Sprint("correlation of squares, lag ", l), square[j]/math.Sqrt(4*m))
	}
	for j, c := range tail {
		if m := N * vmath.NormalCDF(-c); m > 1 {
			add(fmt.Sprint("above ", c), poisson(above[j], m))
			add(fmt.Sprint("below ", -c), poisson(below[j], m))
		}
	}
	add("1024 classes", chiSquare(bins, equal(1024)))
	add("plane, 4 apart", chiSquare(plane, equal(1024)))
	add("radius, 4 apart", chiSquare(radius, equal(256)))
	for i, v := range first {
		first[i] = vmath.NormalCDF(v)
	}
	sort.Float64s(first)
	add("Kolmogorov-Smirnov", kolmogorov(first))
	return out
}

func draws(short, full int) int {
	if testing.Short() {
		return short
	}
	return full
}

// across makes one source of many streams: some words of each.
func across(each int, stream func(i int) *Stream) source {
	i := 0
	return func(dst []uint64) {
		for len(dst) > 0 {
			n := min(each, len(dst))
			stream(i).FillBits(dst[:n])
			dst = dst[n:]
			i++
		}
	}
}

func TestStreamWords(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	n := draws(1<<19, 1<<25)
	s := NewStream(0, "noise", 0)
	report(t, "one stream", wordBattery(n, s.FillBits))
	report(t, "uniform numbers", wordBattery(n/4, func(dst []uint64) {
		// 52 bits of two numbers make one word.
		u := make([]float64, 2*len(dst))
		s.FillUniform(u)
		for i := range dst {
			dst[i] = uint64(math.Ldexp(u[2*i], 52))<<12 | uint64(math.Ldexp(u[2*i+1], 12))
		}
	}))
	m := draws(1<<18, 1<<22)
	report(t, "1 word of each block", wordBattery(m, across(1, func(i int) *Stream { return NewStream(1, "noise", i) })))
	report(t, "2 words of each seed", wordBattery(m, across(2, func(i int) *Stream { return NewStream(uint64(i), "noise", 0) })))
	report(t, "seeds 0 and 1 in turn", wordBattery(m, across(1, func() func(int) *Stream {
		two := [2]*Stream{NewStream(0, "noise", 0), NewStream(1, "noise", 0)}
		return func(i int) *Stream { return two[i%2] }
	}())))
	report(t, "8 words of each name", wordBattery(m, across(8, func(i int) *Stream { return NewStream(1, fmt.Sprint(i), 0) })))
	report(t, "seeds of one bit", wordBattery(1<<18, across(4096, func(i int) *Stream { return NewStream(1<<(i%64), "noise", i/64) })))
}

func TestStreamNormals(t *testing.T) {
	n := draws(1<<20, 1<<26)
	s := NewStream(0, "noise", 0)
	report(t, "one stream", normalBattery(n, s.FillNormal))
	i := 0
	report(t, "8 normals of each block", normalBattery(draws(1<<19, 1<<22), func(dst []float64) {
		for j := 0; j < len(dst); j += 8 {
			NewStream(2, "noise", i).FillNormal(dst[j : j+8])
			i++
		}
	}))
	e := make([]float64, 1<<20)
	NewStream(3, "exponential", 0).FillExponential(e)
	var m1, m2 float64
	for j, v := range e {
		m1 += v - 1
		m2 += v*v - 2
		e[j] = -math.Expm1(-v)
	}
	sort.Float64s(e)
	N := float64(len(e))
	report(t, "exponential", []score{{"mean", m1 / math.Sqrt(N)}, {"square", m2 / math.Sqrt(20*N)}, {"Kolmogorov-Smirnov", kolmogorov(e)}})
	k := make([]int, 6)
	for range draws(1<<18, 1<<22) {
		k[s.IntN(6)]++
	}
	report(t, "IntN(6)", []score{{"chi square", chiSquare(k, equal(6))}})
}

// Neighbouring streams, row by row: the correlation of the normals of block k
// with those of block k+1, and of seeds s and s+1.
func TestStreamsUncorrelated(t *testing.T) {
	const rows = 512
	n := draws(2000, 200_000)
	for name, stream := range map[string]func(i int) *Stream{
		"blocks": func(i int) *Stream { return NewStream(0, "noise", i) },
		"seeds":  func(i int) *Stream { return NewStream(uint64(i), "noise", 0) },
	} {
		a, b := make([]float64, rows), make([]float64, rows)
		stream(0).FillNormal(a)
		var sum, sum2 float64
		top := 0.0
		for i := 1; i <= n; i++ {
			stream(i).FillNormal(b)
			c := vmath.Dot(a, b) / math.Sqrt(rows)
			sum += c
			sum2 += c*c - 1
			top = max(top, math.Abs(c))
			a, b = b, a
		}
		N := float64(n)
		report(t, "neighbouring "+name, []score{{"mean correlation", sum / math.Sqrt(N)}, {"its variance", sum2 / math.Sqrt(2*N)}})
		if p := 2 * N * vmath.NormalCDF(-top); p < 1e-4 {
			t.Errorf("neighbouring %s: one correlation of %.2f standard errors (p = %.1e)", name, top, p)
		}
	}
}

// What the battery must reject.
func TestStreamBatteryRejects(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	n := 1 << 18
	s := NewStream(4, "control", 0)
	each := func(f func(i int, w uint64) uint64) source {
		i := 0
		return func(dst []uint64) {
			s.FillBits(dst)
			for j := range dst {
				dst[j] = f(i, dst[j])
				i++
			}
		}
	}
	var lcg, last uint64 = 1, 0
	var weyl uint64
	mustReject(t, "linear congruence, mod 2^64", wordBattery(n, each(func(int, uint64) uint64 { lcg = lcg*6364136223846793005 + 1442695040888963407; return lcg })))
	mustReject(t, "Weyl sequence", wordBattery(n, each(func(int, uint64) uint64 { weyl += 0x9e3779b97f4a7c15; return weyl })))
	mustReject(t, "a bit stuck one time in 30", wordBattery(n, each(func(i int, w uint64) uint64 {
		if i%30 == 0 {
			w |= 1 << 17
		}
		return w
	})))
	mustReject(t, "a word repeated one time in 50", wordBattery(n, each(func(i int, w uint64) uint64 {
		if i%50 == 0 {
			w = last
		}
		last = w
		return w
	})))
	mustReject(t, "bits 0 to 31 depend on 32 to 63", wordBattery(n, each(func(i int, w uint64) uint64 { return w&^0xffffffff | w>>32 })))
	mustReject(t, "streams keyed without a hash", wordBattery(n, across(1, func(i int) *Stream {
		st := NewStream(1, "noise", 0)
		for j := range st.lanes {
			st.lanes[j] = uint64(j + 1)
		}
		st.lanes[0] += uint64(i)
		return st
	})))

	normals := func(f func(i int, v float64) float64) normalSource {
		i := 0
		return func(dst []float64) {
			s.FillNormal(dst)
			for j := range dst {
				dst[j] = f(i, dst[j])
				i++
			}
		}
	}
	m := 1 << 20
	var before float64
	mustReject(t, "sum of 12 uniforms", normalBattery(m, normals(func(int, float64) float64 {
		v := -6.0
		for range 12 {
			v += s.Float64()
		}
		return v
	})))
	mustReject(t, "sd 1.01", normalBattery(m, normals(func(_ int, v float64) float64 { return 1.01 * v })))
	mustReject(t, "no tail beyond 3.9", normalBattery(1<<22, normals(func(_ int, v float64) float64 { return min(max(v, -3.9), 3.9) })))
	mustReject(t, "autoregression 0.01", normalBattery(m, normals(func(_ int, v float64) float64 {
		v = 0.01*before + math.Sqrt(1-1e-4)*v
		before = v
		return v
	})))
	mustReject(t, "angle from half a circle", normalBattery(m, normals(func(i int, v float64) float64 {
		if i%8 < 4 {
			return math.Abs(v)
		}
		return v
	})))
	mustReject(t, "one radius for all eight", normalBattery(m, func(dst []float64) {
		s.FillNormal(dst)
		for j := 0; j < len(dst); j += 8 {
			r := math.Hypot(dst[j], dst[j+4])
			for k := 1; k < 4; k++ {
				h := math.Hypot(dst[j+k], dst[j+4+k])
				dst[j+k] *= r / h
				dst[j+4+k] *= r / h
			}
		}
	}))
}
