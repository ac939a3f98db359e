package ai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Names of the tools. Those up to History only look.
const (
	Status      = "status"
	Deployments = "deployments"
	Diagnosis   = "diagnosis"
	Events      = "events"
	Logs        = "logs"
	Usage       = "usage"
	History     = "history"
	Scale       = "scale"
	Restart     = "restart"
	Rollback    = "rollback"
)

// Call is a checked request for a tool.
type Call struct {
	Tool    string
	Service string // for Logs, Scale and Restart; for Diagnosis it may be empty
	Number  int    // of pods for Scale; the revision for Rollback, 0 for the last other one that passed its checks
}

// changes tells whether the call would change the application.
func (c Call) changes() bool { return c.Tool == Scale || c.Tool == Restart || c.Tool == Rollback }

// String says in words what the call does.
func (c Call) String() string {
	switch {
	case c.Tool == Scale:
		return fmt.Sprintf("scale %s to %d pods", c.Service, c.Number)
	case c.Tool == Rollback && c.Number == 0:
		return "roll back to the last other version that passed its checks"
	case c.Tool == Rollback:
		return fmt.Sprintf("roll back to revision %d", c.Number)
	case c.Service != "":
		return c.Tool + " " + c.Service
	}
	return c.Tool
}

// target is the call as a target of this project with its arguments, where it changes something.
func (c Call) target() string {
	switch {
	case c.Tool == Scale:
		return fmt.Sprintf("scale %s %d", c.Service, c.Number)
	case c.Tool == Restart:
		return "restart " + c.Service
	case c.Number == 0:
		return "release:rollback"
	}
	return fmt.Sprintf("release:rollback -revision=%d", c.Number)
}

// tool describes a tool to a model and to check.
type tool struct {
	name, text string
	services   []string // the values of argument service; none where it takes none
	optional   bool     // service may be left out
	number     string   // name of the argument that is a number; none where it takes none
	max        int      // the greatest number
}

// maxRevision is more than any release has had.
const maxRevision = 1_000_000

// tools are all that an assistant can ask for.
func (a Application) tools() []tool {
	return []tool{
		{name: Status, text: "The cluster, the release, every pod with its state, restarts, age and image, and the URLs."},
		{name: Deployments, text: "The Deployments with the pods that they want and have, their images and their resource limits."},
		{name: Diagnosis, text: "What keeps the application from running, with the cause, remedy, last events and log lines, and which containers were restarted and why.",
			services: a.Services, optional: true},
		{name: Events, text: "What Kubernetes reported of the application's objects, the newest last."},
		{name: Logs, text: "The last lines of the logs of every pod of a service.", services: a.Services},
		{name: Usage, text: "CPU and memory that each pod uses, next to what it may use."},
		{name: History, text: "The revisions of the release, the newest last."},
		{name: Scale, text: "Proposes to run a service on that many pods until the next deploy; 0 takes it out of service. The person is asked first.",
			services: a.Scalable, number: "pods", max: a.MaxPods},
		{name: Restart, text: "Proposes to replace the pods of a service, one after another. The person is asked first.", services: a.Scalable},
		{name: Rollback, text: "Proposes to go back to an earlier revision of the release; 0 is the last other one that passed its checks. The person is asked first.", number: "revision", max: maxRevision},
	}
}

// schema is the JSON Schema of the tool's arguments.
func (t tool) schema() map[string]any {
	properties, required := map[string]any{}, []string{}
	if t.services != nil {
		properties["service"] = map[string]any{"type": "string", "enum": t.services}
		if !t.optional {
			required = append(required, "service")
		}
	}
	if t.number != "" {
		properties[t.number] = map[string]any{"type": "integer", "minimum": 0, "maximum": t.max}
		required = append(required, t.number)
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// parse checks what a model asked for. Errors are for the model to correct itself by, and go with the zero Call, which
// does nothing.
func (a Application) parse(name, arguments string) (Call, error) {
	tools := a.tools()
	i := slices.IndexFunc(tools, func(t tool) bool { return t.name == name })
	if i < 0 {
		return Call{}, fmt.Errorf("there is no tool %.40q", name)
	}
	var given struct {
		Service  *string `json:"service"`
		Pods     *int    `json:"pods"`
		Revision *int    `json:"revision"`
	}
	if strings.TrimSpace(arguments) == "" {
		arguments = "{}" // as some endpoints send no arguments
	}
	in := json.NewDecoder(bytes.NewReader([]byte(arguments)))
	in.DisallowUnknownFields()
	if err := in.Decode(&given); err != nil {
		return Call{}, fmt.Errorf("the arguments of %s do not fit its schema: %w", name, err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return Call{}, fmt.Errorf("the arguments of %s are not one JSON object", name)
	}
	t, c := tools[i], Call{Tool: name}
	numbers := map[string]*int{"pods": given.Pods, "revision": given.Revision}
	if given.Service != nil {
		c.Service = *given.Service
	}
	if n := numbers[t.number]; n != nil {
		c.Number = *n
	}
	delete(numbers, t.number)
	switch {
	case t.number != "" && given.Pods == nil && given.Revision == nil:
		return Call{}, fmt.Errorf("%s needs the argument %s", name, t.number)
	case numbers["pods"] != nil || numbers["revision"] != nil:
		return Call{}, fmt.Errorf("%s takes no such number", name)
	}
	if err := t.check(c); err != nil {
		return Call{}, err
	}
	return c, nil
}

// check tells why a call is none that the tool takes.
func (t tool) check(c Call) error {
	switch {
	case t.services == nil && c.Service != "":
		return fmt.Errorf("%s takes no service", t.name)
	case t.services != nil && !slices.Contains(t.services, c.Service) && (!t.optional || c.Service != ""):
		return fmt.Errorf("%s takes one of the services %s", t.name, strings.Join(t.services, ", "))
	case c.Number < 0 || c.Number > t.max:
		return fmt.Errorf("%s takes %s from 0 to %d", t.name, t.number, t.max)
	}
	return nil
}
