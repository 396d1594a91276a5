//go:build !amd64

package spin

var useAVX2 = false

func turnAVX2(own, above, here, below, side *uint64, groups int, digits *[maxRounds][2]uint64, against uint64, heatBath bool, random *uint64, rounds int) (done, used int) {
	panic("unreachable")
}
