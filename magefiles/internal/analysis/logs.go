package analysis

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubectl/pkg/util/podutils"

	"todo.local/magefiles/internal/app"
)

// signs are what faults sound like in a log, the more particular first. A line is a sign of the first that fits.
var signs = []struct {
	kind       Kind
	pattern    *regexp.Regexp
	cause      string
	confidence Confidence
}{
	{Architecture, regexp.MustCompile(`(?i)exec format error`), "the image is for another architecture than the node's", Certain},
	{DiskFull, regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`), "the disk is full", Certain},
	{DatabaseFull, regexp.MustCompile(`(?i)too many clients already|remaining connection slots are reserved|too many connections for (role|database)`), "the database has no connection left", Certain},
	{DatabaseLogin, regexp.MustCompile(`(?i)password authentication failed|role "[^"]*" does not exist|no pg_hba\.conf entry`), "the database does not take the password or the user", Certain},
	{Pool, regexp.MustCompile(`(?i)QueuePool limit|connection pool exhausted|pool timeout|couldn't get a connection after|message":"overloaded|^overloaded\b`), "all connections of the pool are in use", Likely},
	{SchemaBehind, regexp.MustCompile(`(?i)relation "[^"]*" does not exist|column \S+ does not exist|undefined(table|column)`), "the database's schema is not what the backend expects", Likely},
	{DNS, regexp.MustCompile(`(?i)temporary failure in name resolution|name or service not known|could not translate host name|failed to resolve host|no such host|getaddrinfo (ENOTFOUND|EAI_AGAIN)|server misbehaving`),
		"a name is not resolved", Likely},
	{Clock, regexp.MustCompile(`(?i)not yet valid|clock skew|token used before issued|certificate is not yet|clock (is )?(ahead|behind)`), "a clock is wrong", Likely},
	{TrustedAuthority, regexp.MustCompile(`(?i)certificate verify failed|unable to get local issuer certificate|self[- ]signed certificate in certificate chain|unknown authority`),
		"a certificate comes from an authority that is not trusted", Likely},
	{RBAC, regexp.MustCompile(`(?i)is forbidden: User "[^"]*" cannot`), "a ServiceAccount lacks a right", Certain},
	{DatabaseAway, regexp.MustCompile(`(?i)connection to server .* failed|could not connect to server|connection refused.*5432|database unavailable|the database system is (starting up|shutting down)|server closed the connection unexpectedly`),
		"the database is not reached", Likely},
}

const (
	recent   = 5 * time.Minute // how old a line of a pod that is ready may be to count
	repeated = 2               // lines from which on a pod that is ready has a fault and no mishap
)

// logged finds faults by what containers say of them. A pod that is ready may have said much before it was: then only
// what it goes on saying counts.
func logged(s *Snapshot) []Finding {
	var out []Finding
	told := map[string]bool{}
	for _, l := range s.Logs {
		p := s.pod(l.Pod)
		if p == nil || p.DeletionTimestamp != nil {
			continue
		}
		hits := s.hits(p, l)
		for _, sign := range signs {
			lines := hits[sign.kind]
			key := string(sign.kind) + "/" + s.workloadOf("pod/"+l.Pod)
			if len(lines) == 0 || podutils.IsPodReady(p) && len(lines) < repeated || told[key] {
				continue
			}
			told[key] = true
			object := "pod/" + l.Pod
			evidence := []Evidence{{Object: container(object, l.Container), Line: quote(lines[len(lines)-1].Text)}}
			if len(lines) > 1 {
				evidence = append(evidence, Evidence{Object: container(object, l.Container), Field: fmt.Sprintf("log: %d lines like it", len(lines))})
			}
			out = append(out, found(sign.kind, object, fmt.Sprintf("%s, says container %s: %s", sign.cause, l.Container, quote(lines[len(lines)-1].Text)), sign.confidence, "", evidence...))
		}
	}
	return append(out, s.clock()...)
}

// hits are the lines that are signs, by what they are signs of.
func (s *Snapshot) hits(p *corev1.Pod, l Log) map[Kind][]Line {
	hits := map[Kind][]Line{}
	for _, line := range l.Lines {
		if s.Now.Sub(line.Time) > logWindow || podutils.IsPodReady(p) && (s.Now.Sub(line.Time) > recent || line.Time.Before(readySince(p))) {
			continue
		}
		text := message(line.Text)
		for _, sign := range signs {
			if sign.pattern.MatchString(text) {
				hits[sign.kind] = append(hits[sign.kind], Line{line.Time, text})
				break
			}
		}
	}
	return hits
}

