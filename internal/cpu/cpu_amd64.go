package cpu

// cpuid and xgetbv execute the instructions of that name.
func cpuid(eax, ecx uint32) (a, b, c, d uint32)
func xgetbv() (eax, edx uint32)

func hasAVX2() bool {
	const (
		fma     = 1 << 12 // leaf 1, ecx
		osxsave = 1 << 27
		avx     = 1 << 28
		avx2    = 1 << 5 // leaf 7, ebx
		ymmOS   = 6      // xcr0: the system saves xmm and ymm
	)
	if max, _, _, _ := cpuid(0, 0); max < 7 {
		return false
	}
	_, _, c, _ := cpuid(1, 0)
	if c&(fma|osxsave|avx) != fma|osxsave|avx {
		return false
	}
	if xcr0, _ := xgetbv(); xcr0&ymmOS != ymmOS {
		return false
	}
	_, b, _, _ := cpuid(7, 0)
	return b&avx2 != 0
}
