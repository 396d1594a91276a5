package nb

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// refresh is the least time between two pictures of a progress bar.
const refresh = 200 * time.Millisecond

// Progress returns a function that shows how many of total steps are done, as one
// output that changes in place; steps may be told in any order and from any
// goroutine. The last picture, at done = total or when the cell is interrupted,
// shows the count and no time, so that a saved notebook does not change from run
// to run. Where nobody watches, as in the headless runs of the tests, only the
// last picture is shown.
//
//	tick := nb.Progress("sampling", draws)
//	for i := range draws {
//		...
//		tick(i + 1)
//	}
func Progress(name string, total int) func(done int) {
	p := &progress{name: name, total: max(total, 1), start: time.Now()}
	p.id = "progress-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(p.start.UnixNano(), 36)
	p.live = os.Getenv("JPY_SESSION_NAME") != ""
	bars.Lock()
	defer bars.Unlock()
	bars.all = append(bars.all, p)
	return p.tick
}

// bars are the progress bars of the cell.
var bars struct {
	sync.Mutex
	all []*progress
}

// endProgress shows the last picture of every bar that has begun: the cell was
// interrupted.
func endProgress() {
	bars.Lock()
	defer bars.Unlock()
	for _, p := range bars.all {
		p.mu.Lock()
		if !p.ended && p.done > 0 {
			p.ended = true
			p.show("")
		}
		p.mu.Unlock()
	}
}

type progress struct {
	name  string
	total int
	id    string
	live  bool
	start time.Time

	mu    sync.Mutex
	done  int
	ended bool
	shown time.Time
}

func (p *progress) tick(done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || done <= p.done {
		return
	}
	p.done = min(done, p.total)
	now := time.Now()
	switch {
	case p.done == p.total:
		p.ended = true
		p.show("")
	case p.live && now.Sub(p.shown) >= refresh && now.Sub(p.start) >= refresh:
		p.shown = now
		p.show(p.left(now))
	}
}

// left says how long the rest will take at the rate so far.
func (p *progress) left(now time.Time) string {
	s := now.Sub(p.start).Seconds() * float64(p.total-p.done) / float64(p.done)
	switch {
	case s < 1:
		return "less than 1 s left"
	case s < 100:
		return fmt.Sprintf("%.0f s left", s)
	case s < 6000:
		return fmt.Sprintf("%.0f min left", s/60)
	}
	return fmt.Sprintf("%.1f h left", s/3600)
}

func (p *progress) show(left string) {
	text := fmt.Sprintf("%s: %s of %s", p.name, thousands(p.done), thousands(p.total))
	if left != "" {
		text += ", " + left
	}
	html := fmt.Sprintf(`<div><progress value="%d" max="%d" style="width: 16em; vertical-align: middle"></progress>&nbsp; %s</div>`,
		p.done, p.total, escape(text))
	parts := []Part{{MIME: "text/html", Text: html}, {MIME: "text/plain", Text: text}}
	if p.live {
		update(p.id, parts)
	} else {
		Display(parts...)
	}
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
