package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubectl/pkg/util/podutils"

	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/words"
)

// state is what the cluster says of a release at one moment.
type state struct {
	deployments  []*appsv1.Deployment
	statefulSets []*appsv1.StatefulSet
	replicaSets  []*appsv1.ReplicaSet
	pods         []*corev1.Pod // by name
	claims       []*corev1.PersistentVolumeClaim
	events       []*corev1.Event // of the whole namespace
	fresh        map[types.UID]bool
	causes       map[string]string // what was last said of each container's pull, by causeKey
	room         room
}

// workload is a Deployment or a StatefulSet, as far as a rollout is concerned.
type workload struct {
	name          string // deployment/backend
	uid           types.UID
	ready, wanted int32
	done          bool
	stateful      bool                   // it keeps the release's data
	mine          func(*corev1.Pod) bool // whether a pod is of the revision being rolled out
}

func (s state) workloads() []workload {
	var out []workload
	for _, d := range s.deployments {
		wanted := replicas(d.Spec.Replicas)
		revision := s.newReplicaSet(d)
		st := d.Status
		out = append(out, workload{
			name: d.Name, uid: d.UID, wanted: wanted, ready: min(st.UpdatedReplicas, st.AvailableReplicas),
			// As many as wanted, all of the new revision, all available, and none of an older one.
			done: st.ObservedGeneration >= d.Generation && st.UpdatedReplicas == wanted && st.Replicas == wanted && st.AvailableReplicas == wanted,
			mine: func(p *corev1.Pod) bool {
				return revision != nil && metav1.IsControlledBy(p, revision)
			},
		})
	}
	for _, set := range s.statefulSets {
		wanted := replicas(set.Spec.Replicas)
		st := set.Status
		out = append(out, workload{
			name: set.Name, uid: set.UID, wanted: wanted, ready: min(st.UpdatedReplicas, st.AvailableReplicas), stateful: true,
			done: st.ObservedGeneration >= set.Generation && st.UpdatedReplicas == wanted && st.Replicas == wanted && st.AvailableReplicas == wanted,
			mine: func(p *corev1.Pod) bool {
				return metav1.IsControlledBy(p, set) && p.Labels[appsv1.ControllerRevisionHashLabelKey] == st.UpdateRevision
			},
		})
	}
	slices.SortFunc(out, func(a, b workload) int { return cmp.Compare(a.name, b.name) })
	return out
}

func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// revisionAnnotation is how the Deployment controller counts.
const revisionAnnotation = "deployment.kubernetes.io/revision"

// newReplicaSet gives the ReplicaSet of a Deployment's present template, or nil where it does not exist yet.
func (s state) newReplicaSet(d *appsv1.Deployment) *appsv1.ReplicaSet {
	if d.Status.ObservedGeneration < d.Generation {
		return nil
	}
	for _, r := range s.replicaSets {
		if metav1.IsControlledBy(r, d) && r.Annotations[revisionAnnotation] == d.Annotations[revisionAnnotation] {
			return r
		}
	}
	return nil
}

func (s state) done() bool {
	return !slices.ContainsFunc(s.workloads(), func(w workload) bool { return !w.done })
}

// current gives the pods of the revisions being rolled out. Older pods may be as broken as they like: they are on their
// way out.
func (s state) current() []*corev1.Pod {
	var out []*corev1.Pod
	for _, w := range s.workloads() {
		out = append(out, s.podsOf(w)...)
	}
	return out
}

func (s state) podsOf(w workload) []*corev1.Pod {
	var out []*corev1.Pod
	for _, p := range s.pods {
		if p.DeletionTimestamp == nil && w.mine(p) {
			out = append(out, p)
		}
	}
	return out
}

// doing says what the first pod of a workload that is not ready is at.
func (s state) doing(w workload) string {
	for _, p := range s.podsOf(w) {
		if !podutils.IsPodReady(p) {
			return activity(p)
		}
	}
	return ""
}

// activity is what a pod is at, for people and to tell progress from standstill.
func activity(p *corev1.Pod) string {
	if p.Spec.NodeName == "" {
		return "waiting for a node"
	}
	for _, c := range p.Status.InitContainerStatuses {
		switch {
		case c.State.Running != nil:
			return c.Name + " runs"
		case c.State.Waiting != nil && c.State.Waiting.Reason != "PodInitializing":
			return waiting(c.State.Waiting)
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		switch {
		case c.State.Waiting != nil:
			return waiting(c.State.Waiting)
		case c.State.Terminated != nil:
			return fmt.Sprintf("%s ended with exit code %d", c.Name, c.State.Terminated.ExitCode)
		case !c.Ready && c.Started != nil && *c.Started:
			return "started, not ready yet"
		case !c.Ready:
			return "starting"
		}
	}
	return strings.ToLower(string(p.Status.Phase))
}

func waiting(w *corev1.ContainerStateWaiting) string {
	switch w.Reason {
	case "ContainerCreating", "PodInitializing", "":
		return "being created"
	}
	return w.Reason
}

// footprint changes whenever something moves. What a pod with a problem is at changes with every attempt to mend it,
// and counts only as that problem.
func (s state) footprint(problems []problem) string {
	troubles := map[types.UID]string{}
	for _, p := range problems {
		troubles[p.uid] = p.key()
	}
	var b strings.Builder
	for _, w := range s.workloads() {
		fmt.Fprintf(&b, "%s %d/%d\n", w.name, w.ready, w.wanted)
	}
	for _, p := range s.pods {
		fmt.Fprintf(&b, "%s %v %t %s\n", p.Name, p.DeletionTimestamp, podutils.IsPodReady(p), cmp.Or(troubles[p.UID], activity(p)))
	}
	return b.String()
}

// eventsOf gives what happened to an object, the oldest first, as one line each.
func (s state) eventsOf(uid types.UID) []string {
	found := s.about(uid)
	var out []string
	for _, e := range found[max(0, len(found)-eventLines):] {
		line := fmt.Sprintf("%s %s: %s", e.Type, e.Reason, words.OneLine(e.Message))
		if n := times(e); n > 1 {
			line += fmt.Sprintf(" (%d times)", n)
		}
		out = append(out, line)
	}
	return out
}

// about gives the events of an object, the oldest first.
func (s state) about(uid types.UID) []*corev1.Event {
	var out []*corev1.Event
	for _, e := range s.events {
		if uid != "" && e.InvolvedObject.UID == uid {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b *corev1.Event) int { return kube.LastSeen(a).Compare(kube.LastSeen(b)) })
	return out
}
