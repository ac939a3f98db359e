package ai

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

func TestCommonRequestsAreUnderstood(t *testing.T) {
	for question, want := range map[string]Call{
		"what is wrong?":                              {Tool: Diagnosis},
		"Why is the backend restarting?":              {Tool: Diagnosis, Service: "backend"},
		"why does the website not work":               {Tool: Diagnosis, Service: "frontend"},
		"is everything ok?":                           {Tool: Diagnosis},
		"did the database crash?":                     {Tool: Diagnosis, Service: "postgres"},
		"should I restart the backend?":               {Tool: Diagnosis, Service: "backend"},
		"tell me why the backend needs a restart":     {Tool: Diagnosis, Service: "backend"},
		"please make the api bigger, 3 copies":        {Tool: Scale, Service: "backend", Number: 3},
		"show the pods":                               {Tool: Status},
		"what is running?":                            {Tool: Status},
		"logs of the backend":                         {Tool: Logs, Service: "backend"},
		"show the error log of the DB":                {Tool: Logs, Service: "postgres"},
		"how much memory is used?":                    {Tool: Usage},
		"who uses the cpu":                            {Tool: Usage},
		"show the last events":                        {Tool: Events},
		"what happened?":                              {Tool: Events},
		"which revisions are there?":                  {Tool: History},
		"can I roll back?":                            {Tool: History},
		"show the deployments":                        {Tool: Deployments},
		"scale the backend to 3":                      {Tool: Scale, Service: "backend", Number: 3},
		"Scale frontend from 2 to 4 pods, please":     {Tool: Scale, Service: "frontend", Number: 4},
		"scale the backend to zero":                   {Tool: Scale, Service: "backend"},
		"could you restart the front end?":            {Tool: Restart, Service: "frontend"},
		"restart the frontend":                        {Tool: Restart, Service: "frontend"},
		"roll back":                                   {Tool: Rollback},
		"roll back to the previous version":           {Tool: Rollback},
		"please undo the last deploy":                 {Tool: Rollback},
		"roll back to revision 3":                     {Tool: Rollback, Number: 3},
		"go back to version 12":                       {Tool: Rollback, Number: 12},
		"how do I scale the backend to 3? show usage": {Tool: Usage},
	} {
		got, _, err := todo.understand(question)
		if assert.NoError(t, err, question) {
			assert.Equal(t, want, got, question)
		}
	}
}

func TestItAsksBackRatherThanGuess(t *testing.T) {
	for question, want := range map[string]string{
		"make me a sandwich":                        "does not understand",
		"delete the namespace":                      "does not understand",
		"show the secrets":                          "does not understand",
		"show the logs":                             "whose logs",
		"logs of backend and frontend":              "whose logs",
		"scale to 3":                                "scale what: backend or frontend?",
		"scale the database to 3":                   "scale what",
		"scale the backend and the frontend to 3":   "scale what",
		"scale the backend":                         "to how many pods",
		"scale up the backend by 2":                 "to how many pods",
		"scale the backend to 3.5":                  "to how many pods",
		"scale the backend to -1":                   "to how many pods",
		"scale the backend to 1000":                 "to how many pods",
		"scale the backend to 99999999999999999999": "to how many pods",
		"scale the backend 2 3":                     "to how many pods",
		"restart":                                   "restart what",
		"restart postgres":                          "restart what",
		"don't restart the backend":                 "or not?",
		"do not scale the backend to 0":             "or not?",
		"restart the backend and roll back":         "which of these first?",
		"roll back 2 versions":                      "which revision",
		"roll back to revision 0":                   "which revision",
		"roll back to revision 3 or to revision 4":  "which revision",
	} {
		_, _, err := todo.understand(question)
		if assert.ErrorContains(t, err, want, question) {
			assert.Equal(t, fault.CodeInput, fault.Code(err), question)
			assert.NotEmpty(t, fault.Remedy(err), question)
		}
	}
}

func offline() (*Session, *fakeOperations, *bytes.Buffer) {
	ops, out := &fakeOperations{gives: map[string]string{}}, &bytes.Buffer{}
	return &Session{UI: ui.Plain(out), Application: todo, Operations: ops, Secrets: KnownSecrets("hunter2hunter2")}, ops, out
}

func TestTheInterpreterAnswersAndSaysWhatItIs(t *testing.T) {
	s, ops, out := offline()
	ops.gives[Logs] = "backend-1  the password is hunter2hunter2\x1b]0;x\n"
	require.NoError(t, s.Answer(t.Context(), "logs of the backend"))
	assert.Equal(t, []Call{{Tool: Logs, Service: "backend"}}, ops.calls)
	assert.Contains(t, out.String(), "Built-in interpreter: took it for: logs backend; with OPENAI_API_KEY a model answers")
	assert.Contains(t, out.String(), "\nThis is what backend logged last:\n\nbackend-1  the password is (left out)\n")
}

func TestTheInterpreterChangesNothingUnasked(t *testing.T) {
	s, ops, out := offline()
	err := s.Answer(t.Context(), "scale the backend to 3")
	assert.Equal(t, fault.CodeFailed, fault.Code(err))
	assert.Equal(t, "to do it, run: go tool mage scale backend 3", fault.Remedy(err))
	assert.Empty(t, ops.calls)

	s.Confirm = answered(false)
	require.NoError(t, s.Answer(t.Context(), "scale the backend to 3"))
	assert.Empty(t, ops.calls)
	assert.Contains(t, out.String(), "Nothing was changed.")

	s.Confirm = answered(true)
	require.NoError(t, s.Answer(t.Context(), "scale the backend to 3"))
	assert.Equal(t, []Call{{Tool: Scale, Service: "backend", Number: 3}}, ops.calls)
}
