package rollout

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/words"
)

const (
	eventLines = 5
	logLines   = 20
)

// Failure is why a rollout cannot succeed.
type Failure struct {
	Kind      Kind
	Object    string    // "pod backend-7d4b…" or the name of a workload
	Container string    // where one container is to blame
	Reason    string    // one line
	Events    []string  // what happened to the object, the oldest first
	Log       []string  // the last lines of the container that failed
	Since     time.Time // when the cause was first seen; zero for a Timeout

	uid      types.UID
	pod      *corev1.Pod
	overtime bool // it might have mended itself, and did not in time
}

// Error names the object, the container and the reason in one line.
func (f *Failure) Error() string {
	who := f.Object
	if f.Container != "" {
		who += ", container " + f.Container
	}
	if who == "" {
		return "rollout: " + f.Reason
	}
	return fmt.Sprintf("%s: %s", who, f.Reason)
}

// Evidence is what the failure rests on, as lines for people: the object's last events, and what the container last
// said.
func (f *Failure) Evidence() []string {
	var lines []string
	for _, part := range []struct {
		head  string
		lines []string
	}{
		{"last events of " + f.Object, f.Events},
		{"last lines of container " + f.Container, f.Log},
	} {
		if len(part.lines) == 0 {
			continue
		}
		lines = append(lines, part.head+":")
		for _, l := range part.lines {
			lines = append(lines, "    "+words.Short(l, 300))
		}
	}
	return lines
}

// Remedy is what a user can do about it.
func (f *Failure) Remedy() string {
	if f.overtime {
		return "deploy again once that has passed, or give it longer with TODO_TIMEOUT; else: " + kinds[f.Kind].remedy
	}
	return kinds[f.Kind].remedy
}

// As lets the failure be taken for an error with a class and a remedy.
func (f *Failure) As(target any) bool {
	e, ok := target.(**fault.Error)
	if ok {
		*e = fault.New(fault.CodeRollout, f.Error(), f.Remedy())
	}
	return ok
}

// quotesLog tells whether the container's own last words belong into the one line.
func (f *Failure) quotesLog() bool { return f.Kind == Crash || f.Kind == Init || f.Kind == Probe }

// telling picks the line of a log that says most: the last one that speaks of an error, else the last one.
func telling(log []string) string {
	var last, worst string
	for _, line := range log {
		text, isError := message(line)
		if text == "" {
			continue
		}
		last = text
		if isError {
			worst = text
		}
	}
	return cmp.Or(worst, last)
}

// message gives the text of a log line, which may be a JSON object, and whether it speaks of an error.
func message(line string) (text string, isError bool) {
	line = strings.TrimSpace(line)
	var entry struct{ Level, Message string }
	if json.Unmarshal([]byte(line), &entry) == nil && entry.Message != "" {
		level := strings.ToUpper(entry.Level)
		return words.OneLine(entry.Message), level == "ERROR" || level == "CRITICAL" || level == "FATAL"
	}
	lower := strings.ToLower(line)
	return words.OneLine(line), strings.Contains(lower, "error") || strings.Contains(lower, "fail") || strings.Contains(lower, "fatal") || strings.Contains(lower, "exception")
}
