package release

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/words"
)

// templateFailure is what Helm says of a template that called fail or did not render.
var templateFailure = regexp.MustCompile(`(?:execution error at \(|parse error at \(|template: )[^/ ]+/templates/([^:)]+)[:0-9]*\)?: (.+)`)

// explain turns an error of Helm's into one line with a remedy.
func explain(name string, err error) error {
	text := short(err.Error())
	switch {
	case errors.Is(err, context.Canceled):
		return fault.Wrap(err, fault.CodeInterrupted, "the release "+name+" was interrupted", "run the same command again; it recovers")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(err, fault.CodeCluster, "the release "+name+" took too long", "run: go tool mage doctor")
	case strings.Contains(text, "cluster unreachable"), strings.Contains(text, "connection refused"):
		return kube.Unreachable(err)
	case strings.Contains(text, "cannot be imported into the current release"):
		return fault.New(fault.CodeInput, fmt.Sprintf("release %s would take over an object that it does not own: %s", name, text),
			"delete that object, or choose another namespace with TODO_NAMESPACE")
	case templateFailure.MatchString(text):
		m := templateFailure.FindStringSubmatch(text)
		return fault.New(fault.CodeInput, fmt.Sprintf("template %s: %s", m[1], m[2]), "correct the values or the chart; check it with: go tool mage chart:lint")
	}
	return fault.New(fault.CodeRollout, fmt.Sprintf("release %s: %s", name, text), "correct the cause and run the same command again")
}

// short folds white space and bounds the length.
func short(s string) string { return words.Short(words.OneLine(s), 500) }

// list joins names for a sentence, the first few of them.
func list(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
