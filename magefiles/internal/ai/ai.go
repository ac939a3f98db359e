// Package ai answers questions about the running application in plain language, and proposes changes of it: with a
// model behind any OpenAI-compatible endpoint, or, where there is none, with an interpreter of the common requests.
//
// Nothing that a model says is run. It can ask for the few things that tools lists, with arguments that are checked
// here; what changes the application is shown to a person, who decides. What the cluster says may have been written by
// anyone: it is handed on as data, bounded and without secrets.
package ai

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/audit"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// maxQuestion is how long a question may be, in bytes.
const maxQuestion = 4000

// Application is what can be asked about.
type Application struct {
	Namespace string
	Services  []string // those that have logs
	Scalable  []string // those of them that can be scaled and restarted
	MaxPods   int      // of a service
}

// Operations look at the application and change it as the targets do.
type Operations interface {
	// Analyze gives what is wrong with the application, causes first.
	Analyze(ctx context.Context) ([]analysis.Finding, error)
	// Preview gives what the call would change in the cluster, as a diff; nothing is changed.
	Preview(ctx context.Context, c Call) (string, error)
	// Read gives what the call asks for as text for people.
	Read(ctx context.Context, c Call) (string, error)
	// Change does what the call says, shows its progress, and returns once the application is seen to work so. Where it
	// does not, what was before comes back.
	Change(ctx context.Context, c Call) error
}

// Session answers one question.
type Session struct {
	UI          *ui.UI
	Application Application
	Operations  Operations
	Secrets     Secrets
	// Endpoint is the model's; without one, the built-in interpreter answers.
	Endpoint *Endpoint
	// Audit keeps what is asked, read, proposed and done; nil keeps nothing.
	Audit func(by, event, detail string) error
	// Confirm asks the person at the terminal; nil where there is none, so that nothing can be changed.
	Confirm func(ctx context.Context, question string) (bool, error)
}

// Answer prints the answer to a question. Changes that it asks for are made only after the person agreed to each.
func (s *Session) Answer(ctx context.Context, question string) error {
	question = strings.TrimSpace(question)
	if question == "" || len(question) > maxQuestion {
		return fault.New(fault.CodeInput, fmt.Sprintf("a question has 1 to %d characters", maxQuestion), `ask for example: go tool mage ai "what is wrong?"`)
	}
	s.record(audit.Asked, question)
	if s.Endpoint == nil {
		return s.interpret(ctx, question)
	}
	return s.converse(ctx, question)
}

// record keeps an event, without secrets.
func (s *Session) record(event, detail string) {
	if s.Audit == nil {
		return
	}
	by := "built-in interpreter"
	if s.Endpoint != nil {
		by = "model " + s.Endpoint.Model
	}
	if err := s.Audit(by, event, s.Secrets.Hide(detail)); err != nil {
		s.UI.Printf("The audit could not be written: %v\n", err)
	}
}

// analyze looks at the whole application.
func (s *Session) analyze(ctx context.Context) (found []analysis.Finding, err error) {
	err = s.UI.Do("Analysis", func(t *ui.Task) error {
		found, err = s.Operations.Analyze(ctx)
		t.Result("%d findings", len(found))
		return err
	})
	return found, err
}

// say prints what an assistant or the cluster said.
func (s *Session) say(text string) {
	if text = strings.TrimSpace(Printable(s.Secrets.Hide(text))); text != "" {
		s.UI.Printf("\n%s\n", text)
	}
}

// escapes are a terminal's commands for colours, the cursor and titles.
var escapes = regexp.MustCompile(`\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?)`)

// Printable leaves out what could move a terminal's cursor or hide text on it.
func Printable(text string) string {
	text = escapes.ReplaceAllString(text, "")
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Bidi_Control) {
			return -1
		}
		return r
	}, text)
}

// decide shows the person what one change comes to, asks about it and makes it. made is false where the person said no.
func (s *Session) decide(ctx context.Context, change Call) (made bool, err error) {
	diff, err := s.Operations.Preview(ctx, change)
	if err != nil {
		return false, err
	}
	s.say(diff)
	s.record(audit.Proposed, change.String())
	yes, err := s.Confirm(ctx, fmt.Sprintf("Proposed: %s   (go tool mage %s)\nDo it?", change, change.target()))
	if err != nil || !yes {
		s.record(audit.Answered, "no")
		return false, err
	}
	s.record(audit.Answered, "yes")
	err = s.Operations.Change(ctx, change)
	s.record(audit.Done, change.String()+": "+outcome(err))
	return true, err
}

// unasked gives the failure that names the commands for what was proposed.
func unasked(changes []Call) error {
	var what, targets []string
	for _, c := range changes {
		what, targets = append(what, c.String()), append(targets, c.target())
	}
	return fault.New(fault.CodeFailed, "nothing was changed, as there is no terminal to ask at; proposed: "+strings.Join(what, ", "),
		"to do it, run: go tool mage "+strings.Join(targets, " "))
}
