// Package analysis finds out what is wrong with a running application. What it finds, with what that rests on, is the
// ground of every answer, whoever puts it into words: deploy's diagnosis, status, the assistant with a model and
// without one.
//
// Analyze looks at a Snapshot and at nothing else. It knows the kinds of fault in kinds; each finding of one names its
// object, its evidence, how certain it is, and a command.
package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Confidence is how far the evidence carries.
type Confidence string

// What there is of confidence.
const (
	Certain  Confidence = "certain"  // the objects themselves say so
	Likely   Confidence = "likely"   // it is what such evidence nearly always means
	Possible Confidence = "possible" // it is worth a look
)

// Evidence is one thing that a finding rests on: a field's value, an event or a log line of an object.
type Evidence struct {
	Object string `json:"object"`          // such as pod/backend-7d4b-x2x7q, with its container after a colon
	Field  string `json:"field,omitempty"` // a path and what stands there
	Event  string `json:"event,omitempty"`
	Line   string `json:"line,omitempty"` // of a log; anybody may have written it
}

// String is the evidence in one line.
func (e Evidence) String() string {
	switch {
	case e.Event != "":
		return e.Object + ": event " + e.Event
	case e.Line != "":
		return e.Object + ": logged " + e.Line
	}
	return e.Object + ": " + e.Field
}

// Finding is one thing that is wrong.
type Finding struct {
	ID         string     `json:"id"` // kind/object, the same as long as it is the same fault
	Kind       Kind       `json:"kind"`
	Object     string     `json:"object"`
	Cause      string     `json:"cause"` // one line
	Evidence   []Evidence `json:"evidence"`
	Confidence Confidence `json:"confidence"`
	Remedy     string     `json:"remedy"` // a command, with a word on when
	Warning    bool       `json:"warning,omitempty"`
}

// found makes a finding of a kind. Its remedy is the kind's where none is given.
func found(k Kind, object, cause string, c Confidence, remedy string, evidence ...Evidence) Finding {
	return Finding{ID: string(k) + "/" + object, Kind: k, Object: object, Cause: cause, Evidence: evidence, Confidence: c,
		Remedy: cmp.Or(remedy, kinds[k].remedy), Warning: kinds[k].warning}
}

// rules each look for some kinds of fault.
var rules = []func(*Snapshot) []Finding{
	workloads, references, restarts, stoppedWork,
	serviceTargets, ingresses, certificates,
	policies, scaling, disruptions, quotas, claims, finalizers,
	nodes, usage, logged, responses, secretShapes,
}

// Analyze gives everything that is wrong, causes before what follows from them.
func Analyze(s *Snapshot) []Finding {
	var out []Finding
	seen := map[string]bool{}
	for _, rule := range rules {
		for _, f := range rule(s) {
			if !seen[f.ID] {
				seen[f.ID] = true
				out = append(out, f)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(kinds[b.Kind].depth, kinds[a.Kind].depth), cmp.Compare(order(a.Confidence), order(b.Confidence)), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func order(c Confidence) int { return slices.Index([]Confidence{Certain, Likely, Possible}, c) }

// About gives the findings that concern one service, or all where it is empty.
func About(all []Finding, service string) []Finding {
	if service == "" {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool {
		return !strings.Contains(f.Object, service) && !strings.Contains(f.Cause, service) && !strings.HasPrefix(f.Object, "node/")
	})
}

// Text is the findings in words.
func Text(all []Finding) string {
	var out strings.Builder
	for i, f := range all {
		if i > 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "[%s] %s (%s)\n", f.ID, f.Cause, f.Confidence)
		for _, e := range f.Evidence {
			fmt.Fprintf(&out, "  %s\n", e)
		}
		fmt.Fprintf(&out, "  what to do: %s\n", f.Remedy)
	}
	return out.String()
}

const longest = 300 // letters of a quotation

// quote makes one short line of a text.
func quote(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return text
}
