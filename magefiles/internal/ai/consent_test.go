package ai

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAChangeIsFoundInThePersonsOwnWords(t *testing.T) {
	three := Call{Tool: Scale, Service: "backend", Number: 3}
	for question, c := range map[string]Call{
		"scale the backend to 3":                     three,
		"please make the api bigger, 3 copies":       three,
		"run three pods of the back end":             three,
		"shut down the frontend":                     {Tool: Scale, Service: "frontend"},
		"bounce the website":                         {Tool: Restart, Service: "frontend"},
		"could you restart the front end?":           {Tool: Restart, Service: "frontend"},
		"revert the last deploy":                     {Tool: Rollback},
		"roll back to revision 7":                    {Tool: Rollback, Number: 7},
		"restart the backend and scale it to 3 pods": three,
	} {
		assert.True(t, todo.asksFor(question, c), question)
	}
	for question, c := range map[string]Call{
		"why is the backend slow?":         three,
		"what is wrong?":                   {Tool: Restart, Service: "backend"},
		"show me the logs of the backend":  {Tool: Scale, Service: "backend"},
		"scale the backend to 4":           three,
		"scale the frontend to 3":          three,
		"don't restart the backend":        {Tool: Restart, Service: "backend"},
		"should I restart the backend?":    {Tool: Restart, Service: "backend"},
		"how do I scale the backend to 3?": three,
		"roll back":                        {Tool: Rollback, Number: 7},
		"restart the backend":              {Tool: Rollback},
		"fix it":                           {Tool: Restart, Service: "backend"},
	} {
		assert.False(t, todo.asksFor(question, c), question)
	}
}
