package ai

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"todo.local/magefiles/internal/analysis"
)

// wholeAnalysis is what an answer cites that says that nothing was found.
const wholeAnalysis = "analysis"

// ground is what an answer can rest on: what the analysis found, and what the tools gave.
type ground struct {
	findings []analysis.Finding
	results  []string // what each was of; the first is R1
}

// text is the ground as a model is given it.
func (g *ground) text() string {
	if len(g.findings) == 0 {
		return "[" + wholeAnalysis + "] The analysis of the whole application found nothing wrong."
	}
	return "[" + wholeAnalysis + "] The analysis of the whole application found, causes first:\n\n" + analysis.Text(g.findings)
}

// add gives the next result its name.
func (g *ground) add(of string) (id string) {
	g.results = append(g.results, of)
	return fmt.Sprintf("R%d", len(g.results))
}

var citation = regexp.MustCompile(`\[([A-Za-z][\w.:/-]*)\]`)

// cited gives what an answer cites, each once, and of that what leads nowhere.
func (g *ground) cited(answer string) (ids, unknown []string) {
	for _, m := range citation.FindAllStringSubmatch(answer, -1) {
		if slices.Contains(ids, m[1]) {
			continue
		}
		ids = append(ids, m[1])
		if g.evidence(m[1]) == "" {
			unknown = append(unknown, m[1])
		}
	}
	return ids, unknown
}

// objection is what is wrong with an answer's citations, or nothing.
func (g *ground) objection(answer string) string {
	ids, unknown := g.cited(answer)
	switch {
	case len(unknown) > 0:
		return "it cites " + strings.Join(unknown, ", ") + ", which nothing here is named"
	case len(ids) == 0:
		return "it cites nothing of what was seen"
	}
	return ""
}

// evidence is what an id stands for, for people; nothing where there is no such.
func (g *ground) evidence(id string) string {
	if id == wholeAnalysis {
		return fmt.Sprintf("[%s] %d findings", wholeAnalysis, len(g.findings))
	}
	for _, f := range g.findings {
		if f.ID == id {
			return strings.TrimSpace(analysis.Text([]analysis.Finding{f}))
		}
	}
	var n int
	if _, err := fmt.Sscanf(id, "R%d", &n); err == nil && n >= 1 && n <= len(g.results) && id == fmt.Sprintf("R%d", n) {
		return fmt.Sprintf("[%s] %s", id, g.results[n-1])
	}
	return ""
}

// shown is the evidence of all that an answer cites.
func (g *ground) shown(answer string) string {
	ids, _ := g.cited(answer)
	lines := []string{"Evidence:"}
	for _, id := range ids {
		lines = append(lines, g.evidence(id))
	}
	return strings.Join(lines, "\n")
}
