// Package cpu says whether the AVX2 kernels may be used.
package cpu

import "os"

// AVX2 reports that processor and operating system offer AVX2 and FMA, and
// that the environment variable EBMKIT_PORTABLE is not set to a non-empty value
// other than 0. It is read once, at start-up.
var AVX2 = hasAVX2() && !portable(os.Getenv("EBMKIT_PORTABLE"))

func portable(env string) bool { return env != "" && env != "0" }
