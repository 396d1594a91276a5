//go:build !race

package mcmc

const raced = false
