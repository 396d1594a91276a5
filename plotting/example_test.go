package plotting_test

import (
	"bytes"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/plotting"
)

// A curve with measured points, drawn as SVG. Export would write it as SVG, PDF,
// PNG and CSV.
func Example() {
	fig := plotting.New().
		Func(`$1/(1 - h/2\sigma^2)$`, func(h float64) float64 { return 1 / (1 - h/2) }, 0, 1.5).
		ErrorBars("measured", []float64{0.5, 1}, []float64{1.34, 1.98}, []float64{0.02, 0.03}).
		VLine("bound of the review", 1).
		XLabel("step $h$").YLabel("variance").
		Caption("The chain is biased and stable beyond the bound.")
	var svg bytes.Buffer
	if err := plotting.Render(&svg, fig, plotting.SVG, 0); err != nil {
		fmt.Println(err)
	}
	fmt.Println(bytes.HasPrefix(svg.Bytes(), []byte("<svg ")))
	fmt.Print(plotting.Text(fig))
	// Output:
	// true
	// figure
	//   step h from 0 to 1.5, variance from 0.85 to 4.18
	//   line 1/(1 - h/2σ²): 513 points, x 0 to 1.5, y 1 to 4
	//   error bars measured: 2 points, x 0.5 to 1, y 1.34 to 1.98
	//   vertical line bound of the review: x = 1
}

// What cannot be drawn is named.
func Example_refusal() {
	fig := plotting.New().Line("model", []float64{0, 1, 2}, []float64{1, math.NaN(), 3})
	fmt.Println(fig.Err())
	// Output:
	// plotting.Figure.Line: y[1] of "model" = NaN, want a finite number
}

// Panels share axes and one legend.
func ExampleSmall() {
	var panels []plotting.Figure
	for _, beta := range []float64{1, 4} {
		panels = append(panels, plotting.New().
			Title(fmt.Sprintf(`$\beta = %g$`, beta)).
			Func("force", func(x float64) float64 { return -beta * x }, -1, 1))
	}
	fmt.Print(plotting.Text(plotting.Small(2, panels...).Title("A spring")))
	// Output:
	// figure: A spring
	//   (a) β = 1
	//     x from -1 to 1, y from -4.4 to 4.48
	//     line force: 513 points, x -1 to 1, y -1 to 1
	//   (b) β = 4
	//     x from -1 to 1, y from -4.4 to 4.48
	//     line force: 513 points, x -1 to 1, y -4 to 4
}
