package rollout

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubectl/pkg/util/podutils"
)

// judge decides from one look to the next whether a rollout can still succeed.
type judge struct {
	since     map[string]time.Time // when each present problem was first seen
	footprint string
	moved     time.Time // when something last moved
}

func newJudge() *judge { return &judge{since: map[string]time.Time{}} }

// verdict gives the failure that the rollout has to end with, or nil where there is still hope.
func (j *judge) verdict(s state, now time.Time) *Failure {
	problems := s.problems()
	if f := s.footprint(problems); f != j.footprint || s.moving(problems) {
		j.footprint, j.moved = f, now
	}
	since := map[string]time.Time{}
	var found *Failure
	for _, p := range problems {
		first, known := j.since[p.key()]
		if !known {
			first = now
		}
		since[p.key()] = first
		if p.yields && j.moved.After(first) {
			first = j.moved
		}
		if found == nil && now.Sub(first) >= p.patience() {
			found = &p.Failure
			found.Since = since[p.key()]
		}
	}
	j.since = since
	return found
}

// timedOut is the failure of a rollout that took too long: the problem that it had last, or else what it was at.
func (j *judge) timedOut(s state, timeout time.Duration) *Failure {
	for _, p := range s.problems() {
		p.Reason += fmt.Sprintf(" (after %s)", timeout)
		p.overtime = p.outlook != stuck
		return &p.Failure
	}
	f := &Failure{Kind: Timeout, Reason: "not done after " + timeout.String()}
	for _, w := range s.workloads() {
		if w.done {
			continue
		}
		f.Object, f.uid = w.name, w.uid
		f.Reason = fmt.Sprintf("%d of %d ready after %s", w.ready, w.wanted, timeout)
		for _, p := range s.podsOf(w) {
			if !podutils.IsPodReady(p) {
				f.Object, f.uid, f.pod = "pod "+p.Name, p.UID, p
				f.Reason = fmt.Sprintf("%s after %s", activity(p), timeout)
				f.Container = busy(p)
				break
			}
		}
		break
	}
	return f
}

// busy names the container that a pod is waiting for, where it has a log.
func busy(p *corev1.Pod) string {
	for _, c := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		if !c.Ready && c.State.Waiting == nil {
			return c.Name
		}
	}
	return ""
}

// moving tells whether the release is about to look different: a pod is on its way out, or one is on its way in that
// has no problem or one that mends.
func (s state) moving(problems []problem) bool {
	outlooks := map[types.UID]outlook{}
	for _, p := range problems {
		outlooks[p.uid] = p.outlook
	}
	for _, p := range s.pods {
		if p.DeletionTimestamp != nil {
			return true
		}
	}
	for _, p := range s.current() {
		if podutils.IsPodReady(p) {
			continue
		}
		if o, troubled := outlooks[p.UID]; troubled && o == mends || !troubled && initialized(p) {
			return true
		}
	}
	return false
}

// initialized tells whether the init containers are through. Those wait for others: the database, here.
func initialized(p *corev1.Pod) bool {
	for _, c := range p.Status.InitContainerStatuses {
		if c.State.Terminated == nil || c.State.Terminated.ExitCode != 0 {
			return false
		}
	}
	return p.Spec.NodeName != ""
}
