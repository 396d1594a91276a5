package mathtext

import "strings"

// node is a piece of a formula.
type node interface{}

type (
	char struct {
		r rune // without style
		a alphabet
		c class
	}
	text struct { // upright text, as in \text or a function's name
		s string
		c class
	}
	row     []node
	scripts struct{ base, sub, sup node }
	frac    struct{ num, den node }
	root    struct{ body, index node }
	accent  struct {
		mark rune
		body node
	}
	overline struct{ body node }
	fence    struct {
		left, right rune // 0 for none
		body        node
	}
	space float64 // em
)

// maxDepth limits nesting; what is deeper is printed as it is written.
const maxDepth = 24

type parser struct {
	s     []rune
	i     int
	depth int
}

// parseMath parses the text between dollar signs. It accepts anything.
func parseMath(s string) row {
	p := &parser{s: []rune(s)}
	var all row
	for p.i < len(p.s) {
		all = append(all, p.row(italic, 0)...)
		if p.i < len(p.s) { // a closing brace too many
			all = append(all, char{p.s[p.i], upright, closing})
			p.i++
		}
	}
	return all
}

// row parses until the closing brace, or \right if until is 'r', or the closing
// bracket if until is ']', or the end.
func (p *parser) row(a alphabet, until rune) row {
	var out row
	for p.i < len(p.s) {
		r := p.s[p.i]
		if r == '}' || until == ']' && r == ']' {
			return out
		}
		if until == 'r' && p.at(`\right`) {
			return out
		}
		switch r {
		case ' ', '\t', '\n', '~':
			p.i++
			if r == '~' {
				out = append(out, space(4.0/18))
			}
		case '^', '_':
			out = p.script(out, a)
		case '\'':
			p.i++
			n := 1
			for p.i < len(p.s) && p.s[p.i] == '\'' {
				n++
				p.i++
			}
			out = attach(out, nil, char{[]rune("′″‴⁗")[min(n, 4)-1], upright, ord})
		default:
			out = append(out, p.atom(a))
		}
	}
	return out
}

func (p *parser) at(s string) bool {
	r := []rune(s)
	if p.i+len(r) > len(p.s) || string(p.s[p.i:p.i+len(r)]) != s {
		return false
	}
	// \right must not match \rightarrow.
	return p.i+len(r) == len(p.s) || !isLetter(p.s[p.i+len(r)])
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// script parses ^ or _ and hangs the argument on the last node.
func (p *parser) script(out row, a alphabet) row {
	up := p.s[p.i] == '^'
	p.i++
	arg := p.argument(a)
	if arg == nil {
		arg = row{}
	}
	if up {
		return attach(out, nil, arg)
	}
	return attach(out, arg, nil)
}

// attach adds scripts to the last node of a row; a second script of a kind joins
// the first.
func attach(out row, sub, sup node) row {
	var base node = row{}
	if len(out) > 0 {
		base, out = out[len(out)-1], out[:len(out)-1]
	}
	s, ok := base.(scripts)
	if !ok {
		s = scripts{base: base}
	}
	join := func(old, more node) node {
		if old == nil {
			return more
		}
		if more == nil {
			return old
		}
		return row{old, more}
	}
	s.sub, s.sup = join(s.sub, sub), join(s.sup, sup)
	return append(out, s)
}

// argument parses one group in braces or one atom.
func (p *parser) argument(a alphabet) node {
	for p.i < len(p.s) && p.s[p.i] == ' ' {
		p.i++
	}
	if p.i >= len(p.s) {
		return nil
	}
	if p.s[p.i] == '}' {
		return nil
	}
	if p.s[p.i] == '^' || p.s[p.i] == '_' {
		p.i++
		return row{}
	}
	return p.atom(a)
}

// group parses {...}, the opening brace being next.
func (p *parser) group(a alphabet) node {
	p.i++
	if p.depth >= maxDepth {
		return text{p.raw(), ord}
	}
	p.depth++
	r := p.row(a, 0)
	p.depth--
	if p.i < len(p.s) {
		p.i++ // the closing brace
	}
	return r
}

// raw returns the text up to the closing brace that matches, without parsing it.
func (p *parser) raw() string {
	start, depth := p.i, 0
	for ; p.i < len(p.s); p.i++ {
		switch p.s[p.i] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				s := string(p.s[start:p.i])
				p.i++
				return s
			}
			depth--
		}
	}
	return string(p.s[start:])
}

