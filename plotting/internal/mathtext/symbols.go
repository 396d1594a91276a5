package mathtext

// class decides the space around a symbol, as in TeX.
type class uint8

const (
	ord class = iota
	op
	bin
	rel
	open
	closing
	punct
)

type symbol struct {
	r rune
	c class
}

// commands maps names of LaTeX to characters. Letters go through the alphabet in
// force, so that \alpha is italic and \Gamma upright.
var commands = map[string]symbol{
	"alpha": {'α', ord}, "beta": {'β', ord}, "gamma": {'γ', ord}, "delta": {'δ', ord}, "epsilon": {'ϵ', ord},
	"varepsilon": {'ε', ord}, "zeta": {'ζ', ord}, "eta": {'η', ord}, "theta": {'θ', ord}, "vartheta": {'ϑ', ord},
	"iota": {'ι', ord}, "kappa": {'κ', ord}, "lambda": {'λ', ord}, "mu": {'μ', ord}, "nu": {'ν', ord}, "xi": {'ξ', ord},
	"omicron": {'ο', ord}, "pi": {'π', ord}, "varpi": {'ϖ', ord}, "rho": {'ρ', ord}, "varrho": {'ϱ', ord},
	"sigma": {'σ', ord}, "varsigma": {'ς', ord}, "tau": {'τ', ord}, "upsilon": {'υ', ord}, "phi": {'ϕ', ord},
	"varphi": {'φ', ord}, "chi": {'χ', ord}, "psi": {'ψ', ord}, "omega": {'ω', ord},
	"Gamma": {'Γ', ord}, "Delta": {'Δ', ord}, "Theta": {'Θ', ord}, "Lambda": {'Λ', ord}, "Xi": {'Ξ', ord}, "Pi": {'Π', ord},
	"Sigma": {'Σ', ord}, "Upsilon": {'Υ', ord}, "Phi": {'Φ', ord}, "Psi": {'Ψ', ord}, "Omega": {'Ω', ord},

	"nabla": {'∇', ord}, "partial": {'∂', ord}, "infty": {'∞', ord}, "hbar": {'ℏ', ord}, "ell": {'ℓ', ord}, "Re": {'ℜ', ord},
	"Im": {'ℑ', ord}, "aleph": {'ℵ', ord}, "emptyset": {'∅', ord}, "forall": {'∀', ord}, "exists": {'∃', ord}, "neg": {'¬', ord},
	"prime": {'′', ord}, "dagger": {'†', bin}, "ddagger": {'‡', bin}, "degree": {'°', ord}, "top": {'⊤', ord}, "perp": {'⊥', rel},
	"ldots": {'…', ord}, "dots": {'…', ord}, "cdots": {'⋯', ord}, "vdots": {'⋮', ord}, "angle": {'∠', ord}, "square": {'□', ord},

	"sum": {'∑', op}, "prod": {'∏', op}, "int": {'∫', op}, "iint": {'∬', op}, "oint": {'∮', op}, "bigcup": {'⋃', op}, "bigcap": {'⋂', op},

	"pm": {'±', bin}, "mp": {'∓', bin}, "times": {'×', bin}, "div": {'÷', bin}, "cdot": {'⋅', bin}, "ast": {'∗', bin}, "star": {'⋆', bin},
	"circ": {'∘', bin}, "bullet": {'∙', bin}, "oplus": {'⊕', bin}, "otimes": {'⊗', bin}, "odot": {'⊙', bin}, "cup": {'∪', bin},
	"cap": {'∩', bin}, "setminus": {'∖', bin}, "wedge": {'∧', bin}, "land": {'∧', bin}, "vee": {'∨', bin}, "lor": {'∨', bin},

	"le": {'≤', rel}, "leq": {'≤', rel}, "ge": {'≥', rel}, "geq": {'≥', rel}, "ne": {'≠', rel}, "neq": {'≠', rel}, "ll": {'≪', rel},
	"gg": {'≫', rel}, "approx": {'≈', rel}, "sim": {'∼', rel}, "simeq": {'≃', rel}, "cong": {'≅', rel}, "equiv": {'≡', rel},
	"propto": {'∝', rel}, "in": {'∈', rel}, "notin": {'∉', rel}, "ni": {'∋', rel}, "subset": {'⊂', rel}, "subseteq": {'⊆', rel},
	"supset": {'⊃', rel}, "to": {'→', rel}, "rightarrow": {'→', rel}, "leftarrow": {'←', rel}, "leftrightarrow": {'↔', rel},
	"Rightarrow": {'⇒', rel}, "Leftarrow": {'⇐', rel}, "Leftrightarrow": {'⇔', rel}, "mapsto": {'↦', rel}, "uparrow": {'↑', rel},
	"downarrow": {'↓', rel}, "mid": {'∣', rel}, "parallel": {'∥', rel}, "lesssim": {'≲', rel}, "gtrsim": {'≳', rel}, "prec": {'≺', rel},
	"succ": {'≻', rel}, "models": {'⊨', rel}, "vdash": {'⊢', rel}, "coloneqq": {'≔', rel},

	"langle": {'⟨', open}, "rangle": {'⟩', closing}, "lfloor": {'⌊', open}, "rfloor": {'⌋', closing}, "lceil": {'⌈', open},
	"rceil": {'⌉', closing}, "lVert": {'‖', open}, "rVert": {'‖', closing}, "lvert": {'|', open}, "rvert": {'|', closing},
	"|": {'‖', ord}, "Vert": {'‖', ord}, "vert": {'|', ord}, "lbrace": {'{', open}, "rbrace": {'}', closing}, "{": {'{', open}, "}": {'}', closing},
	"backslash": {'\\', ord}, "%": {'%', ord}, "$": {'$', ord}, "&": {'&', ord}, "#": {'#', ord}, "_": {'_', ord},
	"colon": {':', punct},
}

