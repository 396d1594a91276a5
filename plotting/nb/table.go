package nb

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Table shows rows under a header. A cell is anything that prints: numbers are
// aligned at the right with six digits, an ebmkit.Estimate as value ± error, text
// may hold mathematics between dollar signs. A row of another length than the
// header ends the cell with an error.
func Table(header []string, rows [][]any) {
	t, err := newTable("nb.Table", header, rows)
	Must0(err)
	t.show()
}

// table is a table in printed form.
type table struct {
	header  []string
	rows    [][]string
	numeric []bool // columns of numbers
	bad     []bool // rows to mark as failed; nil for none
}

func newTable(who string, header []string, rows [][]any) (*table, error) {
	if len(header) == 0 {
		return nil, &ebmkit.ArgError{Func: who, Arg: "header", Value: "empty", Want: "at least one column"}
	}
	t := &table{header: header, numeric: make([]bool, len(header))}
	for j := range t.numeric {
		t.numeric[j] = len(rows) > 0
	}
	for i, row := range rows {
		if len(row) != len(header) {
			return nil, &ebmkit.ArgError{Func: who, Arg: fmt.Sprintf("rows[%d]", i),
				Value: fmt.Sprintf("%d cells", len(row)), Want: fmt.Sprintf("%d, as many as the header", len(header))}
		}
		out := make([]string, len(row))
		for j, v := range row {
			text, number := cell(v)
			out[j] = text
			t.numeric[j] = t.numeric[j] && (number || v == nil)
		}
		t.rows = append(t.rows, out)
	}
	return t, nil
}

func (t *table) show() {
	Display(Part{MIME: "text/html", Text: t.html()}, Part{MIME: "text/plain", Text: t.text()})
}

// numberHTML sets a true minus, and keeps a value and its error on one line.
var numberHTML = strings.NewReplacer("-", "−", " ", "\u00a0")

func (t *table) html() string {
	var b strings.Builder
	align := func(j int) string {
		if t.numeric[j] {
			return ` style="text-align: right"`
		}
		return ` style="text-align: left"`
	}
	b.WriteString("<table>\n<thead><tr>")
	for j, h := range t.header {
		b.WriteString("<th" + align(j) + ">" + inlineMarkdown(h) + "</th>")
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for i, row := range t.rows {
		b.WriteString("<tr>")
		for j, s := range row {
			if t.numeric[j] {
				s = numberHTML.Replace(escape(s))
			} else {
				s = inlineMarkdown(s)
			}
			if t.bad != nil && t.bad[i] {
				s = `<strong style="color: #d55e00">` + s + "</strong>"
			}
			b.WriteString("<td" + align(j) + ">" + s + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>")
	return b.String()
}

func (t *table) text() string {
	width := make([]int, len(t.header))
	for j, h := range t.header {
		width[j] = utf8.RuneCountInString(h)
		for _, row := range t.rows {
			width[j] = max(width[j], utf8.RuneCountInString(row[j]))
		}
	}
	var b strings.Builder
	line := func(cells []string) {
		var l strings.Builder
		for j, s := range cells {
			if j > 0 {
				l.WriteString("  ")
			}
			l.WriteString(pad(s, width[j], t.numeric[j]))
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	line(t.header)
	rule := make([]string, len(width))
	for j, w := range width {
		rule[j] = strings.Repeat("-", w)
	}
	line(rule)
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}
