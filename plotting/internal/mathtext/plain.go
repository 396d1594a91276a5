package mathtext

import (
	"strings"
	"unicode/utf8"
)

var (
	superscripts = map[rune]rune{'0': '⁰', '1': '¹', '2': '²', '3': '³', '4': '⁴', '5': '⁵', '6': '⁶', '7': '⁷', '8': '⁸', '9': '⁹',
		'+': '⁺', '\u2212': '⁻', '-': '⁻', '=': '⁼', '(': '⁽', ')': '⁾', 'n': 'ⁿ', 'i': 'ⁱ', 'T': 'ᵀ', '′': '′'}
	subscripts = map[rune]rune{'0': '₀', '1': '₁', '2': '₂', '3': '₃', '4': '₄', '5': '₅', '6': '₆', '7': '₇', '8': '₈', '9': '₉',
		'+': '₊', '\u2212': '₋', '-': '₋', '=': '₌', '(': '₍', ')': '₎', 'a': 'ₐ', 'e': 'ₑ', 'h': 'ₕ', 'i': 'ᵢ', 'j': 'ⱼ', 'k': 'ₖ',
		'l': 'ₗ', 'm': 'ₘ', 'n': 'ₙ', 'o': 'ₒ', 'p': 'ₚ', 'r': 'ᵣ', 's': 'ₛ', 't': 'ₜ', 'u': 'ᵤ', 'v': 'ᵥ', 'x': 'ₓ',
		'β': 'ᵦ', 'γ': 'ᵧ', 'ρ': 'ᵨ', 'φ': 'ᵩ', 'χ': 'ᵪ'}
)

// Plain returns the label as one line of Unicode text, as near as that comes.
func Plain(s string) string {
	var b strings.Builder
	for i, p := range pieces(s) {
		if i%2 == 0 {
			b.WriteString(p)
		} else {
			b.WriteString(plainRow(parseMath(p)))
		}
	}
	return b.String()
}

func plainRow(r row) string { return plainSpaced(r, false) }

func plainSpaced(r row, tight bool) string {
	var b strings.Builder
	prev, have := ord, false
	for i, n := range r {
		if sp, ok := n.(space); ok {
			if sp > 0.1 {
				b.WriteByte(' ')
			}
			have = false
			continue
		}
		c := nodeClass(n)
		if c == bin && (!have || prev != ord && prev != closing || i+1 == len(r)) {
			c = ord
		}
		if have && gap(prev, c, tight) > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(plainNode(n))
		prev, have = c, true
	}
	return b.String()
}

func plainNode(n node) string {
	switch n := n.(type) {
	case char:
		switch n.a {
		case blackboard, script:
			return string(styled(n.r, n.a))
		}
		return string(n.r)
	case text:
		return n.s
	case row:
		return plainRow(n)
	case scripts:
		s := plainNode(orEmpty(n.base))
		if n.sub != nil {
			s += plainScript(n.sub, subscripts, "_")
		}
		if n.sup != nil {
			s += plainScript(n.sup, superscripts, "^")
		}
		return s
	case frac:
		return parens(plainNode(n.num)) + "/" + parens(plainNode(n.den))
	case root:
		if n.index != nil {
			return plainScript(n.index, superscripts, "") + "√" + parens(plainNode(n.body))
		}
		return "√" + parens(plainNode(n.body))
	case accent:
		s := []rune(plainNode(n.body))
		if len(s) == 0 {
			return ""
		}
		return string(s[:1]) + string(n.mark) + string(s[1:])
	case overline:
		return plainNode(accent{'\u0304', n.body})
	case fence:
		s := plainNode(orEmpty(n.body))
		if n.left != 0 {
			s = string(n.left) + s
		}
		if n.right != 0 {
			s += string(n.right)
		}
		return s
	}
	return ""
}

func plainScript(n node, table map[rune]rune, mark string) string {
	s := plainNode(n)
	if r, ok := n.(row); ok {
		s = plainSpaced(r, true) // scripts are set tight
	}
	var b strings.Builder
	for _, r := range s {
		t, ok := table[r]
		if !ok {
			return mark + parens(s)
		}
		b.WriteRune(t)
	}
	return b.String()
}

// parens puts brackets around anything longer than a word.
func parens(s string) string {
	if utf8.RuneCountInString(s) == 1 {
		return s
	}
	for i, r := range s {
		if !(isLetter(r) || r >= '0' && r <= '9' || r >= 'α' && r <= 'ω' || r == '.' || i == 0 && r == '\u2212') {
			return "(" + s + ")"
		}
	}
	return s
}
