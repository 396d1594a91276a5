package nbi

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const extension = "../../jupyter/labextension/"

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestExtensionFits compares what this package sends with what the extension
// reads: the MIME type and the names of the drawing routines.
func TestExtensionFits(t *testing.T) {
	js := read(t, extension+"static/charts.js")
	if !strings.Contains(js, "MIME_TYPE = '"+MIMEType+"'") {
		t.Error("another MIME type")
	}
	uses := regexp.MustCompile(`custom\((?:fmt\.Sprintf\()?"(\w+)`).FindAllStringSubmatch(read(t, "option.go"), -1)
	if len(uses) < 5 {
		t.Fatalf("found %d custom series", len(uses))
	}
	for _, m := range uses {
		if !strings.Contains(js, "\n  "+m[1]+": ") {
			t.Errorf("the extension has no routine %q", m[1])
		}
	}
}

// TestVendoredFiles compares the vendored files with the record of their hashes.
func TestVendoredFiles(t *testing.T) {
	record := read(t, "../../THIRD_PARTY.md")
	rows := regexp.MustCompile("\\| `(.+)` \\| `([0-9a-f]{64})` \\|").FindAllStringSubmatch(record, -1)
	found := 0
	for _, m := range rows {
		path := filepath.Join(extension, "static/echarts", m[1])
		if _, err := os.Stat(path); err != nil {
			continue // of another section
		}
		found++
		if got := fmt.Sprintf("%x", sha256.Sum256([]byte(read(t, path)))); got != m[2] {
			t.Errorf("%s has SHA-256 %s, recorded is %s", m[1], got, m[2])
		}
	}
	if found != 4 {
		t.Errorf("%d of 4 vendored files are recorded", found)
	}
}

// hostile is a chart from a notebook that nobody trusts.
const hostile = `{
  "title": {"text": "t", "link": "javascript:alert(1)", "sublink": "http://example.invalid"},
  "tooltip": {"renderMode": "html", "formatter": "<img src=x onerror=alert(1)>", "extraCssText": "x", "trigger": "axis"},
  "graphic": [{"type": "image", "style": {"image": "http://example.invalid/a.png"}}],
  "toolbox": {"feature": {"dataView": {"show": true}, "restore": {}}},
  "backgroundColor": {"image": "http://example.invalid/b.png"},
  "xAxis": {"type": "value", "axisLabel": {"rich": {"a": {"backgroundColor": {"image": "data:x"}}}}},
  "series": [
    {"type": "scatter", "symbol": "image://http://example.invalid/c.png", "tooltip": {"renderMode": "html"}, "encode": {"tooltip": [0, 1]}},
    {"type": "custom", "renderItem": "__f__function(){alert(1)}__f__", "data": [[1, 2]]},
    {"type": "custom", "renderItem": "constructor", "data": []},
    {"type": "custom", "renderItem": "cells 1 2", "data": [[0, 0, 1]]}
  ],
  "__proto__": {"polluted": true}
}`

// TestExtensionIsHarmless runs the extension's filter, where there is a node.
func TestExtensionIsHarmless(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node")
	}
	module := filepath.Join(t.TempDir(), "charts.mjs")
	if err := os.WriteFile(module, []byte(read(t, extension+"static/charts.js")), 0o644); err != nil {
		t.Fatal(err)
	}
	// All expressions in one process: node is slow to start.
	run := func(exprs ...string) []string {
		t.Helper()
		script := fmt.Sprintf("const {prepare} = await import(%q); const hostile = JSON.parse(%q); const o = prepare(hostile, false); for (const v of [%s]) console.log(v)",
			"file://"+module, hostile, strings.Join(exprs, ","))
		out, err := exec.Command("node", "--input-type=module", "-e", script).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	text := run("JSON.stringify(o)")[0]
	for _, bad := range []string{"javascript:", "example.invalid", "image://", "dataView", "graphic", `"html"`, "extraCssText", "__f__", "polluted"} {
		if !strings.Contains(hostile, bad) {
			t.Errorf("the test has no %s", bad)
		}
		if strings.Contains(text, bad) {
			t.Errorf("%s is left in %s", bad, text)
		}
	}
	table := [][2]string{
		{"o.tooltip.renderMode", "richText"},
		{"o.series[0].tooltip.renderMode", "richText"},
		{"JSON.stringify(o.series[0].encode)", `{"tooltip":[0,1]}`},
		{"o.series[1].renderItem()", "null"},
		{"o.series[2].renderItem()", "null"},
		{"typeof o.series[3].renderItem({}, {value: () => 0, coord: p => p, visual: () => 'red'})", "object"},
		{"({}).polluted", "undefined"},
		{"o.backgroundColor", "transparent"},
		{"prepare({}, true).tooltip.renderMode", "richText"},
		{"prepare({baseOption: {}}, true).baseOption.tooltip.renderMode", "richText"},
		{"prepare({series: [{color: '#1a1a1a'}]}, true).series[0].color", "#e6e6e6"},
		{"o.xAxis.axisLabel.formatter(-0.5)", "−0.5"},
		{"prepare({yAxis: [{type: 'log'}]}).yAxis[0].axisLabel.formatter(1e-6)", "10⁻⁶"},
	}
	exprs := make([]string, len(table))
	for i, row := range table {
		exprs[i] = row[0]
	}
	for i, got := range run(exprs...) {
		if got != table[i][1] {
			t.Errorf("%s is %s, want %s", table[i][0], got, table[i][1])
		}
	}
}
