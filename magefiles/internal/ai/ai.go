// Package ai answers questions about the running application in plain language, and proposes changes of it: with a model behind any
// OpenAI-compatible endpoint, or, where there is none, with an interpreter of the common requests.
//
// Nothing that a model says is run. It can ask for the few things that tools lists, with arguments that are checked here; what changes the application
// is shown to a person, who decides. What the cluster says may have been written by anyone: it is handed on as data, bounded and without secrets.
package ai

import (
	"context"
	"fmt"
	"strings"
	"unicode"

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
	// Read gives what the call asks for as text for people.
	Read(ctx context.Context, c Call) (string, error)
	// Change does what the call says, shows its progress, and returns once the application runs so.
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
	// Confirm asks the person at the terminal; nil where there is none, so that nothing can be changed.
	Confirm func(ctx context.Context, question string) (bool, error)
}

// Answer prints the answer to a question. Changes that it asks for are made only after the person agreed to each.
func (s *Session) Answer(ctx context.Context, question string) error {
	question = strings.TrimSpace(question)
	if question == "" || len(question) > maxQuestion {
		return fault.New(fault.CodeInput, fmt.Sprintf("a question has 1 to %d characters", maxQuestion), `ask for example: go tool mage ai "what is wrong?"`)
	}
	if s.Endpoint == nil {
		return s.interpret(ctx, question)
	}
	return s.converse(ctx, question)
}

// say prints what an assistant or the cluster said.
func (s *Session) say(text string) {
	if text = strings.TrimSpace(printable(s.Secrets.Hide(text))); text != "" {
		s.UI.Printf("\n%s\n", text)
	}
}

// printable leaves out what could move a terminal's cursor or hide text on it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Bidi_Control) {
			return -1
		}
		return r
	}, text)
}

// decide asks the person about one change and makes it. made is false where the person said no.
func (s *Session) decide(ctx context.Context, change Call) (made bool, err error) {
	yes, err := s.Confirm(ctx, fmt.Sprintf("Proposed: %s   (go tool mage %s)\nDo it?", change, change.target()))
	if err != nil || !yes {
		return false, err
	}
	return true, s.Operations.Change(ctx, change)
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