func (p *parser) atom(a alphabet) node {
	r := p.s[p.i]
	switch r {
	case '{':
		return p.group(a)
	case '\\':
		if p.depth >= maxDepth {
			p.i++
			return char{'\\', upright, ord}
		}
		p.depth++
		n := p.command(a)
		p.depth--
		return n
	}
	p.i++
	switch r {
	case '-':
		r = '\u2212'
	case '*':
		r = '∗'
	}
	if r >= '0' && r <= '9' || r == '.' {
		// Digits stay together and upright unless the alphabet has digits.
		return char{r, digitAlphabet(a), ord}
	}
	return char{r, a, classOf(r)}
}

func digitAlphabet(a alphabet) alphabet {
	if a == italic {
		return upright
	}
	return a
}

func (p *parser) name() string {
	p.i++ // the backslash
	if p.i >= len(p.s) {
		return ""
	}
	start := p.i
	for p.i < len(p.s) && isLetter(p.s[p.i]) {
		p.i++
	}
	if p.i == start {
		p.i++
	}
	return string(p.s[start:p.i])
}

func (p *parser) command(a alphabet) node {
	name := p.name()
	if s, ok := commands[name]; ok {
		return char{s.r, a, s.c}
	}
	if s, ok := functions[name]; ok {
		return text{s, op}
	}
	if s, ok := spaces[name]; ok {
		return space(s)
	}
	if b, ok := alphabets[name]; ok {
		return orEmpty(p.argument(b))
	}
	if m, ok := accents[name]; ok {
		return accent{m, orEmpty(p.argument(a))}
	}
	switch name {
	case "overline":
		return overline{orEmpty(p.argument(a))}
	case "frac", "tfrac", "dfrac":
		num := orEmpty(p.argument(a))
		return frac{num, orEmpty(p.argument(a))}
	case "sqrt":
		var index node
		if p.i < len(p.s) && p.s[p.i] == '[' {
			p.i++
			index = p.row(a, ']')
			if p.i < len(p.s) && p.s[p.i] == ']' {
				p.i++
			}
		}
		return root{orEmpty(p.argument(a)), index}
	case "text", "textrm", "operatorname":
		c := ord
		if name == "operatorname" {
			c = op
		}
		if p.i < len(p.s) && p.s[p.i] == '{' {
			p.i++
			return text{p.raw(), c}
		}
		return row{}
	case "left":
		f := fence{left: p.delimiter()}
		f.body = p.row(a, 'r')
		if p.i < len(p.s) && p.at(`\right`) {
			p.name()
			f.right = p.delimiter()
		}
		return f
	case "right", "displaystyle", "textstyle", "limits", "nolimits":
		if name == "right" {
			p.delimiter()
		}
		return row{}
	case "big", "Big", "bigl", "bigr", "Bigl", "Bigr":
		return row{}
	}
	return text{`\` + name, ord} // unknown: as it is written
}

func orEmpty(n node) node {
	if n == nil {
		return row{}
	}
	return n
}

// delimiter parses what follows \left or \right; 0 is the empty one.
func (p *parser) delimiter() rune {
	for p.i < len(p.s) && p.s[p.i] == ' ' {
		p.i++
	}
	if p.i >= len(p.s) {
		return 0
	}
	r := p.s[p.i]
	switch r {
	case '\\':
		start := p.i
		if s, ok := commands[p.name()]; ok {
			return s.r
		}
		p.i = start
		return 0
	case '{', '}':
		return 0
	}
	p.i++
	if r == '.' {
		return 0
	}
	return r
}

// pieces cuts a label into text and mathematics: odd pieces are mathematics. A
// dollar sign without a partner, or after a backslash, is a dollar sign.
func pieces(s string) []string {
	var out []string
	var cur strings.Builder
	rs := []rune(s)
	math := false
	for i := 0; i < len(rs); i++ {
		switch {
		case rs[i] == '\\' && i+1 < len(rs) && (rs[i+1] == '$' || math):
			if !math {
				cur.WriteRune('$')
			} else {
				cur.WriteRune(rs[i])
				cur.WriteRune(rs[i+1])
			}
			i++
		case rs[i] == '$' && (math || hasDollar(rs[i+1:])):
			out = append(out, cur.String())
			cur.Reset()
			math = !math
		default:
			cur.WriteRune(rs[i])
		}
	}
	return append(out, cur.String())
}

func hasDollar(rs []rune) bool {
	for i := 0; i < len(rs); i++ {
		switch rs[i] {
		case '\\':
			i++
		case '$':
			return true
		}
	}
	return false
}
