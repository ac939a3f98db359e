package rollout

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubectl/pkg/util/podutils"
)

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
		for _, e := range s.about(set.UID) {
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
	slices.SortStableFunc(out, func(a, b problem) int { return int(a.grace - b.grace) })
	return out
}

// refusal is a pod that the API server does not take.
func refusal(f Failure, message string) problem {
	f.Kind, f.Reason = Refused, clip(oneLine(message), 300)
	if strings.Contains(message, "exceeded quota") || strings.Contains(message, "failed quota") {
		f.Kind = Quota
	}
	return problem{Failure: f, grace: settle}
}

// podProblem gives what is wrong with a pod that is not ready, or nil where it is on its way.
func (s state) podProblem(p *corev1.Pod) *problem {
	if p.Status.Phase == corev1.PodFailed && p.Status.Reason != "" {
		kind := Start
		if p.Status.Reason == "Evicted" {
			kind = NodePressure
		}
		return &problem{Failure: Failure{Kind: kind, Reason: clip(p.Status.Reason+": "+oneLine(p.Status.Message), 300)}, grace: settle}
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

// unplaced is about a pod that has no node.
func (s state) unplaced(p *corev1.Pod) *problem {
	for _, c := range p.Status.Conditions {
		if c.Type != corev1.PodScheduled || c.Status != corev1.ConditionFalse || c.Reason != corev1.PodReasonUnschedulable {
			continue
		}
		if found := s.claimProblem(p); found != nil {
			return found
		}
		message, _, _ := strings.Cut(oneLine(c.Message), " preemption:")
		f := Failure{Kind: Unschedulable, Reason: "no node takes it: " + clip(strings.TrimSuffix(message, "."), 300)}
		switch {
		case strings.Contains(message, "-pressure"):
			f.Kind = NodePressure
		case strings.Contains(strings.ToLower(message), "persistentvolume"):
			f.Kind = Volume
		case strings.Contains(message, "Insufficient") || !strings.Contains(message, "taint"):
			f.Reason += "; it asks for " + requests(p)
		}
		return &problem{Failure: f, grace: patience, yields: true}
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
				if e.Type == corev1.EventTypeWarning || e.Reason == "FailedBinding" {
					return &problem{Failure: Failure{Kind: Volume, Reason: fmt.Sprintf("volume claim %s is pending: %s", claim.Name, clip(oneLine(e.Message), 300))}, grace: settle}
				}
			}
		}
	}
	return nil
}

// containerProblem is about one container.
func (s state) containerProblem(p *corev1.Pod, c corev1.ContainerStatus, init bool) *problem {
	make := func(kind Kind, reason string) *problem {
		return &problem{Failure: Failure{Kind: kind, Container: c.Name, Reason: reason}, grace: settle}
	}
	if w := c.State.Waiting; w != nil {
		message := clip(oneLine(w.Message), 300)
		switch w.Reason {
		case "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError":
			return make(Image, fmt.Sprintf("image %s cannot be pulled: %s", c.Image, s.pullFailure(p, message)))
		case "InvalidImageName", "ErrImageNeverPull":
			found := make(Image, fmt.Sprintf("image %s cannot be used: %s", imageOf(p, c.Name), message))
			found.grace = atOnce
			return found
		case "CreateContainerConfigError":
			return make(Config, message)
		case "CreateContainerError", "RunContainerError", "PreStartHookError", "PostStartHookError":
			return make(Start, fmt.Sprintf("%s: %s", w.Reason, message))
		case crashLoop:
		default:
			return nil // on its way, maybe again: all containers end when their node is restarted
		}
	}
	if c.State.Running != nil && !init {
		return s.probeProblem(p, c)
	}
	ended := c.State.Terminated
	if ended == nil {
		ended = c.LastTerminationState.Terminated
	}
	if ended == nil || ended.ExitCode == 0 && init || ended.Reason == lost {
		return nil
	}
	return s.crash(p, c, ended, init)
}

const (
	crashLoop = "CrashLoopBackOff" // the kubelet's word for a container that failed at least twice
	lost      = "Unknown"          // containerd's for one that went away with its node, and is started again
)

