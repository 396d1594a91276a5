package spin

import "math"

// rule is an update of one colour: the probability that a spin is up afterwards,
// given how many of its four neighbours are up and how it was itself.
type rule struct {
	// Without a field, up and down are alike. With "major" the state that the
	// neighbours favour, only two probabilities are not 1/2 or 1: those to go
	// against three or four neighbours of one kind.
	symmetric bool
	heatBath  bool
	against   uint64        // all ones if J < 0: the neighbours favour what they are not
	zeros     int           // how many leading digits of both are 0, at most 8
	rare      [64][2]uint64 // bit 63-j of the two probabilities, as all zeros or all ones

	// With a field there are five probabilities for a spin that was down and
	// five for one that was up.
	general [2][64][5]uint64
}

// set fills the tables for P(up) = law(beta, local field, was up).
func (r *rule) set(t Torus, beta float64, law func(beta, f float64, up bool) float64, heatBath bool) {
	r.symmetric, r.heatBath, r.against = t.H == 0, heatBath, 0
	if t.J < 0 {
		r.against = math.MaxUint64
	}
	// With k neighbours up the local field is (2k-4) J + H.
	for j, p := range []float64{law(beta, -2*math.Abs(t.J), false), law(beta, -4*math.Abs(t.J), false)} {
		for i := range r.rare {
			r.rare[i][j] = spread(p, i)
		}
	}
	for r.zeros = 0; r.zeros < 8 && r.rare[r.zeros] == [2]uint64{}; r.zeros++ {
	}
	for was := range r.general {
		for i := range r.general[was] {
			var f [5]uint64
			for k := range f {
				f[k] = spread(law(beta, float64(2*k-4)*t.J+t.H, was == 1), i)
			}
			// As exclusive or of 1, c0, c1, c0 c1 and c2.
			r.general[was][i] = [5]uint64{f[0], f[0] ^ f[1], f[0] ^ f[2], f[0] ^ f[1] ^ f[2] ^ f[3], f[0] ^ f[4]}
		}
	}
}

// spread returns binary digit i of the probability p, i = 0 the one worth 1/2,
// in all 64 bits. p = 1 counts as 1 - 2^-64.
func spread(p float64, i int) uint64 {
	var digits uint64 = math.MaxUint64
	if p < 1 {
		digits = uint64(math.Ldexp(p, 64))
	}
	return -(digits >> (63 - i) & 1)
}

// draw returns the spins after the update of x, whose neighbours that are up
// number c0 + 2 c1 + 4 c2, and how many random words it used.
func (r *rule) draw(x, c0, c1, c2 uint64, random *[64]uint64) (up uint64, used int) {
	if !r.symmetric {
		return r.drawGeneral(x, c0, c1, c2, random)
	}
	major := (c2 | c1&c0) ^ r.against
	three, four := c0, ^(c0 | c1) // so many neighbours are of one kind
	tie := c1 &^ c0
	open, rare := three|four, uint64(0)
	// While the digits of both probabilities are 0, a random 1 decides.
	used = r.zeros
	for _, w := range random[:used] {
		open &^= w
	}
	u, d := (*[6]uint64)(random[used:]), (*[6][2]uint64)(r.rare[used:])
	open, rare = decide(open, rare, u[0], three&d[0][0]|four&d[0][1])
	open, rare = decide(open, rare, u[1], three&d[1][0]|four&d[1][1])
	open, rare = decide(open, rare, u[2], three&d[2][0]|four&d[2][1])
	open, rare = decide(open, rare, u[3], three&d[3][0]|four&d[3][1])
	open, rare = decide(open, rare, u[4], three&d[4][0]|four&d[4][1])
	open, rare = decide(open, rare, u[5], three&d[5][0]|four&d[5][1])
	for used += 6; open != 0 && used < 64; used++ {
		d := &r.rare[used]
		open, rare = decide(open, rare, random[used], three&d[0]|four&d[1])
	}
	if r.heatBath {
		// Spins with a tie have not used their bits of the first word.
		return major&^tie ^ rare ^ random[0]&tie, used
	}
	// Metropolis: with the minority or a tie a spin always turns.
	return x ^ (tie | (x^major)&^tie | rare), used
}

// decide looks at one more binary digit of 64 numbers u and p, whose digits so
// far are equal where open is set: less gets those that are now known to be
// below their p.
func decide(open, less, u, p uint64) (stillOpen, nowLess uint64) {
	decided := open & (u ^ p)
	return open ^ decided, less | decided&p
}

func (r *rule) drawGeneral(x, c0, c1, c2 uint64, random *[64]uint64) (up uint64, used int) {
	c01 := c0 & c1
	open := uint64(math.MaxUint64)
	for ; open != 0 && used < 64; used++ {
		w, d := random[used], &r.general[0][used]
		p := d[0] ^ c0&d[1] ^ c1&d[2] ^ c01&d[3] ^ c2&d[4]
		if !r.heatBath {
			d := &r.general[1][used]
			p = p&^x | x&(d[0]^c0&d[1]^c1&d[2]^c01&d[3]^c2&d[4])
		}
		open, up = decide(open, up, w, p)
	}
	return up, used
}