// functions are set upright with thin space, as operators.
var functions = map[string]string{
	"log": "log", "ln": "ln", "exp": "exp", "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
	"min": "min", "max": "max", "arg": "arg", "argmin": "arg\u2009min", "argmax": "arg\u2009max", "inf": "inf", "sup": "sup", "lim": "lim",
	"det": "det", "dim": "dim", "Pr": "Pr", "ker": "ker", "tr": "tr", "diag": "diag", "sign": "sign", "erf": "erf",
}

// accents maps names to combining characters.
var accents = map[string]rune{
	"hat": '\u0302', "widehat": '\u0302', "bar": '\u0304', "tilde": '\u0303', "widetilde": '\u0303',
	"vec": '\u20d7', "dot": '\u0307', "ddot": '\u0308', "check": '\u030c', "breve": '\u0306',
}

// spaces in em.
var spaces = map[string]float64{
	",": 3.0 / 18, "thinspace": 3.0 / 18, ":": 4.0 / 18, ">": 4.0 / 18, ";": 5.0 / 18, "!": -3.0 / 18, " ": 4.0 / 18, "quad": 1, "qquad": 2,
}

// alphabet is a style of letters.
type alphabet uint8

const (
	italic alphabet = iota
	upright
	bold
	boldItalic
	blackboard
	script
)

var alphabets = map[string]alphabet{
	"mathrm": upright, "mathup": upright, "mathbf": bold, "mathbb": blackboard, "mathcal": script, "mathscr": script, "mathit": italic,
	"boldsymbol": boldItalic, "bm": boldItalic,
}

// letterlike holds the letters of alphabets that Unicode put elsewhere.
var letterlike = map[rune]rune{
	0x1d455: 'ℎ', // italic h
	0x1d49d: 'ℬ', 0x1d4a0: 'ℰ', 0x1d4a1: 'ℱ', 0x1d4a3: 'ℋ', 0x1d4a4: 'ℐ', 0x1d4a7: 'ℒ', 0x1d4a8: 'ℳ', 0x1d4ad: 'ℛ',
	0x1d4ba: 'ℯ', 0x1d4bc: 'ℊ', 0x1d4c4: 'ℴ',
	0x1d53a: 'ℂ', 0x1d53f: 'ℍ', 0x1d545: 'ℕ', 0x1d547: 'ℙ', 0x1d548: 'ℚ', 0x1d549: 'ℝ', 0x1d551: 'ℤ',
}

// greekVariants are the six forms that follow the Greek letters of an alphabet.
var greekVariants = [...]rune{'∂', 'ϵ', 'ϑ', 'ϰ', 'ϕ', 'ϱ', 'ϖ'}

// styled returns the character of r in the alphabet.
func styled(r rune, a alphabet) rune {
	var upper, lower, greekUpper, greekLower, digit rune
	switch a {
	case upright:
		return r
	case italic:
		upper, lower, greekLower = 0x1d434, 0x1d44e, 0x1d6fc // upper case Greek stays upright
	case bold:
		upper, lower, greekUpper, greekLower, digit = 0x1d400, 0x1d41a, 0x1d6a8, 0x1d6c2, 0x1d7ce
	case boldItalic:
		upper, lower, greekUpper, greekLower, digit = 0x1d468, 0x1d482, 0x1d71c, 0x1d736, 0x1d7ce
	case blackboard:
		upper, lower, digit = 0x1d538, 0x1d552, 0x1d7d8
	case script:
		upper, lower = 0x1d49c, 0x1d4b6
	}
	s := r
	switch {
	case r >= 'A' && r <= 'Z':
		s = upper + r - 'A'
	case r >= 'a' && r <= 'z':
		s = lower + r - 'a'
	case r >= 'Α' && r <= 'Ω' && greekUpper != 0:
		s = greekUpper + r - 'Α'
	case r >= 'α' && r <= 'ω' && greekLower != 0:
		s = greekLower + r - 'α'
	case r >= '0' && r <= '9' && digit != 0:
		s = digit + r - '0'
	case greekLower != 0:
		for i, v := range greekVariants {
			if r == v {
				s = greekLower + 25 + rune(i)
			}
		}
	}
	if l, ok := letterlike[s]; ok {
		return l
	}
	return s
}

// classOf returns the class of a character typed as it is.
func classOf(r rune) class {
	switch r {
	case '+', '-', '\u2212', '*', '±', '×', '·', '⋅', '∘':
		return bin
	case '=', '<', '>', ':', '≤', '≥', '≠', '≈', '∼', '∝', '→', '∈', '≡':
		return rel
	case '(', '[', '⟨':
		return open
	case ')', ']', '⟩':
		return closing
	case ',', ';':
		return punct
	case '∑', '∏', '∫':
		return op
	}
	return ord
}
