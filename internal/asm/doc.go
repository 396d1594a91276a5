// Package asm is a module of its own: the programs under it write the AVX2
// assembler of other packages with avo, so that registers are allocated
// and constants are named by a machine. go generate writes the files; go test
// checks that those in the repository are what the programs write.
package asm

//go:generate go run ./vmath -out ../vmath/kernels_amd64.s -stubs ../vmath/kernels_amd64.go -pkg vmath
//go:generate go run ./gemm -out ../gemm/kernels_amd64.s -stubs ../gemm/kernels_amd64.go -pkg gemm
//go:generate go run ./spin -out ../../ebmkit/spin/kernels_amd64.s -stubs ../../ebmkit/spin/kernels_amd64.go -pkg spin