// crash is about a container that ended. One failure may have been bad luck: what counts is a second one, or that the second attempt takes long.
func (s state) crash(p *corev1.Pod, c corev1.ContainerStatus, ended *corev1.ContainerStateTerminated, init bool) *problem {
	found := problem{grace: patience}
	found.Kind, found.Container, found.Reason = Crash, c.Name, fmt.Sprintf("ends with exit code %d", ended.ExitCode)
	if c.State.Waiting != nil {
		found.grace = atOnce
	}
	switch {
	case ended.Reason == "OOMKilled":
		found.Kind = Memory
		found.Reason = "was killed for using more memory than its limit of " + limit(p, c.Name)
	case ended.Reason == "StartError", ended.Reason == "ContainerCannotRun":
		found.Kind = Start
		found.Reason = "cannot be started: " + clip(oneLine(ended.Message), 300)
	case init:
		found.Kind = Init
	case s.killedByProbe(p, c.Name) != "":
		found.Kind = Probe
		found.Reason = "was restarted for not answering: " + s.killedByProbe(p, c.Name)
	}
	return &found
}

// probeProblem is about a container that runs. One that starts gets the time that its startup probe gives it; if it was ended for not making use of
// that, it is no longer expected to. One that has started is expected to become ready.
func (s state) probeProblem(p *corev1.Pod, c corev1.ContainerStatus) *problem {
	found := problem{grace: patience, yields: true}
	found.Kind, found.Container = Probe, c.Name
	if c.Started == nil || !*c.Started {
		answer := s.killedByProbe(p, c.Name)
		if c.RestartCount == 0 || answer == "" {
			return nil
		}
		found.grace, found.yields = atOnce, false
		found.Reason = "was restarted for not answering: " + answer
		return &found
	}
	for _, e := range slices.Backward(s.about(p.UID)) {
		if e.Reason == "Unhealthy" && concerns(e, c.Name) && !strings.HasPrefix(e.Message, "Startup") {
			found.Reason = "runs but is not ready: " + clip(oneLine(e.Message), 200)
			return &found
		}
	}
	return nil
}

// concerns tells whether a pod's event is about one of its containers.
func concerns(e *corev1.Event, container string) bool {
	return strings.HasSuffix(e.InvolvedObject.FieldPath, "{"+container+"}")
}

// killedByProbe gives what the kubelet says of a probe for which it ended a container, or nothing.
func (s state) killedByProbe(p *corev1.Pod, container string) string {
	events := s.about(p.UID)
	killed := slices.ContainsFunc(events, func(e *corev1.Event) bool {
		return e.Reason == "Killing" && concerns(e, container) && strings.Contains(e.Message, "probe")
	})
	if !killed {
		return ""
	}
	for _, e := range slices.Backward(events) {
		if e.Reason == "Unhealthy" && concerns(e, container) {
			return clip(oneLine(e.Message), 200)
		}
	}
	return "its probe failed"
}

// setupProblem is about a pod whose containers do not get as far as starting.
func (s state) setupProblem(p *corev1.Pod) *problem {
	if slices.ContainsFunc(p.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool { return c.State.Waiting == nil }) {
		return nil
	}
	for _, e := range slices.Backward(s.about(p.UID)) {
		if e.Count < 2 {
			continue // a node under load fails once and then succeeds
		}
		kind := Volume
		switch e.Reason {
		case "FailedMount", "FailedAttachVolume", "FailedMapVolume":
		case "FailedCreatePodSandBox":
			kind = Sandbox
		default:
			continue
		}
		return &problem{Failure: Failure{Kind: kind, Reason: clip(oneLine(e.Message), 300)}, grace: patience}
	}
	return nil
}

// noise is what adds nothing to what a registry said.
var noise = regexp.MustCompile(`rpc error: code = \w+ desc = |failed to pull and unpack image "[^"]*": |Failed to pull image "[^"]*": |Back-off pulling image "[^"]*": |ErrImagePull: `)

// pullFailure finds the registry's own words: a back-off says less than the event before it.
func (s state) pullFailure(p *corev1.Pod, message string) string {
	for _, e := range slices.Backward(s.about(p.UID)) {
		if e.Reason == "Failed" && strings.HasPrefix(e.Message, "Failed to pull image") {
			message = oneLine(e.Message)
			break
		}
	}
	return clip(noise.ReplaceAllString(message, ""), 300)
}

func imageOf(p *corev1.Pod, container string) string {
	for _, c := range append(slices.Clone(p.Spec.InitContainers), p.Spec.Containers...) {
		if c.Name == container {
			return c.Image
		}
	}
	return ""
}

func limit(p *corev1.Pod, container string) string {
	for _, c := range append(slices.Clone(p.Spec.InitContainers), p.Spec.Containers...) {
		if c.Name == container {
			return c.Resources.Limits.Memory().String()
		}
	}
	return ""
}