// skew is from which difference on sessions and certificates suffer.
const skew = 30 * time.Second

func (s *Snapshot) clock() []Finding {
	if s.ClockAhead.Abs() < skew {
		return nil
	}
	return []Finding{found(Clock, "cluster", fmt.Sprintf("the cluster's clock is ahead of this machine's by %s", s.ClockAhead.Abs().Round(time.Second)), Certain, "",
		Evidence{Object: "cluster", Field: "leases.renewTime: later than this machine's time"})}
}

func readySince(p *corev1.Pod) time.Time {
	i := slices.IndexFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady })
	if i < 0 {
		return time.Time{}
	}
	return p.Status.Conditions[i].LastTransitionTime.Time
}

// message is what a log line says. Of a JSON object that is its message and its reason, where it is a warning or worse:
// what else is in it, such as a path, is a visitor's to choose.
func message(line string) string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "{") {
		return line
	}
	var entry struct{ Level, Message, Reason, Exception string }
	if json.Unmarshal([]byte(line), &entry) != nil {
		return line
	}
	if slices.Contains([]string{"DEBUG", "INFO"}, strings.ToUpper(entry.Level)) {
		return ""
	}
	return strings.Join(strings.Fields(entry.Message+" "+entry.Reason+" "+entry.Exception), " ")
}

const (
	someRequests = 20          // from which on shares mean something
	manyErrors   = 0.05        // of the answers
	slow         = time.Second // for most of the slowest twentieth
)

// responses finds out from what the backend logs of its requests whether it answers with errors, or slowly.
func responses(s *Snapshot) []Finding {
	var out []Finding
	for _, l := range s.Logs {
		if l.Container != app.Backend.Name {
			continue
		}
		var durations []float64
		var failed []string
		for _, line := range l.Lines {
			var entry struct {
				Path, Method string
				Status       int
				Duration     *float64 `json:"duration_ms"`
			}
			if json.Unmarshal([]byte(line.Text), &entry) != nil || entry.Duration == nil || s.Now.Sub(line.Time) > recent || strings.HasPrefix(entry.Path, "/health") {
				continue
			}
			if entry.Path != "/api/chat" { // a model takes its time
				durations = append(durations, *entry.Duration)
			}
			if entry.Status >= 500 {
				failed = append(failed, fmt.Sprintf("%s %s: %d", entry.Method, entry.Path, entry.Status))
			}
		}
		if len(durations) < someRequests {
			continue
		}
		object := "pod/" + l.Pod
		if share := float64(len(failed)) / float64(len(durations)); share >= manyErrors {
			out = append(out, found(ServerErrors, object, fmt.Sprintf("%.0f %% of the last %d answers of %s were errors of the server", 100*share, len(durations), l.Pod), Certain, "",
				Evidence{Object: container(object, l.Container), Line: quote(failed[len(failed)-1])}))
		}
		slices.Sort(durations)
		if p95 := durations[len(durations)*95/100]; p95 > float64(slow.Milliseconds()) {
			out = append(out, found(SlowQueries, object, fmt.Sprintf("one in twenty requests to %s takes %.1f s or longer", l.Pod, p95/1000), Certain, "",
				Evidence{Object: container(object, l.Container), Field: fmt.Sprintf("duration_ms, 95th percentile of %d: %.0f", len(durations), p95)}))
		}
	}
	return out
}

// secretShapes finds values that are plainly not what they should be: encoded twice, or with the end of the line that
// they were read from.
func secretShapes(s *Snapshot) []Finding {
	var out []Finding
	for _, f := range s.Secrets {
		for key, wrong := range f.Keys {
			if wrong != "" {
				object := "secret/" + f.Name
				out = append(out, found(SecretShape, object+"."+key, fmt.Sprintf("key %s of Secret %s %s", key, f.Name, wrong), Certain, "", Evidence{Object: object, Field: "data." + key + ": " + wrong}))
			}
		}
	}
	slices.SortFunc(out, func(a, b Finding) int { return strings.Compare(a.ID, b.ID) })
	return out
}
