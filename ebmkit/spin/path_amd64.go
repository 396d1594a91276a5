package spin

import "github.com/ebmkit/hitchhiker/internal/cpu"

// useAVX2 is a variable so that the tests can compare both paths.
var useAVX2 = cpu.AVX2
