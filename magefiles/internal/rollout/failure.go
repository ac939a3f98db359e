package rollout

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"todo.local/magefiles/internal/fault"
)

// Kind is the class of a failure.
type Kind string

// Kinds of failures.
const (
	Image         Kind = "image"         // the image cannot be had
	Config        Kind = "config"        // a Secret, a ConfigMap or a key in one is missing
	Start         Kind = "start"         // the container cannot be started
	Crash         Kind = "crash"         // the container ends again and again
	Init          Kind = "init"          // an init container fails
	Memory        Kind = "memory"        // the container was killed for using more memory than it may
	Probe         Kind = "probe"         // the container runs but does not answer its probe
	Unschedulable Kind = "unschedulable" // no node takes the pod
	Volume        Kind = "volume"        // a volume does not come
	Sandbox       Kind = "sandbox"       // the node cannot set up the pod, its network say
	Quota         Kind = "quota"         // a quota does not allow the pod
	Refused       Kind = "refused"       // a webhook or a policy does not allow the pod
	NodePressure  Kind = "node pressure" // the node runs out of memory or disk
	Timeout       Kind = "timeout"       // none of these: it just took too long
)

// remedies say for each kind what a user can do.
var remedies = map[Kind]string{
	Image:         "check the image's name, and that the cluster holds it or may pull it: go tool mage image:load",
	Config:        "check the names of the Secret and the ConfigMap and their keys; deploy again to have them written",
	Start:         "check the image's command and the chart's securityContext",
	Crash:         "read the log, correct the cause and deploy again",
	Init:          "read the log; where it is about the database, check DATABASE_URL and that the database can be reached from the cluster",
	Memory:        "raise resources.limits.memory of the service in the chart's values, or find what uses it",
	Probe:         "read the log: the service runs, but something that it needs does not answer",
	Unschedulable: "lower resources.requests or replicas in the chart's values, or give the cluster more room",
	Volume:        "check that the storage class exists and its provisioner runs; see: go tool mage events",
	Sandbox:       "see: go tool mage events; starting the node again often helps: go tool mage cluster:down cluster:up",
	Quota:         "raise the namespace's ResourceQuota, or lower replicas and resources in the chart's values",
	Refused:       "change what the message names, or the policy that refuses it",
	NodePressure:  "free disk space or memory on this machine: docker system df, free -h",
	Timeout:       "see what it was at; a slow machine may need a longer TODO_TIMEOUT",
}

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

	uid types.UID
	pod *corev1.Pod
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

// Evidence is what the failure rests on, as lines for people: the object's last events, and what the container last said.
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
			lines = append(lines, "    "+clip(l, 300))
		}
	}
	return lines
}

// Remedy is what a user can do about it.
func (f *Failure) Remedy() string { return remedies[f.Kind] }

// Unwrap gives the class of the failure and its remedy.
func (f *Failure) Unwrap() error { return fault.New(fault.CodeRollout, f.Error(), f.Remedy()) }

// quotesLog tells whether the container's own last words belong into the one line.
func (f *Failure) quotesLog() bool { return f.Kind == Crash || f.Kind == Init || f.Kind == Probe }

// telling picks the line of a log that says most: the last one that speaks of an error, else the last one.
func telling(log []string) string {
	var last, fault string
	for _, line := range log {
		text, isError := message(line)
		if text == "" {
			continue
		}
		last = text
		if isError {
			fault = text
		}
	}
	if fault != "" {
		return fault
	}
	return last
}

// message gives the text of a log line, which may be a JSON object, and whether it speaks of an error.
func message(line string) (text string, isError bool) {
	line = strings.TrimSpace(line)
	var entry struct{ Level, Message string }
	if json.Unmarshal([]byte(line), &entry) == nil && entry.Message != "" {
		level := strings.ToUpper(entry.Level)
		return oneLine(entry.Message), level == "ERROR" || level == "CRITICAL" || level == "FATAL"
	}
	lower := strings.ToLower(line)
	return oneLine(line), strings.Contains(lower, "error") || strings.Contains(lower, "fail") || strings.Contains(lower, "fatal") || strings.Contains(lower, "exception")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
