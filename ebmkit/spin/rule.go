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
	against   uint64               // all ones if J < 0: the neighbours favour what they are not
	rare      [maxRounds][2]uint64 // bit 63-j of the two probabilities, as all zeros or all ones

	// With a field there are five probabilities for a spin that was down and
	// five for one that was up.
	general [2][maxRounds][5]uint64
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

// lanes is how many words are updated together: each round of random words has
// one for each, and the rounds end when all their spins are decided.
const lanes = 4

// early is how many rounds are made before the first look whether all are
// decided.
const early = 8

// maxRounds is the number of binary digits of a probability.
const maxRounds = 64

// turn updates up to four words of spins, own, with the words of their four
// neighbours. It returns how many rounds it used: 4 random words each.
func (r *rule) turn(own, above, here, below, side, random []uint64) (rounds int) {
	n := len(own)
	above, here, below, side = above[:n], here[:n], below[:n], side[:n]
	// c0 + 2 c1 + 4 c2 neighbours are up.
	var c0, c1, c2, open, less [lanes]uint64
	for w := range own {
		p, q, s, t := above[w], below[w], here[w], side[w]
		odd, even, both, pair := p^q, s^t, p&q, s&t
		c0[w], c1[w], c2[w] = odd^even, both^pair^odd&even, both&pair
		open[w] = math.MaxUint64
		if r.symmetric {
			open[w] = ^(c1[w] &^ c0[w]) // a tie is drawn apart
		}
	}
	for rounds < early || open != [lanes]uint64{} && rounds < maxRounds {
		u := (*[lanes]uint64)(random[lanes*rounds:])
		rare, down, up := &r.rare[rounds], &r.general[0][rounds], &r.general[1][rounds]
		for w := range own {
			a, b, c := c0[w], c1[w], c2[w]
			var p uint64
			switch {
			case r.symmetric:
				p = a&rare[0] | ^(a|b)&rare[1] // three or four neighbours are of one kind
			case r.heatBath:
				p = down[0] ^ a&down[1] ^ b&down[2] ^ a&b&down[3] ^ c&down[4]
			default:
				x := own[w]
				p = (down[0]^a&down[1]^b&down[2]^a&b&down[3]^c&down[4])&^x |
					x&(up[0]^a&up[1]^b&up[2]^a&b&up[3]^c&up[4])
			}
			// Where open is set, the digits of u and p so far are equal; less
			// gets those that are now known to be below their p.
			decided := open[w] & (u[w] ^ p)
			open[w] ^= decided
			less[w] |= decided & p
		}
		rounds++
	}
	for w, x := range own {
		major, tie := (c2[w]|c1[w]&c0[w])^r.against, c1[w]&^c0[w]
		switch {
		case !r.symmetric:
			own[w] = less[w]
		case r.heatBath:
			// Spins with a tie have not used their bits of the first word.
			own[w] = major&^tie ^ less[w] ^ random[w]&tie
		default:
			// With the minority or a tie a spin always turns.
			own[w] = x ^ (tie | (x^major)&^tie | less[w])
		}
	}
	return rounds
}
