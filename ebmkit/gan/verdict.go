package gan

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/minibatch"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Verdict is what a discriminator says of points, data on one side and generated
// ones on the other: the two means of review eq. (33). Errors are for independent
// points.
type Verdict struct {
	Data ebmkit.Estimate // E_data[log D(x)]
	Fake ebmkit.Estimate // E_z[log(1 - D(G(z)))]
}

// V returns V(G, D), the sum of the two means, review eq. (33).
func (v Verdict) V() ebmkit.Estimate {
	return ebmkit.Estimate{Value: v.Data.Value + v.Fake.Value, SE: math.Hypot(v.Data.SE, v.Fake.SE)}
}

// JensenShannon returns a lower bound of the Jensen-Shannon divergence of data and
// generator, in nats,
//
//	(V + ln 4)/2 <= JSD,
//
// by V(G, D) <= C(G) = -ln 4 + 2 JSD for every D, review eq. (38). It holds within
// its error if D was not trained on the points; with the best D it is the JSD.
func (v Verdict) JensenShannon() ebmkit.Estimate {
	e := v.V()
	return ebmkit.Estimate{Value: (e.Value + math.Log(4)) / 2, SE: e.SE / 2}
}

// Judge returns what the discriminator says of data and of fakes, which may be of
// this generator or of any other. Their numbers may differ. It returns
// *ebmkit.ArgError if one of them is empty, not finite or of another dimension.
func (m *Model) Judge(data, fakes *ebmkit.Ensemble) (Verdict, error) {
	const fn = "gan.Model.Judge"
	if err := minibatch.Check(fn, "data", data, m.Dim()); err != nil {
		return Verdict{}, err
	}
	if err := minibatch.Check(fn, "fakes", fakes, m.Dim()); err != nil {
		return Verdict{}, err
	}
	return Verdict{Data: m.meanLog(data, 1), Fake: m.meanLog(fakes, -1)}, nil
}

// meanLog returns the mean of log D, or of log(1 - D) if sign is -1.
func (m *Model) meanLog(xs *ebmkit.Ensemble, sign float64) ebmkit.Estimate {
	l := make([]float64, xs.N)
	m.LogRatio(l, xs.X)
	for i, v := range l {
		l[i] = -vmath.Softplus(-sign * v)
	}
	return ebmkit.MeanOf(l)
}
