package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubectl/pkg/util/podutils"

	"todo.local/magefiles/internal/words"
)

// problem is something that keeps a release from coming up, if it lasts.
type problem struct {
	Failure
	outlook outlook
	// yields: does not count while something else in the release still moves, as that may make room or come up.
	yields bool
}

// key is the same for as long as it is the same problem with the same outlook.
func (p problem) key() string {
	return fmt.Sprintf("%s/%s/%s/%d", p.Kind, p.Object, p.Container, p.outlook)
}

func (p problem) patience() time.Duration { return p.Kind.patience(p.outlook) }

// problems gives everything that keeps the release from coming up, the most telling first.
func (s state) problems() []problem {
	var out []problem
	for _, d := range s.deployments {
		for _, c := range d.Status.Conditions {
			if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
				out = append(out, refusal(Failure{Object: "deployment " + d.Name, uid: d.UID}, c.Message))
			}
		}
	}
	for _, set := range s.statefulSets {
		// A StatefulSet tells of refused pods by events alone, which outlive their cause: only news count.
		for _, e := range slices.Backward(s.about(set.UID)) {
			if e.Reason == "FailedCreate" && s.fresh[e.UID] && set.Status.Replicas < replicas(set.Spec.Replicas) {
				out = append(out, refusal(Failure{Object: "statefulset " + set.Name, uid: set.UID}, e.Message))
				break
			}
		}
	}
	for _, p := range s.current() {
		if podutils.IsPodReady(p) {
			continue
		}
		if found := s.podProblem(p); found != nil {
			found.Object, found.uid, found.pod = "pod "+p.Name, p.UID, p
			out = append(out, *found)
		}
	}
	// What is certain goes before what may mend itself.
	slices.SortStableFunc(out, func(a, b problem) int { return int(a.outlook - b.outlook) })
	return out
}

// refusal is a pod that the API server does not take. A quota may have room once pods of the version before have ended.
func refusal(f Failure, message string) problem {
	f.Kind, f.Reason = Refused, words.Short(words.OneLine(message), 300)
	full := strings.Contains(message, "exceeded quota")
	if full || strings.Contains(message, "failed quota") {
		f.Kind = Quota
	}
	return problem{Failure: f, outlook: foreseeRefusal(message), yields: full}
}

// podProblem gives what is wrong with a pod that is not ready, or nil where it is on its way.
func (s state) podProblem(p *corev1.Pod) *problem {
	if p.Status.Phase == corev1.PodFailed && p.Status.Reason != "" {
		return ousted(p)
	}
	if p.Spec.NodeName == "" {
		return s.unplaced(p)
	}
	for _, c := range p.Status.InitContainerStatuses {
		if found := s.containerProblem(p, c, true); found != nil {
			return found
		}
	}
	if !initialized(p) {
		return s.setupProblem(p) // what its containers say is of a life before its node was restarted
	}
	for _, c := range p.Status.ContainerStatuses {
		if found := s.containerProblem(p, c, false); found != nil {
			return found
		}
	}
	return s.setupProblem(p)
}

// ousted is about a pod that its node ended or did not take. Another one is made in its place, and counts, unless the
// pod itself was too big.
func ousted(p *corev1.Pod) *problem {
	found := problem{yields: true}
	found.Kind, found.Reason = Start, words.Short(p.Status.Reason+": "+words.OneLine(p.Status.Message), 300)
	switch {
	case p.Status.Reason != "Evicted":
		found.outlook = unsure
	case strings.Contains(p.Status.Message, "exceeds"):
		found.Kind, found.yields = NodePressure, false
	default:
		found.Kind = NodePressure
	}
	return &found
}

// unplaced is about a pod that has no node.
func (s state) unplaced(p *corev1.Pod) *problem {
	for _, c := range p.Status.Conditions {
		if c.Type != corev1.PodScheduled || c.Status != corev1.ConditionFalse || c.Reason != corev1.PodReasonUnschedulable {
			continue
		}
		if found := s.claimProblem(p); found != nil {
			return found
		}
		message, _, _ := strings.Cut(words.OneLine(c.Message), " preemption:")
		f := Failure{Kind: Unschedulable, Reason: "no node takes it: " + words.Short(strings.TrimSuffix(message, "."), 300)}
		o := s.roomFor(p)
		switch {
		case strings.Contains(message, "-pressure"):
			f.Kind = NodePressure
		case strings.Contains(message, "unbound immediate PersistentVolumeClaims"):
			f.Kind, o = Volume, mends // claimProblem knows of those that are not being made
		case strings.Contains(strings.ToLower(message), "persistentvolume"):
			f.Kind = Volume
		case strings.Contains(message, "Insufficient") || !strings.Contains(message, "taint"):
			f.Reason += "; it asks for " + requests(p)
		}
		return &problem{Failure: f, outlook: o, yields: true}
	}
	return nil
}

// requests is what a pod asks a node for, for people.
func requests(p *corev1.Pod) string {
	var parts []string
	for _, c := range p.Spec.Containers {
		r := c.Resources.Requests
		parts = append(parts, fmt.Sprintf("%s of cpu and %s of memory", r.Cpu(), r.Memory()))
	}
	return strings.Join(parts, ", ")
}

// claimProblem is about a volume of the pod that nobody provides. One that is merely being made has no such events.
func (s state) claimProblem(p *corev1.Pod) *problem {
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		for _, claim := range s.claims {
			if claim.Name != v.PersistentVolumeClaim.ClaimName || claim.Status.Phase == corev1.ClaimBound {
				continue
			}
			for _, e := range slices.Backward(s.about(claim.UID)) {
				if e.Type != corev1.EventTypeWarning && e.Reason != "FailedBinding" {
					continue
				}
				found := problem{outlook: foresee(e.Message, volumeMends, volumeStuck, unsure)}
				found.Kind, found.Reason = Volume, fmt.Sprintf("volume claim %s is pending: %s", claim.Name, words.Short(words.OneLine(e.Message), 300))
				return &found
			}
		}
	}
	return nil
}

// setupProblem is about a pod whose containers do not get as far as starting.
func (s state) setupProblem(p *corev1.Pod) *problem {
	if slices.ContainsFunc(p.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool { return c.State.Waiting == nil }) {
		return nil
	}
	events := s.about(p.UID)
	for _, e := range slices.Backward(events) {
		var found problem
		switch e.Reason {
		case "FailedMount", "FailedAttachVolume", "FailedMapVolume":
			found.Kind, found.outlook = Volume, foresee(e.Message, volumeMends, volumeStuck, unsure)
		case "FailedCreatePodSandBox":
			found.Kind, found.outlook = Sandbox, foresee(e.Message, sandboxMends, sandboxStuck, unsure)
		default:
			continue
		}
		if attempts(events, func(other *corev1.Event) bool { return other.Reason == e.Reason }) < 2 {
			continue // a node under load fails once and then succeeds
		}
		found.Reason = words.Short(words.OneLine(e.Message), 300)
		return &found
	}
	return nil
}

// attempts is how often what some events tell of has happened. Those that differ, in the name of a sandbox say, are
// counted apart.
func attempts(events []*corev1.Event, same func(*corev1.Event) bool) int {
	n := int32(0)
	for _, e := range events {
		if same(e) {
			n += times(e)
		}
	}
	return int(n)
}

// times is how often an event happened. Newer senders fill in another field than older ones.
func times(e *corev1.Event) int32 {
	if e.Series != nil {
		return max(e.Series.Count, 1)
	}
	return max(e.Count, 1)
}
