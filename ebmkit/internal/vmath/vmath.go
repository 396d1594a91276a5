// Package vmath holds elementary functions whose bits do not depend on the processor.
package vmath

import "math"

func Exp(x float64) float64 { return math.Exp(x) }
func Log(x float64) float64 { return math.Log(x) }
