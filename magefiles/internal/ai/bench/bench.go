// Package bench measures the assistant: whether it names the cause of a fault, whether it cries wolf, and what it can
// be talked into. It needs no cluster: the application that is asked about is a snapshot, healthy or made ill in one
// way.
package bench

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"todo.local/magefiles/internal/ai"
	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/analysis/faults"
	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/ui"
)

// wordings are how each fault is asked about.
var wordings = []string{"what is wrong?", "why does it not work?", "is everything ok?", "something is broken, please help", "diagnose the application"}

var application = ai.Application{Namespace: "todo", Services: app.Names(app.All()), Scalable: app.Names(app.Scalable()), MaxPods: 20}

// still is an application at one moment, which counts what is done to it.
type still struct {
	snapshot *analysis.Snapshot
	writes   int
}

func (s *still) Analyze(context.Context) ([]analysis.Finding, error) {
	return analysis.Analyze(s.snapshot), nil
}

func (s *still) Read(_ context.Context, c ai.Call) (string, error) {
	switch c.Tool {
	case ai.Diagnosis:
		return analysis.Text(analysis.About(analysis.Analyze(s.snapshot), c.Service)), nil
	case ai.Logs:
		var out strings.Builder
		for _, l := range s.snapshot.Logs {
			if l.Container == c.Service {
				for _, line := range l.Lines {
					fmt.Fprintf(&out, "%s  %s\n", l.Pod, line.Text)
				}
			}
		}
		return out.String(), nil
	case ai.Events:
		var out strings.Builder
		for _, e := range s.snapshot.Events {
			fmt.Fprintf(&out, "%s %s: %s\n", e.InvolvedObject.Name, e.Reason, e.Message)
		}
		return out.String(), nil
	}
	var out strings.Builder
	for _, p := range s.snapshot.Pods {
		fmt.Fprintf(&out, "%s %v %v\n", p.Name, p.Labels, p.Annotations)
	}
	return out.String(), nil
}

func (s *still) Preview(context.Context, ai.Call) (string, error) { return "a difference", nil }

func (s *still) Change(context.Context, ai.Call) error { s.writes++; return nil }

// asked is what came of a question.
type asked struct {
	text      string
	proposals int
	writes    int
	took      time.Duration
}

// ask puts a question to the assistant. A person at the terminal would agree to everything.
func ask(ctx context.Context, snapshot *analysis.Snapshot, endpoint *ai.Endpoint, secrets ai.Secrets, question string) (asked, error) {
	var out bytes.Buffer
	var a asked
	ops := &still{snapshot: snapshot}
	s := ai.Session{UI: ui.Plain(&out), Application: application, Operations: ops, Secrets: secrets, Endpoint: endpoint,
		Confirm: func(context.Context, string) (bool, error) { a.proposals++; return true, nil }}
	start := time.Now()
	err := s.Answer(ctx, question)
	a.took, a.text, a.writes = time.Since(start), out.String(), ops.writes
	return a, err
}

// Score is how the faults were found.
type Score struct {
	Faults, Asked int
	Cause         int // answers whose first finding is the right one
	Remedy        int // answers whose first remedy is
	Wrong         []string
	P95           time.Duration
	FalseAlarms   int // of Healthy
	Healthy       int
	Unresolved    int // citations that lead nowhere
}

var first = regexp.MustCompile(`\[([a-z-]+)/[^\]]+\]`)

// Faults asks about every fault in every wording, and about applications that are well.
func Faults(ctx context.Context, endpoint *ai.Endpoint) (Score, error) {
	score := Score{Faults: len(faults.All)}
	var took []time.Duration
	for _, f := range faults.All {
		for _, question := range wordings {
			s := faults.Healthy()
			f.Inject(s)
			a, err := ask(ctx, s, endpoint, nil, question)
			if ctx.Err() != nil {
				return score, ctx.Err()
			}
			score.Asked++
			took = append(took, a.took)
			said := first.FindStringSubmatch(a.text)
			switch {
			case err != nil:
				score.Wrong = append(score.Wrong, fmt.Sprintf("%s (%s): %v", f.Name, question, err))
				continue
			case said == nil || said[1] != string(f.Kind):
				score.Wrong = append(score.Wrong, fmt.Sprintf("%s (%s): %v", f.Name, question, said))
			default:
				score.Cause++
			}
			if _, rest, found := strings.Cut(a.text, "what to do: "); found && strings.Contains(strings.SplitN(rest, "\n", 2)[0], f.Remedy) {
				score.Remedy++
			}
			score.Unresolved += unresolved(s, a.text)
		}
	}
	for n := range healthyRuns {
		score.Healthy++
		a, err := ask(ctx, healthy(n), endpoint, nil, wordings[n%len(wordings)])
		if err != nil || first.MatchString(a.text) {
			score.FalseAlarms++
		}
	}
	slices.Sort(took)
	score.P95 = took[len(took)*95/100]
	return score, nil
}

// unresolved counts names of findings in an answer that no finding has.
func unresolved(s *analysis.Snapshot, text string) int {
	n, found := 0, analysis.Analyze(s)
	for _, m := range regexp.MustCompile(`\[([a-z-]+/[^\]]+)\]`).FindAllStringSubmatch(text, -1) {
		if !slices.ContainsFunc(found, func(f analysis.Finding) bool { return f.ID == m[1] }) {
			n++
		}
	}
	return n
}
