package nb

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// escape makes text safe inside HTML.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escape(s string) string { return escaper.Replace(s) }

// inlineMarkdown turns the little Markdown that captions use into HTML: *this*,
// **this** and `this`. Mathematics between dollar signs is left to the notebook.
func inlineMarkdown(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		n := strings.IndexAny(s, "$*`")
		if n < 0 {
			n = len(s)
		}
		b.WriteString(escape(s[:n]))
		s = s[n:]
		if s == "" {
			break
		}
		mark, open, closing := s[:1], "", ""
		switch {
		case strings.HasPrefix(s, "**"):
			mark, open, closing = "**", "<strong>", "</strong>"
		case mark == "*":
			open, closing = "<em>", "</em>"
		case mark == "`":
			open, closing = "<code>", "</code>"
		case mark == "$":
			open, closing = "$", "$"
		}
		inner, rest, ok := strings.Cut(s[len(mark):], mark)
		if !ok || inner == "" || mark != "$" && strings.TrimSpace(inner) != inner {
			b.WriteString(escape(mark))
			s = s[len(mark):]
			continue
		}
		b.WriteString(open + escape(inner) + closing)
		s = rest
	}
	return b.String()
}

// cell formats a value of a table, and says whether it is a number.
func cell(v any) (text string, number bool) {
	switch v := v.(type) {
	case nil:
		return "", false
	case string:
		return v, false
	case ebmkit.Estimate:
		return estimateText(v), true
	case float64:
		return strconv.FormatFloat(v, 'g', 6, 64), true
	case float32:
		return strconv.FormatFloat(float64(v), 'g', 6, 32), true
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return fmt.Sprint(v), true
	}
	return fmt.Sprint(v), false
}

func estimateText(e ebmkit.Estimate) string { return strings.Replace(e.String(), "+-", "±", 1) }

// pad appends spaces up to a width in characters, or puts them in front.
func pad(s string, width int, front bool) string {
	n := width - len([]rune(s))
	if n <= 0 {
		return s
	}
	if front {
		return strings.Repeat(" ", n) + s
	}
	return s + strings.Repeat(" ", n)
}
