package loop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// squares is a loop whose step k leaves k*k.
func squares(hooks []Hook[int], progress func(done, total, last int)) *Loop[int] {
	return New("a.Trainer", func(k int) (int, error) { return k * k, nil }, hooks, progress)
}

func TestFit(t *testing.T) {
	var all, third []int
	reports := ""
	l := squares([]Hook[int]{
		{"all", 0, func(last int) error { all = append(all, last); return nil }},
		{"third", 3, func(last int) error { third = append(third, last); return nil }},
	}, func(done, total, last int) { reports += fmt.Sprintln(done, total, last) })
	for _, total := range []int{4, 7, 5} {
		if err := l.Fit(context.Background(), total); err != nil {
			t.Fatal(err)
		}
	}
	want := []int{0, 1, 4, 9, 16, 25, 36}
	if l.Steps() != 7 || !slices.Equal(l.History(), want) || !slices.Equal(all, want) || !slices.Equal(third, []int{4, 25}) {
		t.Errorf("%d steps, history %v, hooks %v and %v", l.Steps(), l.History(), all, third)
	}
	if s := l.Series(func(r int) float64 { return float64(r) / 2 }); !slices.Equal(s, []float64{0, 0.5, 2, 4.5, 8, 12.5, 18}) {
		t.Errorf("series %v", s)
	}
	// The first step of each Fit and the last are always reported.
	for _, line := range []string{"1 4 0\n", "4 4 9\n", "5 7 16\n", "7 7 36\n"} {
		if !strings.Contains(reports, line) {
			t.Errorf("no report %q in\n%s", line, reports)
		}
	}
}

func TestFitStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	stop := errors.New("stop")
	l := squares([]Hook[int]{{"cancel", 2, func(int) error { cancel(); return nil }}, {"stop", 3, func(int) error { return stop }}}, nil)
	if err := l.Fit(ctx, 9); err != context.Canceled || l.Steps() != 2 {
		t.Errorf("cancelled: %v after %d steps", err, l.Steps())
	}
	err := l.Fit(context.Background(), 9)
	if !errors.Is(err, stop) || err.Error() != `a.Trainer: hook "stop" after step 2: stop` || l.Steps() != 3 {
		t.Errorf("hook: %v after %d steps", err, l.Steps())
	}
	if err := l.Fit(context.Background(), 5); err != nil || l.Steps() != 5 {
		t.Errorf("after the hook: %v, %d steps", err, l.Steps())
	}
}

func TestFailure(t *testing.T) {
	taken := 0
	l := New("a.Trainer", func(k int) (int, error) {
		if taken++; k == 2 {
			return 7, &ebmkit.DivergedError{Func: "a.Trainer", Walker: -1}
		}
		return k, nil
	}, nil, nil)
	err := l.Fit(context.Background(), 9)
	var d *ebmkit.DivergedError
	if !errors.As(err, &d) || d.Step != 2 || l.Steps() != 2 || len(l.History()) != 2 {
		t.Errorf("%v after %d steps", err, l.Steps())
	}
	if _, again := l.Step(); again != err || l.Fit(context.Background(), 1) != err || l.Failed() != err || taken != 3 {
		t.Errorf("after a failure: %v, %d steps tried", again, taken)
	}
}

func TestCheckHook(t *testing.T) {
	if err := CheckHook("f", 0, "h", 0, true); err != nil {
		t.Error(err)
	}
	for _, err := range []error{CheckHook("f", 3, "", 0, true), CheckHook("f", 3, "h", -1, true), CheckHook("f", 3, "h", 0, false)} {
		var a *ebmkit.ArgError
		if !errors.As(err, &a) || a.Func != "f" || a.Arg != "Hooks[3]" {
			t.Errorf("error %v", err)
		}
	}
}
